/* osrange: which versions of the system a policy is for */
#ifndef CORE_OSRANGE_H
#define CORE_OSRANGE_H

#include <stdbool.h>
#include <stddef.h>

struct error;

enum { OSRANGE_TERMS_MAX = 8, OSRANGE_VERSION_MAX = 32 };

enum osrange_operator { OS_AT_LEAST, OS_ABOVE, OS_AT_MOST, OS_BELOW, OS_EQUAL, OS_BEGINS };

struct osrange_term {
	enum osrange_operator	operator;
	char			version[OSRANGE_VERSION_MAX];
};

/* All terms must hold; none means any version. By value, nothing to release. */
struct osrange {
	struct osrange_term	terms[OSRANGE_TERMS_MAX];
	size_t			n;
};

enum osrange_answer { OS_FITS, OS_TOO_OLD, OS_TOO_NEW };

/*
 * Terms between spaces or commas: ">=17.0", "<19", ">17", "<=18.2", "=18.1" or
 * "18.1" (that release alone), "18.*" (18 and all of its updates), and
 * "17.0 - 18.2" (both ends included). ERR_DATA when it is none of that, or when
 * no version could satisfy it.
 */
int	osrange_parse(const char *text, struct osrange *out, struct error *err);

/* Too old when a newer system would fit; "18.1" and "18.1.0" are equal. */
enum osrange_answer osrange_check(const struct osrange *range, const char *version);

#endif
