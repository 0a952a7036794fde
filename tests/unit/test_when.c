/* when: what people say of time, where clocks are set back and forward */
#include "tests/unit/table.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "cli/when.h"

static int64_t
utc(const char *text)
{
	struct tm tm = { 0 };

	assert_non_null(strptime(text, "%Y-%m-%dT%H:%M", &tm));
	return timegm(&tm);
}

static void
in_zone(const char *zone)
{
	assert_int_equal(setenv("TZ", zone, 1), 0);
	tzset();
}

static int
until(const char *text, int64_t now, int64_t *at)
{
	return when_until(text, now, at, &(struct error){ 0 });
}

static int
since(const char *text, int64_t now, int64_t *at)
{
	return when_moment("since", text, now, at, &(struct error){ 0 });
}

static void
a_time_of_day_is_the_next_one_or_the_last(void **state)
{
	static const struct {
		const char *name;
		int (*read)(const char *text, int64_t now, int64_t *at);
		const char *zone, *now, *text, *want;	/* now and want in UTC */
	} rows[] = {
		{ "later today",
		    until, "Europe/Berlin", "2026-11-24T09:00", "15:30", "2026-11-24T14:30" },
		{ "this very minute is tomorrow's",
		    until, "UTC", "2026-11-24T15:30", "15:30", "2026-11-25T15:30" },
		{ "earlier is tomorrow",
		    until, "UTC", "2026-11-24T16:00", "8:05", "2026-11-25T08:05" },
		{ "an hour that is left out is the next night's",
		    until, "Europe/Berlin", "2027-03-28T01:10", "02:30", "2027-03-29T00:30" },
		{ "also before it would have come",
		    until, "Europe/Berlin", "2027-03-27T23:00", "02:30", "2027-03-29T00:30" },
		{ "an hour that comes twice is the first",
		    until, "Europe/Berlin", "2026-10-24T23:00", "02:30", "2026-10-25T00:30" },
		{ "after that the second",
		    until, "Europe/Berlin", "2026-10-25T00:40", "02:30", "2026-10-25T01:30" },
		{ "half an hour of summer",
		    until, "Australia/Lord_Howe", "2026-04-04T14:00", "01:45", "2026-04-04T14:45" },
		{ "earlier today",
		    since, "Europe/Berlin", "2026-11-24T15:00", "15:30", "2026-11-24T14:30" },
		{ "later is yesterday",
		    since, "UTC", "2026-11-24T09:00", "15:30", "2026-11-23T15:30" },
		{ "this very minute",
		    since, "UTC", "2026-11-24T15:30", "15:30", "2026-11-24T15:30" },
		{ "on a day of 25 hours",
		    since, "Europe/Berlin", "2026-10-25T14:15", "15:30", "2026-10-24T13:30" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t at = 0;

		row_named(rows[i].name);
		in_zone(rows[i].zone);
		assert_int_equal(rows[i].read(rows[i].text, utc(rows[i].now), &at), 0);
		assert_int_equal(at, utc(rows[i].want));
	}
}

static void
what_is_no_time_is_refused(void **state)
{
	static const char *const texts[] = { "", "24:00", "12:60", "12:+5", "-1:30", "1:2",
		"12:345", "noon", "2027-02-30T10:00:00Z", "2027-01-01T10:00:00",
		"2027-01-01T10:00:00+1:30", "2027-01-01T10:00:00+24:00",
		"2027-01-01T10:00:00+01:60", "2027-01-01T10:00:00 01:00" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct error err = { 0 };
		int64_t at;

		row_named(texts[i]);
		assert_int_equal(when_until(texts[i], 0, &at, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_of_day_is_the_next_one_or_the_last),
		cmocka_unit_test(what_is_no_time_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
