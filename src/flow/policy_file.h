/* policy_file: policies from YAML files (cli: --policy, policy check, station) */
#ifndef FLOW_POLICY_FILE_H
#define FLOW_POLICY_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clean.h"
#include "core/policy.h"

struct error;

enum { POLICY_FILE_MAX = 1 << 20, POLICY_FINDINGS_MAX = 64, POLICIES_MAX = 512 };

/* Something to say about a file, with the place it is about. */
struct policy_finding {
	bool		is_error;	/* else a warning */
	unsigned	line, column;	/* from 1 */
	char		message[240];
};

/* Zero-initialise; nothing to release. What does not fit is counted. */
struct policy_findings {
	struct policy_finding	items[POLICY_FINDINGS_MAX];
	size_t			n, errors, left_out;
};

/*
 * Reads one policy, with the profiles that it names and the rules of its time
 * zone: nothing is opened later. *out is the caller's: policy_free(). -1 with
 * ERR_NOINPUT when the file itself cannot be read, ERR_DATA "FILE:3:7: …" with
 * its first error when the policy is no good; the findings (may be NULL) then
 * have them all. Warnings alone do not fail. Files in it are relative to its
 * own folder.
 */
int	policy_file_load(const char *path, struct policy **out, struct policy_findings *findings,
	    struct error *err);
void	policy_free(struct policy *p);

/*
 * One more policy next to others: ERR_DATA, and not added, when the two would
 * fight over the same devices or have one name. Takes p, also on failure.
 */
int	policies_add(struct policies *all, struct policy *p, struct error *err);
/* The *.yaml and *.yml of a folder, in the order of their names. */
int	policies_load_folder(const char *folder, struct policies *out, struct error *err);
void	policies_free(struct policies *all);	/* with its policies */

#define auto_policies	auto_with(policies_free)

#endif
