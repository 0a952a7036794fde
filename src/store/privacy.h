/* privacy: what of a device's owner is kept out of the record */
#ifndef STORE_PRIVACY_H
#define STORE_PRIVACY_H

#include "core/privacy_mode.h"
#include "store/event.h"

struct blob;
struct error;
struct json_t;

struct privacy {
	enum privacy_mode	 names;		/* a device name is often a person's */
	enum privacy_mode	 serials;	/* serial number, ECID, IMEI, phone number,
						 * MAC address */
	enum privacy_mode	 udids;		/* OMIT counts as HASH: events must tell
						 * devices apart */
	const struct blob	*key;		/* for PRIVACY_HASH, at least 16 bytes */
};

/* Whether anything is to be changed at all, and whether that takes a key. */
bool	privacy_is_asked(const struct privacy *p);
bool	privacy_needs_key(const struct privacy *p);

/*
 * The key that lies beside the ledger, or at path when that is not NULL: the
 * bytes of the file, but for a newline at its end. may_create: a file that is
 * missing is made, 0600, with 256 random bits. *out is replaced. ERR_NOINPUT
 * when there is none, ERR_PERM when others can read it, ERR_DATA when it is
 * shorter than 16 bytes.
 */
int	privacy_key(const char *path, const char *ledger, bool may_create, struct blob *out,
	    struct error *err);

/*
 * Changes body in place, before it is appended: in every "device" object, whose values are
 * also looked for inside all other texts of body that are not words of our own (an error
 * message may tell a name). The same value under the same key stays the same, so that a
 * device can be followed through the record by whoever has the key. ERR_USAGE for
 * PRIVACY_HASH without a key.
 */
int	privacy_apply(const struct privacy *p, struct json_t *body, struct error *err);

/* What to give as the event's device. out holds EVENT_TEXT_MAX bytes. */
int	privacy_device(const struct privacy *p, const char *udid, char out[EVENT_TEXT_MAX],
	    struct error *err);

/* What stands for text under the key: 5 + 32 characters. */
void	privacy_token(const struct blob *key, const char *text, char out[EVENT_TEXT_MAX]);

#endif
