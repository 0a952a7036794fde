/* job_run: a running job, as the job_ files share it; nobody else's */
#ifndef FLOW_JOB_RUN_H
#define FLOW_JOB_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/desired.h"
#include "crypto/cert.h"
#include "device/patience.h"
#include "device/session.h"
#include "flow/job.h"

struct run {
	const struct job		*job;
	const struct mux_device		*device;
	const struct job_listener	*listener;
	struct outcome			*out;
	struct patience			 patience;
	struct session_host		 host;	/* certificate: of the identity in use, or NULL */
	struct pairing_keys		*keys;	/* for the device; NULL until needed */
	int				 signer;	/* its channel */
	struct cert			 told;		/* what that told of itself */
	struct desired			*desired;	/* the job's, or own */
	struct desired			 own;		/* what the policy asks of this device */
	enum reason			 obstacle;	/* no policy is for it, and why */
	struct session			*session;
	int64_t				 step_began;
	bool				 is_step_told;	/* there was room for it in out->steps */
};

/* ---- job.c: the kinds of job, and their steps ------------------------------- */

/* The step before ends; the listener hears of this one. */
void	job_begin_step(struct run *r, const char *name);
bool	job_has_identity(const struct run *r);
/* Whether this kind of job changes the device, and so may pair with it. */
bool	job_is_changing(enum job_kind kind);

/*
 * ERR_LINK: whether the cable was pulled (it stays), the device hung up
 * (ERR_PROTOCOL) or usbmuxd.
 */
void	job_explain_lost_link(const struct run *r, struct error *err);

/* ---- job_policy.c: whose device it is ------------------------------------------- */

/*
 * Opens the session. A device that does not know us is offered the certificates
 * of the policies that may be for it, most specific first. -1 with r->obstacle
 * when no policy can be for it.
 */
int	job_connect_by_policy(struct run *r, struct error *err);
/*
 * MCInstall is open and all is known: takes the policy, its identity and what
 * it asks into *r, or sets r->obstacle. -1 only when that fails.
 */
int	job_choose_policy(struct run *r, struct error *err);

/* ---- job_look.c: what is on the device --------------------------------------- */

/* Both replace what was read before, and with it the judgement of it. */
int	job_read_profiles(struct run *r, struct error *err);
int	job_read_restrictions(struct run *r, struct error *err);
/* Whether the device's own report of restrictions would tell us more. */
bool	job_wants_restrictions(const struct run *r);
/* Judges what was read, again. */
int	job_judge(struct run *r, struct error *err);
/* Reads what is there and judges it; asks for the strongest truth there is. */
int	job_examine(struct run *r, struct error *err);

/* Escalates for a query only, where that can be of use: *is_escalated. */
int	job_escalate_to_ask(struct run *r, bool *is_escalated, struct error *err);

/* ---- job_lint.c: the given profiles, on this very device ---------------------- */

/* Whether a profile is wanted that we have not built. */
bool	job_has_files(const struct run *r);
/*
 * Lints them with what is known of the device, into r->out->lints. A device that
 * has other profiles is asked what those restrict, if it answers us at all.
 */
int	job_lint(struct run *r, struct error *err);
/* Whether one that would be sent has an error on this device. */
bool	job_is_unsuitable(const struct run *r);

/* ---- job_act.c: changing it ---------------------------------------------------- */

/* Asked before a request that changes the device leaves. -1: it may not. */
int	job_permit(struct run *r, const struct job_request *request, struct error *err);
/* Makes the changes that the judgement asks for, reads all again and judges it. */
int	job_act(struct run *r, struct error *err);

#endif
