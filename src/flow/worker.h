/* worker: the process that works on one device and tells it in JSON lines */
#ifndef FLOW_WORKER_H
#define FLOW_WORKER_H

#include <jansson.h>
#include <stdbool.h>

struct job;
struct mux_device;
struct outcome;

/* Borrowed; the worker's copy of its parent's memory. */
struct worker_order {
	const struct job	*job;
	const struct mux_device	*device;
	const char		*run;
	int			 parent;		/* the socket to it */
	bool			 wants_steps;		/* tell when a step begins */
	bool			 must_ask;		/* before a change is sent */
};

/*
 * In a forked child: enters the sandbox, runs the job, and writes events and one
 * result to the parent. The caller ends the process then, and that end of the
 * socket with it. With must_ask it tells the parent of each change in an "intent"
 * event and sends nothing before WORKER_MAY has come back.
 */
void	worker_main(const struct worker_order *order);

enum { WORKER_MAY = '+', WORKER_MAY_NOT = '-' };

/* The result of a device whose worker did not tell one. A new reference. */
json_t	*worker_lost_result(const struct job *job, const char *run,
	    const struct mux_device *device, struct outcome *told);

#endif
