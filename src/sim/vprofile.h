/* vprofile: a profile as the device reads, refuses and keeps it */
#ifndef SIM_VPROFILE_H
#define SIM_VPROFILE_H

#include <plist/plist.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"

/* An installed or waiting profile. */
struct vprofile {
	struct vprofile	*next;
	plist_t		 root;
	struct blob	 signers;	/* empty: not signed */
	char		*identifier;
	char		*uuid;		/* what the device reports; a fault may change it */
	uint64_t	 version;
	bool		 is_locked;	/* PayloadRemovalDisallowed, honoured when supervised */
	bool		 has_password;	/* a removal password, kept only when locked */
	bool		 is_active;
	int64_t		 installed_at;	/* seconds since 1970 on the device's clock */
	int64_t		 removal_at;	/* 0: stays */
};

/* Why the device refuses; code 0 when it does not. Becomes an ErrorChain. */
struct vrefusal {
	const char	*domain;
	unsigned	 code;
	char		 text[160];
};

/* What of the device matters for reading a profile. */
struct vreader {
	bool	is_supervised;
	bool	has_telephony;
	bool	is_silent;		/* not through the user: an empty profile passes */
	int64_t	now;			/* device clock, seconds since 1970 */
};

/*
 * What is decided when it is installed: when that was, whether it is locked, and
 * when it ends. One that waits in Settings has its time only then.
 */
void	vprofile_date(struct vprofile *profile, bool is_supervised, int64_t now);

/*
 * XML, binary, or either in CMS. Returns NULL and fills *refusal when the
 * device refuses. The caller owns the profile: vprofile_free().
 */
struct vprofile *vprofile_read(const void *data, size_t len, const struct vreader *reader,
	    struct vrefusal *refusal);
void	vprofile_free(struct vprofile *profile);

/* The identifier in a RemoveProfile argument (XML, binary or signed), or NULL; free(). */
char	*vprofile_read_identifier(const void *data, size_t len);

/* Text of a top-level key, or NULL. */
const char *vprofile_text(const struct vprofile *profile, const char *key);
/* The ith payload of this type, or NULL. */
plist_t	vprofile_payload(const struct vprofile *profile, const char *type, size_t i);
/* A payload type that may be on a device once and that both contain; NULL: no conflict. */
const char *vprofile_conflict(const struct vprofile *a, const struct vprofile *b);

#endif
