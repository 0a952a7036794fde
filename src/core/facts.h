/* facts: what one device said of itself, and nothing that it did not say */
#ifndef CORE_FACTS_H
#define CORE_FACTS_H

#include <plist/plist.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clean.h"

/* A fact that may be missing. UNKNOWN is null in JSON, never a guess. */
enum known { UNKNOWN = 0, NO, YES };

/* One profile on the device's own list. Texts but the first are printable UTF-8, or NULL. */
struct installed_profile {
	char		*identifier;		/* as the device has it; never NULL */
	char		*uuid;
	char		*display_name;
	char		*organization;
	int64_t		 version;		/* -1: not told */
	enum known	 is_active;
	enum known	 is_removal_disallowed;
	unsigned	 times_listed;		/* not once: the list contradicts itself */
};

/* Zero-initialise; release with facts_clear(). Texts are owned, NULL unknown. */
struct facts {
	/* from usbmuxd: known before the device said anything */
	char		 udid[64];
	bool		 has_location;
	uint32_t	 location;
	bool		 is_network;
	char		 slot[64];		/* the name of its port; "" when it has none */

	/* from lockdownd */
	uint64_t	 ecid;			/* 0 unknown */
	char		*name, *serial, *product, *device_class, *os, *build, *activation;
	enum known	 is_locked;		/* PasswordProtected: wants its passcode now */
	enum known	 is_paired;
	enum known	 is_supervised;

	/* from MCInstall */
	char		*organization;		/* who supervises it */
	enum known	 is_ours;		/* our certificate is a supervisor's */
	plist_t		 cloud;			/* CloudConfiguration; NULL not read, or none */
	bool		 has_profiles;		/* the list was read (it may be empty) */
	struct installed_profile *profiles;
	size_t		 n_profiles;
	enum known	 answers_restrictions;	/* the Restrictions query */
	plist_t		 restrictions;		/* GlobalRestrictions; NULL unless it answered */
	plist_t		 by_profile;		/* ProfileRestrictions; NULL unless asked for */
};

void	facts_clear(struct facts *f);

#define auto_facts	auto_with(facts_clear)

/* Forgets what MCInstall said, before it is asked again. */
void	facts_forget_profiles(struct facts *f);

struct blob;
struct error;

/*
 * Each reads one answer into *f. 0, or -1: out of memory, or ERR_PROTOCOL when
 * the answer has not the shape it must have: what a verdict rests on is there, and
 * of its type. Any other value of a wrong type is unknown. ERR_LINK: it is the answer
 * of another device.
 */
int	facts_read_values(struct facts *f, plist_t values, struct error *err);
int	facts_read_profile_list(struct facts *f, plist_t reply, struct error *err);
/* certificate: DER of our identity, or NULL when we have none. */
int	facts_read_cloud(struct facts *f, plist_t reply, const struct blob *certificate,
	    struct error *err);
/* Whether that certificate is a supervisor's. UNKNOWN before the cloud configuration was read. */
enum known facts_is_supervisor(const struct facts *f, const struct blob *certificate);
int	facts_read_restrictions(struct facts *f, plist_t reply, struct error *err);

const struct installed_profile *facts_find_profile(const struct facts *f,
	    const char *identifier);

/* "iPad (10th generation)" for "iPad13,18"; NULL when this build does not know it. */
const char *facts_model(const char *product);

#endif
