/* when: --for and --until */
#ifndef CLI_WHEN_H
#define CLI_WHEN_H

#include <stdint.h>
#include <time.h>

struct error;

/* "8h" to seconds. ERR_USAGE. */
int	when_duration(const char *text, int64_t *seconds, struct error *err);
/*
 * RFC 3339, or local "15:30": the next time the clock shows that. now is the
 * present; a moment not after it is ERR_USAGE. *at is whole seconds, UTC.
 */
int	when_until(const char *text, time_t now, int64_t *at, struct error *err);
/*
 * A moment of the past, for filters: a duration before now ("7d"), local
 * "15:30" (the last time the clock showed that), a local day "2026-11-24", or
 * RFC 3339. option names it in the ERR_USAGE.
 */
int	when_moment(const char *option, const char *text, time_t now, int64_t *at,
	    struct error *err);

#endif
