/* fleet: several devices at once, one worker process each */
#include "flow/fleet.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "core/verdict.h"
#include "crypto/signer.h"
#include "crypto/tls.h"
#include "flow/job.h"
#include "flow/report.h"
#include "flow/worker.h"
#include "wire/mux.h"

enum {
	LINE_MAX_BYTES = 4 << 20,	/* a result with some thousand profiles */
	GRACE_MS = 1500,		/* after its deadline, to say so itself */
	STOP_MS = 3000,			/* after an interrupt, to say how far it came */
};

/* A running worker. */
struct lane {
	pid_t			 pid;
	int			 fd;		/* its JSON lines; -1: lane is free */
	const struct mux_device	*device;
	struct deadline		 deadline;	/* when it is killed */
	struct blob		 line;
	struct outcome		 told;		/* what its events say, should it die */
	bool			 has_result;
	struct error		*unrecorded;	/* where a refused permission is kept */
};

static volatile sig_atomic_t stop_requested;

static void
on_signal(int sig)
{
	(void)sig;
	stop_requested = 1;
	deadline_interrupt();
}

void
fleet_catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* ---- starting ------------------------------------------------------------ */

static int64_t
now_plus(const struct job *job)
{
	return job->timeout_ms + job->person_ms + GRACE_MS;
}

/* A worker's channels, one to each signer; ours are closed when it has them. */
struct channels {
	int			 signer;
	struct job_identity	 identities[JOB_IDENTITIES_MAX];
	size_t			 n;
};

static void
close_channels(struct channels *c)
{
	size_t i;

	clean_fd(&c->signer);
	for (i = 0; i < c->n; i++)
		clean_fd(&c->identities[i].signer);
}

static int
open_channels(const struct fleet *fleet, const char *udid, struct channels *out,
    struct error *err)
{
	size_t i;

	if (fleet->signer && signer_channel(fleet->signer, udid, &out->signer, err) < 0)
		return -1;
	for (i = 0; i < fleet->n_identities && i < JOB_IDENTITIES_MAX; i++) {
		const struct fleet_identity *id = &fleet->identities[i];

		out->identities[i] = (struct job_identity){ id->cert, -1 };
		if (signer_channel(id->signer, udid, &out->identities[i].signer, err) < 0)
			return -1;
		out->n++;
	}
	return 0;
}

static void
tell_started(const struct fleet *fleet, const struct mux_device *device)
{
	json_t *event = report_event("started", device);

	fleet->tell(fleet->ctx, device, event, false);
	json_decref(event);
}

static int
start_lane(const struct fleet *fleet, const struct mux_device *device, struct lane *lane,
    struct error *err)
{
	auto_with(close_channels) struct channels channels = { .signer = -1 };
	struct job job = *fleet->job;
	int ends[2];
	pid_t pid;

	if (open_channels(fleet, device->udid, &channels, err) < 0)
		return -1;
	job.signer = channels.signer;
	job.identities = channels.identities;
	job.n_identities = channels.n;
	job.has_slot_map = fleet->slot_of != NULL;
	job.slot = fleet->slot_of ? fleet->slot_of(fleet->slot_ctx, device) : NULL;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set_sys(err, ERR_SOFTWARE, errno, "a socket for the worker");
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		worker_main(&(struct worker_order){ .job = &job, .device = device, .run = fleet->run,
		    .parent = ends[1], .wants_steps = fleet->wants_steps,
		    .must_ask = fleet->permit != NULL });
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return error_set_sys(err, ERR_SOFTWARE, errno, "fork");
	}
	*lane = (struct lane){
		.pid = pid, .fd = ends[0], .device = device, .deadline = deadline_in(now_plus(&job)),
	};
	tell_started(fleet, device);
	return 0;
}

/* ---- what workers say ---------------------------------------------------- */

/* Events leave their trace, so that a worker's death can be told with what it did. */
static void
note_event(struct lane *lane, json_t *message)
{
	const char *truth = json_string_value(json_object_get(message, "truth"));

	if (truth && strcmp(truth, "sent") == 0 && lane->told.furthest < TRUTH_SENT)
		lane->told.furthest = TRUTH_SENT;
	if (truth && strcmp(truth, "acknowledged") == 0) {
		lane->told.furthest = TRUTH_ACKNOWLEDGED;
		lane->told.is_changed = true;
	}
}

/* A worker waits for this with its change in hand. */
static void
answer_intent(const struct fleet *fleet, struct lane *lane, const json_t *intent)
{
	char answer = WORKER_MAY;

	if (fleet->permit &&
	    (lane->unrecorded->kind != ERR_NONE ||
		fleet->permit(fleet->ctx, lane->device, intent, lane->unrecorded) < 0))
		answer = WORKER_MAY_NOT;
	/* A worker that died meanwhile hears nothing; it has sent nothing either. */
	(void)send(lane->fd, &answer, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
take_line(const struct fleet *fleet, struct lane *lane, const char *line, size_t len)
{
	json_t *message = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *schema = json_string_value(json_object_get(message, "schema"));
	const char *event = json_string_value(json_object_get(message, "event"));
	bool is_event = schema && strcmp(schema, "chaperone.event/1") == 0;

	if (is_event && event && strcmp(event, "intent") == 0) {
		answer_intent(fleet, lane, message);
	} else if (schema && !lane->has_result) {
		if (is_event)
			note_event(lane, message);
		lane->has_result = !is_event;
		fleet->tell(fleet->ctx, lane->device, message, !is_event);
	}
	json_decref(message);
}

/* false: the worker's end is closed, or it says more than any worker would. */
static bool
read_lane(const struct fleet *fleet, struct lane *lane)
{
	char *newline;
	ssize_t n;

	if (blob_reserve(&lane->line, lane->line.len + 65536) < 0)
		return false;
	n = read(lane->fd, lane->line.data + lane->line.len, lane->line.room - lane->line.len);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n == 0)
		return false;
	lane->line.len += (size_t)n;
	while ((newline = memchr(lane->line.data, '\n', lane->line.len)) != NULL) {
		size_t len = (size_t)(newline - (char *)lane->line.data);

		take_line(fleet, lane, (char *)lane->line.data, len);
		blob_drop_front(&lane->line, len + 1);
	}
	return lane->line.len < LINE_MAX_BYTES;
}

/* ---- ending -------------------------------------------------------------- */

static void
tell_lost(const struct fleet *fleet, const struct mux_device *device, struct outcome *told,
    enum reason reason, const char *message)
{
	json_t *result;

	told->reason = reason;
	told->truth = told->furthest;
	if (fleet->slot_of) {
		const char *slot = fleet->slot_of(fleet->slot_ctx, device);

		text_printable(slot ? slot : "", slot ? strlen(slot) : 0, told->facts.slot,
		    sizeof(told->facts.slot));
	}
	error_set(&told->error, ERR_SOFTWARE, "%s", message);
	result = worker_lost_result(fleet->job, fleet->run, device, told);
	fleet->tell(fleet->ctx, device, result, true);
	json_decref(result);
}

static void
end_lane(const struct fleet *fleet, struct lane *lane, bool was_killed)
{
	int status = 0;

	close(lane->fd);
	lane->fd = -1;
	kill(lane->pid, SIGKILL);
	while (waitpid(lane->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!lane->has_result) {
		char message[96] = "the worker ended without a result";
		enum reason reason = REASON_CRASHED;

		if (was_killed && stop_requested) {
			reason = REASON_INTERRUPTED;
			snprintf(message, sizeof(message), "stopped by the operator");
		} else if (was_killed) {
			reason = REASON_TIMEOUT;
			snprintf(message, sizeof(message), "the device did not answer in time");
		} else if (WIFSIGNALED(status)) {
			snprintf(message, sizeof(message), "the worker was ended by signal %d",
			    WTERMSIG(status));
		}
		tell_lost(fleet, lane->device, &lane->told, reason, message);
	}
	outcome_clear(&lane->told);
	blob_clear(&lane->line);
}

static struct deadline
next_deadline(const struct lane *lanes, unsigned n)
{
	struct deadline next = deadline_never();
	unsigned i;

	for (i = 0; i < n; i++)
		if (lanes[i].fd >= 0)
			next = deadline_sooner(next, lanes[i].deadline);
	return next;
}

/* An interrupt: every worker hears it once, and has a moment to say how far it came. */
static void
pass_on_stop(struct lane *lanes, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		if (lanes[i].fd < 0)
			continue;
		kill(lanes[i].pid, SIGTERM);
		lanes[i].deadline = deadline_sooner(lanes[i].deadline, deadline_in(STOP_MS));
	}
}

/* ---- the loop ------------------------------------------------------------ */

/* Everything that fleet_run() needs while it runs. */
struct crew {
	const struct fleet	*fleet;
	const struct mux_device	*devices;
	size_t			 n, next;
	unsigned		 n_lanes, busy;
	struct lane		*lanes;
	struct pollfd		*polls;
	bool			 is_stopping;	/* no more jobs are begun */
	bool			 was_told;	/* workers have heard of the interrupt */
	size_t			 started;
	struct error		 unrecorded;	/* the ledger failed: nothing more is begun */
};

static int
fill_lanes(struct crew *c, struct error *err)
{
	unsigned i;

	for (i = 0; i < c->n_lanes && c->next < c->n && !c->is_stopping; i++) {
		const struct mux_device *device = &c->devices[c->next];
		struct outcome told = { 0 };

		if (c->lanes[i].fd >= 0)
			continue;
		c->next++;
		if (start_lane(c->fleet, device, &c->lanes[i], err) == 0) {
			c->lanes[i].unrecorded = &c->unrecorded;
			c->busy++;
			c->started++;
			continue;
		}
		if (c->started == 0)
			return -1;
		tell_lost(c->fleet, device, &told, REASON_CRASHED, err->message);
	}
	return 0;
}

static void
wait_for_lanes(struct crew *c)
{
	unsigned i;
	int n;

	for (i = 0; i < c->n_lanes; i++)
		c->polls[i] = (struct pollfd){ .fd = c->lanes[i].fd, .events = POLLIN };
	n = deadline_poll(c->polls, c->n_lanes, next_deadline(c->lanes, c->n_lanes), !c->is_stopping);
	for (i = 0; i < c->n_lanes; i++) {
		struct lane *lane = &c->lanes[i];
		bool is_over;

		if (lane->fd < 0)
			continue;
		is_over = deadline_passed(lane->deadline);
		if (!is_over && (n <= 0 || !c->polls[i].revents || read_lane(c->fleet, lane)))
			continue;
		end_lane(c->fleet, lane, is_over);
		c->busy--;
	}
}

static void
tell_not_begun(struct crew *c)
{
	for (; c->next < c->n; c->next++) {
		struct outcome told = { 0 };

		if (c->unrecorded.kind != ERR_NONE)
			tell_lost(c->fleet, &c->devices[c->next], &told, REASON_UNRECORDED,
			    "the ledger could not be written, so this device was not begun");
		else
			tell_lost(c->fleet, &c->devices[c->next], &told, REASON_INTERRUPTED,
			    "stopped by the operator before this device was begun");
	}
}

int
fleet_run(const struct fleet *fleet, const struct mux_device *devices, size_t n,
    struct error *err)
{
	struct crew c = { .fleet = fleet, .devices = devices, .n = n };
	auto_free struct lane *lanes = NULL;
	auto_free struct pollfd *polls = NULL;
	unsigned i;

	c.n_lanes = fleet->jobs < n ? fleet->jobs : (unsigned)n;
	c.lanes = lanes = calloc(c.n_lanes + 1, sizeof(*lanes));
	c.polls = polls = calloc(c.n_lanes + 1, sizeof(*polls));
	if (!lanes || !polls)
		return error_memory(err);
	/* Once here, and shared by every worker's pages. */
	if (tls_prepare(err) < 0)
		return -1;
	for (i = 0; i < c.n_lanes; i++)
		lanes[i].fd = -1;
	while (c.busy > 0 || (c.next < c.n && !c.is_stopping)) {
		if (fill_lanes(&c, err) < 0)
			return -1;
		if (stop_requested && !c.was_told) {
			c.was_told = true;
			pass_on_stop(lanes, c.n_lanes);
		}
		c.is_stopping = stop_requested || c.unrecorded.kind != ERR_NONE;
		wait_for_lanes(&c);
	}
	tell_not_begun(&c);
	if (c.unrecorded.kind == ERR_NONE)
		return 0;
	*err = c.unrecorded;
	return -1;
}
