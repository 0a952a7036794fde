/* restrictions: the keys of com.apple.applicationaccess as a device sees them */
#ifndef SIM_RESTRICTIONS_H
#define SIM_RESTRICTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum restriction_kind { KIND_BOOL, KIND_NUMBER, KIND_TEXT, KIND_LIST };

/* What several profiles that set the same key come to. */
enum restriction_fold {
	FOLD_FALSE_WINS, FOLD_TRUE_WINS, FOLD_SMALLEST, FOLD_UNION, FOLD_INTERSECTION,
	FOLD_LAST,	/* no rule is known: the profile installed last */
};

struct restriction {
	const char		*key;
	enum restriction_kind	 kind;
	enum restriction_fold	 fold;
	double			 unrestricted;	/* the default; 0 is false */
	long			 since;		/* supervised only from this major version;
						 * 0: always */
	bool			 supervised_only;
	const char		*introduced;	/* in that version; NULL: heeded from an MDM
						 * alone */
};

/* NULL: the device does not know the key and ignores it. */
const struct restriction *restriction_find(const char *key);
/* os: the version of the device's system. What it does not heed it ignores silently. */
bool	restriction_is_heeded(const struct restriction *row, const char *os);
bool	restriction_needs_supervision(const struct restriction *row, const char *os);
/* Old names are merged with the new ones. */
const char *restriction_modern_name(const char *key);
/* The ith key that goes with it when it is turned off; NULL after the last. */
const char *restriction_implied(const char *key, size_t i);

#endif
