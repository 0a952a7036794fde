/* verdict: the product's words, what they mean, and how facts become one of them */
#ifndef CORE_VERDICT_H
#define CORE_VERDICT_H

#include <plist/plist.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/clean.h"
#include "core/facts.h"

struct desired;
struct error;

/* The value is the exit code. */
enum verdict {
	VERDICT_COMPLIANT = 0,
	VERDICT_NONCOMPLIANT = 1,
	VERDICT_BLOCKED = 2,
	VERDICT_FAILED = 3,
};

/* In the order of the table in verdict.c, which gives each its verdict and hint. */
enum reason {
	REASON_NONE,

	REASON_PROFILE_MISSING,
	REASON_PROFILE_DIFFERS,
	REASON_PROFILE_INACTIVE,
	REASON_PROFILE_UNWANTED,
	REASON_NOT_EFFECTIVE,
	REASON_PROFILE_UNSUITABLE,

	REASON_UNSUPERVISED,
	REASON_FOREIGN_SUPERVISION,
	REASON_UNTRUSTED,
	REASON_TRUST_PENDING,
	REASON_TRUST_DENIED,
	REASON_PAIRING_FORBIDDEN,
	REASON_LOCKED,
	REASON_NOT_ACTIVATED,
	REASON_OS_TOO_OLD,
	REASON_NO_POLICY,

	REASON_UNPLUGGED,
	REASON_TIMEOUT,
	REASON_REFUSED,
	REASON_PROTOCOL,
	REASON_NOT_STORED,
	REASON_NOT_REMOVED,
	REASON_USBMUXD_LOST,
	REASON_CRASHED,
	REASON_INTERRUPTED,
	REASON_UNRECORDED,
	REASON_UNSIGNED,

	REASON_COUNT
};

/* From weak to strong; a verdict states the one it rests on, and never more. */
enum truth {
	TRUTH_NONE,
	TRUTH_SENT,		/* the request left this machine */
	TRUTH_ACKNOWLEDGED,	/* the device answered Acknowledged */
	TRUTH_PRESENT,		/* the device's own list shows it as expected */
	TRUTH_EFFECTIVE,	/* the device reported the value in force */
};

const char	*verdict_word(enum verdict v);
const char	*reason_word(enum reason r);	/* NULL for REASON_NONE */
const char	*truth_word(enum truth t);	/* NULL for TRUTH_NONE */
enum verdict	 reason_verdict(enum reason r);
/* What to do about it: one line. */
const char	*reason_hint(enum reason r);
/* What happened, in one line, for a reason that comes from facts. */
const char	*reason_message(enum reason r);

/*
 * The one place where an error becomes a reason. has_identity: whether a
 * supervision identity was offered, which decides what a refusal means.
 */
enum reason	reason_of_error(const struct error *err, bool has_identity);

enum action { ACTION_NONE, ACTION_INSTALL, ACTION_REPLACE, ACTION_REMOVE };

/* One profile, as wanted and as found. Borrowed from desired and facts. */
struct profile_judgement {
	const char			*identifier;
	const char			*expected_uuid;	/* NULL when it is to be absent */
	const struct installed_profile	*found;		/* NULL: not listed */
	size_t				 index;		/* in desired->profiles, when wanted */
	bool				 is_wanted;
	bool				 is_content_addressed;
	enum action			 action;	/* what would make it right */
	enum reason			 reason;
};

/* One restriction, as wanted and as reported. Borrowed. */
struct restriction_judgement {
	const char	*key;
	plist_t		 want;
	plist_t		 reported;	/* NULL: not reported */
	size_t		 profile;	/* in judgement.profiles */
	enum known	 is_in_force;	/* UNKNOWN: this device would not report it either way */
};

/* Zero-initialise; release with judgement_clear(), before facts and desired. */
struct judgement {
	enum reason			 reason;	/* the first that applies */
	enum truth			 truth;
	struct profile_judgement	*profiles;
	size_t				 n_profiles;
	struct restriction_judgement	*restrictions;
	size_t				 n_restrictions;
};

/*
 * Pure: compares what the device said with what it should be. The profile list
 * must have been read (facts->has_profiles), else REASON_PROTOCOL. Supervision
 * is judged by judge_supervision(), so that verify can tell more than its
 * first obstacle. -1 only when memory runs out.
 */
int	judge(const struct facts *facts, const struct desired *desired,
	    struct judgement *out, struct error *err);
void	judgement_clear(struct judgement *j);

#define auto_judgement	auto_with(judgement_clear)

/* REASON_NONE, REASON_UNSUPERVISED, REASON_FOREIGN_SUPERVISION, REASON_NOT_ACTIVATED. */
enum reason	judge_supervision(const struct facts *facts, bool has_identity);

/* Whether anything would have to be changed. */
bool	judgement_has_work(const struct judgement *j);

#endif
