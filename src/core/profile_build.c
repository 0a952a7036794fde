/* profile_build: a profile made from presets, settings and bounds */
#include "core/profile.h"

#include <stdio.h>
#include <string.h>

#include "base/blob.h"
#include "base/error.h"
#include "base/proplist.h"
#include "core/canonical.h"
#include "core/keys.h"
#include "core/lint.h"
#include "core/preset.h"
#include "core/value.h"

enum { PRESETS_MAX = 16, LONGEST_TEXT = 1024 };

/* Everything in the making. The plists at the end are owned by root. */
struct build {
	const struct profile_spec *spec;
	profile_digest_fn	*digest;
	struct error		*err;
	const struct preset	*presets[PRESETS_MAX];	/* sorted by name, each once */
	size_t			 n;
	int			 extras;
	struct blob		 identifier;	/* with its NUL */
	plist_t			 root;
	plist_t			 content;
	plist_t			 restrictions;
};

static int
out_of_memory(struct build *b)
{
	return error_memory(b->err);
}

static const char *
identifier_of(const struct build *b)
{
	return (const char *)b->identifier.data;
}

/* ---- what the specification asks for ------------------------------------- */

static int
add_preset(struct build *b, const char *name)
{
	const struct preset *p = preset_find(name);
	size_t at;

	if (!p) {
		error_set(b->err, ERR_USAGE, "no preset is called \"%s\"", name);
		return error_hint(b->err, "chaperone profile presets lists them");
	}
	for (at = 0; at < b->n && strcmp(b->presets[at]->name, p->name) < 0; at++)
		continue;
	if (at < b->n && b->presets[at] == p)
		return 0;
	if (b->n == PRESETS_MAX)
		return error_set(b->err, ERR_USAGE, "too many presets");
	memmove(&b->presets[at + 1], &b->presets[at], (b->n - at) * sizeof(b->presets[0]));
	b->presets[at] = p;
	b->n++;
	b->extras |= preset_extras(p);
	return 0;
}

static int
take_presets(struct build *b)
{
	size_t i;

	for (i = 0; i < b->spec->n_presets; i++)
		if (add_preset(b, b->spec->presets[i]) < 0)
			return -1;
	return 0;
}

/* What a profile without a preset is called, by the most of what is in it. */
static const struct nameless {
	const char	*name, *title, *purpose;
} nameless[] = {
	{ "restrictions", "Restrictions", "Restrictions of this device." },
	{ "wifi", "Wi-Fi", "A network that this device joins." },
	{ "lock-screen", "Lock Screen", "What this device's Lock Screen says." },
};

static const struct nameless *
nameless_of(const struct profile_spec *s)
{
	if (s->n_settings || s->lock_pairing)
		return &nameless[0];
	return s->wifi_ssid ? &nameless[1] : &nameless[2];
}

static int
name_profile(struct build *b)
{
	static const char prefix[] = "org.chaperone.";
	const char *given = b->spec->identifier;
	const char *name = b->n ? "preset" : nameless_of(b->spec)->name;
	int rc = 0;
	size_t i;

	if (given) {
		rc |= blob_set(&b->identifier, given, strlen(given) + 1);
		return rc ? out_of_memory(b) : 0;
	}
	rc |= blob_set(&b->identifier, prefix, sizeof(prefix) - 1);
	rc |= blob_append(&b->identifier, name, strlen(name));
	for (i = 0; i < b->n; i++) {
		rc |= blob_append(&b->identifier, ".", 1);
		rc |= blob_append(&b->identifier, b->presets[i]->name, strlen(b->presets[i]->name));
	}
	rc |= blob_append(&b->identifier, "", 1);
	return rc ? out_of_memory(b) : 0;
}

/* XML cannot carry control characters, and a device need not. */
static int
check_text(struct build *b, const char *what, const char *text)
{
	char seen[3 * LONGEST_TEXT + 4];

	if (!text)
		return 0;
	if (!*text || strlen(text) > LONGEST_TEXT)
		return error_set(b->err, ERR_USAGE, "the %s must have 1 to %d bytes",
		    what, LONGEST_TEXT);
	text_printable(text, strlen(text), seen, sizeof(seen));
	if (strcmp(seen, text) != 0)
		return error_set(b->err, ERR_USAGE,
		    "the %s is not plain printable text (UTF-8)", what);
	return 0;
}

/* Whether there is anything in it about what the device may do. */
static bool
has_restrictions(const struct profile_spec *s)
{
	return s->n_presets || s->n_settings || s->lock_pairing || s->duration_s || s->removal_at;
}

static int
check_spec(struct build *b)
{
	const struct profile_spec *s = b->spec;

	if (!has_restrictions(s) && !s->wifi_ssid && !s->footnote && !s->asset_tag)
		return error_set(b->err, ERR_USAGE,
		    "a profile needs a preset, a restriction, or something else to say");
	if (check_text(b, "identifier", s->identifier) < 0 ||
	    check_text(b, "organization", s->organization) < 0 ||
	    check_text(b, "removal password", s->removal_password) < 0 ||
	    check_text(b, "app's bundle id", s->app) < 0 ||
	    check_text(b, "Wi-Fi name", s->wifi_ssid) < 0 ||
	    check_text(b, "Wi-Fi password", s->wifi_password) < 0 ||
	    check_text(b, "footnote", s->footnote) < 0 ||
	    check_text(b, "asset tag", s->asset_tag) < 0)
		return -1;
	if (s->removal_password && s->is_removable)
		return error_set(b->err, ERR_USAGE,
		    "a removal password protects nothing when the profile may be removed freely");
	if (s->wifi_password && !s->wifi_ssid)
		return error_set(b->err, ERR_USAGE, "a Wi-Fi password without a Wi-Fi name");
	if (s->duration_s < 0 || s->removal_at < 0)
		return error_set(b->err, ERR_USAGE, "a time bound before now");
	return 0;
}

static int
app_is_missing(struct build *b)
{
	size_t i = 0;

	while (i + 1 < b->n && !(preset_extras(b->presets[i]) & PRESET_APP_NEEDED))
		i++;
	return error_set(b->err, ERR_USAGE,
	    "the preset %s needs the bundle id of an app: --app BUNDLE-ID",
	    b->presets[i]->name);
}

/* The presets decide what the app is for. */
static int
check_app(struct build *b)
{
	if (b->spec->app && !(b->extras & PRESET_APP))
		return error_set(b->err, ERR_USAGE,
		    "an app is named, but no preset has a use for it");
	if (!b->spec->app && (b->extras & PRESET_APP_NEEDED))
		return app_is_missing(b);
	return 0;
}

/* ---- restrictions ------------------------------------------------------- */

static int
unknown_key(struct build *b, const char *name)
{
	size_t distance;
	const struct key *near = key_nearest(RESTRICTIONS, "", name, &distance);

	if (near)
		return error_set(b->err, ERR_USAGE,
		    "no restriction is called \"%s\"; did you mean %s?",
		    name, near->path);
	return error_set(b->err, ERR_USAGE, "no restriction is called \"%s\"", name);
}

static int
restrict_key(struct build *b, const char *name, const char *text)
{
	const struct key *key = key_find(RESTRICTIONS, name);
	auto_plist plist_t value = NULL;

	if (!key)
		return unknown_key(b, name);
	if (!key->introduced)
		return error_set(b->err, ERR_USAGE, "%s is a restriction of %s, not of iOS",
		    name, key->elsewhere);
	if (value_from_text(key, text, &value, b->err) < 0)
		return -1;
	plist_dict_set_item(b->restrictions, name, steal_pointer(&value));
	return 0;
}

static int
restrict_preset(struct build *b, const struct preset *p)
{
	const struct profile_setting *s;

	if (p->base && restrict_preset(b, preset_find(p->base)) < 0)
		return -1;
	for (s = p->settings; s->key; s++)
		if (restrict_key(b, s->key, s->value) < 0)
			return -1;
	return 0;
}

static int
fill_restrictions(struct build *b)
{
	const struct profile_spec *s = b->spec;
	size_t i;

	for (i = 0; i < b->n; i++)
		if (restrict_preset(b, b->presets[i]) < 0)
			return -1;
	if ((b->extras & PRESET_APP_AUTONOMOUS) && s->app &&
	    restrict_key(b, "autonomousSingleAppModePermittedAppIDs", s->app) < 0)
		return -1;
	if (s->lock_pairing && restrict_key(b, "allowHostPairing", "false") < 0)
		return -1;
	for (i = 0; i < s->n_settings; i++)
		if (restrict_key(b, s->settings[i].key, s->settings[i].value) < 0)
			return -1;
	if ((s->duration_s || s->removal_at) &&
	    restrict_key(b, "forceAutomaticDateAndTime", "true") < 0)
		return -1;
	return 0;
}

/* ---- payloads ------------------------------------------------------------ */

/* The new payload is borrowed from content. NULL: out of memory. */
static plist_t
add_payload(struct build *b, const char *type, const char *suffix, const char *title)
{
	auto_plist plist_t payload = plist_new_dict();
	auto_free char *identifier = NULL;

	if (asprintf(&identifier, "%s.%s", identifier_of(b), suffix) < 0)
		identifier = NULL;
	if (!payload || !identifier || !dict_set_string(payload, "PayloadType", type) ||
	    !dict_set_string(payload, "PayloadIdentifier", identifier) ||
	    !dict_set_string(payload, "PayloadDisplayName", title))
		return NULL;
	plist_dict_set_item(payload, "PayloadVersion", plist_new_uint(1));
	plist_array_append_item(b->content, payload);
	return steal_pointer(&payload);
}

static int
add_app_lock(struct build *b)
{
	plist_t payload = add_payload(b, "com.apple.app.lock", "app-lock", "Single App Mode");
	plist_t app = plist_new_dict(), options = plist_new_dict();

	if (!payload || !dict_set_string(app, "Identifier", b->spec->app) ||
	    !dict_set_bool(options, "DisableAutoLock", true) ||
	    !dict_set_bool(options, "DisableSleepWakeButton", true)) {
		plist_free(app);
		plist_free(options);
		return out_of_memory(b);
	}
	plist_dict_set_item(app, "Options", options);
	plist_dict_set_item(payload, "App", app);
	return 0;
}

static int
add_home_screen(struct build *b)
{
	plist_t payload = add_payload(b, "com.apple.homescreenlayout",
	    "home-screen", "Home Screen");
	plist_t icon = plist_new_dict(), page = plist_new_array(), pages = plist_new_array();

	if (!payload || !page || !pages || !dict_set_string(icon, "Type", "Application") ||
	    !dict_set_string(icon, "BundleID", b->spec->app)) {
		plist_free(icon);
		plist_free(page);
		plist_free(pages);
		return out_of_memory(b);
	}
	plist_array_append_item(page, icon);
	plist_array_append_item(pages, page);
	plist_dict_set_item(payload, "Pages", pages);
	return 0;
}

static int
add_silence(struct build *b)
{
	plist_t payload = add_payload(b, "com.apple.notificationsettings",
	    "notifications", "Notifications");
	plist_t app = plist_new_dict(), list = plist_new_array();

	if (!payload || !list || !dict_set_string(app, "BundleIdentifier", "com.apple.MobileSMS") ||
	    !dict_set_bool(app, "NotificationsEnabled", false)) {
		plist_free(app);
		plist_free(list);
		return out_of_memory(b);
	}
	plist_array_append_item(list, app);
	plist_dict_set_item(payload, "NotificationSettings", list);
	return 0;
}

static int
add_wifi(struct build *b)
{
	const struct profile_spec *s = b->spec;
	plist_t payload = add_payload(b, "com.apple.wifi.managed", "wifi", "Wi-Fi");

	if (!payload || !dict_set_string(payload, "SSID_STR", s->wifi_ssid) ||
	    !dict_set_string(payload, "EncryptionType", s->wifi_password ? "WPA2" : "None") ||
	    (s->wifi_password && !dict_set_string(payload, "Password", s->wifi_password)))
		return out_of_memory(b);
	return 0;
}

static int
add_lock_screen(struct build *b)
{
	const struct profile_spec *s = b->spec;
	plist_t payload = add_payload(b, "com.apple.shareddeviceconfiguration",
	    "lock-screen", "Lock Screen");

	if (!payload ||
	    (s->footnote && !dict_set_string(payload, "LockScreenFootnote", s->footnote)) ||
	    (s->asset_tag && !dict_set_string(payload, "AssetTagInformation", s->asset_tag)))
		return out_of_memory(b);
	return 0;
}

static int
add_removal_password(struct build *b)
{
	plist_t payload = add_payload(b, "com.apple.profileRemovalPassword", "removal-password",
	    "Removal password");

	if (!payload || !dict_set_string(payload, "RemovalPassword", b->spec->removal_password) ||
	    !dict_set_bool(b->root, "HasRemovalPasscode", true))
		return out_of_memory(b);
	return 0;
}

static int
add_restrictions(struct build *b)
{
	b->restrictions = add_payload(b, RESTRICTIONS, "restrictions", "Restrictions");
	return b->restrictions ? fill_restrictions(b) : out_of_memory(b);
}

static int
add_payloads(struct build *b)
{
	const struct profile_spec *s = b->spec;

	if (has_restrictions(s) && add_restrictions(b) < 0)
		return -1;
	if ((b->extras & PRESET_APP_LOCK) && s->app && add_app_lock(b) < 0)
		return -1;
	if ((b->extras & PRESET_APP_ON_HOME) && s->app && add_home_screen(b) < 0)
		return -1;
	if ((b->extras & PRESET_MESSAGES_SILENT) && add_silence(b) < 0)
		return -1;
	if (s->wifi_ssid && add_wifi(b) < 0)
		return -1;
	if ((s->footnote || s->asset_tag) && add_lock_screen(b) < 0)
		return -1;
	return s->removal_password ? add_removal_password(b) : 0;
}

/* ---- the profile itself --------------------------------------------------- */

static int
describe(struct build *b)
{
	auto_blob struct blob title = { 0 }, purpose = { 0 };
	const struct nameless *other = nameless_of(b->spec);
	size_t i;
	int rc = 0;

	for (i = 0; i < b->n; i++) {
		const struct preset *p = b->presets[i];

		rc |= blob_append(&title, i ? ", " : "", i ? 2 : 0);
		rc |= blob_append(&title, p->title, strlen(p->title));
		rc |= blob_append(&purpose, i ? " " : "", i ? 1 : 0);
		rc |= blob_append(&purpose, p->purpose, strlen(p->purpose));
	}
	if (b->n == 0) {
		rc |= blob_append(&title, other->title, strlen(other->title));
		rc |= blob_append(&purpose, other->purpose, strlen(other->purpose));
	}
	rc |= blob_append(&title, "", 1);
	rc |= blob_append(&purpose, "", 1);
	if (rc || !dict_set_string(b->root, "PayloadDisplayName", (const char *)title.data) ||
	    !dict_set_string(b->root, "PayloadDescription", (const char *)purpose.data))
		return out_of_memory(b);
	return 0;
}

static int
bound_in_time(struct build *b)
{
	const struct profile_spec *s = b->spec;
	plist_t date;

	if (s->duration_s)
		plist_dict_set_item(b->root, "DurationUntilRemoval",
		    plist_new_real((double)s->duration_s));
	if (!s->removal_at)
		return 0;
	date = canonical_new_date(s->removal_at);
	if (!date)
		return error_set(b->err, ERR_USAGE, "the removal date is outside 2001 to 2068");
	plist_dict_set_item(b->root, "RemovalDate", date);
	return 0;
}

static int
begin(struct build *b)
{
	const struct profile_spec *s = b->spec;

	b->root = plist_new_dict();
	b->content = plist_new_array();
	if (!b->root || !b->content)
		return out_of_memory(b);
	plist_dict_set_item(b->root, "PayloadContent", b->content);
	plist_dict_set_item(b->root, "PayloadVersion", plist_new_uint(1));
	plist_dict_set_item(b->root, "TargetDeviceType", plist_new_uint(1));
	if (!dict_set_string(b->root, "PayloadType", "Configuration") ||
	    !dict_set_string(b->root, "PayloadIdentifier", identifier_of(b)) ||
	    (s->organization &&
		!dict_set_string(b->root, "PayloadOrganization", s->organization)) ||
	    (!s->is_removable && !dict_set_bool(b->root, "PayloadRemovalDisallowed", true)))
		return out_of_memory(b);
	return describe(b) < 0 ? -1 : bound_in_time(b);
}

/* ---- names from content --------------------------------------------------- */

static int
set_uuid(struct build *b, plist_t dict, const struct blob *bytes)
{
	char uuid[TEXT_UUID_MAX];

	canonical_uuid(bytes, b->digest, uuid);
	return dict_set_string(dict, "PayloadUUID", uuid) ? 0 : out_of_memory(b);
}

static int
name_payload(struct build *b, plist_t payload)
{
	auto_blob struct blob bytes = { 0 };

	if (blob_set(&bytes, identifier_of(b), strlen(identifier_of(b))) < 0 ||
	    blob_append(&bytes, "\n", 1) < 0 ||
	    canonical_xml(payload, CANONICAL_WITHOUT_UUIDS, &bytes) < 0)
		return out_of_memory(b);
	return set_uuid(b, payload, &bytes);
}

static int
name_all(struct build *b)
{
	auto_blob struct blob bytes = { 0 };
	uint32_t i, n = plist_array_get_size(b->content);

	for (i = 0; i < n; i++)
		if (name_payload(b, plist_array_get_item(b->content, i)) < 0)
			return -1;
	if (canonical_xml(b->root, CANONICAL_WITHOUT_UUIDS, &bytes) < 0)
		return out_of_memory(b);
	return set_uuid(b, b->root, &bytes);
}

/* What lint calls an error is not handed out. */
static int
check_result(struct build *b, const struct blob *xml)
{
	struct lint_target target = { .now = b->spec->now };
	struct lint_signature signature = { .wrapper = LINT_WRAPPER_NONE };
	auto_lint_report struct lint_report report = { 0 };
	size_t i;

	if (lint_profile(xml->data, xml->len, &signature, &target, &report, b->err) < 0)
		return -1;
	for (i = 0; i < report.n; i++)
		if (report.findings[i].severity == LINT_ERROR)
			return error_set(b->err, ERR_USAGE, "%s: %s", report.findings[i].rule->id,
			    report.findings[i].message);
	return 0;
}

static int
build(struct build *b, struct blob *out)
{
	auto_blob struct blob xml = { 0 };

	if (check_spec(b) < 0 || take_presets(b) < 0 || check_app(b) < 0 || name_profile(b) < 0 ||
	    begin(b) < 0 || add_payloads(b) < 0 || name_all(b) < 0)
		return -1;
	if (canonical_xml(b->root, CANONICAL_WHOLE, &xml) < 0)
		return out_of_memory(b);
	if (check_result(b, &xml) < 0)
		return -1;
	blob_clear(out);
	*out = blob_steal(&xml);
	return 0;
}

static void
release(struct build *b)
{
	blob_clear(&b->identifier);
	if (b->root)
		plist_free(b->root);
}

int
profile_build(const struct profile_spec *spec, profile_digest_fn *digest, struct blob *out,
    struct error *err)
{
	struct build b = { .spec = spec, .digest = digest, .err = err };
	int rc = build(&b, out);

	release(&b);
	return rc;
}

int
profile_identifier(const struct profile_spec *spec, struct blob *out, struct error *err)
{
	struct build b = { .spec = spec, .err = err };
	int rc = take_presets(&b) < 0 || name_profile(&b) < 0 ? -1 : 0;

	if (rc == 0) {
		blob_clear(out);
		*out = blob_steal(&b.identifier);
	}
	release(&b);
	return rc;
}
