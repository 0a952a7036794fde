/* station_work: workers: started, heard, and told apart from each other */
#include "station/station_run.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/log.h"
#include "core/policy.h"
#include "flow/job.h"
#include "flow/journal.h"
#include "station/board.h"
#include "station/slots.h"
#include "store/json.h"

enum { WATCH_MS = 24 * 3600 * 1000 };

/* ---- policies in use ------------------------------------------------------------------ */

void
side_release(struct station *s, struct side *side)
{
	if (--side->users > 0)
		return;
	s->o->release(s->o->ctx, &side->is);
	free(side);
}

/* ---- posts ------------------------------------------------------------------------------ */

static struct post *
add_post(struct station *s, struct error *err)
{
	struct post *grown = reallocarray(s->posts, s->n_posts + 1, sizeof(*grown));

	if (!grown) {
		error_memory(err);
		return NULL;
	}
	s->posts = grown;
	grown[s->n_posts] = (struct post){ .lane.fd = -1 };
	return &grown[s->n_posts];
}

static struct post *
find_post(const struct station *s, const struct member *m, bool is_watch)
{
	size_t i;

	for (i = 0; i < s->n_posts; i++)
		if (s->posts[i].member == m && s->posts[i].is_watch == is_watch)
			return &s->posts[i];
	return NULL;
}

bool
work_is_on(const struct station *s, const struct member *m)
{
	return find_post(s, m, false) || find_post(s, m, true);
}

size_t
work_running(const struct station *s)
{
	size_t n = 0, i;

	for (i = 0; i < s->n_posts; i++)
		n += !s->posts[i].is_watch;
	return n;
}

/* ---- results ----------------------------------------------------------------------------- */

static enum reason
reason_of(const json_t *result)
{
	const char *word = json_text(result, "reason", NULL), *verdict;
	int r;

	verdict = json_text(result, "verdict", NULL);
	for (r = REASON_NONE + 1; word && r < REASON_COUNT; r++)
		if (strcmp(reason_word((enum reason)r), word) == 0)
			return (enum reason)r;
	/* Compliant is only what says so. */
	return verdict && strcmp(verdict, verdict_word(VERDICT_COMPLIANT)) == 0 ? REASON_NONE :
	    REASON_CRASHED;
}

/* When any of the policies has a window that opens or closes next. */
static int64_t
first_boundary(const struct policies *policies)
{
	int64_t now = time(NULL), first = INT64_MAX;
	size_t i;

	for (i = 0; i < policies->n; i++) {
		int64_t next = policy_next_boundary(policies->items[i], now);

		first = next < first ? next : first;
	}
	return first;
}

/* A job that did not come as far as its policy may be about any of them. */
static int64_t
boundary_of(const struct post *p)
{
	const char *at = json_text(p->result, "next_boundary", NULL);
	struct tm tm = { 0 };

	assert(p->side);	/* only a watch has none, and no result either */
	if (at && strptime(at, "%Y-%m-%dT%H:%M:%S", &tm))
		return timegm(&tm);
	if (json_text(p->result, "policy", NULL))
		return INT64_MAX;
	return first_boundary(p->side->is.policies);
}

static void start_watch(struct station *s, struct member *m, enum wait_for what);

/* What is not on record is told to nobody as if it were. */
static void
call_unrecorded(json_t *result, const struct error *why)
{
	const char *hint = why->hint && *why->hint ? why->hint : reason_hint(REASON_UNRECORDED);

	json_object_set_new(result, "verdict", json_string(verdict_word(VERDICT_FAILED)));
	json_object_set_new(result, "reason", json_string(reason_word(REASON_UNRECORDED)));
	json_object_set_new(result, "error", json_pack("{s:s, s:s, s:[], s:i}",
	    "message", why->message, "hint", hint, "chain", "chain_left_out", 0));
}

/* The worker is gone: what does its result mean? */
static void
conclude(struct station *s, const struct post *p)
{
	struct member *m = p->member;
	enum reason reason = reason_of(p->result);
	struct error err = { 0 };
	enum schedule_next next;

	if (s->o->journal->failed.kind != ERR_NONE) {
		reason = REASON_UNRECORDED;
		call_unrecorded(p->result, &s->o->journal->failed);
	}
	if (slots_note(s->o->slots, &p->port, reason, &err) < 0)
		log_at(LOG_NORMAL, "%s", err.message);
	next = schedule_result(s->schedule, m->device.udid, reason, boundary_of(p), station_now());
	tell_result(s, m, p->result, reason, next);
	if (next == NEXT_PERSON)
		start_watch(s, m, reason == REASON_LOCKED ? WAIT_UNLOCK : WAIT_TRUST);
}

/* Takes the post off the table, its worker with it. */
static void
end_post(struct station *s, struct post *p, enum lane_end_as as)
{
	struct error ignored = { 0 };	/* the journal keeps it */
	struct post own;
	json_t *lost = lane_end(&p->lane, s->o->run, as);

	if (!p->is_watch && lost) {
		journal_note(s->o->journal, &p->member->device, lost, true);
		(void)journal_commit(s->o->journal, &ignored);
		p->result = json_incref(lost);
	}
	json_decref(lost);
	own = *p;
	*p = s->posts[--s->n_posts];
	if (own.is_watch)
		schedule_attend(s->schedule, own.member->device.udid, false, station_now());
	else
		conclude(s, &own);
	if (own.side)
		side_release(s, own.side);
	json_decref(own.result);
	station_forget(s, own.member);
}

/* ---- starting ------------------------------------------------------------------------------ */

static int
start(struct station *s, struct member *m, const struct job *job, struct side *side,
    struct error *err)
{
	struct post *p = add_post(s, err);
	struct lane_order order = {
		.job = job, .device = &m->device, .run = s->o->run, .wants_steps = side != NULL,
		.must_ask = side != NULL,
	};

	if (!p)
		return -1;
	if (side) {
		order.identities = side->is.identities;
		order.n_identities = side->is.n_identities;
	}
	if (lane_start(&order, &p->lane, err) < 0)
		return -1;
	p->member = m;
	p->port = m->port;
	p->side = side;
	p->is_watch = side == NULL;
	p->began_ms = now_monotonic_ms();
	if (side)
		side->users++;
	s->n_posts++;
	return 0;
}

/* There is no worker, but there is a result. */
static void
fail_to_start(struct station *s, struct member *m, const struct error *why)
{
	const struct post p = {
		.member = m, .port = m->port, .side = s->side,
		.result = lane_not_begun(&m->device, JOB_APPLY, m->slot, s->o->run, REASON_CRASHED,
		    why->message),
	};

	journal_note(s->o->journal, &m->device, p.result, true);
	conclude(s, &p);
	json_decref(p.result);
}

void
work_start(struct station *s, const struct schedule_action *a)
{
	struct member *m = station_find(s, a->udid);
	struct error err = { 0 };
	struct job job = {
		.kind = JOB_APPLY, .signer = -1, .policies = s->side->is.policies,
		.timeout_ms = s->o->timeout_ms, .has_slot_map = s->o->slots->n > 0,
	};

	if (!m)
		return;
	work_end_watch(s, m);
	job.slot = *m->slot ? m->slot : NULL;
	tell_started(s, m, a);
	if (start(s, m, &job, s->side, &err) < 0)
		fail_to_start(s, m, &err);
}

/* It talks to the device, and to nobody else; who is locked waits without a lane. */
static void
start_watch(struct station *s, struct member *m, enum wait_for what)
{
	const struct job job = {
		.kind = JOB_AWAIT, .signer = -1, .timeout_ms = WATCH_MS, .await = what,
	};
	struct error err = { 0 };

	if (start(s, m, &job, NULL, &err) < 0) {
		log_at(LOG_NORMAL, "%s", err.message);
		return;
	}
	schedule_attend(s->schedule, m->device.udid, true, station_now());
}

/* ---- ending ---------------------------------------------------------------------------------- */

void
work_end_watch(struct station *s, const struct member *m)
{
	struct post *p = find_post(s, m, true);

	if (p)
		end_post(s, p, LANE_STOPPED);
}

void
work_kill(struct station *s, const char *udid, enum lane_end_as as)
{
	struct member *m = station_find(s, udid);
	struct post *p = m ? find_post(s, m, false) : NULL;

	if (!p && m && as == LANE_STOPPED)
		p = find_post(s, m, true);
	if (p)
		end_post(s, p, as);
}

void
work_stop_all(struct station *s)
{
	size_t i;

	for (i = 0; i < s->n_posts; i++)
		lane_stop(&s->posts[i].lane);
}

/* ---- what workers say ---------------------------------------------------- */

struct hearing {
	struct station	*s;
	size_t		 post;
};

static void
on_intent(void *ctx, struct lane *lane, json_t *intent)
{
	const struct hearing *h = ctx;
	struct journal *j = h->s->o->journal;
	struct post *p = &h->s->posts[h->post];

	if (p->is_watch || journal_permit(j, &lane->device, intent, &j->failed) < 0)
		lane_answer(lane, false);
	else
		p->is_asking = true;
}

static void
on_event(void *ctx, struct lane *lane, json_t *event)
{
	const struct hearing *h = ctx;
	struct post *p = &h->s->posts[h->post];
	const char *what = json_text(event, "event", NULL);

	if (p->is_watch) {
		if (what && strcmp(what, "ready") == 0)
			schedule_nudge(h->s->schedule, lane->device.handle, station_now());
		return;
	}
	journal_note(h->s->o->journal, &lane->device, event, false);
	if (what && strcmp(what, "step") == 0)
		tell_step(h->s, p->member, event);
}

static void
on_result(void *ctx, struct lane *lane, json_t *result)
{
	const struct hearing *h = ctx;
	struct post *p = &h->s->posts[h->post];

	if (p->is_watch)
		return;
	journal_note(h->s->o->journal, &lane->device, result, true);
	p->result = json_incref(result);
}

size_t
work_poll(const struct station *s, struct pollfd *fds)
{
	size_t i;

	for (i = 0; i < s->n_posts; i++)
		fds[i] = (struct pollfd){ .fd = s->posts[i].lane.fd, .events = POLLIN };
	return s->n_posts;
}

static void
hear(struct station *s, const struct pollfd *fds, size_t n)
{
	size_t i;

	for (i = 0; i < n && i < s->n_posts; i++) {
		struct hearing h = { .s = s, .post = i };
		const struct lane_listener listener = {
			.intent = on_intent, .event = on_event, .result = on_result, .ctx = &h,
		};

		if (s->posts[i].lane.fd == fds[i].fd && fds[i].revents)
			s->posts[i].has_ended = !lane_read(&s->posts[i].lane, &listener);
	}
}

void
work_run(struct station *s, const struct pollfd *fds, size_t n)
{
	struct error why = { 0 };
	bool is_written;
	size_t i;

	hear(s, fds, n);
	is_written = journal_commit(s->o->journal, &why) == 0;
	for (i = 0; i < s->n_posts; i++) {
		if (!s->posts[i].is_asking)
			continue;
		s->posts[i].is_asking = false;
		lane_answer(&s->posts[i].lane, is_written);
	}
	/* From behind: the place of one that goes is taken by the last. */
	for (i = s->n_posts; i-- > 0;)
		if (i < s->n_posts && s->posts[i].has_ended)
			end_post(s, &s->posts[i], s->stops > 1 ? LANE_STOPPED : LANE_ENDED);
}
