/* station_due: what the clock asks for: jobs, the ledger again, and midnight */
#include "station/station_run.h"

#include <stdlib.h>
#include <time.h>

#include "base/deadline.h"
#include "base/error.h"
#include "core/policy.h"
#include "crypto/signer.h"
#include "flow/fleet.h"
#include "flow/journal.h"
#include "station/board.h"
#include "store/seal.h"

enum {
	LEDGER_RETRY_MS = 5000,
	SEAL_WITHIN_MS = 900000,	/* after midnight, when somebody is always at work */
	SET_BACK_S = 60,		/* less is a clock that is being adjusted */
};

/* ---- the ledger ------------------------------------------------------------------------- */

/*
 * While it cannot be written nothing is begun: nothing would be on record. Whoever
 * writes to it next may be the one who finds that it can be written again.
 */
static void
watch_ledger(struct station *s)
{
	struct journal *j = s->o->journal;
	int64_t now_ms = now_monotonic_ms();

	if (j->failed.kind == ERR_NONE && !s->ledger_retry_ms)
		return;
	if (!s->ledger_retry_ms) {
		schedule_hold(s->schedule, true);
		tell_trouble(s, NULL, "ledger", j->failed.message, j->failed.hint);
	} else if (j->failed.kind != ERR_NONE && now_ms >= s->ledger_retry_ms) {
		struct error still = { 0 };

		j->is_incomplete = false;
		(void)journal_commit(j, &still);
	}
	if (j->failed.kind != ERR_NONE) {
		s->ledger_retry_ms = now_ms + LEDGER_RETRY_MS;
		return;
	}
	s->ledger_retry_ms = 0;
	schedule_hold(s->schedule, false);
	schedule_reload(s->schedule, WHY_RELOAD);
	tell_mended(s, "ledger", "the ledger can be written again");
}

/* ---- what is due ------------------------------------------------------------------------ */

static void
leave(struct station *s, const struct schedule_action *a)
{
	struct member *m = station_find(s, a->udid);

	if (!m)
		return;
	work_end_watch(s, m);
	tell_detached(s, m);
	station_forget(s, m);
}

static void
act(struct station *s, const struct schedule_action *a)
{
	struct member *m = *a->udid ? station_find(s, a->udid) : NULL;

	switch (a->what) {
	case DO_START:
		work_start(s, a);
		return;
	case DO_KILL:
		work_kill(s, a->udid, LANE_OVERDUE);
		return;
	case DO_ARRIVED:
		if (m)
			tell_attached(s, m);
		return;
	case DO_LEFT:
		leave(s, a);
		return;
	case DO_SET_ASIDE:
	case DO_CALM:
		tell_port(s, a->port, a->what == DO_SET_ASIDE);
		return;
	}
}

static int
sign_seal(void *ctx, const void *content, size_t len, struct blob *out, struct error *err)
{
	return signer_sign_document(ctx, SIGNER_SEAL, content, len, out, err);
}

/* What was done until now can no longer be rewritten; by the first policy's identity. */
void
station_seal(struct station *s)
{
	const struct station_side *side = &s->side->is;
	struct journal *j = s->o->journal;
	struct error err = { 0 };

	if (side->n_identities == 0 || journal_commit(j, &err) < 0)
		return;
	s->seal_by_ms = 0;
	if (seal_make(j->ledger, j->run, sign_seal, side->identities[0].signer, NULL, &err) < 0)
		tell_trouble(s, NULL, "seal", err.message, err.hint);
}

static void
note_midnight(struct station *s, struct moment now)
{
	time_t wall = now.wall_s;
	struct tm tm;

	if (!localtime_r(&wall, &tm) || tm.tm_yday == s->day)
		return;
	if (s->seal_by_ms)
		station_seal(s);
	if (s->day >= 0)
		s->seal_by_ms = now.ms + SEAL_WITHIN_MS;
	s->day = tm.tm_yday;
	board_new_day(s->board);
}

/* An agent or a token may take its time, and meanwhile nobody else is heard. */
static void
seal_when_quiet(struct station *s, struct moment now)
{
	if (!s->seal_by_ms || s->ledger_retry_ms || (work_running(s) > 0 && now.ms < s->seal_by_ms))
		return;
	station_seal(s);
}

static bool
has_windows(const struct policies *policies)
{
	size_t i;

	for (i = 0; i < policies->n; i++)
		if (policies->items[i]->has_window)
			return true;
	return false;
}

/*
 * Boundaries that were ahead of a clock that was wrong may be years away, and those
 * that had passed are ahead again. One that is set forward passes them by itself.
 */
static void
note_clock(struct station *s, struct moment now)
{
	bool is_set_back = s->wall_s - now.wall_s >= SET_BACK_S;

	s->wall_s = now.wall_s;
	if (is_set_back && has_windows(s->side->is.policies))
		schedule_reload(s->schedule, WHY_WINDOW);
}

void
station_end_all(struct station *s)
{
	while (s->n_posts > 0)
		work_kill(s, s->posts[0].member->device.udid, LANE_STOPPED);
}

void
station_do_what_is_due(struct station *s)
{
	struct error ignored = { 0 };	/* the journal keeps it */
	struct moment now = station_now();
	struct schedule_action a;

	note_clock(s, now);
	note_midnight(s, now);
	seal_when_quiet(s, now);
	station_reach_mux(s);
	watch_ledger(s);
	if (s->stop_ms && now_monotonic_ms() >= s->stop_ms)
		station_end_all(s);
	while (schedule_take(s->schedule, station_now(), &a))
		act(s, &a);
	/* What was begun is on record before anything of it is heard. */
	(void)journal_commit(s->o->journal, &ignored);
}
