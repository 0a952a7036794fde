/* fleet: several devices at once, one worker process each */
#include "flow/fleet.h"

#include <poll.h>
#include <signal.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "core/verdict.h"
#include "crypto/tls.h"
#include "flow/lane.h"
#include "flow/report.h"
#include "wire/mux.h"

enum {
	GRACE_MS = 1500,		/* after its deadline, to say so itself */
	STOP_MS = 3000,			/* after an interrupt, to say how far it came */
	LINGER_MS = 20,			/* what was told waits so long for more */
};

/* A lane, and when its worker is killed. */
struct post {
	struct lane		 lane;
	struct deadline		 deadline;
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

/* Everything that fleet_run() needs while it runs. */
struct crew {
	const struct fleet	*fleet;
	const struct mux_device	*devices;
	size_t			 n, next;
	unsigned		 n_posts, busy;
	struct post		*posts;
	struct pollfd		*polls;
	bool			 is_stopping;	/* no more jobs are begun */
	bool			 was_told;	/* workers have heard of the interrupt */
	bool			 is_complete;	/* and so workers are heard */
	size_t			 started;
	struct deadline		 commit_by;	/* what was told is committed; never: nothing was */
	struct error		 unrecorded;	/* the record failed: nothing more is begun */
};

static void
tell(struct crew *c, const struct mux_device *device, json_t *message, bool is_result)
{
	c->fleet->tell(c->fleet->ctx, device, message, is_result);
	/* A result is waited for: by people, and by the end of the command. */
	c->commit_by = deadline_sooner(c->commit_by, deadline_in(is_result ? 0 : LINGER_MS));
}

/* ---- one device ------------------------------------------------------------ */

static void
tell_started(struct crew *c, const struct mux_device *device)
{
	json_t *event = report_event("started", device);

	tell(c, device, event, false);
	json_decref(event);
}

static const char *
slot_of(const struct fleet *fleet, const struct mux_device *device)
{
	return fleet->slot_of ? fleet->slot_of(fleet->slot_ctx, device) : NULL;
}

static struct deadline
longest_job(const struct crew *c)
{
	const struct job *job = c->fleet->job;

	return deadline_in(job->timeout_ms + job->person_ms + GRACE_MS);
}

static int
start(struct crew *c, const struct mux_device *device, struct post *out, struct error *err)
{
	const struct fleet *fleet = c->fleet;
	struct job job = *fleet->job;
	const struct lane_order order = {
		.job = &job, .device = device, .signer = fleet->signer,
		.identities = fleet->identities, .n_identities = fleet->n_identities,
		.run = fleet->run, .wants_steps = fleet->wants_steps,
		.must_ask = fleet->permit != NULL,
	};

	job.has_slot_map = fleet->slot_of != NULL;
	job.slot = slot_of(fleet, device);
	if (lane_start(&order, &out->lane, err) < 0)
		return -1;
	out->deadline = longest_job(c);
	if (c->is_complete)
		tell_started(c, device);
	return 0;
}

/* Takes the reference. */
static void
tell_result(struct crew *c, const struct mux_device *device, json_t *result)
{
	if (result)
		tell(c, device, result, true);
	json_decref(result);
}

static void
end(struct crew *c, struct post *post, bool was_killed)
{
	const struct mux_device device = post->lane.device;
	enum lane_end_as as = !was_killed ? LANE_ENDED :
	    stop_requested ? LANE_STOPPED : LANE_OVERDUE;

	tell_result(c, &device, lane_end(&post->lane, c->fleet->run, as));
}

static struct deadline
next_deadline(const struct crew *c)
{
	struct deadline next = c->commit_by;
	unsigned i;

	for (i = 0; i < c->n_posts; i++)
		if (c->posts[i].lane.fd >= 0)
			next = deadline_sooner(next, c->posts[i].deadline);
	return next;
}

/* An interrupt: every worker hears it once, and has a moment to say how far it came. */
static void
pass_on_stop(struct post *posts, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		if (posts[i].lane.fd < 0)
			continue;
		lane_stop(&posts[i].lane);
		posts[i].deadline = deadline_sooner(posts[i].deadline, deadline_in(STOP_MS));
	}
}

/* ---- the loop ------------------------------------------------------------ */

static void
on_intent(void *ctx, struct lane *lane, json_t *intent)
{
	struct crew *c = ctx;

	/* The worker waits with its change in hand; settle() answers it. */
	if (c->fleet->permit && c->unrecorded.kind == ERR_NONE)
		(void)c->fleet->permit(c->fleet->ctx, &lane->device, intent, &c->unrecorded);
}

static void
on_event(void *ctx, struct lane *lane, json_t *event)
{
	tell(ctx, &lane->device, event, false);
}

static void
on_result(void *ctx, struct lane *lane, json_t *result)
{
	tell(ctx, &lane->device, result, true);
}

static void
tell_not_begun(struct crew *c, const struct mux_device *device, enum reason reason,
    const char *message)
{
	tell_result(c, device, lane_not_begun(device, c->fleet->job->kind,
	    slot_of(c->fleet, device), c->fleet->run, reason, message));
}

/* The workers that have begun without it are told of now. */
static int
make_complete(struct crew *c, struct error *err)
{
	unsigned i;

	if (c->is_complete)
		return 0;
	if (c->fleet->complete && c->fleet->complete(c->fleet->ctx, err) < 0)
		return -1;
	c->is_complete = true;
	for (i = 0; i < c->n_posts; i++) {
		if (c->posts[i].lane.fd < 0)
			continue;
		/* How long that took is no device's doing. */
		c->posts[i].deadline = longest_job(c);
		tell_started(c, &c->posts[i].lane.device);
	}
	return 0;
}

static int
fill_lanes(struct crew *c, struct error *err)
{
	struct error why = { 0 };
	unsigned i;

	for (i = 0; i < c->n_posts && c->next < c->n && !c->is_stopping; i++) {
		const struct mux_device *device = &c->devices[c->next];

		if (c->posts[i].lane.fd >= 0)
			continue;
		c->next++;
		if (start(c, device, &c->posts[i], &why) == 0) {
			c->busy++;
			c->started++;
			continue;
		}
		/* A signer that could not load its identity tells more than that it is gone. */
		if (make_complete(c, err) < 0)
			return -1;
		if (c->started == 0) {
			*err = why;
			return -1;
		}
		tell_not_begun(c, device, REASON_CRASHED, why.message);
	}
	return make_complete(c, err);
}

/* They have changed nothing: nobody has heard them, and so nobody let them. */
static void
dismiss(struct crew *c)
{
	unsigned i;

	for (i = 0; i < c->n_posts; i++)
		if (c->posts[i].lane.fd >= 0)
			json_decref(lane_end(&c->posts[i].lane, c->fleet->run, LANE_STOPPED));
}

static void
wait_for_lanes(struct crew *c)
{
	const struct lane_listener listener = {
		.intent = on_intent, .event = on_event, .result = on_result, .ctx = c,
	};
	unsigned i;
	int n;

	for (i = 0; i < c->n_posts; i++)
		c->polls[i] = (struct pollfd){ .fd = c->posts[i].lane.fd, .events = POLLIN };
	n = deadline_poll(c->polls, c->n_posts, next_deadline(c), !c->is_stopping);
	for (i = 0; i < c->n_posts; i++) {
		struct post *post = &c->posts[i];
		bool is_open, is_over;

		if (post->lane.fd < 0)
			continue;
		/* What it has said counts, however late we come to hear it. */
		is_open = n <= 0 || !c->polls[i].revents || lane_read(&post->lane, &listener);
		is_over = is_open && n >= 0 && deadline_passed(post->deadline);
		if (is_open && !is_over)
			continue;
		end(c, post, is_over);
		c->busy--;
	}
}

/*
 * Workers that ask together are answered together: one commit is for all of
 * them, and for what was told before.
 */
static void
settle(struct crew *c, bool is_last)
{
	const struct fleet *fleet = c->fleet;
	struct error why = { 0 };
	bool is_asked = false;
	int64_t began;
	unsigned i;

	for (i = 0; i < c->n_posts; i++)
		is_asked = is_asked || c->posts[i].lane.is_asking;
	if (!is_asked && !is_last && !deadline_passed(c->commit_by))
		return;
	c->commit_by = deadline_never();
	began = now_monotonic_ms();
	if (fleet->commit && fleet->commit(fleet->ctx, &why) < 0 && is_asked &&
	    c->unrecorded.kind == ERR_NONE)
		c->unrecorded = why;
	for (i = 0; i < c->n_posts; i++)
		c->posts[i].deadline.at_ms += now_monotonic_ms() - began;
	for (i = 0; i < c->n_posts; i++)
		if (c->posts[i].lane.is_asking)
			lane_answer(&c->posts[i].lane, c->unrecorded.kind == ERR_NONE);
}

static void
tell_rest(struct crew *c)
{
	for (; c->next < c->n; c->next++) {
		const struct mux_device *device = &c->devices[c->next];

		if (c->unrecorded.kind != ERR_NONE)
			tell_not_begun(c, device, REASON_UNRECORDED,
			    "the ledger could not be written, so this device was not begun");
		else
			tell_not_begun(c, device, REASON_INTERRUPTED,
			    "stopped by the operator before this device was begun");
	}
}

int
fleet_run(const struct fleet *fleet, const struct mux_device *devices, size_t n,
    struct error *err)
{
	struct crew c = { .fleet = fleet, .devices = devices, .n = n,
		.commit_by = deadline_never() };
	auto_free struct post *posts = NULL;
	auto_free struct pollfd *polls = NULL;
	unsigned i;

	c.n_posts = fleet->jobs < n ? fleet->jobs : (unsigned)n;
	c.posts = posts = calloc(c.n_posts + 1, sizeof(*posts));
	c.polls = polls = calloc(c.n_posts + 1, sizeof(*polls));
	if (!posts || !polls)
		return error_memory(err);
	/* For many once here, in pages that they share; one does it while its device thinks. */
	if ((n > 1 ? tls_prepare(err) : tls_start(err)) < 0)
		return -1;
	for (i = 0; i < c.n_posts; i++)
		posts[i].lane.fd = -1;
	while (c.busy > 0 || (c.next < c.n && !c.is_stopping)) {
		if (fill_lanes(&c, err) < 0) {
			dismiss(&c);
			return -1;
		}
		if (stop_requested && !c.was_told) {
			c.was_told = true;
			pass_on_stop(posts, c.n_posts);
		}
		c.is_stopping = stop_requested || c.unrecorded.kind != ERR_NONE;
		wait_for_lanes(&c);
		settle(&c, false);
	}
	tell_rest(&c);
	settle(&c, true);
	if (c.unrecorded.kind == ERR_NONE)
		return 0;
	*err = c.unrecorded;
	return -1;
}
