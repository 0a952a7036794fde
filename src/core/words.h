/* words: what a profile does, said to the person who has to decide about it */
#ifndef CORE_WORDS_H
#define CORE_WORDS_H

#include <stddef.h>

#include "base/clean.h"

struct error;
struct profile;

enum words_part {
	WORDS_RESTRICTED,	/* what the device will not do, by group */
	WORDS_SETTINGS,		/* what else the profile brings: Wi-Fi, one app… */
	WORDS_STAYS,		/* which ways to talk to others remain */
	WORDS_REMOVAL,		/* who or what ends it, and when */
};

struct words_line {
	enum words_part	 part;
	const char	*group;		/* "Messages"; static; NULL but for WORDS_RESTRICTED */
	const char	*key;		/* the restriction, borrowed from the profile; or NULL */
	char		*text;		/* printable, no secret, no full stop */
};

/* Zero-initialise; release with words_clear(). */
struct words {
	struct words_line	*lines;	/* part after part, group after group */
	size_t			 n, room;
};

/*
 * Secrets are counted, never said. Nothing a stranger wrote can make it more
 * than WORDS_MAX lines: the last one then says how many are left out.
 */
enum { WORDS_MAX = 400 };
int	words_of_profile(const struct profile *p, struct words *out, struct error *err);
void	words_clear(struct words *w);

#define auto_words	auto_with(words_clear)

#endif
