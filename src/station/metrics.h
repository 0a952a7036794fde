/* metrics: what a station counts, as Prometheus reads it; pure */
#ifndef STATION_METRICS_H
#define STATION_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "core/verdict.h"

struct board;
struct slots;

enum { METRICS_ROWS_MAX = 1024, METRICS_BUCKETS = 10 };

/* Verdicts of one kind under one policy. */
struct metrics_row {
	char		policy[64];	/* "": none was chosen */
	enum reason	reason;
	uint64_t	n;
};

/* Zero-initialise; metrics_clear(). Since the station was started. */
struct metrics {
	struct metrics_row	*rows;
	size_t			 n;
	uint64_t		 uncounted;	/* verdicts for which there was no row */
	uint64_t		 buckets[METRICS_BUCKETS + 1];	/* jobs by their duration */
	int64_t			 duration_ms;	/* of all of them */
	uint64_t		 jobs, retries, mux_losses, hook_failures;
};

void	metrics_clear(struct metrics *m);
void	metrics_verdict(struct metrics *m, const char *policy, enum reason reason);
void	metrics_job(struct metrics *m, int64_t duration_ms);

/*
 * The text format, version 0.0.4. Never a UDID, a name or a serial number: who
 * may read counts need not know whose devices they are. The caller's: free();
 * NULL when memory runs out.
 */
char	*metrics_text(const struct metrics *m, const struct board *board,
	    const struct slots *slots);

#endif
