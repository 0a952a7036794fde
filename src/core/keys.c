/* keys: look-ups in the tables of keys and payload types */
#include "core/keys.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clean.h"
#include "base/text.h"

enum { NEAR = 4 };	/* more edits than this are another word */

const struct key *
key_all(const char *payload, size_t *n)
{
	size_t i;

	*n = 0;
	for (i = 0; i < key_sections_size; i++) {
		if (strcmp(key_sections[i].payload, payload) != 0)
			continue;
		*n = key_sections[i].n;
		return &key_table[key_sections[i].first];
	}
	return NULL;
}

static int
compare_path(const void *path, const void *key)
{
	return strcmp(path, ((const struct key *)key)->path);
}

const struct key *
key_find(const char *payload, const char *path)
{
	size_t n, i;
	const struct key *rows = key_all(payload, &n);

	if (!rows)
		return NULL;
	/* Only the restrictions are many, and they are kept in order. */
	if (strcmp(payload, RESTRICTIONS) == 0)
		return bsearch(path, rows, n, sizeof(*rows), compare_path);
	for (i = 0; i < n; i++)
		if (strcmp(rows[i].path, path) == 0)
			return &rows[i];
	return NULL;
}

const struct key *
key_nearest(const char *payload, const char *inside, const char *name, size_t *distance)
{
	size_t n, i, prefix = strlen(inside), limit = NEAR;
	const struct key *rows = key_all(payload, &n), *best = NULL;

	if (strlen(name) < 2 * NEAR)
		limit = strlen(name) / 3;
	for (i = 0; i < n; i++) {
		size_t d;

		if (strncmp(rows[i].path, inside, prefix) != 0 ||
		    strchr(rows[i].path + prefix, '.'))
			continue;
		d = text_distance(name, rows[i].path + prefix, limit);
		if (d > limit || (best && d >= *distance))
			continue;
		best = &rows[i];
		*distance = d;
	}
	return best;
}

/* All but a letter (or two swapped ones) is a common beginning and end. */
static bool
may_be_slip(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), shorter = la < lb ? la : lb, same = 0, end = 0;

	if (la > lb + 1 || lb > la + 1)
		return false;
	while (same < shorter && a[same] == b[same])
		same++;
	while (end < shorter - same && a[la - 1 - end] == b[lb - 1 - end])
		end++;
	return same + end + 2 >= shorter;
}

bool
key_is_slip(const char *payload, const char *inside, const char *name)
{
	size_t n, i, prefix = strlen(inside);
	const struct key *rows = key_all(payload, &n);

	for (i = 0; i < n; i++) {
		const char *known = rows[i].path + prefix;

		if (strncmp(rows[i].path, inside, prefix) == 0 && !strchr(known, '.') &&
		    strlen(known) > 3 && may_be_slip(name, known) &&
		    text_distance(name, known, 1) == 1)
			return true;
	}
	return false;
}

bool
key_needs_supervision(const struct key *key, const char *version)
{
	if (!key->supervised)
		return false;
	if (!version || strcmp(key->supervised, "yes") == 0)
		return true;
	return text_compare_versions(version, key->supervised) >= 0;
}

bool
key_sounds_secret(const char *name)
{
	static const char *const words[] = {
		"password", "passphrase", "passcode", "secret", "privatekey", "challenge",
		"token", "pin",
	};
	size_t i, n = strlen(name);

	for (i = 0; i < countof(words); i++) {
		size_t len = strlen(words[i]), at;

		/* "pin" is too short to be looked for inside of words. */
		for (at = 0; at + len <= n; at++)
			if (strncasecmp(name + at, words[i], len) == 0 && (len > 3 || n == len))
				return true;
	}
	return false;
}

const struct payload_type *
payload_type_find(const char *type)
{
	size_t i;

	for (i = 0; i < payload_table_size; i++)
		if (strcmp(payload_table[i].type, type) == 0)
			return &payload_table[i];
	return NULL;
}

const struct payload_type *
payload_type_nearest(const char *type)
{
	const struct payload_type *best = NULL;
	size_t i, least = NEAR + 1;

	for (i = 0; i < payload_table_size; i++) {
		size_t d = text_distance(type, payload_table[i].type, NEAR);

		if (d < least) {
			least = d;
			best = &payload_table[i];
		}
	}
	return best;
}
