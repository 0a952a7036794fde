/* profile_diff: what differs between two profiles, by meaning and not by text */
#ifndef CORE_PROFILE_DIFF_H
#define CORE_PROFILE_DIFF_H

#include <plist/plist.h>
#include <stddef.h>

#include "base/clean.h"

struct error;

enum profile_change_kind { PROFILE_ADDED, PROFILE_REMOVED, PROFILE_CHANGED };

struct profile_change {
	enum profile_change_kind kind;
	char	*path;		/* com.apple.applicationaccess.allowChat; printable */
	char	*before;	/* NULL when added; printable; a secret is "(secret)" */
	char	*after;		/* NULL when removed */
};

/* Zero-initialise; release with profile_changes_clear(). */
struct profile_changes {
	struct profile_change	*items;	/* sorted by path */
	size_t			 n, room;
};

/*
 * The roots of two profiles. Not counted: the order of keys and payloads, XML
 * or binary, the PayloadUUID of the profile and its payloads, 1 against 1.0,
 * the order of lists that devices treat as sets. Payloads are paired by type,
 * among those of one type by identifier, otherwise in order.
 */
int	profile_diff(plist_t a, plist_t b, struct profile_changes *out, struct error *err);
void	profile_changes_clear(struct profile_changes *c);

#define auto_profile_changes	auto_with(profile_changes_clear)

#endif
