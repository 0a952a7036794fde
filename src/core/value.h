/* value: a key's value, read from text, and compared with the key's default and range */
#ifndef CORE_VALUE_H
#define CORE_VALUE_H

#include <plist/plist.h>
#include <stdbool.h>
#include <stddef.h>

struct key;
struct error;

/*
 * true, 300, 1.5, text, or a,b,c for a list, by the type of the key. *out is
 * the caller's. ERR_USAGE when it is of another type or out of range.
 */
int	value_from_text(const struct key *key, const char *text, plist_t *out, struct error *err);

/* "true or false", "a whole number"…: what the key wants. */
const char *value_wanted(const struct key *key);
/* Whether the node is of the key's type; a whole number passes for a real. */
bool	value_has_type(const struct key *key, plist_t value);
/* Within the key's range; true when it has none. The type must be right. */
bool	value_in_range(const struct key *key, plist_t value);
/* Numbers by their value, whichever of the two kinds they are of; all else by node. */
bool	value_is_equal(plist_t a, plist_t b);
/* The value is the key's default: it restricts nothing. */
bool	value_is_default(const struct key *key, plist_t value);
/* a restricts more than b; for lists and texts never. */
bool	value_is_stricter(const struct key *key, plist_t a, plist_t b);

/* For people and messages; never for a secret. out is always terminated. */
void	value_text(plist_t value, char *out, size_t size);

#endif
