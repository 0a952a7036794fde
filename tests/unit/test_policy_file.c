/* policy_file: what is wrong with a policy, and where */
#include "tests/unit/table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "flow/policy_file.h"

#define HEAD	"version: 1\nname: a\n"
#define PRESET	"profiles:\n  - preset: imessage-off\n"
#define WINDOW	HEAD PRESET "window:\n"
#define BERLIN	"  timezone: Europe/Berlin\n"
#define DAYS	"  days: [mon]\n"
#define HOURS	"  from: \"08:00\"\n  to: \"15:30\"\n"

static char folder[] = "/tmp/chaperone-policy-XXXXXX";
static char path[64];

static int
set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/p.yaml", folder);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static int
load(const char *text, struct policy **p, struct policy_findings *findings, struct error *err)
{
	assert_int_equal(file_write(path, text, strlen(text), 0600, true, err), 0);
	return policy_file_load(path, p, findings, err);
}

static void
mistakes_are_told_with_their_place(void **state)
{
	static const struct {
		const char *name, *text;
		unsigned line, column;
		const char *message;	/* a part of it */
	} rows[] = {
		{ "nothing at all",
		    "", 1, 1, "empty" },
		{ "only a comment",
		    "# nothing\n", 1, 1, "empty" },
		{ "no mapping",
		    "- a\n", 1, 1, "" },
		{ "a quote without an end",
		    "version: 1\nname: \"a\n", 3, 1, "end of stream" },
		{ "a tab that indents",
		    "version: 1\nname: a\ndevices:\n\tos: \"18\"\n", 4, 1, "" },
		{ "a key twice",
		    HEAD "name: b\n", 3, 1, "name is given twice" },
		{ "a key twice further in",
		    HEAD "devices:\n  os: \"18\"\n  os: \"17\"\n", 5, 3, "os is given twice" },
		{ "a second document",
		    HEAD PRESET "---\nversion: 1\n", 5, 1, "second document" },
		{ "an alias",
		    "version: 1\nname: &n a\norganization: *n\n", 2, 7, "anchors" },
		{ "a tag",
		    "version: !!int 1\nname: a\n", 1, 10, "tags" },
		{ "an unknown key",
		    HEAD "devises: {}\n", 3, 1, "unknown key devises; did you mean devices?" },
		{ "an unknown key further in",
		    HEAD "devices:\n  serial: [a]\n", 4, 3, "did you mean serials?" },
		{ "an unknown key of a profile",
		    HEAD "profiles:\n  - preset: imessage-off\n    allways: true\n",
		    5, 5, "did you mean always?" },
		{ "an unknown key in the window",
		    WINDOW BERLIN DAYS HOURS "  tz: x\n", 10, 3, "unknown key tz" },
		{ "an unknown key that is near none",
		    HEAD "match: {organization: Acme}\n",
		    3, 1, "unknown key match; here are known: version, name, organization" },
		{ "one among the conditions",
		    HEAD "devices: {organization: Acme}\n",
		    3, 11, "here are known: supervised-by, serials" },
		{ "removable, misspelt",
		    HEAD PRESET "removable: flase\n", 5, 12, "flase is neither yes nor no" },
		{ "removable, a list",
		    HEAD PRESET "removable: [no]\n", 5, 12, "yes or no is wanted" },
		{ "always, misspelt",
		    HEAD "profiles:\n  - preset: imessage-off\n    always: treu\n",
		    5, 13, "treu is neither" },
		{ "removable in capitals is fine",
		    HEAD PRESET "removable: True\n", 0, 0, NULL },
		{ "no name",
		    "version: 1\n", 1, 1, "name is missing" },
		{ "no version",
		    "name: a\n", 1, 1, "version is missing" },
		{ "a version from the future",
		    "version: 2\nname: a\n" PRESET, 1, 10, "version 2 is not known" },
		{ "a version that is no number",
		    "version: one\nname: a\n", 1, 10, "one" },
		{ "a name with a slash",
		    "version: 1\nname: a/b\n" PRESET, 2, 7, "letters, digits" },
		{ "a list where a text belongs",
		    "version: 1\nname: [a]\n", 2, 7, "name: a single text is wanted" },
		{ "a text where a list belongs",
		    HEAD "devices:\n  serials: a\n", 4, 12, "serials: a list, as in [a, b]," },
		{ "a preset that is not in a mapping",
		    HEAD "profiles: [imessage-off]\n", 3, 12, "profiles[0]: a mapping" },
		{ "a preset that is none",
		    HEAD "profiles:\n  - preset: imessage\n", 4, 13, "imessage" },
		{ "a preset that needs an app",
		    HEAD "profiles:\n  - preset: kiosk\n", 4, 13, "needs the bundle id" },
		{ "a preset twice",
		    HEAD PRESET "  - preset: imessage-off\n", 5, 13, "two profiles" },
		{ "a preset and a file",
		    HEAD "profiles:\n  - preset: imessage-off\n    file: x\n", 4, 5, "either" },
		{ "neither preset nor file",
		    HEAD "profiles:\n  - always: true\n", 4, 5, "either" },
		{ "a file that is not there",
		    HEAD "profiles:\n  - file: nowhere.mobileconfig\n", 4, 11, "nowhere" },
		{ "a file that is no profile",
		    HEAD "profiles:\n  - file: p.yaml\n", 4, 11, "" },
		{ "a file in a window",
		    WINDOW BERLIN DAYS HOURS "absent: [x]\n", 0, 0, NULL },
		{ "always needs a window, but only warns",
		    HEAD PRESET "    always: true\n", 0, 0, NULL },
		{ "a system that is none",
		    HEAD PRESET "devices:\n  os: new\n", 6, 7, "no version" },
		{ "a system that nothing is",
		    HEAD PRESET "devices:\n  os: \">=18 <17\"\n", 6, 7, "no version satisfies" },
		{ "a UDID that is none",
		    HEAD PRESET "devices:\n  udids: [abc]\n", 6, 11, "abc is no UDID" },
		{ "an empty list of serials",
		    HEAD PRESET "devices:\n  serials: []\n", 6, 12, "empty list" },
		{ "absent: everything",
		    HEAD "absent: [\"*\"]\n", 3, 10, "stands at the end" },
		{ "absent: a star in the middle",
		    HEAD "absent: [a, \"a*b\"]\n", 3, 13, "stands at the end" },
		{ "a time zone that is none",
		    WINDOW "  timezone: Europe/Bonn\n" DAYS HOURS, 6, 13, "Europe/Bonn" },
		{ "a time zone that leaves its folder",
		    WINDOW "  timezone: Europe/../../../etc/passwd\n" DAYS HOURS,
		    6, 13, "no time zone" },
		{ "a folder for a time zone",
		    WINDOW "  timezone: Europe\n" DAYS HOURS, 6, 13, "Europe" },
		{ "a day in words",
		    WINDOW BERLIN "  days: [mon, monday]\n" HOURS, 7, 15, "monday is no day" },
		{ "no days",
		    WINDOW BERLIN "  days: []\n" HOURS, 7, 9, "" },
		{ "a window without days",
		    WINDOW BERLIN HOURS, 6, 3, "days is missing" },
		{ "an hour that is none",
		    WINDOW BERLIN DAYS "  from: \"25:00\"\n  to: \"15:30\"\n",
		    8, 9, "no time of day" },
		{ "an hour without minutes",
		    WINDOW BERLIN DAYS "  from: \"8\"\n  to: \"15:30\"\n", 8, 9, "no time of day" },
		{ "an hour that YAML takes for a number",
		    WINDOW BERLIN DAYS "  from: 480\n  to: \"15:30\"\n", 8, 9, "no time of day" },
		{ "begin and end are one",
		    WINDOW BERLIN DAYS "  from: \"08:00\"\n  to: \"08:00\"\n",
		    9, 7, "ends when it begins" },
		{ "an exception that is no date",
		    WINDOW BERLIN DAYS HOURS "  except: [2026-02-30]\n", 10, 12, "no date" },
		{ "a hook that needs a shell",
		    HEAD PRESET "on-verdict: tell.sh --now\n", 5, 13, "absolute path" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		struct policy_findings *findings = calloc(1, sizeof(*findings));
		struct policy *p = NULL;
		struct error err = { 0 };
		char place[128];
		int rc;

		row_named(rows[i].name);
		assert_non_null(findings);
		rc = load(rows[i].text, &p, findings, &err);
		policy_free(p);
		if (!rows[i].message) {
			assert_int_equal(rc, 0);
			free(findings);
			continue;
		}
		assert_int_equal(rc, -1);
		assert_int_equal(err.kind, ERR_DATA);
		snprintf(place, sizeof(place), "%s:%u:%u: ", path, rows[i].line, rows[i].column);
		if (strncmp(err.message, place, strlen(place)) != 0)
			fail_msg("%s, not %s", err.message, place);
		if (!strstr(err.message, rows[i].message))
			fail_msg("%s", err.message);
		assert_true(findings->n >= 1 && findings->errors >= 1);
		free(findings);
	}
}

static void
all_mistakes_are_told_at_once(void **state)
{
	struct policy_findings *findings = calloc(1, sizeof(*findings));
	struct policy *p = NULL;
	struct error err = { 0 };

	(void)state;
	assert_non_null(findings);
	assert_int_equal(load("version: 3\nname: a b\nprofiles:\n  - preset: x\n  - file: y\n"
	    "devices:\n  os: z\n", &p, findings, &err), -1);
	assert_int_equal(findings->errors, 5);
	free(findings);
}

static void
a_whole_policy_is_read(void **state)
{
	static const char text[] =
	    "version: 1\nname: acme-retail\norganization: Acme Retail GmbH\n"
	    "identity: keys/acme.p12\n"
	    "devices:\n  supervised-by: [Acme Retail GmbH]\n  serials: [F9FXK0ABCD12, \"F9FY*\"]\n"
	    "  products: [\"iPad*\"]\n  os: \">=17.0\"\n"
	    "profiles:\n  - preset: imessage-off\nabsent: [\"com.oldvendor.*\"]\nremovable: true\n"
	    "window:\n  timezone: Europe/Berlin\n  days: [mon, FRI]\n"
	    "  from: \"08:00\"\n  to: \"24:00\"\n"
	    "  except: [2026-12-24]\non-verdict: /bin/true\n";
	struct policy *p = NULL;
	struct error err = { 0 };
	char identity[96];

	(void)state;
	if (load(text, &p, NULL, &err) < 0)
		fail_msg("%s", err.message);
	assert_string_equal(p->name, "acme-retail");
	snprintf(identity, sizeof(identity), "%s/keys/acme.p12", folder);
	assert_string_equal(p->identity, identity);
	assert_int_equal(p->organizations.n, 1);
	assert_int_equal(p->serials.n, 2);
	assert_string_equal(p->serials.items[1], "F9FY*");
	assert_int_equal(p->os.n, 1);
	assert_int_equal(p->n_profiles, 1);
	assert_string_equal(p->profiles[0].identifier, "org.chaperone.preset.imessage-off");
	assert_string_equal(p->absent.items[0], "com.oldvendor.*");
	assert_true(p->is_removable && p->has_window);
	assert_true(p->window.days[0] && !p->window.days[1] && p->window.days[4]);
	assert_int_equal(p->window.from_min, 480);
	assert_int_equal(p->window.to_min, 1440);
	assert_int_equal(p->window.n_except, 1);
	assert_int_equal(zone_offset(&p->zone, 1795507200), 3600);
	assert_string_equal(p->on_verdict, "/bin/true");
	policy_free(p);
}

/* Whatever is cut off or changed: told or read, never a crash. */
static void
damaged_files_are_borne(void **state)
{
	static const char text[] = WINDOW BERLIN DAYS HOURS "  except: [2026-12-24]\n"
	    "devices:\n  serials: [\"F9*\", x]\n  os: \">=17.0\"\nabsent: [a, \"b*\"]\n";
	char copy[sizeof(text)];
	size_t i;

	(void)state;
	for (i = 0; i + 1 < sizeof(text); i++) {
		static const char changes[] = "\0:[{\"&";
		struct policy *p = NULL;
		struct error err = { 0 };

		memcpy(copy, text, sizeof(text));
		copy[i] = changes[i % (sizeof(changes) - 1)];
		if (load(copy, &p, NULL, &err) == 0)
			policy_free(p);
		else
			assert_int_equal(err.kind, ERR_DATA);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_told_with_their_place),
		cmocka_unit_test(all_mistakes_are_told_at_once),
		cmocka_unit_test(a_whole_policy_is_read),
		cmocka_unit_test(damaged_files_are_borne),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
