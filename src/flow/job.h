/* job: one device, from its facts to its verdict; runs in a worker process */
#ifndef FLOW_JOB_H
#define FLOW_JOB_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "core/desired.h"
#include "core/facts.h"
#include "core/lint.h"
#include "core/profile_listed.h"
#include "core/verdict.h"
#include "device/patience.h"
#include "wire/mux.h"

struct blob;
struct cert;
struct policies;

enum job_kind {
	JOB_LIST,	/* who is it, who supervises it */
	JOB_SHOW,	/* the same and all its profiles */
	JOB_VERIFY,
	JOB_PLAN,
	JOB_APPLY,
	JOB_REMOVE,
	JOB_PAIR,
	JOB_UNPAIR,
	JOB_AWAIT,	/* until a person has done what is awaited; no result but that */
	JOB_DIFF,	/* desired's only profile against the one on the device */
};

enum { JOB_IDENTITIES_MAX = 128 };

/* One of several identities: its certificate, and a channel to its signer. */
struct job_identity {
	const struct cert	*cert;
	int			 signer;
};

/* What to do; borrowed and read only. */
struct job {
	enum job_kind		 kind;
	/* Of VERIFY, PLAN, APPLY, REMOVE and DIFF; settled in place. */
	struct desired		*desired;
	/* DER of the identity; NULL: none, or the signer tells it. */
	const struct blob	*certificate;
	int			 signer;	/* channel to the signer, or -1 */
	/*
	 * In place of the three above: what the device should be, and who we are
	 * towards it, is decided when it has said who it is. NULL: no policies.
	 */
	const struct policies	*policies;
	const struct job_identity *identities;	/* policy.identity_index points here */
	size_t			 n_identities;
	const char		*slot;		/* the name of its port, or NULL */
	bool			 has_slot_map;	/* ports have names */
	enum wait_for		 await;		/* AWAIT */
	bool			 may_ask_person;	/* pair by the Trust dialog */
	bool			 is_forced;	/* errors of lint stop nothing */
	int64_t			 timeout_ms;	/* the whole job */
	int64_t			 person_ms;	/* on top, for a person */
};

/* A request that changes the device: which step, and which profile (or NULL). */
struct job_request {
	const char	*step;			/* "install", "remove", "pair", "unpair" */
	const char	*identifier;
	const char	*uuid;			/* of what is installed */
};

/* How a job goes, told as it goes. Every member may be NULL. */
struct job_listener {
	void	(*step)(void *ctx, const char *name);	/* begins */
	void	(*waiting)(void *ctx, enum wait_for what);
	void	(*is_signed)(void *ctx, const char *purpose);
	/* Asked before a request that changes the device leaves: it must be on record
	 * by then, and how long that takes is not the job's time. -1: it may not leave. */
	int	(*permit)(void *ctx, const struct job_request *request, struct error *err);
	/* The request is about to be sent (false), or was acknowledged (true). */
	void	(*delivered)(void *ctx, const struct job_request *request, bool is_acknowledged);
	void	*ctx;
};

enum { JOB_STEPS_MAX = 16 };

struct job_step {
	const char	*name;
	int64_t		 ms;
};

/* What a job did with one profile. */
struct job_change {
	char		*identifier;
	char		*uuid_before;	/* NULL: it was not there */
	enum action	 action;
};

/* What lint says of a given profile on this very device; see core/lint_facts. */
struct job_lint {
	char			*identifier;
	struct lint_report	 report;
};

/* Everything a result is made of. Zero-initialise; release with outcome_clear(). */
struct outcome {
	struct timespec		 at;
	struct facts		 facts;
	struct judgement	 judgement;
	enum reason		 reason;
	enum truth		 truth;
	bool			 is_changed;	/* it acknowledged a request to change or to pair */
	const char		*policy;	/* name of the one in use; borrowed from the job */
	int64_t			 boundary;	/* then its window opens or closes; 0 unknown */
	struct desired		 desired;	/* what a policy asked; judgement borrows from it */
	enum truth		 furthest;	/* how far such a one came that the job is about */
	struct job_change	*changes;
	size_t			 n_changes;
	struct job_lint		*lints;		/* of profiles from files, if there is something */
	size_t			 n_lints;
	struct profile_listing	 listing;	/* of DIFF */
	struct error		 error;		/* kind ERR_NONE: none */
	struct job_step		 steps[JOB_STEPS_MAX];
	size_t			 n_steps;
	int64_t			 duration_ms;
};

/*
 * Does the job. Always ends within timeout plus person and always fills *out;
 * there is no other failure. listener may be NULL.
 */
void	job_run(const struct job *job, const struct mux_device *device,
	    const struct job_listener *listener, struct outcome *out);
void	outcome_clear(struct outcome *o);

#define auto_outcome	auto_with(outcome_clear)

/* Whether a verdict's truth is about this step: an apply that pairs is about profiles. */
bool	job_is_about(enum job_kind kind, const char *step);

/* "apply" and its like, as in JSON's command. */
const char *job_kind_word(enum job_kind kind);

#endif
