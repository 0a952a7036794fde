/* lint_facts: what one device would make of a profile, beyond what any would */
#ifndef CORE_LINT_FACTS_H
#define CORE_LINT_FACTS_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct facts;
struct lint_report;
struct profile;

/* A profile to hold against a device: what it says, as bytes and as read. Borrowed. */
struct lint_subject {
	const void		*data;
	size_t			 len;
	const struct profile	*profile;
	int64_t			 now;		/* seconds since 1970; 0: unknown */
};

/*
 * The errors and warnings of lint that come from this device: its system, its
 * supervision, its kind, and what it has installed already. What lint says of
 * the profile for any supervised device is left out, and so are notes. Nothing
 * is guessed: a fact that is missing makes no finding. Lines are of data.
 */
int	lint_with_facts(const struct lint_subject *s, const struct facts *facts,
	    struct lint_report *out, struct error *err);

#endif
