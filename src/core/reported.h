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

/*
 * The value of a restriction, whatever its kind; borrowed. A list under its old
 * name is reported under the modern one. NULL: not reported.
 */
plist_t	reported_value(plist_t restrictions, const char *key);

/*
 * As this profile wants it: the same value, and of lists at least as strict a
 * one: lists that are intersected may have become shorter, those united longer.
 */
bool	reported_agrees(plist_t restrictions, const char *key, plist_t want, plist_t reported);
/*
 * In force, whoever else restricts the same: it agrees, or is stricter, because
 * of several profiles the restrictive value wins.
 */
bool	reported_is_in_force(plist_t restrictions, const char *key, plist_t want, plist_t reported);

/*
 * Whether a device would report the restriction if it were in force: not one
 * that its system (os, or NULL) does not know yet or any more, one that needs
 * an MDM, a text, or a key that nobody knows. That such a one is not reported
 * says nothing. Source: the Restrictions query has groups for truth values,
 * numbers and lists alone.
 */
bool	reported_is_expected(const char *key, const char *os);

/*
 * Whether the first, in force, makes the device report the second too: turning
 * one off turns others off (seen on devices), and an old name has a modern one.
 */
bool	reported_brings_along(const char *key, const char *other);

/*
 * The names of all that is reported, each once. The caller frees the array and
 * each name. -1: out of memory.
 */
int	reported_keys(plist_t restrictions, char ***out, size_t *n);

#endif
