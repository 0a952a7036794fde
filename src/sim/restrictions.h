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
	long			 since;		/* supervised only from this major version; 0: always */
	bool			 supervised_only;
};

/* NULL: the device does not know the key and ignores it. */
const struct restriction *restriction_find(const char *key);
/* major: of the device's OS. */
bool	restriction_needs_supervision(const struct restriction *row, long major);
/* Old names are merged with the new ones. */
const char *restriction_modern_name(const char *key);
/* The ith key that goes with it when it is turned off; NULL after the last. */
const char *restriction_implied(const char *key, size_t i);

#endif
