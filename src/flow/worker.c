/* worker: the process that works on one device */
#include "flow/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/log.h"
#include "base/sanitizer.h"
#include "base/text.h"
#include "flow/job.h"
#include "flow/report.h"
#include "flow/sandbox.h"
#include "wire/mux.h"
#if UNDER_ADDRESS_SANITIZER
#include <sanitizer/lsan_interface.h>
#endif

static void
write_line(int fd, json_t *message)
{
	auto_free char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
	size_t len, done = 0;

	json_decref(message);
	if (!text)
		return;
	len = strlen(text);
	text[len++] = '\n';	/* over the NUL; the length is known */
	while (done < len) {
		ssize_t n = write(fd, text + done, len - done);

		if (n < 0 && errno != EINTR)
			return;
		done += n > 0 ? (size_t)n : 0;
	}
}

static void
set_text(json_t *message, const char *key, const char *value)
{
	if (value)
		json_object_set_new(message, key, json_string(value));
}

/* Whose events they are, and what has been learned of the device. */
struct speaker {
	const struct worker_order	*order;
	const struct outcome		*outcome;
};

static json_t *
event_of(const struct speaker *s, const char *event)
{
	return report_event_of(event, &s->outcome->facts);
}

static void
say(const struct speaker *s, json_t *message)
{
	write_line(s->order->parent, message);
}

static json_t *
request_event(const struct speaker *s, const char *event, const struct job_request *request)
{
	json_t *message = event_of(s, event);

	set_text(message, "step", request->step);
	set_text(message, "profile", request->identifier);
	set_text(message, "uuid", request->uuid);
	return message;
}

static void
tell_step(void *ctx, const char *name)
{
	json_t *message = event_of(ctx, "step");

	set_text(message, "step", name);
	say(ctx, message);
}

static void
tell_waiting(void *ctx, enum wait_for what)
{
	json_t *message = event_of(ctx, "waiting");

	set_text(message, "for", what == WAIT_TRUST ? "trust" : "unlock");
	say(ctx, message);
}

static void
tell_signed(void *ctx, const char *purpose)
{
	json_t *message = event_of(ctx, "signed");

	set_text(message, "purpose", purpose);
	say(ctx, message);
}

static void
tell_delivered(void *ctx, const struct job_request *request, bool is_acknowledged)
{
	json_t *message = request_event(ctx, "step", request);

	set_text(message, "truth", is_acknowledged ? "acknowledged" : "sent");
	say(ctx, message);
}

static int
ask_parent(void *ctx, const struct job_request *request, struct error *err)
{
	const struct speaker *s = ctx;
	int parent = s->order->parent;
	char answer = WORKER_MAY_NOT;
	ssize_t n;

	say(s, request_event(s, "intent", request));
	do {
		if (deadline_wait(parent, POLLIN, deadline_never(), err) < 0)
			return error_context(err, "waiting for the ledger");
		n = read(parent, &answer, 1);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n == 1 && answer == WORKER_MAY)
		return 0;
	return error_set(err, ERR_IO, "the ledger could not be written, so nothing was sent");
}

/* _exit() skips what a sanitizer would do at exit: workers must not leak either. */
static void
check_leaks(void)
{
#if UNDER_ADDRESS_SANITIZER
	__lsan_do_leak_check();
#endif
}

/*
 * Its parent stops it with SIGTERM, which a station has blocked for itself;
 * Ctrl-C on the terminal is the parent's.
 */
static void
leave_interrupts_to_parent(void)
{
	sigset_t none;

	signal(SIGINT, SIG_IGN);
	/* In a process group of its own, and yet its log is for the terminal. */
	signal(SIGTTOU, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool
enter_sandbox(const struct worker_order *o)
{
	const struct job *job = o->job;
	int signers[1 + JOB_IDENTITIES_MAX] = { job->signer };
	size_t i;

	for (i = 0; i < job->n_identities && i < JOB_IDENTITIES_MAX; i++)
		signers[1 + i] = job->identities[i].signer;
	return sandbox_enter(&(struct sandbox){ .parent = o->parent, .signers = signers,
		.n_signers = 1 + i, .needs_tcp = mux_needs_tcp(o->device),
		.keeps_stderr = log_enabled(LOG_VERBOSE) });
}

static void
tell_outcome(const struct worker_order *o, const struct outcome *outcome)
{
	const struct job *job = o->job;

	if (job->kind == JOB_AWAIT && outcome->error.kind == ERR_NONE)
		write_line(o->parent, report_event("ready", o->device));
	if (job->kind == JOB_AWAIT)
		return;
	if (job->kind == JOB_LIST || job->kind == JOB_SHOW)
		write_line(o->parent, report_device(outcome, job->kind == JOB_SHOW));
	else if (job->kind == JOB_DIFF)
		write_line(o->parent, report_diff(outcome));
	else
		write_line(o->parent, report_result(job, o->run, outcome));
}

static void
tell_unconfined(const struct worker_order *o)
{
	auto_outcome struct outcome outcome = { .reason = REASON_CRASHED };

	error_set(&outcome.error, ERR_SOFTWARE,
	    "the worker cannot be confined, and does not work unconfined");
	if (o->job->kind != JOB_AWAIT)
		write_line(o->parent, worker_lost_result(o->job, o->run, o->device, &outcome));
}

void
worker_main(const struct worker_order *o)
{
	auto_outcome struct outcome outcome = { 0 };
	struct speaker speaker = { o, &outcome };
	const struct job_listener listener = {
		.step = o->wants_steps ? tell_step : NULL, .waiting = tell_waiting,
		.is_signed = o->must_ask ? tell_signed : NULL,
		.permit = o->must_ask ? ask_parent : NULL, .delivered = tell_delivered,
		.ctx = &speaker,
	};
	const struct job *job = o->job;
	char subject[32];

	leave_interrupts_to_parent();
	text_shorten_id(o->device->udid, subject, sizeof(subject));
	log_set_subject(subject);
	if (!enter_sandbox(o)) {
		tell_unconfined(o);
		return;
	}
	job_run(job, o->device, &listener, &outcome);
	tell_outcome(o, &outcome);
	outcome_clear(&outcome);
	check_leaks();
}

json_t *
worker_lost_result(const struct job *job, const char *run, const struct mux_device *device,
    struct outcome *told)
{
	if (job->kind != JOB_LIST && job->kind != JOB_SHOW)
		return report_lost(job, run, device, told);
	report_attached(device, &told->facts);
	return report_device(told, job->kind == JOB_SHOW);
}
