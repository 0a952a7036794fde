/* effective: folding the Restrictions payloads, the restrictive value wins */
#include "sim/effective.h"

#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/proplist.h"
#include "sim/restrictions.h"
#include "sim/vpayload.h"
#include "sim/vprofile.h"

struct fold {
	plist_t	bools, values, intersections, unions;	/* borrowed from the result */
	bool	is_supervised;
	const char *os;
};

static plist_t
entry(plist_t group, const char *key)
{
	plist_t found = dict_get_dict(group, key);

	if (!found) {
		found = plist_new_dict();
		plist_dict_set_item(group, key, found);
	}
	return found;
}

static void
fold_bool(struct fold *fold, const struct restriction *row, plist_t node)
{
	bool value = false, is_default;

	if (!vpayload_truth(node, &value))
		return;
	is_default = value == (row->unrestricted > 0);
	if (row->fold == FOLD_LAST && is_default)
		plist_dict_remove_item(fold->bools, row->key);
	else if (!is_default)
		dict_set_bool(entry(fold->bools, row->key), "value", value);
}

static double
number_of(plist_t node)
{
	uint64_t whole = 0;
	double real = 0;

	if (node_is(node, PLIST_REAL)) {
		plist_get_real_val(node, &real);
		return real;
	}
	if (node_is(node, PLIST_UINT))
		plist_get_uint_val(node, &whole);
	return (double)whole;
}

static void
fold_number(struct fold *fold, const struct restriction *row, plist_t node)
{
	plist_t had = dict_get(dict_get_dict(fold->values, row->key), "value");

	if (row->fold == FOLD_SMALLEST
	    && number_of(node) >= (had ? number_of(had) : row->unrestricted))
		return;
	plist_dict_set_item(entry(fold->values, row->key), "value", plist_copy(node));
}

static bool
list_has(plist_t list, const char *text)
{
	uint32_t i;

	for (i = 0; i < plist_array_get_size(list); i++)
		if (strcmp(node_string(plist_array_get_item(list, i)), text) == 0)
			return true;
	return false;
}

static void
fold_list(struct fold *fold, const struct restriction *row, plist_t node)
{
	bool is_union = row->fold == FOLD_UNION;
	plist_t group = is_union ? fold->unions : fold->intersections;
	const char *name = restriction_modern_name(row->key);
	plist_t had = dict_get_array(dict_get_dict(group, name), "values");
	plist_t made = plist_new_array();
	uint32_t i;

	if (had && is_union) {
		plist_free(made);
		made = plist_copy(had);
	}
	for (i = 0; i < plist_array_get_size(node); i++) {
		const char *text = node_string(plist_array_get_item(node, i));

		if (list_has(made, text) || (had && !is_union && !list_has(had, text)))
			continue;
		plist_array_append_item(made, plist_new_string(text));
	}
	plist_dict_set_item(entry(group, name), "values", made);
}

static void
fold_key(struct fold *fold, const char *key, plist_t value)
{
	const struct restriction *row = restriction_find(key);

	if (!row || !restriction_is_heeded(row, fold->os))
		return;
	if (!fold->is_supervised && restriction_needs_supervision(row, fold->os))
		return;
	if (row->kind == KIND_BOOL)
		fold_bool(fold, row, value);
	else if (row->kind == KIND_NUMBER)
		fold_number(fold, row, value);
	else if (row->kind == KIND_LIST)
		fold_list(fold, row, value);
}

static void
fold_payload(struct fold *fold, plist_t payload)
{
	plist_dict_iter it = NULL;
	plist_t value;
	char *key;

	plist_dict_new_iter(payload, &it);
	do {
		key = NULL;
		value = NULL;
		plist_dict_next_item(payload, it, &key, &value);
		if (key)
			fold_key(fold, key, value);
		free(key);
	} while (value);
	free(it);
}

static void
fold_profile(struct fold *fold, const struct vprofile *profile)
{
	plist_t payload;
	size_t i;

	for (i = 0; (payload = vprofile_payload(profile, RESTRICTIONS_PAYLOAD, i)); i++)
		fold_payload(fold, payload);
}

static void
imply(struct fold *fold, const char *key)
{
	const struct restriction *row = restriction_find(key);

	if (row && restriction_is_heeded(row, fold->os))
		dict_set_bool(entry(fold->bools, key), "value", false);
}

static void
add_implied(struct fold *fold)
{
	plist_dict_iter it = NULL;
	auto_plist plist_t before = plist_copy(fold->bools);
	plist_t value;
	char *key;
	size_t i;

	plist_dict_new_iter(before, &it);
	do {
		key = NULL;
		value = NULL;
		plist_dict_next_item(before, it, &key, &value);
		for (i = 0; key && restriction_implied(key, i); i++)
			imply(fold, restriction_implied(key, i));
		free(key);
	} while (value);
	free(it);
}

plist_t
effective_fold(const struct vprofile *profiles, const struct vprofile *only,
    bool is_supervised, const char *os)
{
	plist_t result = plist_new_dict();
	struct fold fold = {
		.bools = plist_new_dict(), .values = plist_new_dict(),
		.intersections = plist_new_dict(), .unions = plist_new_dict(),
		.is_supervised = is_supervised, .os = os,
	};

	plist_dict_set_item(result, "restrictedBool", fold.bools);
	plist_dict_set_item(result, "restrictedValue", fold.values);
	plist_dict_set_item(result, "intersection", fold.intersections);
	plist_dict_set_item(result, "union", fold.unions);
	for (; profiles; profiles = profiles->next)
		if (profiles->is_active && (!only || only == profiles))
			fold_profile(&fold, profiles);
	add_implied(&fold);
	return result;
}

bool
effective_bool(plist_t effective, const char *key, bool fallback)
{
	bool value = fallback;

	dict_get_bool(dict_get_dict(dict_get_dict(effective, "restrictedBool"), key), "value",
	    &value);
	return value;
}
