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
	const char *const		*presets;	/* names; combined, in any order */
	size_t				 n_presets;
	const struct profile_setting	*settings;	/* they win over the presets */
	size_t				 n_settings;
	const char			*identifier;	/* NULL: derived from preset names */
	const char			*organization;	/* NULL: left out */
	bool				 is_removable;	/* by the person holding the device */
	int64_t				 duration_s;	/* DurationUntilRemoval; 0: none */
	int64_t				 removal_at;	/* RemovalDate, seconds since 1970 UTC;
							 * 0: none */
	const char			*removal_password;	/* NULL: none */
	int64_t				 now;		/* seconds since 1970; 0: unknown, then a
							 * removal_at in the past goes unnoticed */

	/* What some presets ask for; NULL: without it. */
	const char			*app;		/* bundle id: kiosk (must), exam, … */
	const char			*wifi_ssid;	/* adds a Wi-Fi payload */
	const char			*wifi_password;	/* WPA; in clear in the profile */
	const char			*footnote;	/* on the Lock Screen */
	const char			*asset_tag;
	bool				 lock_pairing;	/* allowHostPairing=false: only for
							 * devices that carry a supervising
							 * host's certificate */
};

/*
 * The profile as XML, the same bytes for the same specification on every machine; cheap (no
 * file, no clock), so build again rather than keep. The identifier is
 * org.chaperone.preset.NAME, for several presets their names in alphabetical order between
 * dots, without any org.chaperone.restrictions, .wifi or .lock-screen by what is in it; it
 * depends on nothing else, the organization included.
 *
 * PayloadUUIDs are RFC 9562 version 8. The outer one is cut from the SHA-256 of the very
 * bytes that profile_build() returns, less the PayloadUUID keys of the profile and its
 * payloads (core/canonical); a payload's from the profile's identifier, a newline and the
 * payload written the same way. So a device that lists this UUID carries this content, and
 * anyone can check it with sed and sha256sum.
 *
 * A time bound (duration_s, removal_at) also sets forceAutomaticDateAndTime: who can move
 * the clock could end it. A removal password with is_removable, an unknown preset or key, a
 * value of the wrong type or out of its range, anything else that core/lint calls an error:
 * ERR_USAGE. *out is replaced; it may hold secrets, and is wiped as any blob.
 */
int	profile_build(const struct profile_spec *spec, profile_digest_fn *digest,
	    struct blob *out, struct error *err);

/* The identifier that profile_build() gives, NUL included. ERR_USAGE: unknown preset. */
int	profile_identifier(const struct profile_spec *spec, struct blob *out, struct error *err);

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
	 * those that equal the default left out (they restrict nothing), each
	 * key once: of two payloads the restrictive value counts. Sorted by key.
	 * Keys unknown to the table are in it: no device will report them. */
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
