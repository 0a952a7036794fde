/* station: the loop: what happens outside goes in, what is to be done comes out */
#include "station/station.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/log.h"
#include "base/notify.h"
#include "crypto/tls.h"
#include "flow/fleet.h"
#include "flow/journal.h"
#include "station/board.h"
#include "station/hooks.h"
#include "station/station_run.h"

enum {
	GRACE_MS = 1500,	/* after its deadline, for a worker to say so itself */
	STOP_MS = 3000,		/* for a worker to say how far it came */
	SHOW_MS = 100,		/* between two shows of the board */
	SHOW_AGAIN_MS = 5000,	/* for who wants to know that we live */
	LONGEST_MS = 30000,	/* midnight and a clock that was set are noticed within */
	HOOK_MS = 30000, HOOKS_AT_ONCE = 16, HOOKS_MAX = 4096,
	DESCRIPTORS = 16384,
};

struct moment
station_now(void)
{
	return (struct moment){ .ms = now_monotonic_ms(), .wall_s = time(NULL) };
}

/* ---- policies -------------------------------------------------------------------------- */

static int
load_policies(struct station *s, struct error *err)
{
	struct side *side = calloc(1, sizeof(*side));

	if (!side)
		return error_memory(err);
	if (s->o->load(s->o->ctx, &side->is, err) < 0) {
		free(side);
		return -1;
	}
	side->users = 1;
	if (journal_use_policies(s->o->journal, side->is.policies, err) < 0) {
		side_release(s, side);
		return -1;
	}
	if (s->side)
		side_release(s, s->side);
	s->side = side;
	return 0;
}

static void
reload(struct station *s)
{
	struct error err = { 0 };
	bool is_loaded;

	notify_reloading();
	is_loaded = load_policies(s, &err) == 0;
	notify_state("READY=1");
	tell_policies(s, is_loaded ? NULL : &err);
	if (is_loaded)
		schedule_reload(s->schedule, WHY_RELOAD);
}

/* ---- signals ---------------------------------------------------------------------------- */

static int
catch_signals(int *fd, struct error *err)
{
	sigset_t ours;

	/* What they are for workers, once these have unblocked them. */
	fleet_catch_signals();
	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGHUP);
	sigprocmask(SIG_BLOCK, &ours, NULL);
	*fd = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	return *fd < 0 ? error_set_sys(err, ERR_SOFTWARE, errno, "signalfd") : 0;
}

static void
stop(struct station *s)
{
	if (++s->stops == 1) {
		schedule_stop(s->schedule);
		notify_state("STOPPING=1");
		tell_notice(s, NOTICE_STOPPING, "the station is stopping: what runs is finished");
		return;
	}
	work_stop_all(s);
	s->stop_ms = now_monotonic_ms() + STOP_MS;
}

static void
read_signals(struct station *s, int fd)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload(s);
		else
			stop(s);
	}
}

/* ---- what is shown ------------------------------------------------------------------------ */

static int
tell_manager(const struct station *s)
{
	const struct board_counts c = board_count(s->board);
	char state[200];

	snprintf(state, sizeof(state),
	    "STATUS=%zu plugged in, %zu at work, %zu need somebody; today %u ready, %u failed",
	    c.attached, c.working, c.waiting, c.today[VERDICT_COMPLIANT],
	    c.today[VERDICT_FAILED] + c.today[VERDICT_NONCOMPLIANT]);
	return notify_hint(state);
}

static int64_t
next_show_ms(const struct station *s)
{
	return s->shown_ms + (board_version(s->board) != s->shown ? SHOW_MS : SHOW_AGAIN_MS);
}

static void
show(struct station *s)
{
	int64_t now_ms = now_monotonic_ms();

	const struct station_view view = {
		.board = s->board, .metrics = &s->metrics, .slots = s->o->slots,
		.trouble = s->ledger_retry_ms ? "the ledger cannot be written" :
		    s->was_mux_missed ? "usbmuxd is gone" : NULL,
	};

	if (now_ms < next_show_ms(s))
		return;
	if (board_version(s->board) != s->shown && tell_manager(s) == 0)
		s->shown = board_version(s->board);
	s->shown_ms = now_ms;
	if (s->o->show)
		s->o->show(s->o->ctx, &view);
}

/* Only a loop that turns says so. */
static void
beat(struct station *s)
{
	int64_t now_ms = now_monotonic_ms();

	if (!s->watchdog_ms || now_ms < s->beat_ms)
		return;
	(void)notify_hint("WATCHDOG=1");
	s->beat_ms = now_ms + s->watchdog_ms;
}

/* ---- the loop ----------------------------------------------------------------------------- */

static void
sooner(int64_t *least, int64_t ms)
{
	if (ms >= 0 && ms < *least)
		*least = ms;
}

static int64_t
left(int64_t at_ms, struct moment now)
{
	return at_ms > now.ms ? at_ms - now.ms : 0;
}

static int
wait_ms(const struct station *s)
{
	struct moment now = station_now();
	int64_t least = LONGEST_MS;

	sooner(&least, schedule_wait_ms(s->schedule, now));
	sooner(&least, hooks_wait_ms(s->hooks, now.ms));
	if (s->stop_ms)
		sooner(&least, left(s->stop_ms, now));
	if (!s->mux)
		sooner(&least, left(s->mux_retry_ms, now));
	if (s->ledger_retry_ms)
		sooner(&least, left(s->ledger_retry_ms, now));
	else if (s->o->journal->failed.kind != ERR_NONE)
		least = 0;
	sooner(&least, left(next_show_ms(s), now));
	if (s->watchdog_ms)
		sooner(&least, left(s->beat_ms, now));
	if (s->o->guest)
		sooner(&least, s->o->guest->timeout_ms(s->o->guest->ctx));
	return (int)least;
}

/* One turn: waits until something happens or is due, and takes it in. */
static int
turn(struct station *s, int signals, struct error *err)
{
	const struct station_guest *guest = s->o->guest;
	size_t n_hooks = hooks_descriptors(s->hooks), n_posts = s->n_posts;
	size_t n = 3 + n_hooks + n_posts;
	auto_free struct pollfd *fds = calloc(n, sizeof(*fds));

	if (!fds)
		return error_memory(err);
	fds[0] = (struct pollfd){ .fd = signals, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = s->mux ? mux_watch_fd(s->mux) : -1, .events = POLLIN };
	fds[2] = (struct pollfd){ .fd = guest ? guest->descriptor(guest->ctx) : -1,
	    .events = POLLIN };
	hooks_poll(s->hooks, &fds[3]);
	work_poll(s, &fds[3 + n_hooks]);
	if (poll(fds, n, wait_ms(s)) < 0 && errno != EINTR)
		return error_set_sys(err, ERR_SOFTWARE, errno, "poll");
	if (fds[0].revents)
		read_signals(s, signals);
	if (fds[1].revents)
		station_read_mux(s);
	work_run(s, &fds[3 + n_hooks], n_posts);
	hooks_run(s->hooks, &fds[3], now_monotonic_ms());
	if (guest)
		guest->run(guest->ctx);
	return 0;
}

static bool
is_over(const struct station *s)
{
	return s->stops > 0 && work_running(s) == 0 && (s->stops > 1 || hooks_count(s->hooks) == 0);
}

static void
on_hook_failed(void *ctx, const char *event, const char *program, const char *udid,
    const char *message)
{
	struct station *s = ctx;
	char text[ERROR_MESSAGE_MAX];

	s->metrics.hook_failures++;
	snprintf(text, sizeof(text), "%s (on-%s): %s", program, event, message);
	tell_trouble(s, station_find(s, udid), "hook", text, NULL);
}

static int
set_up(struct station *s, struct error *err)
{
	const struct schedule_settings base = SCHEDULE_DEFAULTS;
	struct schedule_settings settings = base;
	const struct hooks_settings hooks = {
		.limit_ms = HOOK_MS, .at_once = HOOKS_AT_ONCE, .queue_max = HOOKS_MAX,
		.failed = on_hook_failed, .ctx = s,
	};

	settings.lanes = s->o->jobs;
	settings.per_controller = s->o->per_controller;
	settings.job_ms = s->o->timeout_ms + GRACE_MS;
	s->day = -1;
	if (schedule_new(&settings, &s->schedule, err) < 0 ||
	    board_new(s->o->name, s->o->slots, (int64_t)time(NULL) * 1000, &s->board, err) < 0 ||
	    hooks_new(&hooks, &s->hooks, err) < 0)
		return -1;
	/* Once here, and shared by every worker's pages. */
	if (tls_prepare(err) < 0 || load_policies(s, err) < 0)
		return -1;
	tell_policies(s, NULL);
	return 0;
}

static void
tear_down(struct station *s)
{
	station_end_all(s);
	mux_watch_close(s->mux);
	hooks_free(s->hooks);
	s->o->journal->policies = NULL;
	if (s->side)
		side_release(s, s->side);
	station_forget_all(s);
	free(s->posts);
	metrics_clear(&s->metrics);
	board_free(s->board);
	schedule_free(s->schedule);
}

/* A socket for each worker, and for each that watches a locked device. */
static void
raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= DESCRIPTORS)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

int
station_run(const struct station_options *options, struct error *err)
{
	auto_with(tear_down) struct station s = { .o = options };
	auto_fd int signals = -1;

	raise_limit();
	if (catch_signals(&signals, err) < 0 || set_up(&s, err) < 0)
		return -1;
	s.watchdog_ms = notify_watchdog_ms();
	notify_state("READY=1");
	while (!is_over(&s)) {
		station_do_what_is_due(&s);
		show(&s);
		beat(&s);
		if (turn(&s, signals, err) < 0)
			return -1;
	}
	station_seal(&s);
	s.shown_ms = INT64_MIN / 2;
	show(&s);
	if (options->journal->failed.kind == ERR_NONE)
		return 0;
	/* Devices are as they were told, but the last of it is not on record. */
	*err = options->journal->failed;
	return -1;
}
