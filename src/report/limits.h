/* limits: what the restrictions that were asked of devices cover, and what they do not. Pure */
#ifndef REPORT_LIMITS_H
#define REPORT_LIMITS_H

#include <stddef.h>

struct tally;

enum { LIMITS_MAX = 8, LIMIT_CLAIM_MAX = 160 };

/* Static texts: a claim, and what to know about it. */
struct limit {
	const char	*claim, *detail;
	size_t		 devices;	/* it was asked of so many; 0: of none, or of no matter */
};

/* By the keys of the policies and profiles themselves, as verdicts name them. Returns how many. */
size_t	limits_of(const struct tally *t, struct limit out[LIMITS_MAX]);

/* The claim as a sentence, and for how many devices it holds where that is not all. */
void	limit_claim(const struct limit *l, const struct tally *t, char out[LIMIT_CLAIM_MAX]);

/* What a setting as in by_setting ("allowChat=false") does; NULL: not known. */
const char *limits_effect(const char *setting);

#endif
