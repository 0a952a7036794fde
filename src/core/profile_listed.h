/* profile_listed: a profile against what a device tells of the one it has */
#ifndef CORE_PROFILE_LISTED_H
#define CORE_PROFILE_LISTED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clean.h"
#include "core/profile_diff.h"

struct error;
struct facts;
struct profile;

/* Zero-initialise; release with profile_listing_clear(). */
struct profile_listing {
	bool			 is_listed;	/* the device has one of this name */
	bool			 is_proven;	/* its UUID names the very content of ours */
	struct profile_changes	 changes;	/* from the profile to the device */
	/* What the device does not tell and nothing else proves: a line each. */
	char			**untold;
	size_t			 n_untold;
};

/*
 * A device tells the name, UUID, version, names and lock of each profile, and
 * to its supervisor what each restricts (facts->by_profile), but never what
 * other payloads hold. facts->has_profiles must be true. Restrictions that
 * another one brings along (core/reported) are no difference.
 */
int	profile_compare_listed(const struct profile *p, const struct facts *facts,
	    struct profile_listing *out, struct error *err);
void	profile_listing_clear(struct profile_listing *l);

#define auto_profile_listing	auto_with(profile_listing_clear)

#endif
