/* worker: the process that works on one device and tells it in JSON lines */
#ifndef FLOW_WORKER_H
#define FLOW_WORKER_H

#include <jansson.h>
#include <stdbool.h>

struct job;
struct mux_device;
struct outcome;

/*
 * In a forked child: enters the sandbox, runs the job, and writes events and one
 * result to parent (a socket). The caller ends the process then, and that end of
 * the socket with it. wants_steps: also tell when a step begins.
 */
void	worker_main(const struct job *job, const struct mux_device *device, const char *run,
	    bool wants_steps, int parent);

/* The result of a device whose worker did not tell one. A new reference. */
json_t	*worker_lost_result(const struct job *job, const char *run,
	    const struct mux_device *device, struct outcome *told);

#endif
