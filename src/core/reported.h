/* reported: restrictions in the form in which a device reports them */
#ifndef CORE_REPORTED_H
#define CORE_REPORTED_H

#include <plist/plist.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * The answer to the Restrictions query: GlobalRestrictions, or one entry of
 * ProfileRestrictions. Only what is restricted appears, in four dictionaries by
 * the way in which values combine. restrictions may be NULL, and any value in
 * it another than it should be: then nothing is reported.
 */

/* The value of a restriction, whatever its kind; borrowed. NULL: not reported. */
plist_t	reported_value(plist_t restrictions, const char *key);

/*
 * In force: the value wanted, or, for lists, at least as strict: lists that are
 * intersected may have become shorter, lists that are united longer.
 */
bool	reported_is_in_force(plist_t restrictions, const char *key, plist_t want, plist_t reported);

/* Whether turning the first off turns the second off too (seen on devices). */
bool	reported_brings_along(const char *key, const char *other);

/*
 * The names of all that is reported, each once. The caller frees the array and
 * each name. -1: out of memory.
 */
int	reported_keys(plist_t restrictions, char ***out, size_t *n);

#endif
