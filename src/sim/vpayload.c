/* vpayload: Restrictions and the removal password; other payloads are taken as they are */
#include "sim/vpayload.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clean.h"
#include "base/proplist.h"
#include "sim/restrictions.h"
#include "sim/vprofile.h"

bool
vpayload_truth(plist_t node, bool *out)
{
	const char *text = node_string(node);
	uint64_t number = 0;
	uint8_t truth = 0;
	double real = 0;

	if (node_is(node, PLIST_BOOLEAN)) {
		plist_get_bool_val(node, &truth);
		*out = truth != 0;
	} else if (node_is(node, PLIST_UINT)) {
		plist_get_uint_val(node, &number);
		*out = number != 0;
	} else if (node_is(node, PLIST_REAL)) {
		plist_get_real_val(node, &real);
		*out = real < 0 || real > 0;
	} else if (text) {
		*out = strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0
		    || strtol(text, NULL, 10) != 0;
	} else {
		return false;
	}
	return true;
}

static bool
is_list_of_strings(plist_t node)
{
	uint32_t i;

	if (!node_is(node, PLIST_ARRAY))
		return false;
	for (i = 0; i < plist_array_get_size(node); i++)
		if (!node_string(plist_array_get_item(node, i)))
			return false;
	return true;
}

static bool
check_kind(const char *key, plist_t value, struct vrefusal *refusal)
{
	const struct restriction *row = restriction_find(key);
	bool is_fine = true, truth;

	switch (row ? row->kind : KIND_TEXT) {
	case KIND_BOOL:
		is_fine = vpayload_truth(value, &truth);
		break;
	case KIND_NUMBER:
		is_fine = node_is(value, PLIST_UINT) || node_is(value, PLIST_REAL);
		break;
	case KIND_LIST:
		is_fine = is_list_of_strings(value);
		break;
	case KIND_TEXT:
		/* ratingRegion and unknown keys are ignored. */
		break;
	}
	return is_fine
	    || vrefuse(refusal, PROFILE_DOMAIN, 1003, "The field \"%s\" is invalid.", key);
}

/* Apps that can never be hidden. */
static bool
is_unhidable(const char *app, const struct vreader *reader)
{
	static const char *const apps[] = { "com.apple.Preferences",
		"com.apple.appleseed.FeedbackAssistant", "com.apple.TapToRadar",
		"com.apple.TVSettings" };
	size_t i;

	for (i = 0; i < countof(apps); i++)
		if (strcmp(app, apps[i]) == 0)
			return true;
	return reader->has_telephony && strcmp(app, "com.apple.mobilephone") == 0;
}

static bool
check_blocked(const char *key, plist_t list, const struct vreader *reader,
    struct vrefusal *refusal)
{
	uint32_t i;

	for (i = 0; i < plist_array_get_size(list); i++)
		if (is_unhidable(node_string(plist_array_get_item(list, i)), reader))
			return vrefuse(refusal, PAYLOAD_DOMAIN, 2004,
			    "The field \"%s\" contains an invalid value.", key);
	return true;
}

static bool
check_list(const char *key, plist_t list, const struct vreader *reader,
    struct vrefusal *refusal)
{
	const char *name = restriction_modern_name(key);
	uint32_t n = plist_array_get_size(list);

	if (strcmp(name, "allowListedAppBundleIDs") == 0 && n == 0)
		return vrefuse(refusal, PAYLOAD_DOMAIN, 2004,
		    "The field \"%s\" contains an invalid value.", key);
	if (strcmp(name, "blockedAppBundleIDs") == 0)
		return check_blocked(key, list, reader, refusal);
	if ((strncmp(key, "deniedICCIDsFor", 15) == 0 && n > 4)
	    || (strcmp(key, "allowedExternalIntelligenceWorkspaceIDs") == 0 && n > 1))
		return vrefuse(refusal, RESTRICTIONS_DOMAIN, 3005,
		    "The restriction \"%s\" has too many entries.", key);
	return true;
}

static bool
check_restrictions(plist_t payload, const struct vreader *reader, struct vrefusal *refusal)
{
	plist_dict_iter it = NULL;
	bool is_fine = true;
	plist_t value;
	char *key;

	plist_dict_new_iter(payload, &it);
	do {
		key = NULL;
		value = NULL;
		plist_dict_next_item(payload, it, &key, &value);
		if (key && restriction_find(key)) {
			is_fine = check_kind(key, value, refusal);
			if (is_fine && restriction_find(key)->kind == KIND_LIST)
				is_fine = check_list(key, value, reader, refusal);
		}
		free(key);
	} while (value && is_fine);
	free(it);
	return is_fine;
}

bool
vpayload_check(plist_t payload, const struct vreader *reader, struct vrefusal *refusal)
{
	const char *type = dict_get_string(payload, "PayloadType");

	if (strcmp(type, RESTRICTIONS_PAYLOAD) == 0)
		return check_restrictions(payload, reader, refusal);
	if (strcmp(type, REMOVAL_PASSWORD) == 0)
		return vfield_optional(payload, "RemovalPassword", PLIST_STRING, refusal);
	return true;
}
