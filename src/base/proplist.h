/* proplist: property lists from strangers, checked before libplist sees them */
#ifndef BASE_PROPLIST_H
#define BASE_PROPLIST_H

#include <plist/plist.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blob;
struct error;

/*
 * libplist 2.2.0 parses by recursion, follows entities, and unfolds shared
 * references of a binary list: 200 bytes can cost gigabytes. So the bytes are
 * first walked here with these limits, without recursion and without memory.
 */
struct proplist_limits {
	size_t	bytes;
	size_t	depth;		/* containers within containers */
	size_t	nodes;		/* keys and values, shared ones counted each time */
};

extern const struct proplist_limits PROPLIST_WIRE;	/* 16 MiB, 64, 200 000 */
extern const struct proplist_limits PROPLIST_FILE;	/* 16 MiB, 64, 100 000 */

/*
 * XML or binary. *out is the caller's: plist_free(). Refused, never repaired:
 * entities, an internal DTD subset, nesting or size beyond the limits, bytes
 * after the end, a root that is nothing. kind goes into err (ERR_PROTOCOL for
 * a device, ERR_DATA for a file).
 */
int	proplist_parse(const void *data, size_t len, const struct proplist_limits *limits,
	    int kind, plist_t *out, struct error *err);

/* The XML text, without a NUL, in a blob. 0, or -1 out of memory. */
int	proplist_to_xml(plist_t list, struct blob *out);

/*
 * Typed look-ups in a dictionary. They return false (or NULL, or the default)
 * when dict is no dictionary, the key is absent, or the type is another, and
 * then leave *out alone. What they return is borrowed from dict.
 */
plist_t	dict_get(plist_t dict, const char *key);
plist_t	dict_get_dict(plist_t dict, const char *key);
plist_t	dict_get_array(plist_t dict, const char *key);
const char *dict_get_string(plist_t dict, const char *key);
bool	dict_get_bool(plist_t dict, const char *key, bool *out);
/* Integers, and reals without a fraction; negative ones too. */
bool	dict_get_int(plist_t dict, const char *key, int64_t *out);
bool	dict_get_uint(plist_t dict, const char *key, uint64_t *out);
bool	dict_get_data(plist_t dict, const char *key, const void **data, size_t *len);

bool	node_is(plist_t node, plist_type type);
const char *node_string(plist_t node);
bool	node_data(plist_t node, const void **data, size_t *len);
/*
 * The moment of a date, in seconds since 1970, within the years 1 to 9999; 0 for
 * anything else. plist_get_date_val() counts in 32 bits and takes 2069 for 1932.
 */
int64_t	node_date(plist_t node);

/* Setters that read well; false: out of memory. */
bool	dict_set_string(plist_t dict, const char *key, const char *value);
bool	dict_set_bool(plist_t dict, const char *key, bool value);
bool	dict_set_data(plist_t dict, const char *key, const void *data, size_t len);

#endif
