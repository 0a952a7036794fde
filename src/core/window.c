/* window: from days and hours to moments, one day after the other */
#include "core/window.h"

#include "core/zone.h"

enum { DAY_S = 86400, DAY_MIN = 1440 };

struct span {
	int64_t	from, to;
};

static bool
is_excepted(const struct window *w, int64_t day)
{
	size_t i;

	for (i = 0; i < w->n_except; i++)
		if (w->except[i] == day)
			return true;
	return false;
}

/* The window that opens on that day; false when none does. */
static bool
span_of_day(const struct window *w, int64_t day, struct span *out)
{
	int64_t midnight = day * DAY_S, ignored;
	int to_min = w->to_min > w->from_min ? w->to_min : w->to_min + DAY_MIN;

	if (!w->days[civil_weekday(day)] || is_excepted(w, day))
		return false;
	zone_moments(w->zone, midnight + 60 * (int64_t)w->from_min, &out->from, &ignored);
	zone_moments(w->zone, midnight + 60 * (int64_t)to_min, &ignored, &out->to);
	/* A window inside the hour that spring leaves out is none. */
	return out->to > out->from;
}

static int64_t
local_day(const struct window *w, int64_t at)
{
	int64_t local = at + zone_offset(w->zone, at);

	return (local - (local % DAY_S + DAY_S) % DAY_S) / DAY_S;
}

/* Goes on from span as long as the next window begins before this one ends. */
static void
join(const struct window *w, int64_t day, int64_t last, struct span *span)
{
	struct span next;

	for (; day <= last; day++) {
		if (!span_of_day(w, day, &next))
			continue;
		if (next.from > span->to)
			return;
		if (next.to > span->to)
			span->to = next.to;
	}
	span->to = INT64_MAX;
}

/* When the window that is open on this day opened: back over all that touch. */
static int64_t
opened(const struct window *w, int64_t day, int64_t from)
{
	int64_t first = day - WINDOW_SIGHT_DAYS;
	struct span earlier;

	for (; day >= first; day--) {
		if (!span_of_day(w, day, &earlier) || earlier.from >= from)
			continue;
		if (earlier.to < from)
			return from;
		from = earlier.from;
	}
	return INT64_MIN;
}

struct window_state
window_at(const struct window *w, int64_t at)
{
	struct window_state state = { .since = INT64_MIN, .until = INT64_MAX };
	int64_t today = local_day(w, at), last = today + WINDOW_SIGHT_DAYS, day;

	/* A window that opened the day before may still be open; one more, for
	 * zones that once left out a whole day. */
	for (day = today - 2; day <= last; day++) {
		struct span span;

		if (!span_of_day(w, day, &span) || span.to <= at)
			continue;
		if (span.from > at) {
			state.until = span.from;
			return state;
		}
		state.is_open = true;
		state.since = opened(w, day - 1, span.from);
		join(w, day + 1, last, &span);
		state.until = span.to;
		return state;
	}
	return state;
}
