/* cmd_watch: attach and detach as they happen, with the facts of each device */
#include "cli/command.h"

#include <string.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/log.h"
#include "cli/host.h"
#include "cli/output.h"
#include "flow/fleet.h"
#include "flow/job.h"
#include "flow/report.h"
#include "wire/mux.h"

#include <poll.h>

enum { FACTS_MS = 20000, REACH_MS = 5000, RETRY_MS = 500 };

/* The devices that are there, by their handle: a detach tells nothing else. */
struct watching {
	struct cli		*cli;
	struct job		 job;
	struct host		 host;
	struct mux_device	*there;
	size_t			 n;
	json_t			*facts;		/* of the device asked last */
};

static void
take_facts(void *ctx, const struct mux_device *device, json_t *message, bool is_result)
{
	struct watching *w = ctx;

	(void)device;
	if (!is_result)
		return;
	json_decref(w->facts);
	w->facts = json_incref(message);
}

/* What the device says of itself goes into the event in place of what usbmuxd said. */
static void
add_facts(struct watching *w, const struct mux_device *device, json_t *event)
{
	const struct fleet fleet = {
		.job = &w->job, .signer = w->host.signer, .run = w->cli->run, .jobs = 1,
		.tell = take_facts, .ctx = w,
	};
	struct error err = { 0 };

	if (fleet_run(&fleet, device, 1, &err) < 0)
		log_at(LOG_NORMAL, "%s", err.message);
	if (!w->facts)
		return;
	json_object_set(event, "device", json_object_get(w->facts, "device"));
	json_object_set(event, "trust", json_object_get(w->facts, "trust"));
	json_object_set(event, "error", json_object_get(w->facts, "error"));
	json_decref(w->facts);
	w->facts = NULL;
}

static void
tell(struct watching *w, json_t *event)
{
	if (w->cli->options.json) {
		output_json_line(stdout, event);
		return;
	}
	output_event(event, w->cli->color);
	json_decref(event);
}

static int
remember(struct watching *w, const struct mux_device *device, struct error *err)
{
	struct mux_device *grown = reallocarray(w->there, w->n + 1, sizeof(*grown));

	if (!grown)
		return error_memory(err);
	w->there = grown;
	w->there[w->n++] = *device;
	return 0;
}

static void
forget(struct watching *w, size_t i)
{
	json_t *event = report_event("detached", &w->there[i]);

	tell(w, event);
	w->there[i] = w->there[--w->n];
}

static int
handle_event(struct watching *w, const struct mux_event *e, struct error *err)
{
	json_t *event;
	size_t i;

	if (e->kind == MUX_DETACHED) {
		for (i = 0; i < w->n; i++)
			if (w->there[i].handle == e->device.handle) {
				forget(w, i);
				break;
			}
		return 0;
	}
	if (e->kind != MUX_ATTACHED)
		return 0;
	if (remember(w, &e->device, err) < 0)
		return -1;
	event = report_event("attached", &e->device);
	add_facts(w, &e->device, event);
	tell(w, event);
	return 0;
}

/* Until usbmuxd goes away (ERR_MUX) or somebody stops us (ERR_INTERRUPTED). */
static int
follow(struct watching *w, struct mux_watch *mux, struct error *err)
{
	for (;;) {
		struct mux_event e;
		int rc = mux_watch_next(mux, &e, err);

		if (rc < 0 || (rc > 0 && handle_event(w, &e, err) < 0))
			return -1;
		if (rc > 0)
			continue;
		if (deadline_wait(mux_watch_fd(mux), POLLIN, deadline_never(), err) < 0)
			return -1;
	}
}

/*
 * usbmuxd leaves with the last device and comes back with the next one: we wait
 * for it. Only the very first time it has to be there.
 */
static int
watch(struct watching *w, struct error *err)
{
	bool was_there = false;

	for (;;) {
		struct mux_watch *mux = NULL;
		int rc = mux_watch_open(w->cli->options.network, deadline_in(REACH_MS), &mux, err);

		if (rc < 0 && !was_there)
			return -1;
		if (rc == 0) {
			was_there = true;
			(void)follow(w, mux, err);
			mux_watch_close(mux);
		}
		/* We go, the devices stay: that is no detaching. */
		if (err->kind == ERR_INTERRUPTED || deadline_interrupted())
			return 0;
		while (w->n > 0)
			forget(w, 0);
		if (rc == 0)
			log_at(LOG_VERBOSE, "%s; waiting for it", err->message);
		if (deadline_pause(deadline_in(RETRY_MS), err) < 0)
			return 0;
	}
}

int
cmd_watch(struct cli *cli)
{
	struct watching w = { .cli = cli };
	struct error err = { 0 };
	int rc;

	fleet_catch_signals();
	if (cli->options.is_identity_named && host_open(&cli->options, &w.host, &err) < 0)
		return cli_fail(cli, &err);
	w.job = (struct job){
		.kind = JOB_LIST, .signer = -1, .timeout_ms = FACTS_MS,
		.certificate = w.host.signer ? &w.host.cert.der : NULL,
	};
	rc = watch(&w, &err);
	free(w.there);
	host_close(&w.host);
	return rc < 0 ? cli_fail(cli, &err) : 0;
}
