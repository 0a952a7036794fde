/* profile: presets built, bytes that never change, profiles read back */
#include "tests/unit/table.h"

#include <locale.h>
#include <openssl/evp.h>
#include <string.h>
#include <time.h>

#include "base/blob.h"
#include "base/error.h"
#include "base/file.h"
#include "base/proplist.h"
#include "core/canonical.h"
#include "core/keys.h"
#include "core/preset.h"
#include "core/profile.h"
#include "core/profile_diff.h"

static void
sha256(const void *data, size_t len, uint8_t out[32])
{
	assert_int_equal(EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL), 1);
}

static const char *const IMESSAGE_OFF[] = { "imessage-off" };

static void
built(const struct profile_spec *spec, struct blob *out)
{
	struct error err = { 0 };

	if (profile_build(spec, sha256, out, &err) < 0)
		fail_msg("%s", err.message);
}

static bool
contains(const struct blob *text, const char *what)
{
	return memmem(text->data, text->len, what, strlen(what)) != NULL;
}

/* Where the app is needed or of use, one is named. */
static struct profile_spec
spec_of_preset(const struct preset *p, const char *const *name)
{
	struct profile_spec spec = { .presets = name, .n_presets = 1 };

	if (preset_extras(p) & (PRESET_APP_LOCK | PRESET_APP_AUTONOMOUS | PRESET_APP_ON_HOME))
		spec.app = "com.example.app";
	return spec;
}

static void
imessage_off_restricts_one_thing(void **state)
{
	struct profile_spec spec = { .presets = IMESSAGE_OFF, .n_presets = 1 };
	auto_blob struct blob xml = { 0 };
	auto_profile struct profile p = { 0 };
	struct error err = { 0 };
	uint8_t value = 1;

	(void)state;
	built(&spec, &xml);
	assert_int_equal(profile_read(xml.data, xml.len, sha256, &p, &err), 0);
	assert_string_equal(p.identifier, "org.chaperone.preset.imessage-off");
	assert_int_equal(p.version, 1);
	assert_true(p.is_removal_disallowed);
	assert_true(p.is_content_addressed);
	assert_null(p.organization);
	assert_int_equal(p.uuid[14], '8');
	assert_int_equal(p.n_restrictions, 1);
	assert_string_equal(p.restrictions[0].key, "allowChat");
	plist_get_bool_val(p.restrictions[0].value, &value);
	assert_int_equal(value, 0);
}

/* A change of these bytes is a change of every UUID in the field: think twice. */
static void
the_bytes_are_these(void **state)
{
	static const char want[] =
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
	    "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
	    "<plist version=\"1.0\">\n"
	    "<dict>\n"
	    "\t<key>PayloadContent</key>\n"
	    "\t<array>\n"
	    "\t\t<dict>\n"
	    "\t\t\t<key>PayloadDisplayName</key>\n"
	    "\t\t\t<string>Restrictions</string>\n"
	    "\t\t\t<key>PayloadIdentifier</key>\n"
	    "\t\t\t<string>org.chaperone.preset.imessage-off.restrictions</string>\n"
	    "\t\t\t<key>PayloadType</key>\n"
	    "\t\t\t<string>com.apple.applicationaccess</string>\n"
	    "\t\t\t<key>PayloadUUID</key>\n"
	    "\t\t\t<string>1779049E-9724-87E2-973B-6F7CF691DE20</string>\n"
	    "\t\t\t<key>PayloadVersion</key>\n"
	    "\t\t\t<integer>1</integer>\n"
	    "\t\t\t<key>allowChat</key>\n"
	    "\t\t\t<false/>\n"
	    "\t\t</dict>\n"
	    "\t</array>\n"
	    "\t<key>PayloadDescription</key>\n"
	    "\t<string>Turns iMessage off and nothing else.</string>\n"
	    "\t<key>PayloadDisplayName</key>\n"
	    "\t<string>iMessage off</string>\n"
	    "\t<key>PayloadIdentifier</key>\n"
	    "\t<string>org.chaperone.preset.imessage-off</string>\n"
	    "\t<key>PayloadOrganization</key>\n"
	    "\t<string>Acme &amp; Sons &lt;Büro&gt;</string>\n"
	    "\t<key>PayloadRemovalDisallowed</key>\n"
	    "\t<true/>\n"
	    "\t<key>PayloadType</key>\n"
	    "\t<string>Configuration</string>\n"
	    "\t<key>PayloadUUID</key>\n"
	    "\t<string>394A2B34-26D3-825E-B7D7-3A7587761732</string>\n"
	    "\t<key>PayloadVersion</key>\n"
	    "\t<integer>1</integer>\n"
	    "\t<key>TargetDeviceType</key>\n"
	    "\t<integer>1</integer>\n"
	    "</dict>\n"
	    "</plist>\n";
	struct profile_spec spec = { .presets = IMESSAGE_OFF, .n_presets = 1,
		.organization = "Acme & Sons <Büro>" };
	auto_blob struct blob xml = { 0 };

	(void)state;
	built(&spec, &xml);
	assert_int_equal(blob_append(&xml, "", 1), 0);
	assert_string_equal((const char *)xml.data, want);
}

static void
time_bounds_are_written(void **state)
{
	static const struct {
		const char *name;
		int64_t duration, until;
		const char *want;
	} rows[] = {
		{ "a duration is a real", 28800, 0, "<real>28800</real>" },
		{ "a moment is UTC", 0, 1795534200, "<date>2026-11-24T15:30:00Z</date>" },
		{ "the clock is kept right for a duration", 60, 0,
		  "<key>forceAutomaticDateAndTime</key>\n\t\t\t<true/>" },
		{ "the clock is kept right for a moment", 0, 1795534200,
		  "<key>forceAutomaticDateAndTime</key>\n\t\t\t<true/>" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		struct profile_spec spec = { .presets = IMESSAGE_OFF, .n_presets = 1,
			.duration_s = rows[i].duration, .removal_at = rows[i].until };
		auto_blob struct blob xml = { 0 };

		row_named(rows[i].name);
		built(&spec, &xml);
		assert_true(contains(&xml, rows[i].want));
	}
}

static void
impossible_wishes_are_refused(void **state)
{
	static const char *const nosuch[] = { "imessage-of" }, *const one_app[] = { "kiosk" };
	static const struct profile_setting misspelt = { "allowChats", "false" },
	    text = { "allowChat", "no" }, mac = { "allowUniversalControl", "false" },
	    high = { "ratingApps", "1001" }, five = { "deniedICCIDsForRCS", "1,2,3,4,5" },
	    empty = { "blockedAppBundleIDs", "a,,b" }, none = { "allowListedAppBundleIDs", "" },
	    settings_app = { "blockedAppBundleIDs", "com.apple.Preferences" },
	    real = { "safariAcceptCookies", "1.25" };
	static const struct {
		const char *name;
		struct profile_spec spec;
		const char *want;
	} rows[] = {
		{ "nothing at all", { .n_presets = 0 }, "needs a preset" },
		{ "an unknown preset", { .presets = nosuch, .n_presets = 1 },
		  "no preset is called" },
		{ "a kiosk without its app", { .presets = one_app, .n_presets = 1 }, "bundle id" },
		{ "an app without use", { .presets = IMESSAGE_OFF, .n_presets = 1, .app = "a.b" },
		  "use for it" },
		{ "a misspelt key", { .settings = &misspelt, .n_settings = 1 },
		  "did you mean allowChat?" },
		{ "a truth that is none", { .settings = &text, .n_settings = 1 }, "true or false" },
		{ "a key of the Mac", { .settings = &mac, .n_settings = 1 }, "macOS" },
		{ "a rating too high", { .settings = &high, .n_settings = 1 }, "not in 0..1000" },
		{ "five lines for RCS", { .settings = &five, .n_settings = 1 }, "not in 0..4" },
		{ "an empty bundle id", { .settings = &empty, .n_settings = 1 },
		  "a list of texts" },
		{ "a cookie policy between two", { .settings = &real, .n_settings = 1 },
		  "not in 0|1|1.5|2" },
		{ "a password on a removable profile", { .presets = IMESSAGE_OFF, .n_presets = 1,
		  .removal_password = "secret", .is_removable = true }, "protects nothing" },
		{ "a newline in the organization", { .presets = IMESSAGE_OFF, .n_presets = 1,
		  .organization = "a\nb" }, "printable" },
		{ "a negative duration",
		  { .presets = IMESSAGE_OFF, .n_presets = 1, .duration_s = -1 }, "before now" },
		{ "an empty allow list", { .settings = &none, .n_settings = 1 }, "X003" },
		{ "Settings on the block list", { .settings = &settings_app, .n_settings = 1 },
		  "X004" },
		{ "an identifier that is no name", { .presets = IMESSAGE_OFF, .n_presets = 1,
		  .identifier = "" }, "identifier" },
		{ "a removal that has passed", { .presets = IMESSAGE_OFF, .n_presets = 1,
		  .removal_at = 1795510800, .now = 1795510800 }, "R001" },
		{ "a removal in 2100", { .presets = IMESSAGE_OFF, .n_presets = 1,
		  .removal_at = INT64_C(4102444800) }, "2068" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_blob struct blob xml = { 0 };
		struct error err = { 0 };

		row_named(rows[i].name);
		assert_int_equal(profile_build(&rows[i].spec, sha256, &xml, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		if (!strstr(err.message, rows[i].want))
			fail_msg("%s", err.message);
		assert_null(xml.data);
	}
}

static void
identifiers_depend_on_presets_alone(void **state)
{
	static const char *const two[] = { "lockdown-of-tool", "imessage-off", "imessage-off" };
	static const char *const swapped[] = { "imessage-off", "lockdown-of-tool" };
	static const struct profile_setting chat = { "allowChat", "false" };
	static const struct {
		const char *name;
		struct profile_spec spec;
		const char *want;
	} rows[] = {
		{ "one preset", { .presets = IMESSAGE_OFF, .n_presets = 1 },
		  "org.chaperone.preset.imessage-off" },
		{ "the organization does not count", { .presets = IMESSAGE_OFF, .n_presets = 1,
		  .organization = "Acme" }, "org.chaperone.preset.imessage-off" },
		{ "several are sorted, each once", { .presets = two, .n_presets = 3 },
		  "org.chaperone.preset.imessage-off.lockdown-of-tool" },
		{ "their order does not count", { .presets = swapped, .n_presets = 2 },
		  "org.chaperone.preset.imessage-off.lockdown-of-tool" },
		{ "restrictions alone", { .settings = &chat, .n_settings = 1 },
		  "org.chaperone.restrictions" },
		{ "a given one stays",
		  { .presets = IMESSAGE_OFF, .n_presets = 1, .identifier = "com.acme.x" },
		  "com.acme.x" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_blob struct blob xml = { 0 }, id = { 0 };
		auto_profile struct profile p = { 0 };
		struct error err = { 0 };

		row_named(rows[i].name);
		built(&rows[i].spec, &xml);
		assert_int_equal(profile_read(xml.data, xml.len, sha256, &p, &err), 0);
		assert_string_equal(p.identifier, rows[i].want);
		assert_int_equal(profile_identifier(&rows[i].spec, &id, &err), 0);
		assert_string_equal((const char *)id.data, rows[i].want);
	}
}

static void
a_uuid_names_the_content(void **state)
{
	struct profile_spec spec = { .presets = IMESSAGE_OFF, .n_presets = 1 };
	auto_blob struct blob xml = { 0 }, other = { 0 };
	auto_profile struct profile p = { 0 }, q = { 0 };
	struct error err = { 0 };
	char *at;

	(void)state;
	built(&spec, &xml);
	assert_int_equal(profile_read(xml.data, xml.len, sha256, &p, &err), 0);
	spec.is_removable = true;
	built(&spec, &other);
	assert_int_equal(profile_read(other.data, other.len, sha256, &q, &err), 0);
	assert_string_not_equal(p.uuid, q.uuid);
	at = memmem(xml.data, xml.len, "<false/>", 8);
	assert_non_null(at);
	memcpy(at, "<true/> ", 8);
	assert_int_equal(profile_read(xml.data, xml.len, sha256, &p, &err), 0);
	assert_false(p.is_content_addressed);
	assert_int_equal(p.n_restrictions, 0);
}

static void
binary_and_xml_name_the_same(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; preset_at(i); i++) {
		const char *name = preset_at(i)->name;
		struct profile_spec spec = spec_of_preset(preset_at(i), &name);
		auto_blob struct blob xml = { 0 }, again = { 0 };
		auto_plist plist_t list = NULL;
		auto_profile struct profile p = { 0 };
		struct error err = { 0 };
		char *bin = NULL;
		uint32_t len = 0;

		row_named(name);
		spec.duration_s = 5400;
		built(&spec, &xml);
		assert_int_equal(proplist_parse(xml.data, xml.len, &PROPLIST_FILE, ERR_DATA, &list,
		    &err), 0);
		assert_int_equal(canonical_xml(list, CANONICAL_WHOLE, &again), 0);
		assert_true(blob_equal(&xml, &again));
		plist_to_bin(list, &bin, &len);
		assert_int_equal(profile_read(bin, len, sha256, &p, &err), 0);
		assert_true(p.is_content_addressed);
		free(bin);
	}
}

static void
surroundings_do_not_count(void **state)
{
	static const struct profile_setting cookies = { "safariAcceptCookies", "1.5" };
	struct profile_spec spec = { .settings = &cookies, .n_settings = 1,
		.removal_at = 1795534200 };
	auto_blob struct blob here = { 0 }, there = { 0 };

	(void)state;
	built(&spec, &here);
	setenv("TZ", "Pacific/Apia", 1);
	tzset();
	if (!setlocale(LC_ALL, "de_DE.UTF-8"))
		print_message("         - (no German locale here)\n");
	built(&spec, &there);
	setlocale(LC_ALL, "C");
	unsetenv("TZ");
	tzset();
	assert_true(blob_equal(&here, &there));
	assert_true(contains(&here, "<real>1.5</real>"));
}

static void
foreign_profiles_are_read(void **state)
{
#define WITH(body) "<plist><dict><key>PayloadType</key><string>Configuration</string>" body \
	"</dict></plist>"
#define ID "<key>PayloadIdentifier</key><string>a.b</string>"
#define UUID "<key>PayloadUUID</key><string>x</string>"
#define V1 "<key>PayloadVersion</key><integer>1</integer>"
	static const struct {
		const char *name, *text, *message;
	} rows[] = {
		{ "the least that is a profile", WITH(ID UUID V1), NULL },
		{ "content that is no array is for lint to judge", WITH(ID UUID V1
		  "<key>PayloadContent</key><string>x</string>"), NULL },
		{ "no identifier", WITH(UUID V1), "PayloadIdentifier" },
		{ "no UUID", WITH(ID V1), "PayloadUUID" },
		{ "no version", WITH(ID UUID), "PayloadVersion" },
		{ "another type",
		  "<plist><dict><key>PayloadType</key><string>Profile Service</string>"
		  ID UUID V1 "</dict></plist>", "not Configuration" },
		{ "an array", "<plist><array/></plist>", "no dictionary" },
		{ "a text", "hello", "not a property list" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_profile struct profile p = { 0 };
		struct error err = { 0 };
		int rc;

		row_named(rows[i].name);
		rc = profile_read(rows[i].text, strlen(rows[i].text), sha256, &p, &err);
		assert_int_equal(rc, rows[i].message ? -1 : 0);
		if (rows[i].message) {
			assert_int_equal(err.kind, ERR_DATA);
			assert_non_null(strstr(err.message, rows[i].message));
		} else {
			assert_false(p.is_content_addressed);
		}
	}
}

static void
of_two_values_the_stricter_counts(void **state)
{
	static const char text[] = WITH(ID UUID V1
	    "<key>PayloadContent</key><array>"
	    "<dict><key>PayloadType</key><string>com.apple.applicationaccess</string>"
	    "<key>ratingApps</key><integer>600</integer><key>allowChat</key><true/>"
	    "<key>PayloadEnabled</key><true/></dict>"
	    "<dict><key>PayloadType</key><string>com.apple.applicationaccess</string>"
	    "<key>ratingApps</key><integer>300</integer><key>allowChat</key><false/>"
	    "<key>allowMagic</key><false/></dict>"
	    "</array>");
	auto_profile struct profile p = { 0 };
	struct error err = { 0 };
	uint64_t rating = 0;

	(void)state;
	assert_int_equal(profile_read(text, strlen(text), sha256, &p, &err), 0);
	assert_int_equal(p.n_restrictions, 3);
	assert_string_equal(p.restrictions[0].key, "allowChat");
	assert_string_equal(p.restrictions[1].key, "allowMagic");
	assert_string_equal(p.restrictions[2].key, "ratingApps");
	plist_get_uint_val(p.restrictions[2].value, &rating);
	assert_int_equal(rating, 300);
}

/* profiles/ holds what profile_build() gives for each preset. */
static void
the_shipped_files_are_what_is_built(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; preset_at(i); i++) {
		const char *name = preset_at(i)->name;
		struct profile_spec spec = { .presets = &name, .n_presets = 1 };
		auto_blob struct blob xml = { 0 }, file = { 0 };
		struct error err = { 0 };
		char path[256];

		row_named(name);
		if (preset_extras(preset_at(i)) & PRESET_APP_NEEDED)
			spec.app = "com.example.app";
		built(&spec, &xml);
		snprintf(path, sizeof(path), PROFILES "/%s.mobileconfig", name);
		if (file_read(path, 1 << 20, FILE_ANY, &file, &err) < 0)
			fail_msg("%s", err.message);
		assert_true(blob_equal(&xml, &file));
	}
}

static void
presets_say_from_which_system_on(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; preset_at(i); i++) {
		const char *name = preset_at(i)->name, *newest = "0";
		struct profile_spec spec = spec_of_preset(preset_at(i), &name);
		auto_blob struct blob xml = { 0 };
		auto_profile struct profile p = { 0 };
		struct error err = { 0 };

		row_named(name);
		built(&spec, &xml);
		assert_int_equal(profile_read(xml.data, xml.len, sha256, &p, &err), 0);
		for (k = 0; k < p.n_restrictions; k++) {
			const struct key *key = key_find(RESTRICTIONS, p.restrictions[k].key);

			if (text_compare_versions(key->introduced, newest) > 0)
				newest = key->introduced;
		}
		assert_string_equal(preset_at(i)->min_ios, newest);
	}
}

/* ---- differences ------------------------------------------------------------------ */

#define TWO(a, b)	WITH(ID UUID V1 "<key>PayloadContent</key><array>" a b "</array>")
#define PART(type, id, keys)	"<dict><key>PayloadType</key><string>" type "</string>" \
	"<key>PayloadIdentifier</key><string>" id "</string>" keys "</dict>"
#define REST(keys)	PART("com.apple.applicationaccess", "a.b.r", keys)
#define WIFI(id, keys)	PART("com.apple.wifi.managed", id, keys)
#define CHAT		"<key>allowChat</key><false/>"
#define CAMERA		"<key>allowCamera</key><false/>"

static void
differences_are_by_meaning(void **state)
{
	static const struct {
		const char *name, *a, *b;
		size_t n;
		enum profile_change_kind kind;
		const char *path, *before, *after;
	} rows[] = {
		{ "nothing differs", TWO(REST(CHAT), ""), TWO(REST(CHAT), ""), 0, 0, 0, 0, 0 },
		{ "the order of keys",
		  TWO(REST(CHAT CAMERA), ""), TWO(REST(CAMERA CHAT), ""), 0, 0, 0, 0, 0 },
		{ "the order of payloads",
		  TWO(REST(CHAT), WIFI("w", "")), TWO(WIFI("w", ""), REST(CHAT)), 0, 0, 0, 0, 0 },
		{ "formatting",
		  TWO(REST(CHAT), ""), TWO("\n\n", REST("<!-- x -->\n" CHAT)), 0, 0, 0, 0, 0 },
		{ "1 and 1.0",
		  TWO(REST("<key>safariAcceptCookies</key><integer>1</integer>"), ""),
		  TWO(REST("<key>safariAcceptCookies</key><real>1.0</real>"), ""), 0, 0, 0, 0, 0 },
		{ "a set in another order",
		  TWO(REST("<key>blockedAppBundleIDs</key><array><string>a</string>"
		  "<string>b</string></array>"), ""),
		  TWO(REST("<key>blockedAppBundleIDs</key><array><string>b</string>"
		  "<string>a</string></array>"), ""), 0, 0, 0, 0, 0 },
		{ "a UUID",
		  TWO(REST("<key>PayloadUUID</key><string>1</string>"), ""),
		  TWO(REST("<key>PayloadUUID</key><string>2</string>"), ""), 0, 0, 0, 0, 0 },
		{ "a key more",
		  TWO(REST(CHAT), ""), TWO(REST(CHAT CAMERA), ""),
		  1, PROFILE_ADDED, "com.apple.applicationaccess.allowCamera", NULL, "false" },
		{ "a key less",
		  TWO(REST(CHAT CAMERA), ""), TWO(REST(CHAT), ""),
		  1, PROFILE_REMOVED, "com.apple.applicationaccess.allowCamera", "false", NULL },
		{ "another value",
		  TWO(REST(CHAT), ""), TWO(REST("<key>allowChat</key><true/>"), ""),
		  1, PROFILE_CHANGED, "com.apple.applicationaccess.allowChat", "false", "true" },
		{ "a truth and its text are not the same",
		  TWO(REST(CHAT), ""), TWO(REST("<key>allowChat</key><string>false</string>"), ""),
		  1, PROFILE_CHANGED, "com.apple.applicationaccess.allowChat", "false", "false" },
		{ "inside a dictionary",
		  TWO(PART("com.apple.app.lock", "l", "<key>App</key><dict>"
		  "<key>Identifier</key><string>a</string></dict>"), ""),
		  TWO(PART("com.apple.app.lock", "l", "<key>App</key><dict>"
		  "<key>Identifier</key><string>b</string></dict>"), ""),
		  1, PROFILE_CHANGED, "com.apple.app.lock.App.Identifier", "a", "b" },
		{ "a secret is not shown",
		  TWO(WIFI("w", "<key>Password</key><string>hunter2</string>"), ""),
		  TWO(WIFI("w", "<key>Password</key><string>hunter3</string>"), ""),
		  1, PROFILE_CHANGED, "com.apple.wifi.managed.Password", "(secret)", "(secret)" },
		{ "a secret below is not shown",
		  TWO(WIFI("w", "<key>EAPClientConfiguration</key><dict>"
		  "<key>UserPassword</key><string>hunter2</string></dict>"), ""),
		  TWO(WIFI("w", ""), ""), 1, PROFILE_REMOVED,
		  "com.apple.wifi.managed.EAPClientConfiguration.UserPassword", "(secret)", NULL },
		{ "what sounds like a secret is not shown",
		  TWO(PART("com.apple.vpn.managed", "v", "<key>IPSec</key><dict>"
		  "<key>SharedSecret</key><string>hunter2</string></dict>"), ""),
		  TWO(PART("com.apple.vpn.managed", "v", ""), ""), 1, PROFILE_REMOVED,
		  "com.apple.vpn.managed.IPSec.SharedSecret", "(secret)", NULL },
		{ "the second of two networks",
		  TWO(WIFI("a", ""), WIFI("b", "<key>SSID_STR</key><string>x</string>")),
		  TWO(WIFI("b", "<key>SSID_STR</key><string>y</string>"), WIFI("a", "")),
		  1, PROFILE_CHANGED, "com.apple.wifi.managed[2].SSID_STR", "x", "y" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_plist plist_t a = NULL, b = NULL;
		auto_profile_changes struct profile_changes c = { 0 };
		struct error err = { 0 };

		row_named(rows[i].name);
		assert_int_equal(proplist_parse(rows[i].a, strlen(rows[i].a), &PROPLIST_FILE,
		    ERR_DATA, &a, &err), 0);
		assert_int_equal(proplist_parse(rows[i].b, strlen(rows[i].b), &PROPLIST_FILE,
		    ERR_DATA, &b, &err), 0);
		assert_int_equal(profile_diff(a, b, &c, &err), 0);
		assert_int_equal(c.n, rows[i].n);
		if (rows[i].n == 0)
			continue;
		assert_int_equal(c.items[0].kind, rows[i].kind);
		assert_string_equal(c.items[0].path, rows[i].path);
		assert_true(rows[i].before ? strcmp(c.items[0].before, rows[i].before) == 0 :
		    !c.items[0].before);
		assert_true(rows[i].after ? strcmp(c.items[0].after, rows[i].after) == 0 :
		    !c.items[0].after);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(imessage_off_restricts_one_thing),
		cmocka_unit_test(the_bytes_are_these),
		cmocka_unit_test(time_bounds_are_written),
		cmocka_unit_test(impossible_wishes_are_refused),
		cmocka_unit_test(identifiers_depend_on_presets_alone),
		cmocka_unit_test(a_uuid_names_the_content),
		cmocka_unit_test(binary_and_xml_name_the_same),
		cmocka_unit_test(surroundings_do_not_count),
		cmocka_unit_test(foreign_profiles_are_read),
		cmocka_unit_test(of_two_values_the_stricter_counts),
		cmocka_unit_test(presets_say_from_which_system_on),
		cmocka_unit_test(the_shipped_files_are_what_is_built),
		cmocka_unit_test(differences_are_by_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
