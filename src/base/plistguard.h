/* plistguard: is this property list safe to hand to libplist? (proplist asks) */
#ifndef BASE_PLISTGUARD_H
#define BASE_PLISTGUARD_H

#include <stdbool.h>
#include <stddef.h>

struct proplist_limits;

enum plistguard_problem {
	PLIST_FINE,
	PLIST_NOT_A_LIST,	/* neither XML nor binary */
	PLIST_TOO_LARGE,
	PLIST_MALFORMED,	/* tags do not match, or a reference points outside */
	PLIST_TRUNCATED,
	PLIST_ENTITIES,		/* an entity declaration or an internal DTD subset */
	PLIST_TOO_DEEP,
	PLIST_TOO_MANY,		/* nodes */
	PLIST_TRAILING,		/* bytes after the end */
};

struct plistguard_finding {
	enum plistguard_problem	problem;
	bool			is_binary;
	size_t			offset;		/* of the byte that gave it away */
	char			text[120];	/* one line for people */
};

/*
 * Walks the bytes without recursion and without allocating; time is linear in
 * the size plus the node limit. false: *finding says what is wrong.
 */
bool	plistguard_check(const void *data, size_t len, const struct proplist_limits *limits,
	    struct plistguard_finding *finding);

#endif
