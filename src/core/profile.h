/* profile: a configuration profile, built from a specification or read from a file */
#ifndef CORE_PROFILE_H
#define CORE_PROFILE_H

#include <plist/plist.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clean.h"
#include "base/text.h"

struct blob;
struct error;

/* core opens no library but libplist: the hash comes from outside (crypto/digest). */
typedef void profile_digest_fn(const void *data, size_t len, uint8_t out[32]);

/* One --restrict KEY=VALUE. Borrowed texts. */
struct profile_setting {
	const char	*key;
	const char	*value;		/* as typed: true, 300, a,b,c; typed by the key table */
};

/* What to build. Zero-initialise; everything is borrowed. */
struct profile_spec {
	const char *const		*presets;	/* names; combined */
	size_t				 n_presets;
	const struct profile_setting	*settings;
	size_t				 n_settings;
	const char			*identifier;	/* NULL: derived from preset names */
	const char			*organization;	/* NULL: left out */
	bool				 is_removable;	/* by the person holding the device */
	int64_t				 duration_s;	/* DurationUntilRemoval; 0: none */
	int64_t				 removal_at;	/* RemovalDate, seconds since 1970 UTC; 0: none */
	const char			*removal_password;	/* NULL: none */
};

/*
 * The profile as XML, the same bytes for the same specification on every
 * machine. PayloadUUIDs are RFC 9562 version 8, cut from the SHA-256 of the
 * canonical form without any PayloadUUID; so the UUID names the content.
 * Unknown preset or key, value of the wrong type: ERR_USAGE. *out is replaced.
 */
int	profile_build(const struct profile_spec *spec, profile_digest_fn *digest,
	    struct blob *out, struct error *err);

/* A restriction that a profile sets, for comparison with what a device reports. */
struct profile_restriction {
	char	*key;
	plist_t	 value;			/* borrowed from the profile's root */
};

/* What the rest of the program must know of a profile. Zero-initialise. */
struct profile {
	plist_t		 root;
	char		*identifier;
	char		*uuid;
	int64_t		 version;
	char		*display_name;		/* NULL when absent; likewise below */
	char		*organization;
	bool		 is_removal_disallowed;
	bool		 is_content_addressed;	/* its UUID is the one profile_build() would give */
	/* Keys of com.apple.applicationaccess payloads, Payload* keys left out,
	 * those that equal the default left out (they restrict nothing). */
	struct profile_restriction *restrictions;
	size_t		 n_restrictions;
};

/*
 * Reads a plain property list (XML or binary; a signed one is unwrapped by
 * crypto/envelope first). ERR_DATA unless PayloadType is Configuration and
 * identifier, UUID and version are there. This is no lint: see core/lint.
 */
int	profile_read(const void *data, size_t len, profile_digest_fn *digest,
	    struct profile *out, struct error *err);
void	profile_clear(struct profile *p);

#define auto_profile	auto_with(profile_clear)

/* The name "imessage-off" and its like; NULL at the end of the table. */
const char *profile_preset_name(size_t i);

#endif
