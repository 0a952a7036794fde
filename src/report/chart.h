/* chart: three kinds of picture as SVG, coloured by the page's classes */
#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "report/tally.h"

/* A text inside HTML or SVG. NULL is nothing. */
void	chart_text(FILE *out, const char *text);

/* One row of a bar chart. */
struct chart_bar {
	const char	*label;
	const char	*note;		/* behind the bar; NULL: the total */
	int64_t		 n[TALLY_VERDICTS];	/* stacked, in the order of verdicts */
	const char	*class;		/* instead of the verdicts' colours; then only n[0]
					 * counts */
};

/* Horizontal bars, labelled on the left. title is for who cannot see it. */
void	chart_bars(FILE *out, const char *title, const struct chart_bar *bars, size_t n);

/* Verdicts over time: stacked columns, a day each, or a week when there are many. */
void	chart_days(FILE *out, const char *title, const struct tally *t);

/* How many jobs took how long. */
void	chart_times(FILE *out, const char *title, const struct tally *t);

/* A bar of the whole width, divided by verdicts. */
void	chart_share(FILE *out, const char *title, const int64_t n[TALLY_VERDICTS]);

#endif
