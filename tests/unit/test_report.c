/* report: what is counted, and that the page is safe whatever a device is called */
#include "tests/unit/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "report/limits.h"
#include "report/page.h"
#include "report/tally.h"

enum { DAY = 86400000 };

static void
add(struct tally *t, int64_t at_ms, const char *device, const char *command, const char *verdict,
    const char *reason, bool is_changed)
{
	const struct observation o = {
		.at_ms = at_ms, .day = at_ms / DAY, .device = device, .command = command,
		.verdict = verdict, .reason = reason, .duration_ms = at_ms % 1000,
		.is_changed = is_changed, .slot = "7", .policy = "shop",
	};
	struct error err = { 0 };

	assert_int_equal(tally_add(t, &o, &err), 0);
}

static void
the_last_verdict_decides(void **state)
{
	static const struct {
		const char *name;
		struct {
			const char *command, *verdict;
			bool is_changed;
		} jobs[3];
		int64_t want[TALLY_VERDICTS];	/* of devices */
		int64_t jobs_counted;
	} rows[] = {
		{ "compliant", { { "apply", "compliant", 1 } }, { 1, 0, 0, 0 }, 1 },
		{ "verified later as not",
		  { { "apply", "compliant", 1 }, { "verify", "noncompliant", 0 } },
		  { 0, 1, 0, 0 }, 2 },
		{ "blocked, then mended",
		  { { "apply", "blocked", 0 }, { "apply", "compliant", 1 } }, { 1, 0, 0, 0 }, 2 },
		{ "removed since", { { "apply", "compliant", 1 }, { "remove", "compliant", 1 } },
		  { 0, 1, 0, 0 }, 1 },
		{ "a removal that removed nothing", { { "apply", "compliant", 1 },
		  { "remove", "compliant", 0 } }, { 1, 0, 0, 0 }, 1 },
		{ "removed and applied again",
		  { { "apply", "compliant", 1 }, { "remove", "compliant", 1 },
		  { "apply", "compliant", 1 } }, { 1, 0, 0, 0 }, 2 },
		{ "pairing judges trust, not compliance", { { "pair", "compliant", 1 } },
		  { 0, 0, 0, 0 }, 0 },
		{ "a word of another version", { { "apply", "splendid", 0 } }, { 0, 0, 0, 0 }, 0 },
	};
	size_t i, j;
	int v;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_tally struct tally t = { 0 };

		row_named(rows[i].name);
		for (j = 0; j < 3 && rows[i].jobs[j].command; j++)
			add(&t, (int64_t)(j + 1) * DAY, "A", rows[i].jobs[j].command,
			    rows[i].jobs[j].verdict, NULL, rows[i].jobs[j].is_changed);
		tally_finish(&t, 10LL * DAY);
		for (v = 0; v < TALLY_VERDICTS; v++)
			assert_int_equal(t.devices_now[v], rows[i].want[v]);
		assert_int_equal(t.jobs, rows[i].jobs_counted);
	}
}

static void
what_another_removal_took_off_does_not_matter(void **state)
{
	static const struct {
		const char *name, *judged, *removed;
		bool is_compliant;
	} rows[] = {
		{ "the profile itself", "a\n", "a\n", false },
		{ "one of several", "a\nb\n", "x\nb\n", false },
		{ "another one", "a\nb\n", "c\n", true },
		{ "one whose name begins alike", "ab\n", "a\n", true },
		{ "a ledger that does not say which", NULL, "a\n", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_tally struct tally t = { 0 };
		struct observation o = { .device = "A", .command = "apply", .verdict = "compliant",
			.duration_ms = -1, .profiles = rows[i].judged };
		struct error err = { 0 };

		row_named(rows[i].name);
		assert_int_equal(tally_add(&t, &o, &err), 0);
		o.command = "remove";
		o.is_changed = true;
		o.profiles = rows[i].removed;
		assert_int_equal(tally_add(&t, &o, &err), 0);
		o.device = "only ever removed from";
		assert_int_equal(tally_add(&t, &o, &err), 0);
		assert_int_equal(t.n_devices, 1);
		assert_int_equal(tally_is_compliant(&t.devices[0]), rows[i].is_compliant);
	}
}

static void
times_are_of_so_many_jobs(void **state)
{
	static const struct {
		int n;
		int64_t median, p95;
	} rows[] = { { 1, 100, 100 }, { 2, 100, 200 }, { 3, 200, 300 }, { 10, 500, 1000 },
		{ 20, 1000, 1900 } };
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_tally struct tally t = { 0 };
		struct error err = { 0 };
		int j;

		for (j = 1; j <= rows[i].n; j++) {
			const struct observation o = { .device = "A", .command = "apply",
				.verdict = "compliant", .duration_ms = 100 * j };

			assert_int_equal(tally_add(&t, &o, &err), 0);
		}
		tally_finish(&t, DAY);
		assert_int_equal(t.median_ms, rows[i].median);
		assert_int_equal(t.p95_ms, rows[i].p95);
	}
}

static void
proof_has_an_age(void **state)
{
	auto_tally struct tally t = { 0 };

	(void)state;
	add(&t, 1LL * DAY, "old", "apply", "compliant", NULL, false);
	add(&t, 80LL * DAY, "month", "apply", "compliant", NULL, false);
	add(&t, 95LL * DAY, "week", "apply", "compliant", NULL, false);
	add(&t, 96LL * DAY, "week", "verify", "failed", "timeout", false);
	add(&t, 99LL * DAY + DAY / 2, "day", "apply", "compliant", NULL, false);
	add(&t, 99LL * DAY, "never", "apply", "blocked", "locked", false);
	tally_finish(&t, 100LL * DAY);
	assert_int_equal(t.ages[0], 1);
	assert_int_equal(t.ages[1], 1);
	assert_int_equal(t.ages[2], 1);
	assert_int_equal(t.ages[3], 1);
	assert_int_equal(t.ages[4], 1);
	/* What needs somebody comes first. */
	assert_string_equal(t.devices[0].device, "week");
	assert_string_equal(t.devices[1].device, "never");
}

static void
many_devices_are_told_apart(void **state)
{
	auto_tally struct tally t = { 0 };
	char device[24];
	int i;

	(void)state;
	for (i = 0; i < 30000; i++) {
		snprintf(device, sizeof(device), "%d", i % 10000);
		add(&t, (int64_t)i * 1000 + i % 1000, device, "apply",
		    i % 3 ? "compliant" : "failed", i % 3 ? NULL : "timeout", false);
	}
	tally_finish(&t, 30000000);
	assert_int_equal(t.n_devices, 10000);
	assert_int_equal(t.by_reason.items[0].total, 10000);
	assert_int_equal(t.median_ms, 499);
	assert_int_equal(t.p95_ms, 949);
	assert_int_equal(t.longest_ms, 999);
}

static void
add_setting(struct tally *t, const char *device, const char *command, const char *key,
    const char *want)
{
	const struct observation o = { .device = device, .command = command,
		.verdict = "compliant" };
	struct error err = { 0 };

	assert_int_equal(tally_add_setting(t, &o, key, want, &err), 0);
}

/* The claim that begins with these words, or NULL. */
static const char *
claim_with(const struct tally *t, const char *words)
{
	static char claim[LIMIT_CLAIM_MAX];
	struct limit limits[LIMITS_MAX];
	size_t n = limits_of(t, limits), i;

	for (i = 0; i < n; i++) {
		limit_claim(&limits[i], t, claim);
		if (strncmp(claim, words, strlen(words)) == 0)
			return claim;
	}
	return NULL;
}

static void
what_is_covered_is_what_was_asked(void **state)
{
	static const struct {
		const char *name, *key, *want;
		const char *said, *not_said;
	} rows[] = {
		{ "iMessage is off", "allowChat", "false",
		  "iMessage is off as a whole.", "iMessage was" },
		{ "allowed is not restricted", "allowChat", "true",
		  "iMessage was not", "iMessage is" },
		{ "nor is another key", "allowChatter", "false",
		  "iMessage was not", "iMessage is" },
		{ "SMS is not covered by it", "allowChat", "false",
		  "SMS and MMS keep", "The Messages app" },
		{ "the app can be hidden", "blockedAppBundleIDs", "[\"com.apple.MobileSMS\"]",
		  "The Messages app is hidden", "SMS and MMS keep" },
		{ "another app hidden does not hide it",
		  "blockedAppBundleIDs", "[\"com.whatsapp\"]",
		  "SMS and MMS keep", "The Messages app" },
		{ "but covers other messengers", "blockedAppBundleIDs", "[\"com.whatsapp\"]",
		  "Other messengers are covered only", "Other messengers are not" },
		{ "which allowChat does not", "allowChat", "false",
		  "Other messengers are not", "Other messengers are covered" },
		{ "FaceTime is another matter", "allowChat", "false",
		  "FaceTime keeps", "FaceTime is" },
		{ "with a key of its own", "allowVideoConferencing", "false",
		  "FaceTime is off", "FaceTime keeps" },
		{ "and AirDrop", "allowAirDrop", "false",
		  "AirDrop is off", "AirDrop keeps" },
	};
	auto_tally struct tally some = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_tally struct tally t = { 0 };

		row_named(rows[i].name);
		add(&t, DAY, "A", "apply", "compliant", NULL, true);
		add_setting(&t, "A", "apply", rows[i].key, rows[i].want);
		tally_finish(&t, 2LL * DAY);
		assert_non_null(claim_with(&t, rows[i].said));
		assert_null(claim_with(&t, rows[i].not_said));
	}
	row_named("of some devices only, asked twice, and by a command that judges nothing");
	for (i = 0; i < 3; i++)
		add(&some, DAY, i ? i > 1 ? "C" : "B" : "A", "apply", "compliant", NULL, true);
	add_setting(&some, "A", "apply", "allowChat", "false");
	add_setting(&some, "A", "verify", "allowChat", "false");
	add_setting(&some, "B", "apply", "allowChat", "false");
	add_setting(&some, "C", "remove", "allowChat", "false");
	tally_finish(&some, 2LL * DAY);
	assert_string_equal(claim_with(&some, "iMessage"),
	    "iMessage is off as a whole where it was asked, on 2 of 3 devices.");
	assert_string_equal(limits_effect("allowAirDrop=false"),
	    "AirDrop is off, NameDrop with it");
	assert_null(limits_effect("allowAirDrop=true"));
	assert_null(limits_effect("allowTelepathy=false"));
}

static char *
page_of(const struct tally *t, const char *title)
{
	const struct page_about about = { .title = title, .source = "<ledger>",
		.evidence = "it holds", .now_ms = 100LL * DAY };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	page_write(out, t, &about);
	fclose(out);
	return text;
}

static void
a_page_needs_nothing_and_runs_nothing(void **state)
{
	static const char *const unwanted[] = { "<script", "http://", "https://", "src=", "url(",
		"<img", "</table>\"", "<i>" };
	struct error err = { 0 };
	struct observation o = {
		.at_ms = 5LL * DAY, .day = 5, .device = "<script>a</script>",
		.name = "\"><img onload='x'>", .serial = "&lt;", .model = "'\"><b>",
		.slot = "<i>", .policy = "</table>", .command = "apply",
		.verdict = "failed", .reason = "<script>", .duration_ms = 5,
	};
	auto_tally struct tally t = { 0 };
	auto_free char *text = NULL;
	size_t i;

	(void)state;
	assert_int_equal(tally_add(&t, &o, &err), 0);
	assert_int_equal(tally_add_setting(&t, &o, "<script>", "\"<i>\"", &err), 0);
	tally_finish(&t, 100LL * DAY);
	text = page_of(&t, "</title><script>");
	for (i = 0; i < countof(unwanted); i++) {
		row_named(unwanted[i]);
		assert_null(strstr(text, unwanted[i]));
	}
	assert_non_null(strstr(text, "&lt;img onload=&#39;x&#39;&gt;"));
	assert_non_null(strstr(text, "SMS and MMS keep working"));
}

static void
odd_times_make_a_page_too(void **state)
{
	static const struct {
		const char *name;
		int64_t days[2];
	} rows[] = {
		{ "one day", { 20000, 20000 } },
		{ "a hundred days: weeks", { 20000, 20100 } },
		{ "three hundred years", { 1, 110000 } },
		{ "a clock before 1970", { -4, 20000 } },
		{ "a clock set back", { 20000, 19000 } },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_tally struct tally t = { 0 };
		auto_free char *text = NULL;

		row_named(rows[i].name);
		add(&t, rows[i].days[0] * DAY, "A", "apply", "compliant", NULL, false);
		add(&t, rows[i].days[1] * DAY, "A", "apply", "failed", "timeout", false);
		tally_finish(&t, 100LL * DAY);
		text = page_of(&t, NULL);
		assert_non_null(strstr(text, "</html>"));
	}
	{
		auto_tally struct tally t = { 0 };
		auto_free char *text = NULL;

		row_named("nothing at all");
		tally_finish(&t, 0);
		text = page_of(&t, NULL);
		assert_non_null(strstr(text, "No verdict"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_verdict_decides),
		cmocka_unit_test(what_another_removal_took_off_does_not_matter),
		cmocka_unit_test(times_are_of_so_many_jobs),
		cmocka_unit_test(proof_has_an_age),
		cmocka_unit_test(many_devices_are_told_apart),
		cmocka_unit_test(what_is_covered_is_what_was_asked),
		cmocka_unit_test(a_page_needs_nothing_and_runs_nothing),
		cmocka_unit_test(odd_times_make_a_page_too),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
