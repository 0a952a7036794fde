/* patience: how long a job may take, and how long a person may take on top */
#ifndef DEVICE_PATIENCE_H
#define DEVICE_PATIENCE_H

#include <stdint.h>

#include "base/deadline.h"

struct error;

enum wait_for { WAIT_UNLOCK, WAIT_TRUST };

/*
 * The time a person takes is not the job's: while we wait for a hand on the
 * device, the job's deadline moves along.
 */
struct patience {
	struct deadline	 job;
	int64_t		 person_ms;	/* left for a person; 0: report and end */
	/* Told when a wait begins. NULL: nobody listens. */
	void		 (*waiting)(void *ctx, enum wait_for what);
	void		*ctx;
	int		 announced;	/* 1 + what was told last */
};

/* About once a second, as other clients do. */
enum { PATIENCE_ASK_AGAIN_MS = 1000 };

/*
 * Waits a moment before asking the device again: 0. When the patience is over:
 * -1, and *err (the refusal that made us wait) is as it was. ERR_INTERRUPTED
 * replaces it.
 */
int	patience_wait(struct patience *p, enum wait_for what, struct error *err);
/* The same, and the moment is as long as this. */
int	patience_wait_long(struct patience *p, enum wait_for what, int64_t pause_ms,
	    struct error *err);

#endif
