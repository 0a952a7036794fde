/* fleet: several devices at once, one worker process each */
#ifndef FLOW_FLEET_H
#define FLOW_FLEET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cert;
struct error;
struct job;
struct mux_device;
struct signer;

/* One identity of several, in the order of job->identities. Borrowed. */
struct fleet_identity {
	struct signer		*signer;
	const struct cert	*cert;
};

/*
 * Workers are forked from a process that never held a key, and do not execute
 * anything: they share its pages (well under a megabyte of their own each) and
 * begin at once. A worker that hangs is killed, one that crashes costs its one
 * device, and both are told as such. What a worker says arrives as JSON lines;
 * it has parsed what a device sent, so the lines are read with limits.
 */
struct fleet {
	const struct job	*job;		/* signers are set for each worker */
	struct signer		*signer;	/* NULL: no identity */
	const struct fleet_identity *identities;	/* those of job->policies; beside signer */
	size_t			 n_identities;
	/* The name of the port that the device hangs on, NULL when it has none. The
	 * member is NULL when ports have no names. Asked while it is attached. */
	const char		*(*slot_of)(void *slot_ctx, const struct mux_device *device);
	void			*slot_ctx;
	const char		*run;		/* UUID of this command */
	unsigned		 jobs;		/* at once */
	bool			 wants_steps;	/* events for each step, not only what matters */
	/* A worker's message: an event, or (is_result) what the device gets told as.
	 * message is borrowed. */
	void			(*tell)(void *ctx, const struct mux_device *device,
				    json_t *message, bool is_result);
	/*
	 * Gets what the command needs beside its workers, while they begin: it may wait
	 * for the identity. Called once and before anything else here; they are not
	 * heard or answered before it has returned, so nothing that changes a device is
	 * sent. It may set what job points to. -1: no device gets a result, and
	 * fleet_run() returns that error. NULL: it is all there.
	 */
	int			(*complete)(void *ctx, struct error *err);
	/*
	 * Called with each change that a worker wants to send ("intent": step,
	 * profile, uuid). -1 and the worker sends nothing, no other job begins, and
	 * fleet_run() returns that error. NULL: nothing is recorded.
	 */
	int			(*permit)(void *ctx, const struct mux_device *device,
				    const json_t *intent, struct error *err);
	/*
	 * Called before any worker hears that it may send: what was told and
	 * permitted so far must be on the disk when it returns 0. -1 is for all that
	 * wait for their answer what a -1 of permit is for one. It is also called
	 * soon after something was told, once for all that came together, and
	 * before fleet_run() returns; a -1 is then the caller's to keep. May be NULL.
	 */
	int			(*commit)(void *ctx, struct error *err);
	void			*ctx;
};

/*
 * Works on all devices and returns when each has its result. On SIGINT and
 * SIGTERM (when fleet_catch_signals() was called) it starts no more workers,
 * lets those running say how far they came, and tells the devices not begun as
 * interrupted. Returns 0, or -1 when complete failed, when not even one worker could
 * be started, and, with every device told, when the record failed (see permit).
 */
int	fleet_run(const struct fleet *fleet, const struct mux_device *devices, size_t n,
	    struct error *err);

/* SIGINT and SIGTERM end waits (deadline_interrupt) instead of the process. */
void	fleet_catch_signals(void);

#endif
