/* when: --for and --until */
#include "cli/when.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

int
when_duration(const char *text, int64_t *seconds, struct error *err)
{
	int64_t n = text_duration(text);

	if (n > 0) {
		*seconds = n;
		return 0;
	}
	error_set(err, ERR_USAGE, "--for %s is no duration", text);
	return error_hint(err, "say 8h, 45m, 1h30m or 2d");
}

/* "15:30", or "8:05": digits and nothing else. */
static bool
read_clock(const char *s, int *hour, int *minute)
{
	size_t hours = strspn(s, "0123456789");

	if (hours < 1 || hours > 2 || s[hours] != ':' || strspn(s + hours + 1, "0123456789") != 2 ||
	    s[hours + 3])
		return false;
	return sscanf(s, "%2d:%2d", hour, minute) == 2 && *hour < 24 && *minute < 60;
}

/*
 * A moment on that day, counted from today's, when the local clock shows
 * hour:minute; false when it never does, for clocks are set forward. dst as in
 * struct tm: where they are set back it chooses one of the two.
 */
static bool
on_day(time_t now, int day, int hour, int minute, int dst, time_t *at)
{
	struct tm tm, shown;

	localtime_r(&now, &tm);
	tm.tm_mday += day;
	tm.tm_hour = hour;
	tm.tm_min = minute;
	tm.tm_sec = 0;
	tm.tm_isdst = dst;
	*at = mktime(&tm);
	localtime_r(at, &shown);
	return shown.tm_hour == hour && shown.tm_min == minute;
}

/* The next time after now that the local clock shows hour:minute, or the last one until now. */
static int64_t
nearest_local(time_t now, int hour, int minute, bool is_next)
{
	enum { DAYS = 8 };	/* a time may be missing on one of them */
	int64_t best = 0;
	bool is_found = false;
	int day, dst;

	for (day = -DAYS; day <= DAYS; day++)
		for (dst = -1; dst <= 1; dst++) {
			time_t at;

			if (!on_day(now, day, hour, minute, dst, &at) || (at > now) != is_next)
				continue;
			if (!is_found || (is_next ? at < best : at > best))
				best = at;
			is_found = true;
		}
	return best;
}

/* "Z" or "+01:00" behind the seconds; *offset in seconds. */
static bool
read_offset(const char *s, int *offset)
{
	int hours, minutes;

	if (strcmp(s, "Z") == 0 || strcmp(s, "z") == 0) {
		*offset = 0;
		return true;
	}
	if ((*s != '+' && *s != '-') || strlen(s) != 6 || !read_clock(s + 1, &hours, &minutes))
		return false;
	*offset = (*s == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	return true;
}

/* The length of ".123": part of a second, which does not matter here. */
static size_t
fraction(const char *s)
{
	size_t digits = *s == '.' ? strspn(s + 1, "0123456789") : 0;

	return digits ? digits + 1 : 0;
}

static bool
read_rfc3339(const char *s, int64_t *at)
{
	struct tm tm = { 0 }, check;
	int used = 0, offset;
	time_t utc;

	if (sscanf(s, "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		&tm.tm_hour, &tm.tm_min, &tm.tm_sec, &used) != 6 || !used ||
	    !read_offset(s + used + fraction(s + used), &offset))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	check = tm;
	utc = timegm(&check);
	/* timegm() turns the 31st of February into March: that is no date. */
	if (check.tm_mday != tm.tm_mday || check.tm_mon != tm.tm_mon ||
	    check.tm_hour != tm.tm_hour || check.tm_min != tm.tm_min)
		return false;
	*at = utc - offset;
	return true;
}

int
when_until(const char *text, time_t now, int64_t *at, struct error *err)
{
	int hour, minute;
	int64_t moment;

	if (read_clock(text, &hour, &minute)) {
		*at = nearest_local(now, hour, minute, true);
		return 0;
	}
	if (!read_rfc3339(text, &moment)) {
		error_set(err, ERR_USAGE, "--until %s is no time", text);
		return error_hint(err, "say 15:30, or 2026-11-24T15:30:00+01:00");
	}
	if (moment <= now)
		return error_set(err, ERR_USAGE,
		    "--until %s is over: the device would remove the profile at once", text);
	*at = moment;
	return 0;
}

static bool
read_day(const char *s, int64_t *at)
{
	struct tm tm = { .tm_isdst = -1 }, check;
	int used = 0;

	if (sscanf(s, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &used) != 3 || s[used])
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	check = tm;
	*at = mktime(&check);
	return check.tm_mday == tm.tm_mday && check.tm_mon == tm.tm_mon;
}

int
when_moment(const char *option, const char *text, time_t now, int64_t *at, struct error *err)
{
	int64_t ago = text_duration(text);
	int hour, minute;

	if (ago > 0)
		*at = now - ago;
	else if (read_clock(text, &hour, &minute))
		*at = nearest_local(now, hour, minute, false);
	else if (!read_day(text, at) && !read_rfc3339(text, at))
		return error_hint(
		    (error_set(err, ERR_USAGE, "--%s %s is no time", option, text), err),
		    "say 7d (ago), 15:30, 2026-11-24, or 2026-11-24T15:30:00+01:00");
	return 0;
}
