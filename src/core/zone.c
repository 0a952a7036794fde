/* zone: from UTC to local time and back, by table and then by rule */
#include "core/zone.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
	DAY_S = 86400,
	REACH_S = 27 * 3600,	/* no clock is further from UTC, and no change larger */
};

void
zone_clear(struct zone *z)
{
	free(z->changes);
	*z = (struct zone){ 0 };
}

/* ---- the calendar --------------------------------------------------------- */

/* Howard Hinnant's days_from_civil: years that begin in March have a plain rule. */
int64_t
civil_days(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void
civil_date(int64_t days, int64_t *year, int *month, int *day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t of_era = z - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * of_year + 2) / 153;

	*day = (int)(of_year - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = y + era * 400 + (*month <= 2);
}

int
civil_weekday(int64_t days)
{
	/* The first of January 1970 was a Thursday. */
	return (int)(((days + 3) % 7 + 7) % 7);
}

bool
civil_read(const char *text, int64_t *days)
{
	int year, month, day, used = 0, m, d;
	int64_t y;

	if (strlen(text) != 10 || strspn(text, "0123456789-") != 10 ||
	    sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3 || used != 10 ||
	    month < 1 || month > 12 || day < 1)
		return false;
	*days = civil_days(year, month, day);
	civil_date(*days, &y, &m, &d);
	return y == year && m == month && d == day;
}

/* ---- the rule for the years after the table -------------------------------- */

static bool
is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The day, since 1970, on which the clocks change in that year. */
static int64_t
switch_day(const struct zone_switch *s, int64_t year)
{
	int64_t first = civil_days(year, 1, 1), day;

	switch (s->kind) {
	case SWITCH_JULIAN:	/* 1 to 365; the 29th of February is never counted */
		return first + s->day - 1 + (is_leap(year) && s->day >= 60);
	case SWITCH_DAY:	/* 0 to 365 */
		return first + s->day;
	default:
		break;
	}
	/* Weekday 0 is Sunday here; week 5 is the last. */
	first = civil_days(year, s->month, 1);
	day = first + (s->day + 6 - civil_weekday(first) + 7) % 7 + 7 * (s->week - 1);
	if (s->week == 5 && day >= (s->month == 12 ? civil_days(year + 1, 1, 1) :
	    civil_days(year, s->month + 1, 1)))
		day -= 7;
	return day;
}

enum { RULE_CHANGES = 6 };

/* The changes of the years around at, in order of time. */
static void
rule_changes(const struct zone *z, int64_t at, struct zone_change out[RULE_CHANGES])
{
	int64_t year, y;
	int month, day;
	size_t n = 0;

	civil_date(at / DAY_S, &year, &month, &day);
	for (y = year - 1; y <= year + 1; y++) {
		struct zone_change summer = {
			switch_day(&z->to_summer, y) * DAY_S + z->to_summer.time_s - z->standard_s,
			z->summer_s,
		};
		struct zone_change standard = {
			switch_day(&z->to_standard, y) * DAY_S +
			    z->to_standard.time_s - z->summer_s,
			z->standard_s,
		};
		bool is_north = summer.at < standard.at;

		out[n++] = is_north ? summer : standard;
		out[n++] = is_north ? standard : summer;
	}
}

/* ---- looking up ------------------------------------------------------------ */

/* How many changes of the table are at or before at. */
static size_t
changes_before(const struct zone *z, int64_t at)
{
	size_t low = 0, high = z->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (z->changes[middle].at <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int32_t
offset_by_rule(const struct zone *z, int64_t at)
{
	struct zone_change changes[RULE_CHANGES] = { { 0 } };
	int32_t offset = z->standard_s;
	size_t i;

	if (z->to_summer.kind == SWITCH_NONE)
		return offset;
	rule_changes(z, at, changes);
	for (i = 0; i < RULE_CHANGES && changes[i].at <= at; i++)
		offset = changes[i].offset_s;
	return offset;
}

int32_t
zone_offset(const struct zone *z, int64_t at)
{
	size_t i;

	if (!z)
		return 0;
	i = changes_before(z, at);
	if (i == z->n && z->has_rule)
		return offset_by_rule(z, at);
	return i == 0 ? z->first_s : z->changes[i - 1].offset_s;
}

/* The first change after at, INT64_MAX when there is none. */
static int64_t
next_change(const struct zone *z, int64_t at)
{
	struct zone_change changes[RULE_CHANGES] = { { 0 } };
	size_t i = changes_before(z, at);

	if (i < z->n)
		return z->changes[i].at;
	if (!z->has_rule || z->to_summer.kind == SWITCH_NONE)
		return INT64_MAX;
	rule_changes(z, at, changes);
	for (i = 0; i < RULE_CHANGES; i++)
		if (changes[i].at > at)
			return changes[i].at;
	return INT64_MAX;
}

void
zone_moments(const struct zone *z, int64_t local, int64_t *first, int64_t *last)
{
	int64_t from = local - REACH_S, jump = local;
	bool is_shown = false;

	if (!z) {
		*first = *last = local;
		return;
	}
	/* Stretch by stretch between changes, as far as local time can be. */
	while (from <= local + REACH_S) {
		int64_t to = next_change(z, from), moment = local - zone_offset(z, from);

		if (moment >= from && moment < to) {
			*first = is_shown ? *first : moment;
			*last = moment;
			is_shown = true;
		} else if (moment >= to) {
			jump = to;	/* not reached before the clocks jump over it */
		}
		if (to == INT64_MAX)
			break;
		from = to;
	}
	if (!is_shown)
		*first = *last = jump;
}
