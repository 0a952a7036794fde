/* worker: the process that works on one device */
#include "flow/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

#include "base/clean.h"
#include "base/log.h"
#include "base/text.h"
#include "flow/job.h"
#include "flow/report.h"
#include "flow/sandbox.h"
#include "wire/mux.h"

/* The listener's context: where to tell, and about whom. */
struct voice {
	int				 fd;
	const struct mux_device		*device;
	bool				 wants_steps;
};

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
tell(void *ctx, const char *event, const char *key, const char *value, const char *truth)
{
	const struct voice *v = ctx;
	json_t *message = report_event(event, v->device);

	json_object_set_new(message, key, json_string(value));
	if (truth)
		json_object_set_new(message, "truth", json_string(truth));
	write_line(v->fd, message);
}

static void
tell_step(void *ctx, const char *name)
{
	const struct voice *v = ctx;

	if (v->wants_steps)
		tell(ctx, "step", "step", name, NULL);
}

static void
tell_waiting(void *ctx, enum wait_for what)
{
	tell(ctx, "waiting", "for", what == WAIT_TRUST ? "trust" : "unlock", NULL);
}

static void
tell_delivered(void *ctx, const char *name, bool is_acknowledged)
{
	tell(ctx, "step", "step", name, is_acknowledged ? "acknowledged" : "sent");
}

/* _exit() skips what a sanitizer would do at exit: workers must not leak either. */
static void
check_leaks(void)
{
#if defined(__SANITIZE_ADDRESS__)
	__lsan_do_leak_check();
#endif
}

/* Its parent stops it with SIGTERM; Ctrl-C on the terminal is the parent's. */
static void
leave_interrupts_to_parent(void)
{
	signal(SIGINT, SIG_IGN);
}

void
worker_main(const struct job *job, const struct mux_device *device, const char *run,
    bool wants_steps, int parent)
{
	auto_outcome struct outcome outcome = { 0 };
	struct voice voice = { .fd = parent, .device = device, .wants_steps = wants_steps };
	const struct job_listener listener = {
		.step = tell_step, .waiting = tell_waiting, .delivered = tell_delivered, .ctx = &voice,
	};
	char subject[32];

	leave_interrupts_to_parent();
	text_shorten_id(device->udid, subject, sizeof(subject));
	log_set_subject(subject);
	if (!sandbox_enter(&(struct sandbox){ .parent = parent, .signer = job->signer,
		.needs_tcp = mux_needs_tcp(device) })) {
		log_at(LOG_NORMAL, "the worker cannot be confined, and does not work unconfined");
		return;
	}
	job_run(job, device, &listener, &outcome);
	if (job->kind == JOB_LIST || job->kind == JOB_SHOW)
		write_line(parent, report_device(&outcome, job->kind == JOB_SHOW));
	else
		write_line(parent, report_result(job, run, &outcome));
	outcome_clear(&outcome);
	check_leaks();
}

json_t *
worker_lost_result(const struct job *job, const char *run, const struct mux_device *device,
    struct outcome *told)
{
	if (job->kind != JOB_LIST && job->kind != JOB_SHOW)
		return report_lost(job, run, device, told);
	memcpy(told->facts.udid, device->udid, sizeof(told->facts.udid));
	return report_device(told, job->kind == JOB_SHOW);
}
