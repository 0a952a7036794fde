/* vprofile: the device's own checks, in its order (observed in ManagedConfiguration) */
#include "sim/vprofile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"
#include "sim/signature.h"
#include "sim/vpayload.h"

void
vprofile_free(struct vprofile *profile)
{
	if (!profile)
		return;
	if (profile->root)
		plist_free(profile->root);
	blob_clear(&profile->signers);
	free(profile->identifier);
	free(profile->uuid);
	free(profile);
}

bool
vrefuse(struct vrefusal *refusal, const char *domain, unsigned code, const char *fmt, ...)
{
	va_list ap;

	refusal->domain = domain;
	refusal->code = code;
	va_start(ap, fmt);
	vsnprintf(refusal->text, sizeof(refusal->text), fmt, ap);
	va_end(ap);
	return false;
}

/* ---- fields --------------------------------------------------------------- */

bool
vfield_required(plist_t dict, const char *key, plist_type type, struct vrefusal *refusal)
{
	plist_t node = dict_get(dict, key);
	const char *text;

	if (!node)
		return vrefuse(refusal, PROFILE_DOMAIN, 1002,
		    "The profile is missing the required field \"%s\".", key);
	if (!node_is(node, type))
		return vrefuse(refusal, PROFILE_DOMAIN, 1003, "The field \"%s\" is invalid.", key);
	text = node_string(node);
	if (text && !*text)
		return vrefuse(refusal, PROFILE_DOMAIN, 1002,
		    "The profile is missing the required field \"%s\".", key);
	return true;
}

bool
vfield_optional(plist_t dict, const char *key, plist_type type, struct vrefusal *refusal)
{
	plist_t node = dict_get(dict, key);

	if (!node || node_is(node, type))
		return true;
	return vrefuse(refusal, PROFILE_DOMAIN, 1003, "The field \"%s\" is invalid.", key);
}

static bool
check_version(plist_t dict, struct vrefusal *refusal)
{
	uint64_t version = 0;

	if (!vfield_required(dict, "PayloadVersion", PLIST_UINT, refusal))
		return false;
	dict_get_uint(dict, "PayloadVersion", &version);
	if (version != 1 && version != 2)
		return vrefuse(refusal, PROFILE_DOMAIN, 1001,
		    "The profile's version %llu is not supported.", (unsigned long long)version);
	return true;
}

static bool
check_type(plist_t root, struct vrefusal *refusal)
{
	if (!vfield_required(root, "PayloadType", PLIST_STRING, refusal))
		return false;
	if (strcmp(dict_get_string(root, "PayloadType"), "Configuration") != 0)
		return vrefuse(refusal, INSTALLATION_DOMAIN, 4011,
		    "The profile's type is not \"Configuration\".");
	return true;
}

static bool
check_consent(plist_t root, struct vrefusal *refusal)
{
	plist_t consent = dict_get_dict(root, "ConsentText"), value = NULL;
	plist_dict_iter it = NULL;
	bool is_fine = true;

	if (!vfield_optional(root, "ConsentText", PLIST_DICT, refusal))
		return false;
	if (!consent)
		return true;
	plist_dict_new_iter(consent, &it);
	do {
		plist_dict_next_item(consent, it, NULL, &value);
		if (value && !node_is(value, PLIST_STRING))
			is_fine = vrefuse(refusal, PROFILE_DOMAIN, 1003,
			    "The field \"ConsentText\" is invalid.");
	} while (value && is_fine);
	free(it);
	return is_fine;
}

static bool
is_list_of_texts(plist_t node)
{
	uint32_t i, n = node_is(node, PLIST_ARRAY) ? plist_array_get_size(node) : 0;

	for (i = 0; i < n; i++)
		if (!node_is(plist_array_get_item(node, i), PLIST_STRING))
			return false;
	return node_is(node, PLIST_ARRAY);
}

static bool
check_options(plist_t root, struct vrefusal *refusal)
{
	static const struct {
		const char *key;
		plist_type type;
	} rows[] = {
		{ "PayloadDisplayName", PLIST_STRING }, { "PayloadOrganization", PLIST_STRING },
		{ "PayloadScope", PLIST_STRING }, { "PayloadRemovalDisallowed", PLIST_BOOLEAN },
		{ "HasRemovalPasscode", PLIST_BOOLEAN }, { "RemovalDate", PLIST_DATE },
		{ "PayloadExpirationDate", PLIST_DATE }, { "TargetDeviceType", PLIST_UINT },
		{ "IsEncrypted", PLIST_BOOLEAN }, { "EncryptedPayloadContent", PLIST_DATA },
	};
	plist_t duration = dict_get(root, "DurationUntilRemoval");
	plist_t description = dict_get(root, "PayloadDescription");
	size_t i;

	for (i = 0; i < countof(rows); i++)
		if (!vfield_optional(root, rows[i].key, rows[i].type, refusal))
			return false;
	/* An array of strings is taken as a description too (observed). */
	if (description && !node_is(description, PLIST_STRING) && !is_list_of_texts(description))
		return vrefuse(refusal, PROFILE_DOMAIN, 1003,
		    "The field \"PayloadDescription\" is invalid.");
	if (duration && !node_is(duration, PLIST_REAL) && !node_is(duration, PLIST_UINT))
		return vrefuse(refusal, PROFILE_DOMAIN, 1003,
		    "The field \"DurationUntilRemoval\" is invalid.");
	return check_consent(root, refusal);
}

static bool
check_target(plist_t root, struct vrefusal *refusal)
{
	uint64_t target = 0;

	if (dict_get_uint(root, "TargetDeviceType", &target) && target > 1)
		return vrefuse(refusal, PROFILE_DOMAIN, 1003,
		    "The profile is for another type of device.");
	return true;
}

/* ---- payloads ------------------------------------------------------------- */

static bool
check_payload(plist_t payload, const struct vreader *reader, struct vrefusal *refusal)
{
	if (!node_is(payload, PLIST_DICT))
		return vrefuse(refusal, PROFILE_DOMAIN, 1003,
		    "The field \"PayloadContent\" is invalid.");
	return vfield_required(payload, "PayloadType", PLIST_STRING, refusal)
	    && check_version(payload, refusal)
	    && vfield_required(payload, "PayloadIdentifier", PLIST_STRING, refusal)
	    && vfield_required(payload, "PayloadUUID", PLIST_STRING, refusal)
	    && vfield_optional(payload, "PayloadDisplayName", PLIST_STRING, refusal)
	    && vfield_optional(payload, "PayloadOrganization", PLIST_STRING, refusal)
	    && vpayload_check(payload, reader, refusal);
}

/* "multiple: false" in Apple's schema, counted over the whole device; but one. */
static const char *const single[] = { "com.apple.app.lock",
	"com.apple.shareddeviceconfiguration", "com.apple.notificationsettings",
	"com.apple.homescreenlayout", "com.apple.education", "com.apple.SetupAssistant.managed",
	REMOVAL_PASSWORD };

static bool
check_single(plist_t content, struct vrefusal *refusal)
{
	uint32_t seen[countof(single)] = { 0 }, n = plist_array_get_size(content), i;
	size_t k;

	for (i = 0; i < n; i++) {
		const char *type = dict_get_string(plist_array_get_item(content, i), "PayloadType");

		for (k = 0; k < countof(single); k++)
			if (type && strcmp(type, single[k]) == 0 && ++seen[k] > 1)
				return vrefuse(refusal, PROFILE_DOMAIN, 1009,
				    "There is more than one payload of type %s.", type);
	}
	return true;
}

static bool
check_content(plist_t root, const struct vreader *reader, struct vrefusal *refusal)
{
	plist_t content = dict_get_array(root, "PayloadContent");
	bool is_encrypted = false;
	uint32_t i, n;

	dict_get_bool(root, "IsEncrypted", &is_encrypted);
	if (is_encrypted && !content) {
		if (!vfield_required(root, "EncryptedPayloadContent", PLIST_DATA, refusal))
			return false;
		return vrefuse(refusal, PROFILE_DOMAIN, 1000,
		    "The profile is encrypted for another device.");
	}
	if (!vfield_required(root, "PayloadContent", PLIST_ARRAY, refusal))
		return false;
	n = plist_array_get_size(content);
	if (n == 0 && !reader->is_silent)
		return vrefuse(refusal, PROFILE_DOMAIN, 1003,
		    "The field \"PayloadContent\" is invalid.");
	for (i = 0; i < n; i++)
		if (!check_payload(plist_array_get_item(content, i), reader, refusal))
			return false;
	return check_single(content, refusal);
}

static bool
check(plist_t root, const struct vreader *reader, struct vrefusal *refusal)
{
	if (!node_is(root, PLIST_DICT))
		return vrefuse(refusal, PROFILE_DOMAIN, 1000, "The profile is malformed.");
	return check_type(root, refusal)
	    && check_version(root, refusal)
	    && vfield_required(root, "PayloadIdentifier", PLIST_STRING, refusal)
	    && vfield_required(root, "PayloadUUID", PLIST_STRING, refusal)
	    && check_options(root, refusal)
	    && check_target(root, refusal)
	    && check_content(root, reader, refusal);
}

/* ---- reading -------------------------------------------------------------- */

static plist_t
parse(const void *data, size_t len, struct blob *signers)
{
	auto_blob struct blob content = { 0 };
	struct error err = { 0 };
	plist_t root = NULL;

	/* 0x30: a DER sequence, so CMS. No property list begins with "0". */
	if (len > 0 && *(const uint8_t *)data == 0x30) {
		if (signature_unwrap(data, len, &content, signers, &err) < 0)
			return NULL;
		data = content.data;
		len = content.len;
	}
	if (proplist_parse(data, len, &PROPLIST_FILE, ERR_DATA, &root, &err) < 0)
		return NULL;
	return root;
}

static int64_t
removal_moment(plist_t root, int64_t now)
{
	plist_t date = dict_get(root, "RemovalDate");
	plist_t duration = dict_get(root, "DurationUntilRemoval");
	int64_t at = 0, after = 0;
	uint64_t whole = 0;
	double real = 0;

	if (node_is(date, PLIST_DATE))
		at = node_date(date);
	if (node_is(duration, PLIST_UINT)) {
		plist_get_uint_val(duration, &whole);
		real = (double)whole;
	} else if (node_is(duration, PLIST_REAL)) {
		plist_get_real_val(duration, &real);
	}
	/* Both given: the earlier moment wins (Apple's schema). */
	if (duration && real < 3.0e9)
		after = now + (int64_t)(real > 0 ? real : 0);
	if (!at || (after && after < at))
		at = after;
	return at;
}

void
vprofile_date(struct vprofile *profile, bool is_supervised, int64_t now)
{
	bool disallowed = false;

	dict_get_bool(profile->root, "PayloadRemovalDisallowed", &disallowed);
	/* An unsupervised device does not even read the key (observed). */
	profile->is_locked = disallowed && is_supervised;
	profile->has_password = profile->is_locked
	    && dict_get_string(vprofile_payload(profile, REMOVAL_PASSWORD, 0), "RemovalPassword");
	profile->installed_at = now;
	profile->removal_at = removal_moment(profile->root, now);
}

static int
fill(struct vprofile *profile, const struct vreader *reader)
{
	profile->identifier = strdup(dict_get_string(profile->root, "PayloadIdentifier"));
	profile->uuid = strdup(dict_get_string(profile->root, "PayloadUUID"));
	dict_get_uint(profile->root, "PayloadVersion", &profile->version);
	profile->is_active = true;
	vprofile_date(profile, reader->is_supervised, reader->now);
	return profile->identifier && profile->uuid ? 0 : -1;
}

struct vprofile *
vprofile_read(const void *data, size_t len, const struct vreader *reader,
    struct vrefusal *refusal)
{
	struct vprofile *profile = calloc(1, sizeof(*profile));

	*refusal = (struct vrefusal){ 0 };
	if (!profile)
		return NULL;
	profile->root = parse(data, len, &profile->signers);
	if (!profile->root)
		vrefuse(refusal, PROFILE_DOMAIN, 1000, "The profile is malformed.");
	else if (check(profile->root, reader, refusal) && fill(profile, reader) == 0)
		return profile;
	vprofile_free(profile);
	return NULL;
}

char *
vprofile_read_identifier(const void *data, size_t len)
{
	auto_blob struct blob signers = { 0 };
	auto_plist plist_t root = parse(data, len, &signers);
	const char *identifier = dict_get_string(root, "PayloadIdentifier");

	return identifier && *identifier ? strdup(identifier) : NULL;
}

const char *
vprofile_text(const struct vprofile *profile, const char *key)
{
	return dict_get_string(profile->root, key);
}

plist_t
vprofile_payload(const struct vprofile *profile, const char *type, size_t i)
{
	plist_t content = dict_get_array(profile->root, "PayloadContent");
	uint32_t at, n = content ? plist_array_get_size(content) : 0;

	for (at = 0; at < n; at++) {
		plist_t payload = plist_array_get_item(content, at);
		const char *its = dict_get_string(payload, "PayloadType");

		if (its && strcmp(its, type) == 0 && i-- == 0)
			return payload;
	}
	return NULL;
}

const char *
vprofile_conflict(const struct vprofile *a, const struct vprofile *b)
{
	size_t i;

	for (i = 0; i < countof(single); i++)
		/* Each profile may have a removal password of its own. */
		if (strcmp(single[i], REMOVAL_PASSWORD) != 0 &&
		    vprofile_payload(a, single[i], 0) && vprofile_payload(b, single[i], 0))
			return single[i];
	return NULL;
}
