/* privacy: what of a device's owner is kept out of the record */
#ifndef STORE_PRIVACY_H
#define STORE_PRIVACY_H

#include "store/event.h"

struct blob;
struct error;
struct json_t;

enum privacy_mode {
	PRIVACY_KEEP,
	PRIVACY_OMIT,		/* null */
	PRIVACY_HASH,		/* "hmac:" and 32 digits of HMAC-SHA-256 under the key */
};

struct privacy {
	enum privacy_mode	 names;		/* a device name is often a person's */
	enum privacy_mode	 serials;	/* serial number, ECID, IMEI, phone number, MAC address */
	enum privacy_mode	 udids;		/* OMIT counts as HASH: events must tell devices apart */
	const struct blob	*key;		/* for PRIVACY_HASH, at least 16 bytes */
};

/*
 * Changes body in place, before it is appended: in every "device" object,
 * whose values are also looked for inside all other texts of body (an error
 * message may tell a name). The same value under the same key stays the same,
 * so that a device can be followed through the record by whoever has the key.
 * ERR_USAGE for PRIVACY_HASH without a key.
 */
int	privacy_apply(const struct privacy *p, struct json_t *body, struct error *err);

/* What to give as the event's device. out holds EVENT_TEXT_MAX bytes. */
int	privacy_device(const struct privacy *p, const char *udid, char out[EVENT_TEXT_MAX],
	    struct error *err);

#endif
