/* desired: what a device should be: profiles that must be there, others that must not */
#ifndef CORE_DESIRED_H
#define CORE_DESIRED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/blob.h"
#include "core/profile.h"

struct error;
struct facts;

/* One profile that must be present. */
struct desired_profile {
	struct blob		 bytes;		/* as they go to the device */
	struct blob		 content;	/* of a file: what is in them, unwrapped */
	struct profile		 profile;	/* what they say */
	bool			 is_built;	/* by us from spec, not from a file */
	struct profile_spec	 spec;		/* when is_built; borrowed */
};

/* Zero-initialise; release with desired_clear(). */
struct desired {
	struct desired_profile	*profiles;
	size_t			 n_profiles;
	char			**absent;	/* identifiers; a trailing * matches any rest */
	size_t			 n_absent;
	char			*adopter;	/* the organization of desired_adopt() */
	profile_digest_fn	*digest;
};

/* Adds a profile built from spec, which is borrowed until desired_clear(). */
int	desired_add_spec(struct desired *d, const struct profile_spec *spec, struct error *err);
/*
 * Adds a profile from a file: raw is what goes to the device, content what it
 * says (the same unless it is signed). Two with one identifier: ERR_USAGE.
 */
int	desired_add_file(struct desired *d, const struct blob *raw, const struct blob *content,
	    struct error *err);
int	desired_add_absent(struct desired *d, const char *identifier, struct error *err);
/* Turns everything wanted into something unwanted: what remove is given. */
int	desired_invert(struct desired *d, struct error *err);
void	desired_clear(struct desired *d);

#define auto_desired	auto_with(desired_clear)

/*
 * The profiles built by us for nobody by name become organization's ("": they
 * stay nobody's). Once: what is adopted stays so, and later calls do nothing.
 */
int	desired_adopt(struct desired *d, const char *organization, struct error *err);
/*
 * Without an identity and without --organization nobody told whose profile it
 * is. The organization is a label on the screen, part of the content and so of
 * the UUID: take it from the device's own list and build again. Should the
 * device list another UUID for it, the content differs in something else.
 */
int	desired_settle(struct desired *d, const struct facts *facts, struct error *err);

/* Whether identifier matches pattern (exact, or with a trailing *). */
bool	desired_matches(const char *pattern, const char *identifier);

#endif
