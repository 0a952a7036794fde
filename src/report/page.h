/* page: the report as one HTML file that needs nothing else */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include <stdint.h>
#include <stdio.h>

struct tally;

/* What the page says about itself. Texts may be NULL. */
struct page_about {
	const char	*title;		/* the organisation, or NULL */
	const char	*source;	/* the ledger's file, or the database */
	const char	*stations;	/* "bench-1" */
	const char	*policy;	/* the only one looked at */
	const char	*evidence;	/* what holds the record together: one sentence */
	int		 is_broken;	/* it does not hold */
	int64_t		 now_ms;
};

/* After tally_finish(). Errors stay in out: ferror(3). */
void	page_write(FILE *out, const struct tally *t, const struct page_about *about);

#endif
