/* keys: what every key of a profile is, since when, and what it does */
#ifndef CORE_KEYS_H
#define CORE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The tables are made at build time from keys.tsv and payloads.tsv, which
 * name their sources. Everything here is static; nothing is ever released.
 */

enum key_type {
	KEY_BOOL,
	KEY_INT,
	KEY_REAL,
	KEY_STRING,
	KEY_DATE,
	KEY_DATA,
	KEY_STRINGS,		/* array of strings */
	KEY_INTS,
	KEY_DICTS,
	KEY_DICT,
	KEY_PAGES,		/* array of arrays of dictionaries */
	KEY_MAP,		/* a dictionary whose keys are free */
	KEY_ANY,
};

/* Which value is in force when several profiles set the key. */
enum key_combine {
	COMBINE_NONE,
	COMBINE_FALSE,		/* false wins */
	COMBINE_TRUE,
	COMBINE_MIN,
	COMBINE_UNION,		/* of the lists */
	COMBINE_MEET,		/* only what all lists hold */
};

/* Texts are NULL where there is nothing to say. */
struct key {
	const char	*payload;	/* payload type, "Configuration", or "*" */
	const char	*path;		/* dotted: App.Options.DisableTouch */
	enum key_type	 type;
	const char	*fallback;	/* the default, as text */
	const char	*range;		/* "1..90", "a|b"; of containers: where the keys
					 * inside are */
	enum key_combine combine;
	const char	*supervised;	/* "yes", or the version from which on */
	const char	*introduced;	/* NULL when not on iOS */
	const char	*elsewhere;	/* "macOS+tvOS" when not on iOS */
	const char	*deprecated;
	const char	*removed;
	const char	*replacement;
	bool		 is_required;
	bool		 is_mdm_only;	/* ignored unless an MDM installed the profile */
	bool		 is_old_name;
	bool		 is_secret;
	const char	*group;
	const char	*effect;	/* what is so while the value is not the default */
};

struct payload_type {
	const char	*type;
	const char	*introduced;	/* on iOS; NULL: not on iOS */
	bool		 is_supervised_only;
	bool		 is_single;	/* once per device */
	const char	*elsewhere;	/* the systems that know it when iOS does not */
	const char	*title;
};

/* Rows of one payload stand together. */
struct key_section {
	const char	*payload;
	size_t		 first, n;	/* in key_table */
};

extern const struct key key_table[];
extern const size_t key_table_size;
extern const struct key_section key_sections[];
extern const size_t key_sections_size;
extern const struct payload_type payload_table[];
extern const size_t payload_table_size;

#define RESTRICTIONS	"com.apple.applicationaccess"

/* NULL when the payload has no such key. path is not the Payload… ones. */
const struct key *key_find(const char *payload, const char *path);
/* All keys of a payload; NULL and *n 0 when they are not known at all. */
const struct key *key_all(const char *payload, size_t *n);
/*
 * The key of that payload whose name is nearest to a misspelt one, or NULL.
 * inside: the part of the path up to and with the last dot, "" for the top.
 * *distance: edits between the two.
 */
const struct key *key_nearest(const char *payload, const char *inside, const char *name,
	    size_t *distance);

/* Whether a known key is one edit away: far cheaper than key_nearest(). */
bool	key_is_slip(const char *payload, const char *inside, const char *name);

/* Supervised-only on this version; version NULL: on current ones. */
bool	key_needs_supervision(const struct key *key, const char *version);

/* For payloads that the table does not know: a name that promises a secret. */
bool	key_sounds_secret(const char *name);

const struct payload_type *payload_type_find(const char *type);
const struct payload_type *payload_type_nearest(const char *type);

#endif
