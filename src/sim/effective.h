/* effective: what all installed profiles together restrict */
#ifndef SIM_EFFECTIVE_H
#define SIM_EFFECTIVE_H

#include <plist/plist.h>
#include <stdbool.h>

struct vprofile;

/*
 * The GlobalRestrictions dictionary of the Restrictions query: restrictedBool,
 * restrictedValue, intersection, union (Apple's device-management schema). What is not
 * restricted does not appear; keys for supervised devices count on those alone, and none
 * before the system that brought it (os is its version). With only NULL it is that of all
 * active ones of the list, else of that profile. The caller frees it.
 */
plist_t	effective_fold(const struct vprofile *profiles, const struct vprofile *only,
	    bool is_supervised, const char *os);

/* The value of a restricted boolean; fallback when it is not restricted. */
bool	effective_bool(plist_t effective, const char *key, bool fallback);

#endif
