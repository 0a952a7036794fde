/* lint: every rule has a profile that trips it and a near miss that does not */
#include "tests/unit/table.h"

#include <string.h>
#include <sys/resource.h>

#include "base/blob.h"
#include "base/error.h"
#include "base/proplist.h"
#include "base/text.h"
#include "core/keys.h"
#include "core/lint.h"

/* ---- profiles in small pieces ------------------------------------------------- */

#define S(key, text)	"<key>" key "</key><string>" text "</string>\n"
#define I(key, number)	"<key>" key "</key><integer>" number "</integer>\n"
#define R(key, number)	"<key>" key "</key><real>" number "</real>\n"
#define D(key, date)	"<key>" key "</key><date>" date "</date>\n"
#define B(key, value)	"<key>" key "</key><" value "/>\n"
#define L(key, items)	"<key>" key "</key><array>" items "</array>\n"
#define M(key, items)	"<key>" key "</key><dict>" items "</dict>\n"
#define STR(text)	"<string>" text "</string>"
#define DICT(items)	"<dict>" items "</dict>"
#define TRUE		"true"
#define FALSE		"false"

#define PLIST(value)	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" \
			"<plist version=\"1.0\">\n" value "\n</plist>\n"
#define UUID(last)	S("PayloadUUID", "6F1B2C3D-0000-4000-8000-00000000000" last)
#define NAMES		S("PayloadDisplayName", "Test") S("PayloadOrganization", "Acme")
#define HEAD		S("PayloadType", "Configuration") I("PayloadVersion", "1") \
			S("PayloadIdentifier", "com.acme.test") UUID("0") NAMES
#define PROFILE(more, payloads)	PLIST(DICT(HEAD more L("PayloadContent", payloads)))

#define PAYLOAD(type, n, keys)	DICT(S("PayloadType", type) I("PayloadVersion", "1") \
				S("PayloadIdentifier", "com.acme.test." n) UUID(n) keys)
#define RESTRICT(keys)	PAYLOAD("com.apple.applicationaccess", "1", keys)
#define ONE(keys)	PROFILE("", RESTRICT(keys))
#define GOOD		RESTRICT(B("allowChat", FALSE))
#define WIFI(keys)	PAYLOAD("com.apple.wifi.managed", "2", keys)
#define LOCK(keys)	PAYLOAD("com.apple.app.lock", "3", M("App", keys))
#define FILTER(keys)	PAYLOAD("com.apple.webcontent-filter", "4", keys)
#define PASSWORD(keys)	PAYLOAD("com.apple.profileRemovalPassword", "5", keys)
#define HOME(icon)	PAYLOAD("com.apple.homescreenlayout", "6", \
			L("Pages", "<array>" DICT(icon) "</array>"))
#define CERTIFICATE	PAYLOAD("com.apple.security.pem", "7", "")
#define CLIP		PAYLOAD("com.apple.webClip.managed", "8", S("URL", "https://acme.example"))
#define SILENT		PAYLOAD("com.apple.notificationsettings", "9", L("NotificationSettings", \
			DICT(S("BundleIdentifier", "com.apple.MobileSMS") \
			B("NotificationsEnabled", FALSE))))
#define PROXY(keys)	WIFI(S("SSID_STR", "a") S("ProxyType", "Manual") keys)
#define PLUGIN(keys)	PROFILE("", FILTER(S("FilterType", "Plugin") keys))
#define MAIL		"com.apple.mobilemail"

#define ICCID		"8949020000123456789"

#define A4	"<array><array><array><array>"
#define Z4	"</array></array></array></array>"
#define A64	A4 A4 A4 A4 A4 A4 A4 A4 A4 A4 A4 A4 A4 A4 A4 A4
#define Z64	Z4 Z4 Z4 Z4 Z4 Z4 Z4 Z4 Z4 Z4 Z4 Z4 Z4 Z4 Z4 Z4
#define U5	STR("a") STR("b") STR("c") STR("d") STR("e")
#define U50	U5 U5 U5 U5 U5 U5 U5 U5 U5 U5
#define U500	U50 U50 U50 U50 U50 U50 U50 U50 U50 U50

enum { NOW = 1795510800 };	/* 2026-11-24T09:00:00Z */

static const char *const INSTALLED_APPS[] = { "com.example.app", "com.acme.kiosk" };
static const char *const CHAT[] = { "allowChat" }, *const CAMERA[] = { "allowCamera" };
static const struct lint_installed TWIN = { "com.acme.test", "6f1b2c3d-0000-4000-8000-000000000000",
	LINT_NO, NULL, 0 };
static const struct lint_installed SAME = { "com.acme.test", "6f1b2c3d-0000-4000-8000-000000000000",
	LINT_YES, NULL, 0 };
static const struct lint_installed SETS_CHAT = { "com.other", "x", LINT_UNKNOWN, CHAT, 1 };
static const struct lint_installed SETS_CAMERA = { "com.other", "x", LINT_UNKNOWN, CAMERA, 1 };

static char megabyte[(1 << 20) + 2];	/* blanks: filled by main() */

#define NOWHERE		{ .now = NOW }
#define WELL_SIGNED	{ .wrapper = LINT_WRAPPER_SIGNED, .is_chain_complete = true }
#define ON(...)		{ .now = NOW, __VA_ARGS__ }
#define SIGNED(...)	{ .wrapper = LINT_WRAPPER_SIGNED, .is_chain_complete = true, __VA_ARGS__ }
#define WRAPPED(kind)	{ .wrapper = LINT_WRAPPER_##kind }

/* A side of a row. Without a signature it is signed well: S005 is no noise. */
struct side {
	const char		*text;		/* NULL: as on the other side */
	struct lint_target	 target;
	struct lint_signature	 signature;
};

static const struct {
	enum lint_rule_number	 rule;
	const char		*name;
	struct side		 trip, miss;
	const char		*path;		/* of the finding */
	int			 severity;	/* -1: the rule's own */
} rows[] = {
#include "tests/unit/lint_rows.h"
};

/* ---- asking ---------------------------------------------------------------------- */

static const struct lint_finding *
finding_of(const struct lint_report *r, enum lint_rule_number rule)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->findings[i].rule == &lint_rules[rule])
			return &r->findings[i];
	return NULL;
}

static void
lint_side(const struct side *side, const char *text, struct lint_report *out)
{
	struct lint_target target = side->target;
	struct lint_signature signature = side->signature;
	struct error err = { 0 };

	if (!target.now)
		target.now = NOW;
	if (lint_profile(text, strlen(text), &signature, &target, out, &err) < 0)
		fail_msg("%s", err.message);
}

static void
show(const struct lint_report *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		print_message("           %s %s %zu:%zu %s: %s\n", r->findings[i].rule->id,
		    lint_severity_word(r->findings[i].severity), r->findings[i].line,
		    r->findings[i].column, r->findings[i].path, r->findings[i].message);
}

static void
every_rule_trips_and_nearly_misses(void **state)
{
	bool covered[LINT_RULE_COUNT] = { false };
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_lint_report struct lint_report trip = { 0 }, miss = { 0 };
		const struct lint_rule *rule = &lint_rules[rows[i].rule];
		const struct lint_finding *f;
		const char *miss_text = rows[i].miss.text ? rows[i].miss.text : rows[i].trip.text;
		char name[160];

		snprintf(name, sizeof(name), "%s: %s", rule->id, rows[i].name);
		row_named(name);
		lint_side(&rows[i].trip, rows[i].trip.text, &trip);
		f = finding_of(&trip, rows[i].rule);
		if (!f) {
			show(&trip);
			fail_msg("%s did not trip", name);
			return;
		}
		if (rows[i].path && strcmp(f->path, rows[i].path) != 0)
			fail_msg("%s at %s, not %s", name, f->path, rows[i].path);
		assert_int_equal(f->severity,
		    rows[i].severity < 0 ? (int)rule->severity : rows[i].severity);
		assert_true(strlen(f->message) > 10);
		lint_side(&rows[i].miss, miss_text, &miss);
		f = finding_of(&miss, rows[i].rule);
		if (f)
			fail_msg("%s: the near miss trips too: %s: %s", name, f->path, f->message);
		covered[rows[i].rule] = true;
	}
	assert_int_equal(LINT_RULE_COUNT, 87);
	for (i = 0; i < LINT_RULE_COUNT; i++)
		if (!covered[i])
			fail_msg("no row for %s", lint_rules[i].id);
}

static void
a_good_profile_is_praised(void **state)
{
	static const struct side good = {
		PROFILE(B("PayloadRemovalDisallowed", FALSE) I("TargetDeviceType", "1"), GOOD),
		ON(.os = "18.1", .supervised = LINT_YES), SIGNED(.not_after = NOW + 100 * 86400),
	};
	auto_lint_report struct lint_report r = { 0 };

	(void)state;
	lint_side(&good, good.text, &r);
	show(&r);
	assert_int_equal(r.errors, 0);
	assert_int_equal(r.warnings, 0);
	assert_int_equal(r.n, 1);	/* X007: what still works */
	assert_int_equal(lint_verdict(&r), LINT_NOTE);
}

static void
findings_say_where(void **state)
{
	static const struct {
		const char *name, *text;
		enum lint_rule_number rule;
		size_t line, column;
		const char *path;
	} places[] = {
		{ "the key's own line and column",
		  PLIST("<dict>\n  <key>allowed</key>\n  <true/>\n</dict>"),
		  LINT_T012, 4, 3, "allowed" },
		{ "columns count characters, not bytes",
		  PLIST("<dict>\n<!-- Büro --><key>allowed</key><true/></dict>"),
		  LINT_T012, 4, 14, "allowed" },
		{ "a missing key is where its dictionary is",
		  PLIST("\n<dict/>"), LINT_T001, 4, 1, "" },
		{ "inside a payload",
		  ONE("\n" B("allowChats", FALSE)),
		  LINT_K001, 14, 1, "PayloadContent[0].allowChats" },
		{ "the second of two equal keys",
		  PLIST("<dict>\n<key>a</key><true/>\n<key>a</key><true/></dict>"),
		  LINT_P008, 5, 1, "" },
		{ "where the document breaks off",
		  "<?xml version=\"1.0\"?>\n<plist>\n<dict>", LINT_P002, 3, 7, "" },
		{ "in a key written with an escape",
		  PLIST("<dict>\n\n<key>a&amp;b</key><true/></dict>"), LINT_T012, 5, 1, "a&b" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(places); i++) {
		struct side side = { places[i].text, ON(.os = NULL), SIGNED(.is_weak = false) };
		auto_lint_report struct lint_report r = { 0 };
		const struct lint_finding *f;

		row_named(places[i].name);
		lint_side(&side, side.text, &r);
		f = finding_of(&r, places[i].rule);
		if (!f || f->line != places[i].line || f->column != places[i].column ||
		    strcmp(f->path, places[i].path) != 0) {
			show(&r);
			fail_msg("not at %zu:%zu", places[i].line, places[i].column);
		}
	}
}

static void
messages_help(void **state)
{
	static const struct {
		const char *name, *text, *want;
		enum lint_rule_number rule;
	} messages[] = {
		{ "the right spelling of a key", ONE(B("allowChats", FALSE)),
		  "did you mean allowChat?", LINT_K001 },
		{ "the right case", ONE(B("allowchat", FALSE)),
		  "did you mean allowChat?", LINT_K001 },
		{ "the nearest of many", ONE(B("allowAirDorp", FALSE)),
		  "did you mean allowAirDrop?", LINT_K001 },
		{ "nothing near is nothing suggested", ONE(B("zebra", FALSE)),
		  "no such key", LINT_K001 },
		{ "inside a dictionary", PROFILE("", LOCK(S("Identifer", "a.b"))),
		  "did you mean Identifier?", LINT_K001 },
		{ "a payload type", PROFILE("", PAYLOAD("com.apple.applicationacces", "1", "")),
		  "did you mean com.apple.applicationaccess?", LINT_C005 },
		{ "a restriction outside its payload", PROFILE(B("allowChat", FALSE), GOOD),
		  "belongs into a payload", LINT_T012 },
		{ "what replaces an old name", ONE(L("blacklistedAppBundleIDs", STR("a.b"))),
		  "blockedAppBundleIDs", LINT_K013 },
		{ "which letters are wrong",
		  ONE(L("blockedAppBundleIDs", STR("com.apple.mobilesms"))),
		  "com.apple.MobileSMS", LINT_X006 },
		{ "what remains", ONE(B("allowChat", FALSE)), "SMS and MMS still work", LINT_X007 },
		{ "foreign text is made harmless", ONE(B("allow\xE2\x80\xAE", FALSE)),
		  "\xEF\xBF\xBD", LINT_K001 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(messages); i++) {
		struct side side = { messages[i].text, ON(.os = NULL), SIGNED(.is_weak = false) };
		auto_lint_report struct lint_report r = { 0 };
		const struct lint_finding *f;

		row_named(messages[i].name);
		lint_side(&side, side.text, &r);
		f = finding_of(&r, messages[i].rule);
		if (!f || !strstr(f->message, messages[i].want)) {
			show(&r);
			fail_msg("nobody says \"%s\"", messages[i].want);
		}
	}
}

static void
append(struct blob *b, const char *s)
{
	assert_int_equal(blob_append(b, s, strlen(s)), 0);
}

static void
lint_bytes(const void *data, size_t len, struct lint_report *r)
{
	struct lint_target target = { .now = NOW };
	struct lint_signature signature = { 0 };
	struct error err = { 0 };

	if (lint_profile(data, len, &signature, &target, r, &err) < 0)
		fail_msg("%s", err.message);
}


/* Cut to size, and still whole characters: JSON takes nothing else. */
static void
long_foreign_names_stay_text(void **state)
{
	enum { MANY = 60 };
	auto_blob struct blob text = { 0 };
	auto_lint_report struct lint_report r = { 0 };
	size_t shift, i, k;

	(void)state;
	for (shift = 0; shift < 4; shift++) {
		auto_blob struct blob list = { 0 };
		char again[1024];

		for (k = 0; k < 3; k++) {
			append(&list, "<string>a");
			for (i = 0; i < shift + k; i++)
				append(&list, "b");
			for (i = 0; i < MANY; i++)
				append(&list, "\xF0\x9F\x98\x80");
			append(&list, "</string>");
		}
		assert_int_equal(blob_append(&list, "", 1), 0);
		text.len = 0;
		append(&text, "<plist><dict><key>PayloadContent</key><array><dict>"
		    "<key>PayloadType</key><string>com.apple.applicationaccess</string>"
		    "<key>allowListedAppBundleIDs</key><array>");
		append(&text, (const char *)list.data);
		append(&text, "</array><key>blockedAppBundleIDs</key><array>");
		append(&text, (const char *)list.data);
		append(&text, "</array></dict></array></dict></plist>");
		lint_bytes(text.data, text.len, &r);
		assert_non_null(finding_of(&r, LINT_X002));
		for (i = 0; i < r.n; i++) {
			text_printable(r.findings[i].message, strlen(r.findings[i].message), again,
			    sizeof(again));
			assert_string_equal(r.findings[i].message, again);
		}
	}
}

static void
secrets_are_never_said(void **state)
{
	static const char text[] = PROFILE(S("RemovalPassword", "hunter2"),
	    WIFI(S("SSID_STR", "a") S("Password", "hunter2") S("Passwort", "hunter2")
	    S("ProxyPassword", "hunter2"))
	    PASSWORD(S("RemovalPassword", "hunter2") I("RemovalPasword", "2"))
	    FILTER(S("Password", "hunter2") L("UserName", STR("hunter2"))));
	struct side side = { text, ON(.os = NULL), SIGNED(.is_weak = false) };
	auto_lint_report struct lint_report r = { 0 };
	size_t i;

	(void)state;
	lint_side(&side, text, &r);
	assert_true(r.n > 4);
	for (i = 0; i < r.n; i++)
		assert_null(strstr(r.findings[i].message, "hunter2"));
}

static void
every_restriction_is_known(void **state)
{
	size_t i, n, restrictions = 0;
	const struct key *rows_of = key_all(RESTRICTIONS, &n);

	(void)state;
	for (i = 0; i < n; i++) {
		if (!rows_of[i].introduced)
			continue;
		restrictions++;
		assert_ptr_equal(key_find(RESTRICTIONS, rows_of[i].path), &rows_of[i]);
		assert_non_null(rows_of[i].effect);
		assert_non_null(rows_of[i].group);
		assert_true(rows_of[i].type != KEY_BOOL || rows_of[i].fallback);
	}
	assert_int_equal(restrictions, 176);
}

/* ---- hostile files ------------------------------------------------------------------ */

static void
broken_files_are_findings(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
		enum lint_rule_number rule;
	} files[] = {
#define FILE_ROW(name, bytes, rule)	{ name, bytes, sizeof(bytes) - 1, LINT_##rule }
		FILE_ROW("nothing", "", P001),
		FILE_ROW("JSON", "{\"PayloadType\": \"Configuration\"}", P001),
		FILE_ROW("an entity that unfolds",
		    "<?xml version=\"1.0\"?><!DOCTYPE plist [<!ENTITY a \"aa\">"
		    "<!ENTITY b \"&a;&a;\">]><plist><string>&b;</string></plist>", P003),
		FILE_ROW("an entity that reads a file",
		    "<?xml version=\"1.0\"?><!DOCTYPE plist [<!ENTITY a SYSTEM "
		    "\"file:///etc/passwd\">]><plist><string>&a;</string></plist>", P003),
		FILE_ROW("a NUL byte",
		    "<plist><dict><key>a</key><string>b\0c</string></dict></plist>", P002),
		FILE_ROW("a control character",
		    "<plist><dict><key>a</key><string>b\001c</string></dict></plist>", P002),
		FILE_ROW("a byte that is not UTF-8",
		    "<plist><dict><key>a</key><string>b\xFF</string></dict></plist>", P002),
		FILE_ROW("tags that cross",
		    "<plist><dict><key>a</key><string>b</integer></dict></plist>", P002),
		FILE_ROW("an element of another language",
		    "<plist><dict><key>a</key><table>b</table></dict></plist>", P002),
		FILE_ROW("a key without a value",
		    "<plist><dict><key>a</key></dict></plist>", P002),
		FILE_ROW("two keys in a row",
		    "<plist><dict><key>a</key><key>b</key><true/></dict></plist>", P002),
		FILE_ROW("a value without a key",
		    "<plist><dict><true/></dict></plist>", P002),
		FILE_ROW("two values", "<plist><dict/><dict/></plist>", P002),
		FILE_ROW("no value", "<plist></plist>", P002),
		FILE_ROW("a second document", "<plist><dict/></plist><plist><dict/></plist>", S007),
		FILE_ROW("a cut binary list", "bplist00\xD1\x01\x02", P002),
		FILE_ROW("UTF-16 cut in half", "\xFE\xFF\0<\0p\0l", P002),
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(files); i++) {
		auto_lint_report struct lint_report r = { 0 };

		row_named(files[i].name);
		lint_bytes(files[i].bytes, files[i].len, &r);
		if (!finding_of(&r, files[i].rule)) {
			show(&r);
			fail_msg("no %s", lint_rules[files[i].rule].id);
		}
		assert_int_equal(lint_verdict(&r), LINT_ERROR);
	}
}

static void
utf16_is_read_all_the_same(void **state)
{
	static const char text[] = ONE("\n" B("allowChats", FALSE));
	auto_blob struct blob wide = { 0 };
	auto_lint_report struct lint_report r = { 0 };
	size_t i;

	(void)state;
	assert_int_equal(blob_append(&wide, "\xFF\xFE", 2), 0);
	for (i = 0; text[i]; i++) {
		char unit[2] = { text[i], 0 };

		assert_int_equal(blob_append(&wide, unit, 2), 0);
	}
	lint_bytes(wide.data, wide.len, &r);
	assert_non_null(finding_of(&r, LINT_P006));
	assert_non_null(finding_of(&r, LINT_K001));
	assert_int_equal(finding_of(&r, LINT_K001)->line, 14);
}

static void
binary_profiles_are_judged_alike(void **state)
{
	auto_plist plist_t list = NULL;
	auto_lint_report struct lint_report xml = { 0 }, bin = { 0 };
	static const char text[] = PROFILE(S("Payload", "x"),
	    RESTRICT(B("allowChats", FALSE) S("allowCamera", "no")));
	struct error err = { 0 };
	char *bytes = NULL;
	uint32_t len = 0;
	size_t i;

	(void)state;
	assert_int_equal(proplist_parse(text, strlen(text), &PROPLIST_FILE, ERR_DATA, &list,
	    &err), 0);
	plist_to_bin(list, &bytes, &len);
	lint_bytes(text, strlen(text), &xml);
	lint_bytes(bytes, len, &bin);
	free(bytes);
	assert_int_equal(xml.n, bin.n);
	for (i = 0; i < bin.n; i++)
		assert_int_equal(bin.findings[i].line, 0);
	assert_int_equal(xml.errors, bin.errors);
	assert_string_equal(finding_of(&bin, LINT_K001)->path, "PayloadContent[0].allowChats");
}

/* Six megabytes in the ways that hurt most: what is kept of them stays small. */
static void
large_files_are_borne(void **state)
{
	static const struct {
		const char *name, *item;
		size_t times;
	} shapes[] = {
		{ "one long text",
		  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 90000 },
		{ "many misspelt keys",
		  "<key>allowChats%zu</key><true/><!-- ............................ -->\n", 49000 },
		{ "many payloads of one type",
		  DICT(S("PayloadType", "com.apple.applicationaccess") B("allowChat", FALSE)
		  "<!-- .............................................................. -->"),
		  16000 },
		{ "many Wi-Fi payloads",
		  DICT(S("PayloadType", "com.apple.wifi.managed")
		  S("PayloadCertificateUUID", "none%zu")), 16000 },
		{ "many unknown types",
		  DICT(S("PayloadType", "com.apple.applicationaccesss%zu")), 30000 },
		{ "one list of many ids", "<string>com.apple.mobilesms%zu</string>\n", 98000 },
	};
	size_t i, n;

	(void)state;
	for (i = 0; i < countof(shapes); i++) {
		auto_blob struct blob text = { 0 };
		auto_lint_report struct lint_report r = { 0 };

		row_named(shapes[i].name);
		append(&text, "<plist><dict>" HEAD "<key>PayloadContent</key><array>");
		if (i == 0)
			append(&text, "<dict>" S("PayloadType", "com.apple.applicationaccess")
			    "<key>a</key><string>");
		if (i == 1)
			append(&text, "<dict>" S("PayloadType", "com.apple.applicationaccess"));
		if (i == 5)
			append(&text, "<dict>" S("PayloadType", "com.apple.applicationaccess")
			    "<key>blockedAppBundleIDs</key><array>");
		for (n = 0; n < shapes[i].times; n++) {
			char item[300];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			snprintf(item, sizeof(item), shapes[i].item, n);
#pragma GCC diagnostic pop
			append(&text, item);
		}
		append(&text, i == 0 ? "</string></dict>" : i == 1 ? "</dict>" :
		    i == 5 ? "</array></dict>" : "");
		append(&text, "</array></dict></plist>");
		lint_bytes(text.data, text.len, &r);
		print_message("           %zu KiB, %zu findings and %zu more\n", text.len >> 10,
		    r.n, r.left_out);
		assert_true(r.n <= LINT_FINDINGS_MAX);
		assert_non_null(finding_of(&r, LINT_P005));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_trips_and_nearly_misses),
		cmocka_unit_test(a_good_profile_is_praised),
		cmocka_unit_test(findings_say_where),
		cmocka_unit_test(messages_help),
		cmocka_unit_test(long_foreign_names_stay_text),
		cmocka_unit_test(secrets_are_never_said),
		cmocka_unit_test(every_restriction_is_known),
		cmocka_unit_test(broken_files_are_findings),
		cmocka_unit_test(utf16_is_read_all_the_same),
		cmocka_unit_test(binary_profiles_are_judged_alike),
		cmocka_unit_test(large_files_are_borne),
	};

	memset(megabyte, ' ', sizeof(megabyte) - 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
