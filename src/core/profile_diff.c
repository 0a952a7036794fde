/* profile_diff: what differs between two profiles, by meaning and not by text */
#include "core/profile_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/error.h"
#include "base/proplist.h"
#include "base/text.h"
#include "core/canonical.h"
#include "core/keys.h"
#include "core/value.h"

enum { VALUE_MAX = 200 };

/* One key of one profile: where it is and what it means. */
struct entry {
	char		*path;
	struct blob	 meaning;	/* canonical; compared */
	plist_t		 value;		/* borrowed; shown */
	bool		 is_secret;
};

struct entries {
	struct entry	*items;
	size_t		 n, room;
};

static void
clear_entries(struct entries *e)
{
	size_t i;

	for (i = 0; i < e->n; i++) {
		free(e->items[i].path);
		blob_clear(&e->items[i].meaning);
	}
	free(e->items);
	*e = (struct entries){ 0 };
}

/* ---- meaning ----------------------------------------------------------------------- */

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A set as a list of texts in order. */
static int
meaning_of_set(plist_t array, struct blob *out)
{
	auto_free const char **texts = NULL;
	auto_free plist_array_iter iter = NULL;
	uint32_t n = plist_array_get_size(array), i = 0;
	plist_t item = NULL;
	int rc = 0;

	texts = calloc((size_t)n + 1, sizeof(*texts));
	plist_array_new_iter(array, &iter);
	if (!texts || !iter)
		return -1;
	for (plist_array_next_item(array, iter, &item); item && i < n;
	    plist_array_next_item(array, iter, &item))
		texts[i++] = node_string(item);
	qsort(texts, i, sizeof(*texts), compare_texts);
	for (n = 0; n < i; n++)
		rc |= blob_append(out, texts[n], strlen(texts[n]) + 1);
	return rc;
}

static int
meaning_of(const struct key *key, plist_t value, struct blob *out)
{
	auto_plist plist_t whole = NULL;
	double real = 0;

	if (key && key->type == KEY_STRINGS && key->combine != COMBINE_NONE &&
	    value_has_type(key, value))
		return meaning_of_set(value, out);
	if (node_is(value, PLIST_REAL)) {
		plist_get_real_val(value, &real);
		if (real > -9e15 && real < 9e15 &&
		    (double)(int64_t)real >= real && (double)(int64_t)real <= real)
			whole = plist_new_uint((uint64_t)(int64_t)real);
	}
	return canonical_xml(whole ? whole : value, CANONICAL_WHOLE, out);
}

/* ---- a profile as a flat list --------------------------------------------------------- */

static int
add_entry(struct entries *e, const char *prefix, const char *name, const struct key *key,
    plist_t value)
{
	struct entry *fresh;
	char shown[VALUE_MAX];

	if (e->n == e->room) {
		size_t room = e->room ? 2 * e->room : 64;
		struct entry *grown = reallocarray(e->items, room, sizeof(*grown));

		if (!grown)
			return -1;
		e->items = grown;
		e->room = room;
	}
	fresh = &e->items[e->n];
	*fresh = (struct entry){ .value = value,
		.is_secret = key ? key->is_secret : key_sounds_secret(name),
	};
	text_printable(name, strlen(name), shown, sizeof(shown));
	if (asprintf(&fresh->path, "%s%s%s", prefix, *prefix ? "." : "", shown) < 0)
		return -1;
	e->n++;
	/* What canonical XML cannot express is equal to nothing, not an error. */
	if (meaning_of(key, value, &fresh->meaning) < 0)
		blob_clear(&fresh->meaning);
	return 0;
}

static const struct key *
fact_of(const char *type, const char *path)
{
	const struct key *key = type ? key_find(type, path) : NULL;

	return key ? key : key_find("*", path);
}

static int flatten(struct entries *e, const char *type, const char *prefix, const char *inside,
    plist_t dict);

/* Dictionaries are opened, so that one option shows as one change. */
static int
flatten_one(struct entries *e, const char *type, const char *prefix, const char *inside,
    const char *name, plist_t value)
{
	auto_free char *path = NULL, *below = NULL;
	const struct key *key;

	if (asprintf(&path, "%s%s%s", inside, *inside ? "." : "", name) < 0) {
		path = NULL;
		return -1;
	}
	key = fact_of(type, path);
	if (!node_is(value, PLIST_DICT) || plist_dict_get_size(value) == 0)
		return add_entry(e, prefix, name, key, value);
	if (asprintf(&below, "%s%s%s", prefix, *prefix ? "." : "", name) < 0) {
		below = NULL;
		return -1;
	}
	return flatten(e, type, below, path, value);
}

static int
flatten(struct entries *e, const char *type, const char *prefix, const char *inside, plist_t dict)
{
	auto_free plist_dict_iter iter = NULL;
	bool is_outer = !*inside;

	plist_dict_new_iter(dict, &iter);
	if (!iter)
		return -1;
	for (;;) {
		auto_free char *name = NULL;
		plist_t value = NULL;

		plist_dict_next_item(dict, iter, &name, &value);
		if (!name || !value)
			return 0;
		if (is_outer &&
		    (strcmp(name, "PayloadUUID") == 0 ||
			(!type && strcmp(name, "PayloadContent") == 0)))
			continue;
		if (flatten_one(e, type ? type : "Configuration", prefix, inside, name, value) < 0)
			return -1;
	}
}

struct payload {
	const char	*type;
	const char	*identifier;
	size_t		 order;
	plist_t		 node;
};

static int
compare_payloads(const void *a, const void *b)
{
	const struct payload *x = a, *y = b;
	int rc = strcmp(x->type, y->type);

	if (rc == 0)
		rc = strcmp(x->identifier, y->identifier);
	return rc ? rc : x->order < y->order ? -1 : x->order > y->order;
}

static int
flatten_sorted(struct entries *e, const struct payload *payloads, size_t n)
{
	size_t i, same = 0;

	for (i = 0; i < n; i++) {
		auto_free char *prefix = NULL;
		char type[VALUE_MAX];

		same = i && strcmp(payloads[i].type, payloads[i - 1].type) == 0 ? same + 1 : 0;
		text_printable(payloads[i].type, strlen(payloads[i].type), type, sizeof(type));
		if ((same ? asprintf(&prefix, "%s[%zu]", type, same + 1) :
			asprintf(&prefix, "%s", type)) < 0) {
			prefix = NULL;
			return -1;
		}
		if (flatten(e, payloads[i].type, prefix, "", payloads[i].node) < 0)
			return -1;
	}
	return 0;
}

static int
flatten_payloads(struct entries *e, plist_t content)
{
	auto_free struct payload *payloads = NULL;
	auto_free plist_array_iter iter = NULL;
	uint32_t size = plist_array_get_size(content);
	plist_t node = NULL;
	size_t n = 0;

	payloads = calloc((size_t)size + 1, sizeof(*payloads));
	plist_array_new_iter(content, &iter);
	if (!payloads || !iter)
		return -1;
	for (plist_array_next_item(content, iter, &node); node && n < size;
	    plist_array_next_item(content, iter, &node)) {
		const char *type = dict_get_string(node, "PayloadType");
		const char *identifier = dict_get_string(node, "PayloadIdentifier");

		if (node_is(node, PLIST_DICT)) {
			payloads[n] = (struct payload){ type ? type : "?",
			    identifier ? identifier : "", n, node };
			n++;
		}
	}
	qsort(payloads, n, sizeof(*payloads), compare_payloads);
	return flatten_sorted(e, payloads, n);
}

static int
compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static int
flatten_profile(plist_t root, struct entries *e)
{
	plist_t content = dict_get(root, "PayloadContent");

	if (node_is(root, PLIST_DICT) && flatten(e, NULL, "", "", root) < 0)
		return -1;
	if (node_is(content, PLIST_ARRAY) && flatten_payloads(e, content) < 0)
		return -1;
	if (e->n)
		qsort(e->items, e->n, sizeof(*e->items), compare_entries);
	return 0;
}

/* ---- the differences ---------------------------------------------------------------------- */

static char *
shown_value(const struct entry *e)
{
	char text[VALUE_MAX];

	if (!e)
		return NULL;
	if (e->is_secret)
		return strdup("(secret)");
	value_text(e->value, text, sizeof(text));
	return strdup(text);
}

static int
add_change(struct profile_changes *c, const struct entry *before, const struct entry *after)
{
	struct profile_change *fresh;

	if (c->n == c->room) {
		size_t room = c->room ? 2 * c->room : 16;
		struct profile_change *grown = reallocarray(c->items, room, sizeof(*grown));

		if (!grown)
			return -1;
		c->items = grown;
		c->room = room;
	}
	fresh = &c->items[c->n++];
	*fresh = (struct profile_change){
		.kind = !before ? PROFILE_ADDED : !after ? PROFILE_REMOVED : PROFILE_CHANGED,
		.path = strdup((before ? before : after)->path),
		.before = shown_value(before), .after = shown_value(after),
	};
	return !fresh->path || (before && !fresh->before) || (after && !fresh->after) ? -1 : 0;
}

static int
merge(const struct entries *a, const struct entries *b, struct profile_changes *c)
{
	size_t i = 0, j = 0;

	while (i < a->n || j < b->n) {
		int order = i == a->n ? 1 : j == b->n ? -1 :
		    compare_entries(&a->items[i], &b->items[j]);
		const struct entry *before = order <= 0 ? &a->items[i++] : NULL;
		const struct entry *after = order >= 0 ? &b->items[j++] : NULL;

		if (before && after && blob_equal(&before->meaning, &after->meaning))
			continue;
		if (add_change(c, before, after) < 0)
			return -1;
	}
	return 0;
}

int
profile_diff(plist_t a, plist_t b, struct profile_changes *out, struct error *err)
{
	auto_with(clear_entries) struct entries x = { 0 }, y = { 0 };
	auto_profile_changes struct profile_changes c = { 0 };

	if (flatten_profile(a, &x) < 0 || flatten_profile(b, &y) < 0 || merge(&x, &y, &c) < 0)
		return error_memory(err);
	profile_changes_clear(out);
	*out = c;
	c = (struct profile_changes){ 0 };
	return 0;
}

void
profile_changes_clear(struct profile_changes *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		free(c->items[i].path);
		free(c->items[i].before);
		free(c->items[i].after);
	}
	free(c->items);
	*c = (struct profile_changes){ 0 };
}
