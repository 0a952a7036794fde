/* facts: reads a device's answers; what is missing or of a wrong type is unknown */
#include "core/facts.h"

#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"
#include "base/text.h"

enum { TEXT_LONGEST = 1024, PROFILES_MAX = 4096 };

static void
clear_profile(struct installed_profile *p)
{
	free(p->identifier);
	free(p->uuid);
	free(p->display_name);
	free(p->organization);
}

void
facts_forget_profiles(struct facts *f)
{
	size_t i;

	for (i = 0; i < f->n_profiles; i++)
		clear_profile(&f->profiles[i]);
	free(f->profiles);
	f->profiles = NULL;
	f->n_profiles = 0;
	f->has_profiles = false;
	if (f->restrictions)
		plist_free(f->restrictions);
	if (f->by_profile)
		plist_free(f->by_profile);
	f->restrictions = f->by_profile = NULL;
	f->answers_restrictions = UNKNOWN;
}

void
facts_clear(struct facts *f)
{
	facts_forget_profiles(f);
	free(f->name);
	free(f->serial);
	free(f->product);
	free(f->device_class);
	free(f->os);
	free(f->build);
	free(f->activation);
	free(f->organization);
	if (f->cloud)
		plist_free(f->cloud);
	*f = (struct facts){ 0 };
}

/* A printable copy of dict's text; true also when there is none. */
static bool
take_text(plist_t dict, const char *key, char **out)
{
	const char *s = dict_get_string(dict, key);
	char clean[TEXT_LONGEST], *copy;

	if (!s)
		return true;
	text_printable(s, strlen(s), clean, sizeof(clean));
	copy = strdup(clean);
	if (!copy)
		return false;
	free(*out);
	*out = copy;
	return true;
}

static enum known
known_bool(plist_t dict, const char *key)
{
	bool value;

	return dict_get_bool(dict, key, &value) ? (value ? YES : NO) : UNKNOWN;
}

int
facts_read_values(struct facts *f, plist_t values, struct error *err)
{
	const char *udid = dict_get_string(values, "UniqueDeviceID");
	uint64_t ecid;

	if (!node_is(values, PLIST_DICT))
		return error_set(err, ERR_PROTOCOL, "GetValue: the values are no dictionary");
	/* It may lie, or another may have its handle: usbmuxd began to count anew. Only
	 * usbmuxd can tell, so it is asked, as after a link that broke. */
	if (udid && !text_same_udid(udid, f->udid))
		return error_set(err, ERR_LINK,
		    "GetValue: another device answers (its UDID differs)");
	if (dict_get_uint(values, "UniqueChipID", &ecid))
		f->ecid = ecid;
	if (known_bool(values, "PasswordProtected") != UNKNOWN)
		f->is_locked = known_bool(values, "PasswordProtected");
	if (!take_text(values, "DeviceName", &f->name) ||
	    !take_text(values, "SerialNumber", &f->serial) ||
	    !take_text(values, "ProductType", &f->product) ||
	    !take_text(values, "DeviceClass", &f->device_class) ||
	    !take_text(values, "ProductVersion", &f->os) ||
	    !take_text(values, "BuildVersion", &f->build) ||
	    !take_text(values, "ActivationState", &f->activation))
		return error_memory(err);
	return 0;
}

const struct installed_profile *
facts_find_profile(const struct facts *f, const char *identifier)
{
	size_t i;

	for (i = 0; i < f->n_profiles; i++)
		/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): each has one */
		if (strcmp(f->profiles[i].identifier, identifier) == 0)
			return &f->profiles[i];
	return NULL;
}

static bool
read_profile(struct installed_profile *p, const char *identifier, plist_t manifest,
    plist_t metadata)
{
	plist_t shown = dict_get_dict(manifest, identifier);
	plist_t said = dict_get_dict(metadata, identifier);

	p->identifier = strdup(identifier);
	p->times_listed = 1;
	p->version = -1;
	dict_get_int(said, "PayloadVersion", &p->version);
	p->is_active = known_bool(shown, "IsActive");
	p->is_removal_disallowed = known_bool(said, "PayloadRemovalDisallowed");
	return p->identifier && take_text(said, "PayloadUUID", &p->uuid) &&
	    take_text(said, "PayloadOrganization", &p->organization) &&
	    take_text(shown, "Description", &p->display_name) &&
	    take_text(said, "PayloadDisplayName", &p->display_name);
}

/* What was described without being listed is there as well, listed no time. */
static int
add_unlisted(struct facts *f, plist_t described, plist_t manifest, plist_t metadata)
{
	plist_dict_iter it = NULL;
	plist_t value;
	bool has_memory = true;

	plist_dict_new_iter(described, &it);
	do {
		auto_free char *identifier = NULL;
		struct installed_profile *p = &f->profiles[f->n_profiles];

		value = NULL;
		plist_dict_next_item(described, it, &identifier, &value);
		if (!identifier || facts_find_profile(f, identifier))
			continue;
		f->n_profiles++;
		has_memory = read_profile(p, identifier, manifest, metadata);
		p->times_listed = 0;
	} while (value && has_memory);
	free(it);
	return has_memory ? 0 : -1;
}

int
facts_read_profile_list(struct facts *f, plist_t reply, struct error *err)
{
	plist_t order = dict_get_array(reply, "OrderedIdentifiers");
	plist_t manifest = dict_get_dict(reply, "ProfileManifest");
	plist_t metadata = dict_get_dict(reply, "ProfileMetadata");
	uint32_t n, most, i;

	if (!order || !manifest || !metadata)
		return error_set(err, ERR_PROTOCOL, "GetProfileList: "
		    "OrderedIdentifiers, ProfileManifest or ProfileMetadata is missing");
	n = plist_array_get_size(order);
	most = n + plist_dict_get_size(manifest) + plist_dict_get_size(metadata);
	if (n > PROFILES_MAX || most > 3 * PROFILES_MAX)
		return error_set(err, ERR_PROTOCOL, "GetProfileList: %u profiles are listed", most);
	facts_forget_profiles(f);
	f->profiles = calloc(most + 1, sizeof(*f->profiles));
	if (!f->profiles)
		return error_memory(err);
	for (i = 0; i < n; i++) {
		const char *identifier = node_string(plist_array_get_item(order, i));
		struct installed_profile *again;

		if (!identifier)
			return error_set(err, ERR_PROTOCOL,
			    "GetProfileList: an identifier is no text");
		again = (struct installed_profile *)facts_find_profile(f, identifier);
		if (again) {
			again->times_listed++;
			continue;
		}
		if (!read_profile(&f->profiles[f->n_profiles++], identifier, manifest, metadata))
			return error_memory(err);
	}
	if (add_unlisted(f, manifest, manifest, metadata) < 0 ||
	    add_unlisted(f, metadata, manifest, metadata) < 0)
		return error_memory(err);
	f->has_profiles = true;
	return 0;
}

/* Bytes are compared: a re-issued certificate with the same key is another one. */
static enum known
is_supervisor(plist_t cloud, const struct blob *certificate)
{
	plist_t hosts = dict_get_array(cloud, "SupervisorHostCertificates");
	uint32_t n = hosts ? plist_array_get_size(hosts) : 0, i;

	for (i = 0; i < n; i++) {
		const void *der;
		size_t len;

		if (node_data(plist_array_get_item(hosts, i), &der, &len) &&
		    len == certificate->len && memcmp(der, certificate->data, len) == 0)
			return YES;
	}
	return NO;
}

static int
wrong_type(const char *request, const char *key, struct error *err)
{
	return error_set(err, ERR_PROTOCOL, "%s: %s is not of its type", request, key);
}

/* Whether it is supervised, and by whom, is never guessed from a nonsense value. */
static int
check_cloud(plist_t cloud, struct error *err)
{
	static const char request[] = "GetCloudConfiguration";
	plist_t supervised = dict_get(cloud, "IsSupervised");
	plist_t hosts = dict_get(cloud, "SupervisorHostCertificates");
	uint32_t i;

	if (cloud && !node_is(cloud, PLIST_DICT))
		return wrong_type(request, "CloudConfiguration", err);
	if (supervised && !node_is(supervised, PLIST_BOOLEAN))
		return wrong_type(request, "IsSupervised", err);
	if (hosts && !node_is(hosts, PLIST_ARRAY))
		return wrong_type(request, "SupervisorHostCertificates", err);
	for (i = 0; hosts && i < plist_array_get_size(hosts); i++)
		if (!node_is(plist_array_get_item(hosts, i), PLIST_DATA))
			return wrong_type(request, "a supervisor's certificate", err);
	return 0;
}

int
facts_read_cloud(struct facts *f, plist_t reply, const struct blob *certificate,
    struct error *err)
{
	plist_t cloud = dict_get(reply, "CloudConfiguration");

	if (check_cloud(cloud, err) < 0)
		return -1;
	if (f->cloud)
		plist_free(f->cloud);
	f->cloud = NULL;
	/* A device without a configuration is not supervised; that much is said. */
	f->is_supervised = known_bool(cloud, "IsSupervised") == YES ? YES : NO;
	f->is_ours = certificate ? is_supervisor(cloud, certificate) : UNKNOWN;
	if (!cloud)
		return 0;
	f->cloud = plist_copy(cloud);
	if (!f->cloud || !take_text(cloud, "OrganizationName", &f->organization))
		return error_memory(err);
	return 0;
}

enum known
facts_is_supervisor(const struct facts *f, const struct blob *certificate)
{
	if (!f->cloud)
		return f->is_supervised == NO ? NO : UNKNOWN;
	return is_supervisor(f->cloud, certificate);
}

/* A group of restrictions: by key, a dictionary for each. */
static bool
is_group(plist_t group)
{
	plist_dict_iter it = NULL;
	plist_t value;
	bool all = true;

	if (!node_is(group, PLIST_DICT))
		return false;
	plist_dict_new_iter(group, &it);
	do {
		value = NULL;
		plist_dict_next_item(group, it, NULL, &value);
		all = all && (!value || node_is(value, PLIST_DICT));
	} while (value);
	free(it);
	return all;
}

int
facts_read_restrictions(struct facts *f, plist_t reply, struct error *err)
{
	static const char *const groups[] = { "restrictedBool", "restrictedValue", "intersection",
		"union" };
	plist_t global = dict_get_dict(reply, "GlobalRestrictions");
	plist_t each = dict_get_dict(reply, "ProfileRestrictions");
	size_t i;

	if (!global)
		return error_set(err, ERR_PROTOCOL, "Restrictions: GlobalRestrictions is missing");
	for (i = 0; i < countof(groups); i++)
		if (dict_get(global, groups[i]) && !is_group(dict_get(global, groups[i])))
			return wrong_type("Restrictions", groups[i], err);
	if (f->restrictions)
		plist_free(f->restrictions);
	if (f->by_profile)
		plist_free(f->by_profile);
	f->restrictions = plist_copy(global);
	f->by_profile = each ? plist_copy(each) : NULL;
	if (!f->restrictions || (each && !f->by_profile))
		return error_memory(err);
	f->answers_restrictions = YES;
	return 0;
}
