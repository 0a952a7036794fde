/* window: the days and hours in which a policy is in force */
#ifndef CORE_WINDOW_H
#define CORE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone;

/*
 * It opens at from on each of the days and closes at to, the same day or, when
 * to is not after from, the next. The exceptions are days on which it does not
 * open; one that opened the evening before runs to its end.
 *
 * When clocks change: an hour that spring leaves out begins and ends at the
 * change; of an hour that autumn repeats, a window begins with the first and
 * ends with the last. Windows that touch or overlap are one.
 */
struct window {
	const struct zone	*zone;		/* NULL: UTC */
	bool			 days[7];	/* Monday first */
	int			 from_min, to_min;	/* minutes after midnight; to up to 1440 */
	int64_t			*except;	/* days since 1970, in any order */
	size_t			 n_except;
};

/* Where a moment lies. */
struct window_state {
	bool	is_open;
	int64_t	since;		/* when it opened; INT64_MIN while closed, or long ago */
	int64_t	until;		/* the next boundary, UTC; INT64_MAX: none in sight */
};

/*
 * Pure. at >= since and at < until; at the very second of until the state is
 * the other one. A boundary more than WINDOW_SIGHT_DAYS ahead is none.
 */
enum { WINDOW_SIGHT_DAYS = 800 };
struct window_state window_at(const struct window *w, int64_t at);

#endif
