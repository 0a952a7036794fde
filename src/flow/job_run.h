/* job_run: a running job, as job.c and job_policy.c share it; nobody else's */
#ifndef FLOW_JOB_RUN_H
#define FLOW_JOB_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/desired.h"
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
	int				 signer;	/* its channel */
	struct desired			*desired;	/* the job's, or own */
	struct desired			 own;		/* what the policy asks of this device */
	enum reason			 obstacle;	/* no policy is for it, and why */
	struct session			*session;
	int64_t				 step_began;
};

/* Whether this kind of job changes the device, and so may pair with it. */
bool	job_is_changing(enum job_kind kind);

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

#endif
