/* reported: restrictions in the form in which a device reports them */
#include "core/reported.h"

#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/proplist.h"
#include "base/text.h"
#include "core/keys.h"
#include "core/value.h"

static const struct {
	const char *group, *member;
} shapes[] = {
	{ "restrictedBool", "value" },
	{ "restrictedValue", "value" },
	{ "intersection", "values" },
	{ "union", "values" },
};

static plist_t
find(plist_t restrictions, const char *key)
{
	size_t i;

	for (i = 0; i < countof(shapes); i++) {
		plist_t entry = dict_get_dict(dict_get_dict(restrictions, shapes[i].group), key);

		if (dict_get(entry, shapes[i].member))
			return dict_get(entry, shapes[i].member);
	}
	return NULL;
}

/* The name under which a device reports it. */
static const char *
modern_name(const char *key)
{
	const struct key *fact = key_find(RESTRICTIONS, key);

	return fact && fact->is_old_name && fact->replacement ? fact->replacement : key;
}

plist_t
reported_value(plist_t restrictions, const char *key)
{
	plist_t value = find(restrictions, key);

	return value ? value : find(restrictions, modern_name(key));
}

bool
reported_is_expected(const char *key, const char *os)
{
	const struct key *fact = key_find(RESTRICTIONS, key);

	if (!fact || !fact->introduced || fact->is_mdm_only)
		return false;
	if (fact->type != KEY_BOOL && fact->type != KEY_INT && fact->type != KEY_REAL &&
	    fact->type != KEY_STRINGS)
		return false;
	return !os || (text_compare_versions(fact->introduced, os) <= 0 &&
	    (!fact->removed || text_compare_versions(os, fact->removed) < 0));
}

static bool
array_holds(plist_t array, const char *text)
{
	uint32_t n = plist_array_get_size(array), i;

	for (i = 0; i < n; i++) {
		const char *s = node_string(plist_array_get_item(array, i));

		if (s && strcmp(s, text) == 0)
			return true;
	}
	return false;
}

/* Every text of a is in b. */
static bool
is_subset(plist_t a, plist_t b)
{
	uint32_t n = plist_array_get_size(a), i;

	for (i = 0; i < n; i++) {
		const char *s = node_string(plist_array_get_item(a, i));

		if (!s || !array_holds(b, s))
			return false;
	}
	return true;
}

bool
reported_agrees(plist_t restrictions, const char *key, plist_t want, plist_t reported)
{
	plist_t meet = dict_get_dict(restrictions, "intersection");

	if (!reported)
		return false;
	if (!node_is(want, PLIST_ARRAY) || !node_is(reported, PLIST_ARRAY))
		return value_is_equal(want, reported);
	return dict_get(meet, key) || dict_get(meet, modern_name(key)) ? is_subset(reported, want) :
	    is_subset(want, reported);
}

bool
reported_is_in_force(plist_t restrictions, const char *key, plist_t want, plist_t reported)
{
	const struct key *fact = key_find(RESTRICTIONS, key);

	return reported_agrees(restrictions, key, want, reported) ||
	    (reported && fact && value_is_stricter(fact, reported, want));
}

bool
reported_brings_along(const char *key, const char *other)
{
	static const struct {
		const char *key, *other;
	} rows[] = {
		{ "allowCamera", "allowVideoConferencing" },
		{ "allowGameCenter", "allowMultiplayerGaming" },
		{ "allowAppInstallation", "allowUIAppInstallation" },
		{ "allowAppInstallation", "allowMarketplaceAppInstallation" },
		{ "allowAppInstallation", "allowWebDistributionAppInstallation" },
		{ "allowScreenShot", "allowRemoteScreenObservation" },
		{ "allowAppRemoval", "allowSystemAppRemoval" },
		{ "allowPasscodeModification", "allowFingerprintModification" },
		{ "allowCloudDocumentSync", "allowManagedAppsCloudSync" },
	};
	size_t i;

	for (i = 0; i < countof(rows); i++)
		if (strcmp(rows[i].key, key) == 0 && strcmp(rows[i].other, other) == 0)
			return true;
	return strcmp(key, other) != 0 && strcmp(modern_name(key), other) == 0;
}

/* ---- names ------------------------------------------------------------------ */

/* Those of one group that no group before it has; they go into names[*n] on. */
static int
take_names(plist_t restrictions, size_t group, char **names, size_t *n)
{
	plist_t dict = dict_get_dict(restrictions, shapes[group].group);
	auto_free plist_dict_iter iter = NULL;

	plist_dict_new_iter(dict, &iter);
	if (!iter)
		return -1;
	for (;;) {
		plist_t value = NULL;
		char *name = NULL;
		size_t before;

		plist_dict_next_item(dict, iter, &name, &value);
		if (!name)
			return 0;
		for (before = 0; before < group; before++)
			if (dict_get(dict_get_dict(restrictions, shapes[before].group), name))
				break;
		if (before == group)
			names[(*n)++] = name;
		else
			free(name);
	}
}

int
reported_keys(plist_t restrictions, char ***out, size_t *n)
{
	size_t room = 1, used = 0, i;
	char **names;
	int rc = 0;

	for (i = 0; i < countof(shapes); i++)
		room += plist_dict_get_size(dict_get_dict(restrictions, shapes[i].group));
	names = calloc(room, sizeof(*names));
	if (!names)
		return -1;
	for (i = 0; i < countof(shapes) && rc == 0; i++)
		if (dict_get_dict(restrictions, shapes[i].group))
			rc = take_names(restrictions, i, names, &used);
	if (rc < 0) {
		while (used)
			free(names[--used]);
		free(names);
		return -1;
	}
	*out = names;
	*n = used;
	return 0;
}
