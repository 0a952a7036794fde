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

/* The next time the local clock shows hour:minute. */
static int64_t
next_local(time_t now, int hour, int minute)
{
	struct tm tm;
	time_t at;
	int day;

	for (day = 0;; day++) {
		localtime_r(&now, &tm);
		tm.tm_mday += day;
		tm.tm_hour = hour;
		tm.tm_min = minute;
		tm.tm_sec = 0;
		tm.tm_isdst = -1;
		at = mktime(&tm);
		if (at > now)
			return at;
	}
}

/* "Z" or "+01:00" behind the seconds; *offset in seconds. */
static bool
read_offset(const char *s, int *offset)
{
	int hours, minutes, used = 0;
	char sign;

	if (strcmp(s, "Z") == 0 || strcmp(s, "z") == 0) {
		*offset = 0;
		return true;
	}
	if (sscanf(s, "%c%2d:%2d%n", &sign, &hours, &minutes, &used) != 3 || s[used] ||
	    (sign != '+' && sign != '-') || hours > 23 || minutes > 59 || hours < 0 || minutes < 0)
		return false;
	*offset = (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
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
	if (check.tm_mday != tm.tm_mday || check.tm_mon != tm.tm_mon || check.tm_hour != tm.tm_hour ||
	    check.tm_min != tm.tm_min)
		return false;
	*at = utc - offset;
	return true;
}

int
when_until(const char *text, time_t now, int64_t *at, struct error *err)
{
	int hour, minute, used = 0;
	int64_t moment;

	if (sscanf(text, "%2d:%2d%n", &hour, &minute, &used) == 2 && !text[used] && hour >= 0 &&
	    hour < 24 && minute >= 0 && minute < 60) {
		*at = next_local(now, hour, minute);
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
	int hour, minute, used = 0;

	if (ago > 0)
		*at = now - ago;
	else if (sscanf(text, "%2d:%2d%n", &hour, &minute, &used) == 2 && !text[used] && hour >= 0 &&
	    hour < 24 && minute >= 0 && minute < 60)
		*at = next_local(now - 86400, hour, minute);
	else if (!read_day(text, at) && !read_rfc3339(text, at))
		return error_hint((error_set(err, ERR_USAGE, "--%s %s is no time", option, text), err),
		    "say 7d (ago), 15:30, 2026-11-24, or 2026-11-24T15:30:00+01:00");
	return 0;
}
