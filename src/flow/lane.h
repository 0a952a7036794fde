/* lane: one worker process on one device, as its parent sees it */
#ifndef FLOW_LANE_H
#define FLOW_LANE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/blob.h"
#include "flow/job.h"

struct cert;
struct error;
struct fleet_identity;
struct signer;

/* What a worker is started with. Borrowed during lane_start(). */
struct lane_order {
	const struct job		*job;	/* signers are set for the worker */
	const struct mux_device		*device;
	struct signer			*signer;	/* NULL: no identity */
	const struct fleet_identity	*identities;	/* those of job->policies */
	size_t				 n_identities;
	const char			*run;	/* UUID of the command */
	bool				 wants_steps;
	bool				 must_ask;	/* before a change is sent */
};

/* A running worker. Zero-initialise with fd -1: that lane is free. */
struct lane {
	pid_t			 pid;
	int			 fd;		/* readable: lane_read() */
	struct mux_device	 device;
	enum job_kind		 kind;
	char			 slot[64];	/* "": its port has no name */
	struct blob		 line;
	struct outcome		 told;		/* what its events say, should it die */
	bool			 has_result;
	bool			 is_asking;	/* waits for lane_answer() */
	unsigned		 n_lines;	/* that it has said */
	bool			 is_endless;	/* it said more than any worker would */
};

/*
 * Forks the worker (see flow/fleet.h on what that means), in a process group of
 * its own: should it ever start another, that one ends with it. *out is ended by
 * lane_end(). -1: there is none.
 */
int	lane_start(const struct lane_order *order, struct lane *out, struct error *err);

/*
 * What a worker says; message is borrowed. An intent is a change that it has in
 * hand and waits with, until lane_answer().
 */
struct lane_listener {
	void	(*intent)(void *ctx, struct lane *lane, json_t *intent);
	void	(*event)(void *ctx, struct lane *lane, json_t *event);
	void	(*result)(void *ctx, struct lane *lane, json_t *result);	/* once */
	void	*ctx;
};

/*
 * Reads what is there, without blocking once poll(2) said so. false: the
 * worker has closed its end, or says more than any worker would.
 */
bool	lane_read(struct lane *lane, const struct lane_listener *listener);
void	lane_answer(struct lane *lane, bool may);

/* The worker is to say how far it came and to end. */
void	lane_stop(struct lane *lane);

enum lane_end_as { LANE_ENDED, LANE_OVERDUE, LANE_STOPPED };

/*
 * Kills the worker if it still lives, takes its exit status and frees the lane.
 * A new reference to the result of a worker that did not tell one: as says why
 * it was killed, and LANE_ENDED that it was not. NULL when the result was told.
 */
json_t	*lane_end(struct lane *lane, const char *run, enum lane_end_as as);

/* The result of a device for which no worker ever ran. */
json_t	*lane_not_begun(const struct mux_device *device, enum job_kind kind, const char *slot,
	    const char *run, enum reason reason, const char *message);

#endif
