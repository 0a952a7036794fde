/* window: days and hours, become moments, through changes of the clocks */
#include "tests/unit/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/error.h"
#include "base/file.h"
#include "core/window.h"
#include "core/zone.h"

#define ZONES	"/usr/share/zoneinfo/"

/* "2026-03-29T01:30:00Z" without the letters that never change: Z is understood. */
static int64_t
utc(const char *text)
{
	int year, month, day, hour, minute, second = 0;

	assert_true(sscanf(text, "%d-%d-%d %d:%d:%d",
	    &year, &month, &day, &hour, &minute, &second) >= 5);
	return 86400 * civil_days(year, month, day) + 3600 * hour + 60 * minute + second;
}

static void
load(const char *name, struct zone *out)
{
	auto_blob struct blob bytes = { 0 };
	struct error err = { 0 };
	char path[128];

	snprintf(path, sizeof(path), ZONES "%s", name);
	assert_int_equal(file_read(path, ZONE_FILE_MAX, FILE_ANY, &bytes, &err), 0);
	assert_int_equal(zone_parse(bytes.data, bytes.len, out, &err), 0);
}

/* "mon,tue" or "all" */
static void
take_days(const char *text, bool days[7])
{
	static const char *const names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	size_t i;

	for (i = 0; i < 7; i++)
		days[i] = strcmp(text, "all") == 0 || strstr(text, names[i]) != NULL;
}

static int
clock_minutes(const char *text)
{
	return 60 * atoi(text) + atoi(text + 3);
}

#define BERLIN		"Europe/Berlin"
#define SCHOOL		BERLIN, "mon,tue,wed,thu,fri", "08:00", "15:30"
#define NIGHT		BERLIN, "mon,tue,wed,thu,fri,sat,sun", "22:00", "06:00"
#define NEVER		NULL

struct row {
	const char	*name;
	const char	*zone, *days, *from, *to;
	const char	*except;	/* one date, or "" */
	const char	*at;		/* UTC */
	bool		 is_open;
	const char	*until;		/* UTC; NEVER */
};

/* 2026-11-24 is a Tuesday. Berlin: +1 in winter; summer 2026-03-29 01:00 to 10-25 01:00 UTC. */
static const struct row rows[] = {
	{ "before school: closed until it begins", SCHOOL, "",
	    "2026-11-24 06:59:59", false, "2026-11-24 07:00" },
	{ "the first second of school is in it", SCHOOL, "",
	    "2026-11-24 07:00:00", true, "2026-11-24 14:30" },
	{ "in the middle of the day", SCHOOL, "",
	    "2026-11-24 11:00", true, "2026-11-24 14:30" },
	{ "the last second of school is in it", SCHOOL, "",
	    "2026-11-24 14:29:59", true, "2026-11-24 14:30" },
	{ "the second of the end is outside", SCHOOL, "",
	    "2026-11-24 14:30:00", false, "2026-11-25 07:00" },
	{ "Friday evening: until Monday", SCHOOL, "",
	    "2026-11-27 16:00", false, "2026-11-30 07:00" },
	{ "Saturday noon is no school", SCHOOL, "",
	    "2026-11-28 11:00", false, "2026-11-30 07:00" },
	{ "Sunday noon is no school", SCHOOL, "",
	    "2026-11-29 11:00", false, "2026-11-30 07:00" },
	{ "Monday morning it begins", SCHOOL, "",
	    "2026-11-30 07:00", true, "2026-11-30 14:30" },
	{ "an exception keeps the day closed", SCHOOL, "2026-11-24",
	    "2026-11-24 11:00", false, "2026-11-25 07:00" },
	{ "and the evening before it knows", SCHOOL, "2026-11-25",
	    "2026-11-24 16:00", false, "2026-11-26 07:00" },
	{ "an exception on a Friday: until Monday", SCHOOL, "2026-11-27",
	    "2026-11-26 16:00", false, "2026-11-30 07:00" },
	{ "an exception on a Sunday changes nothing", SCHOOL, "2026-11-29",
	    "2026-11-28 11:00", false, "2026-11-30 07:00" },
	{ "an exception of another year changes nothing", SCHOOL, "2025-11-24",
	    "2026-11-24 11:00", true, "2026-11-24 14:30" },
	{ "in summer the same hour is an hour earlier in UTC", SCHOOL, "",
	    "2026-07-07 06:00", true, "2026-07-07 13:30" },
	{ "and a second before that it is closed", SCHOOL, "",
	    "2026-07-07 05:59:59", false, "2026-07-07 06:00" },
	{ "over the weekend into summer time", SCHOOL, "",
	    "2026-03-27 15:00", false, "2026-03-30 06:00" },
	{ "over the weekend into winter time", SCHOOL, "",
	    "2026-10-23 15:00", false, "2026-10-26 07:00" },
	{ "over New Year", SCHOOL, "",
	    "2026-12-31 15:00", false, "2027-01-01 07:00" },
	{ "the 29th of February is a Tuesday in 2028", SCHOOL, "",
	    "2028-02-29 10:00", true, "2028-02-29 14:30" },
	{ "years beyond the table follow the rule", SCHOOL, "",
	    "2060-07-06 06:00", true, "2060-07-06 13:30" },
	{ "in winter too", SCHOOL, "",
	    "2060-01-06 06:59:59", false, "2060-01-06 07:00" },

	{ "a night begins in the evening", NIGHT, "",
	    "2026-11-24 21:00", true, "2026-11-25 05:00" },
	{ "after midnight it is still the same night", NIGHT, "",
	    "2026-11-25 00:30", true, "2026-11-25 05:00" },
	{ "in the morning it is over", NIGHT, "",
	    "2026-11-25 05:00", false, "2026-11-25 21:00" },
	{ "at noon it is day", NIGHT, "",
	    "2026-11-25 11:00", false, "2026-11-25 21:00" },
	{ "the night of the change to summer ends an hour sooner", NIGHT, "",
	    "2026-03-28 21:00", true, "2026-03-29 04:00" },
	{ "the night of the change to winter ends an hour later", NIGHT, "",
	    "2026-10-24 20:00", true, "2026-10-25 05:00" },
	{ "an exception is about the evening it begins", NIGHT, "2026-11-24",
	    "2026-11-24 22:00", false, "2026-11-25 21:00" },
	{ "the night before the exception runs to its end", NIGHT, "2026-11-25",
	    "2026-11-25 00:30", true, "2026-11-25 05:00" },
	{ "but a new one does not begin on it", NIGHT, "2026-11-25",
	    "2026-11-25 22:00", false, "2026-11-26 21:00" },
	{ "Friday's night belongs to Friday, on Saturday morning",
	    BERLIN, "fri", "22:00", "06:00", "",
	    "2026-11-28 04:00", true, "2026-11-28 05:00" },
	{ "Saturday evening is no Friday night", BERLIN, "fri", "22:00", "06:00", "",
	    "2026-11-28 22:00", false, "2026-12-04 21:00" },
	{ "New Year's Eve reaches into the new year", BERLIN, "thu", "22:00", "06:00", "",
	    "2026-12-31 23:30", true, "2027-01-01 05:00" },

	{ "a gap swallows the beginning: it begins when the clocks jump",
	    BERLIN, "sun", "02:30", "04:00", "",
	    "2026-03-29 00:59:59", false, "2026-03-29 01:00" },
	{ "and is open from there", BERLIN, "sun", "02:30", "04:00", "",
	    "2026-03-29 01:00", true, "2026-03-29 02:00" },
	{ "a gap swallows the end: it ends when the clocks jump",
	    BERLIN, "sun", "01:00", "02:30", "",
	    "2026-03-29 00:30", true, "2026-03-29 01:00" },
	{ "and is closed from there", BERLIN, "sun", "01:00", "02:30", "",
	    "2026-03-29 01:00", false, "2026-04-04 23:00" },
	{ "a window inside the gap is none on that day", BERLIN, "sun", "02:15", "02:45", "",
	    "2026-03-28 12:00", false, "2026-04-05 00:15" },
	{ "an hour that comes twice: begins with the first", BERLIN, "sun", "02:30", "04:00", "",
	    "2026-10-25 00:30", true, "2026-10-25 03:00" },
	{ "a second before the first", BERLIN, "sun", "02:30", "04:00", "",
	    "2026-10-25 00:29:59", false, "2026-10-25 00:30" },
	{ "an hour that comes twice: ends with the last", BERLIN, "sun", "01:00", "02:30", "",
	    "2026-10-25 00:45", true, "2026-10-25 01:30" },
	{ "and is over then", BERLIN, "sun", "01:00", "02:30", "",
	    "2026-10-25 01:30", false, "2026-11-01 00:00" },
	{ "a window inside the double hour lasts through both", BERLIN, "sun", "02:15", "02:45", "",
	    "2026-10-25 00:15", true, "2026-10-25 01:45" },
	{ "a whole day of the change to summer has 23 hours", BERLIN, "sun", "00:00", "24:00", "",
	    "2026-03-28 23:00", true, "2026-03-29 22:00" },
	{ "a whole day of the change to winter has 25", BERLIN, "sun", "00:00", "24:00", "",
	    "2026-10-24 22:00", true, "2026-10-25 23:00" },

	{ "whole days that touch are one window",
	    BERLIN, "mon,tue,wed,thu,fri", "00:00", "24:00", "",
	    "2026-11-24 12:00", true, "2026-11-27 23:00" },
	{ "an exception parts them", BERLIN, "mon,tue,wed,thu,fri", "00:00", "24:00", "2026-11-26",
	    "2026-11-24 12:00", true, "2026-11-25 23:00" },
	{ "all days, all day: no end in sight", BERLIN, "all", "00:00", "24:00", "",
	    "2026-11-24 12:00", true, NEVER },
	{ "nights that touch days: none parts them", BERLIN, "all", "12:00", "12:00", "",
	    "2026-11-24 12:00", true, NEVER },
	{ "all day but for an exception", BERLIN, "all", "00:00", "24:00", "2026-12-24",
	    "2026-11-24 12:00", true, "2026-12-23 23:00" },
	{ "no day at all: never", BERLIN, "", "08:00", "15:30", "",
	    "2026-11-24 12:00", false, NEVER },

	{ "UTC needs no rules", "UTC", "tue", "08:00", "09:00", "",
	    "2026-11-24 08:30", true, "2026-11-24 09:00" },
	{ "New York is behind", "America/New_York", "tue", "08:00", "15:30", "",
	    "2026-11-24 13:00", true, "2026-11-24 20:30" },
	{ "and changes its clocks on other days", "America/New_York", "mon", "08:00", "15:30", "",
	    "2026-03-09 12:00", true, "2026-03-09 19:30" },
	{ "Tokyo is ahead: Tuesday begins on UTC's Monday",
	    "Asia/Tokyo", "tue", "08:00", "15:30", "",
	    "2026-11-23 23:00", true, "2026-11-24 06:30" },
	{ "Kolkata has half an hour", "Asia/Kolkata", "tue", "08:00", "15:30", "",
	    "2026-11-24 02:30", true, "2026-11-24 10:00" },
	{ "Kathmandu has a quarter", "Asia/Kathmandu", "tue", "08:00", "15:30", "",
	    "2026-11-24 02:15", true, "2026-11-24 09:45" },
	{ "Sydney has summer in December", "Australia/Sydney", "tue", "08:00", "15:30", "",
	    "2026-12-01 04:29:59", true, "2026-12-01 04:30" },
	{ "Lord Howe moves by half an hour", "Australia/Lord_Howe", "sun", "02:00", "03:00", "",
	    "2026-10-03 15:30", true, "2026-10-03 16:00" },
	{ "Chatham changes at 02:45", "Pacific/Chatham", "sun", "03:00", "05:00", "",
	    "2026-09-26 14:00", true, "2026-09-26 15:15" },
	{ "Dublin's winter is the exception, not its summer",
	    "Europe/Dublin", "wed", "08:00", "15:30", "",
	    "2026-07-08 07:00", true, "2026-07-08 14:30" },
	{ "Kiritimati is a day ahead", "Pacific/Kiritimati", "wed", "08:00", "15:30", "",
	    "2026-11-24 18:00", true, "2026-11-25 01:30" },
	{ "Honolulu a day behind", "Pacific/Honolulu", "tue", "20:00", "24:00", "",
	    "2026-11-25 06:00", true, "2026-11-25 10:00" },
	{ "Sao Paulo no longer changes", "America/Sao_Paulo", "tue", "08:00", "15:30", "",
	    "2026-11-24 11:00", true, "2026-11-24 18:30" },
	{ "Samoa had no 30 December 2011: no window then",
	    "Pacific/Apia", "fri", "08:00", "15:30", "",
	    "2011-12-29 20:00", false, "2012-01-05 18:00" },
};

static void
moments_are_in_or_out(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		auto_zone struct zone zone = { 0 };
		struct window w = { .zone = &zone, .from_min = clock_minutes(r->from),
			.to_min = clock_minutes(r->to) };
		struct window_state s;
		int64_t except;

		row_named(r->name);
		load(r->zone, &zone);
		take_days(r->days, w.days);
		if (*r->except) {
			assert_true(civil_read(r->except, &except));
			w.except = &except;
			w.n_except = 1;
		}
		s = window_at(&w, utc(r->at));
		assert_int_equal(s.is_open, r->is_open);
		assert_int_equal(s.until, r->until ? utc(r->until) : INT64_MAX);
		/* At the boundary it is the other way round. */
		if (r->until)
			assert_int_equal(window_at(&w, s.until).is_open, !r->is_open);
		if (s.is_open && s.since != INT64_MIN) {
			assert_true(window_at(&w, s.since).is_open);
			assert_false(window_at(&w, s.since - 1).is_open);
			assert_int_equal(window_at(&w, s.since).until, s.until);
		}
	}
}

/* ---- dates ------------------------------------------------------------------ */

static void
dates_are_read(void **state)
{
	static const struct {
		const char	*name, *text;
		bool		 is_date;
		int64_t		 days;
	} dates[] = {
		{ "the beginning of time", "1970-01-01", true, 0 },
		{ "the day before", "1969-12-31", true, -1 },
		{ "a leap day", "2028-02-29", true, 21243 },
		{ "a leap day of no leap year", "2027-02-29", false, 0 },
		{ "1900 was none", "1900-02-29", false, 0 },
		{ "2000 was one", "2000-02-29", true, 11016 },
		{ "the 31st of April", "2026-04-31", false, 0 },
		{ "month 13", "2026-13-01", false, 0 },
		{ "day 0", "2026-01-00", false, 0 },
		{ "short forms are refused", "2026-1-1", false, 0 },
		{ "something behind it", "2026-12-241", false, 0 },
		{ "German", "24.12.2026", false, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		int64_t days = 0, year;
		int month, day;

		row_named(dates[i].name);
		assert_int_equal(civil_read(dates[i].text, &days), dates[i].is_date);
		if (!dates[i].is_date)
			continue;
		assert_int_equal(days, dates[i].days);
		civil_date(days, &year, &month, &day);
		assert_int_equal(civil_days(year, month, day), days);
	}
	assert_int_equal(civil_weekday(0), 3);
	assert_int_equal(civil_weekday(-4), 6);
}

/* ---- damaged files ------------------------------------------------------------ */

static void
damaged_zones_are_refused(void **state)
{
	auto_blob struct blob bytes = { 0 };
	struct error err = { 0 };
	size_t len, i;

	(void)state;
	assert_int_equal(file_read(ZONES BERLIN, ZONE_FILE_MAX, FILE_ANY, &bytes, &err), 0);
	/* Cut anywhere it is refused, and nothing is read beyond the cut. */
	for (len = 0; len < bytes.len; len++) {
		auto_zone struct zone z = { 0 };
		void *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, bytes.data, len);
		assert_int_equal(zone_parse(copy, len, &z, &err), -1);
		free(copy);
	}
	/* With any byte changed it is refused or read, and never trips. */
	for (i = 0; i < bytes.len; i++) {
		auto_zone struct zone z = { 0 };
		uint8_t was = bytes.data[i];
		int64_t first, last;

		bytes.data[i] = (uint8_t)(was ^ 0xff);
		if (zone_parse(bytes.data, bytes.len, &z, &err) == 0)
			zone_moments(&z, 1790000000, &first, &last);
		bytes.data[i] = was;
	}
}

/* ---- a year, for window-year to compare with another implementation ------------ */

/* ZONE DAYS FROM TO EXCEPT,… BEGIN END (UTC seconds): every boundary, one per line. */
static int
print_year(char **args)
{
	auto_zone struct zone zone = { 0 };
	struct window w = { .zone = &zone, .from_min = clock_minutes(args[2]),
		.to_min = clock_minutes(args[3]) };
	int64_t except[64], at = strtoll(args[5], NULL, 10), end = strtoll(args[6], NULL, 10);
	char *save = NULL, *date;

	load(args[0], &zone);
	take_days(args[1], w.days);
	for (date = strtok_r(args[4], ",", &save); date; date = strtok_r(NULL, ",", &save))
		if (w.n_except < 64 && civil_read(date, &except[w.n_except]))
			w.n_except++;
	w.except = except;
	while (at < end) {
		struct window_state s = window_at(&w, at);

		printf("%lld %d\n", (long long)at, s.is_open);
		at = s.until;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moments_are_in_or_out),
		cmocka_unit_test(dates_are_read),
		cmocka_unit_test(damaged_zones_are_refused),
	};

	if (argc == 8)
		return print_year(argv + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
