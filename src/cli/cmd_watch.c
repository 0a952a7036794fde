/* cmd_watch: attach and detach as they happen, with the facts of each device */
#include "cli/command.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/log.h"
#include "cli/host.h"
#include "cli/output.h"
#include "cli/select.h"
#include "crypto/tls.h"
#include "flow/fleet.h"
#include "flow/job.h"
#include "flow/lane.h"
#include "flow/report.h"
#include "wire/mux.h"

enum { FACTS_S = 20, GRACE_MS = 1500, REACH_MS = 5000, RETRY_MS = 500, LANES = 32 };

enum guest_state {
	GUEST_WAITS,	/* for a lane, to be asked who it is */
	GUEST_ASKED,
	GUEST_TOLD,
	GUEST_UNWANTED,	/* -u names others */
};

/* A device that is there. usbmuxd names only its handle when it leaves. */
struct guest {
	struct mux_device	 device;
	enum guest_state	 state;
	struct lane		 lane;		/* when it is asked */
	struct deadline		 deadline;
	json_t			*event;		/* its coming, until that is told */
	json_t			*facts;		/* what it was told as */
};

struct watching {
	struct cli	*cli;
	struct job	 job;
	struct host	 host;
	struct guest	*guests;
	size_t		 n, n_asked, n_lanes;
};

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

/* ---- who it is --------------------------------------------------------------------- */

static const char *
name_of(const json_t *device, const char *key)
{
	return json_string_value(json_object_get(device, key));
}

/* Its coming, with what it says of itself in place of what usbmuxd said; NULL: it said nothing. */
static void
announce(struct watching *w, struct guest *g, const json_t *said)
{
	json_t *device = json_object_get(said, "device");

	if (!device)
		device = json_object_get(g->event, "device");
	if (!select_wants(w->cli, g->device.udid, name_of(device, "serial"),
	    name_of(device, "ecid"))) {
		g->state = GUEST_UNWANTED;
		json_decref(g->event);
	} else {
		g->state = GUEST_TOLD;
		g->facts = json_incref(device);
		json_object_set(g->event, "device", device);
		if (said) {
			json_object_set(g->event, "trust", json_object_get(said, "trust"));
			json_object_set(g->event, "error", json_object_get(said, "error"));
		}
		tell(w, g->event);
	}
	g->event = NULL;
}

static void
on_result(void *ctx, struct lane *lane, json_t *result)
{
	struct watching *w = ctx;
	size_t i;

	for (i = 0; i < w->n; i++)
		if (&w->guests[i].lane == lane && w->guests[i].event)
			announce(w, &w->guests[i], result);
}

/* Reading asks for nothing that would have to be permitted. */
static void
on_intent(void *ctx, struct lane *lane, json_t *intent)
{
	(void)ctx;
	(void)intent;
	lane_answer(lane, false);
}

static void
on_event(void *ctx, struct lane *lane, json_t *event)
{
	(void)ctx;
	(void)lane;
	(void)event;
}

static void
end_asking(struct watching *w, struct guest *g, enum lane_end_as as)
{
	json_t *result = lane_end(&g->lane, w->cli->run, as);

	w->n_asked--;
	if (g->event && as != LANE_STOPPED)
		announce(w, g, result);
	json_decref(result);
}

static void
begin_asking(struct watching *w, struct guest *g)
{
	const struct lane_order order = {
		.job = &w->job, .device = &g->device, .signer = w->host.signer, .run = w->cli->run,
	};
	struct error err = { 0 };

	if (lane_start(&order, &g->lane, &err) < 0) {
		log_at(LOG_NORMAL, "%s", err.message);
		announce(w, g, NULL);
		return;
	}
	g->state = GUEST_ASKED;
	g->deadline = deadline_in(w->job.timeout_ms + w->job.person_ms + GRACE_MS);
	w->n_asked++;
}

static void
fill_lanes(struct watching *w)
{
	size_t i;

	for (i = 0; i < w->n && w->n_asked < w->n_lanes; i++)
		if (w->guests[i].state == GUEST_WAITS)
			begin_asking(w, &w->guests[i]);
}

/* ---- coming and going ----------------------------------------------------------------- */

static int
welcome(struct watching *w, const struct mux_device *device, struct error *err)
{
	struct guest *grown = reallocarray(w->guests, w->n + 1, sizeof(*grown));
	json_t *event = report_event("attached", device);

	if (grown)
		w->guests = grown;
	if (!grown || !event) {
		json_decref(event);
		return error_memory(err);
	}
	w->guests[w->n++] = (struct guest){
		.device = *device, .lane = { .fd = -1 }, .event = event,
	};
	return 0;
}

/* Who leaves before it has said who it is came all the same. */
static void
see_off(struct watching *w, size_t i)
{
	struct guest *g = &w->guests[i];
	json_t *event;

	if (g->lane.fd >= 0)
		end_asking(w, g, LANE_STOPPED);
	if (g->event)
		announce(w, g, NULL);
	event = g->state == GUEST_TOLD ? report_event("detached", &g->device) : NULL;
	if (event) {
		json_object_set(event, "device", g->facts);
		tell(w, event);
	}
	json_decref(g->facts);
	w->guests[i] = w->guests[--w->n];
}

static int
handle_event(struct watching *w, const struct mux_event *e, struct error *err)
{
	size_t i;

	if (e->kind == MUX_ATTACHED)
		return welcome(w, &e->device, err);
	for (i = 0; e->kind == MUX_DETACHED && i < w->n; i++)
		if (w->guests[i].device.handle == e->device.handle) {
			see_off(w, i);
			break;
		}
	return 0;
}

/* ---- the loop ------------------------------------------------------------------------- */

static int
unheard(struct error *err)
{
	return error_set(err, ERR_IO, "standard output cannot be written");
}

static int
wait_for_all(struct watching *w, struct mux_watch *mux, struct error *err)
{
	auto_free struct pollfd *fds = calloc(w->n + 2, sizeof(*fds));
	struct deadline until = deadline_never();
	size_t i;

	if (!fds)
		return error_memory(err);
	for (i = 0; i < w->n; i++) {
		fds[i] = (struct pollfd){ .fd = w->guests[i].lane.fd, .events = POLLIN };
		if (fds[i].fd >= 0)
			until = deadline_sooner(until, w->guests[i].deadline);
	}
	fds[w->n] = (struct pollfd){ .fd = mux_watch_fd(mux), .events = POLLIN };
	/* Only whether its reader is gone. */
	fds[w->n + 1] = (struct pollfd){ .fd = STDOUT_FILENO };
	if (deadline_poll(fds, w->n + 2, until, true) < 0)
		return deadline_interrupted() ? error_set(err, ERR_INTERRUPTED, "interrupted") :
		    error_set_sys(err, ERR_SOFTWARE, errno, "poll");
	if (fds[w->n + 1].revents & POLLERR)
		return unheard(err);
	for (i = 0; i < w->n; i++) {
		const struct lane_listener listener = {
			.intent = on_intent, .event = on_event, .result = on_result, .ctx = w,
		};
		struct guest *g = &w->guests[i];
		bool is_open, is_over;

		if (g->lane.fd < 0)
			continue;
		is_open = !fds[i].revents || lane_read(&g->lane, &listener);
		is_over = is_open && deadline_passed(g->deadline);
		if (!is_open || is_over)
			end_asking(w, g, is_over ? LANE_OVERDUE : LANE_ENDED);
	}
	return 0;
}

/* Until usbmuxd goes away (ERR_MUX), nobody listens any more, or somebody stops us. */
static int
follow(struct watching *w, struct mux_watch *mux, struct error *err)
{
	for (;;) {
		struct mux_event e;
		int rc;

		while ((rc = mux_watch_next(mux, &e, err)) > 0)
			if (handle_event(w, &e, err) < 0)
				return -1;
		if (rc < 0)
			return -1;
		fill_lanes(w);
		if (ferror(stdout))
			return unheard(err);
		if (wait_for_all(w, mux, err) < 0)
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
		if (err->kind == ERR_IO)
			return -1;
		while (w->n > 0)
			see_off(w, 0);
		if (rc == 0)
			log_at(LOG_VERBOSE, "%s; waiting for it", err->message);
		if (deadline_pause(deadline_in(RETRY_MS), err) < 0)
			return 0;
	}
}

static void
end_watching(struct watching *w)
{
	size_t i;

	for (i = 0; i < w->n; i++) {
		if (w->guests[i].lane.fd >= 0)
			end_asking(w, &w->guests[i], LANE_STOPPED);
		json_decref(w->guests[i].event);
		json_decref(w->guests[i].facts);
	}
	free(w->guests);
	host_close(&w->host);
}

int
cmd_watch(struct cli *cli)
{
	const struct options *o = &cli->options;
	auto_with(end_watching) struct watching w = {
		.cli = cli, .n_lanes = o->jobs > 0 ? (size_t)o->jobs : LANES,
	};
	struct error err = { 0 };

	if (o->all && o->udids.n) {
		error_set(&err, ERR_USAGE, "-a and -u exclude each other");
		return cli_fail(cli, &err);
	}
	fleet_catch_signals();
	if (o->is_identity_named && host_open(o, &w.host, &err) < 0)
		return cli_fail(cli, &err);
	w.job = (struct job){
		.kind = JOB_LIST, .signer = -1,
		.certificate = w.host.signer ? &w.host.cert.der : NULL,
		.timeout_ms = 1000 * (o->timeout_s > 0 ? o->timeout_s : FACTS_S),
		.person_ms = 1000 * (o->wait_s > 0 ? o->wait_s : 0),
	};
	/* Once here, and shared by every worker's pages. */
	if (tls_prepare(&err) == 0 && watch(&w, &err) == 0)
		return 0;
	return err.kind == ERR_IO && output_is_abandoned() ? EX_IOERR : cli_fail(cli, &err);
}
