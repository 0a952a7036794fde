/* values: what lockdown's GetValue knows, by domain and key */
#ifndef SIM_VALUES_H
#define SIM_VALUES_H

#include <plist/plist.h>
#include <stdbool.h>

struct virtual;

/*
 * domain NULL or empty: the global one. key NULL: all values as a dictionary.
 * Without a session only a part is told. NULL: *problem is lockdown's word for
 * it. The caller frees the result.
 */
plist_t	values_get(const struct virtual *device, const char *domain, const char *key,
	    bool has_session, const char **problem);
/* value is borrowed; NULL removes. Returns lockdown's word for the problem, or NULL. */
const char *values_set(struct virtual *device, const char *domain, const char *key,
	    plist_t value, bool has_session);

#endif
