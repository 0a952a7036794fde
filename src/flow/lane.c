/* lane: one worker process on one device, as its parent sees it */
#include "flow/lane.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/text.h"
#include "core/verdict.h"
#include "crypto/signer.h"
#include "flow/fleet.h"
#include "flow/worker.h"
#include "wire/mux.h"

enum {
	LINE_MAX_BYTES = 4 << 20,	/* a result with some thousand profiles */
	LINES_MAX = 20000,		/* three for each of those are said, and a few more */
};

/* ---- starting ------------------------------------------------------------ */

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
open_channels(const struct lane_order *o, struct channels *out, struct error *err)
{
	const char *udid = o->device->udid;
	size_t i;

	if (o->signer && signer_channel(o->signer, udid, &out->signer, err) < 0)
		return -1;
	for (i = 0; i < o->n_identities && i < JOB_IDENTITIES_MAX; i++) {
		const struct fleet_identity *id = &o->identities[i];

		out->identities[i] = (struct job_identity){ id->cert, -1 };
		if (signer_channel(id->signer, udid, &out->identities[i].signer, err) < 0)
			return -1;
		out->n++;
	}
	return 0;
}

int
lane_start(const struct lane_order *o, struct lane *out, struct error *err)
{
	auto_with(close_channels) struct channels channels = { .signer = -1 };
	struct job job = *o->job;
	int ends[2];
	pid_t pid;

	if (open_channels(o, &channels, err) < 0)
		return -1;
	job.signer = channels.signer;
	job.identities = channels.identities;
	job.n_identities = channels.n;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set_sys(err, ERR_SOFTWARE, errno, "a socket for the worker");
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		worker_main(&(struct worker_order){ .job = &job, .device = o->device, .run = o->run,
		    .parent = ends[1], .wants_steps = o->wants_steps, .must_ask = o->must_ask });
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return error_set_sys(err, ERR_SOFTWARE, errno, "fork");
	}
	/* Here as well: whoever comes first. */
	(void)setpgid(pid, pid);
	*out = (struct lane){ .pid = pid, .fd = ends[0], .device = *o->device, .kind = job.kind };
	if (job.slot)
		text_printable(job.slot, strlen(job.slot), out->slot, sizeof(out->slot));
	return 0;
}

/* ---- what workers say ---------------------------------------------------- */

/* Events leave their trace, so that a worker's death can be told with what it did. */
static void
note_event(struct lane *lane, json_t *message)
{
	const char *word = json_string_value(json_object_get(message, "truth"));
	const char *step = json_string_value(json_object_get(message, "step"));
	enum truth truth = !word || !step ? TRUTH_NONE :
	    strcmp(word, "acknowledged") == 0 ? TRUTH_ACKNOWLEDGED :
	    strcmp(word, "sent") == 0 ? TRUTH_SENT : TRUTH_NONE;

	if (truth == TRUTH_ACKNOWLEDGED)
		lane->told.is_changed = true;
	if (truth > lane->told.furthest && job_is_about(lane->kind, step))
		lane->told.furthest = truth;
}

/* A worker waits for this with its change in hand. */
void
lane_answer(struct lane *lane, bool may)
{
	char answer = may ? WORKER_MAY : WORKER_MAY_NOT;

	lane->is_asking = false;
	/* A worker that died meanwhile hears nothing; it has sent nothing either. */
	(void)send(lane->fd, &answer, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* A worker has heard a device, so what it says may be that device's doing. */
static bool
is_about(const struct lane *lane, const json_t *message)
{
	const json_t *device = json_object_get(message, "device");
	const char *udid = json_string_value(json_object_get(device, "udid"));

	return udid && strcmp(udid, lane->device.udid) == 0;
}

/* Of a device, what names its values has been made printable by flow/plist_json. */
static bool
is_printable(const char *name)
{
	char clean[1024];

	text_printable(name, strlen(name), clean, sizeof(clean));
	return strcmp(name, clean) == 0;
}

/*
 * A device that took its worker over may say what it likes, but not to the terminal.
 * false: a name is not printable, which no worker says.
 */
static bool
make_printable(json_t *value)
{
	const char *text = json_string_value(value);
	auto_free char *clean = NULL;
	const char *key;
	json_t *part;
	size_t i, size;

	json_array_foreach(value, i, part)
		if (!make_printable(part))
			return false;
	json_object_foreach(value, key, part)
		if (!is_printable(key) || !make_printable(part))
			return false;
	if (!text)
		return true;
	/* A byte that is none becomes a character of three. */
	size = 3 * json_string_length(value) + 4;
	clean = malloc(size);
	if (clean)
		text_printable(text, json_string_length(value), clean, size);
	/* Without memory nothing is said rather than this. */
	json_string_set(value, clean ? clean : "");
	return true;
}

static void
take_line(struct lane *lane, const struct lane_listener *listener, const char *line, size_t len)
{
	json_t *message = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	bool is_honest = make_printable(message), is_event;
	const char *schema, *event;

	schema = json_string_value(json_object_get(message, "schema"));
	event = json_string_value(json_object_get(message, "event"));
	is_event = schema && strcmp(schema, "chaperone.event/1") == 0;
	if (!is_honest || !is_about(lane, message)) {
		/* Nobody hears what is not for it to say; without a result it has crashed. */
	} else if (is_event && event && strcmp(event, "intent") == 0) {
		lane->is_asking = true;
		listener->intent(listener->ctx, lane, message);
	} else if (is_event && !lane->has_result) {
		note_event(lane, message);
		listener->event(listener->ctx, lane, message);
	} else if (schema && !lane->has_result) {
		lane->has_result = true;
		listener->result(listener->ctx, lane, message);
	}
	json_decref(message);
}

bool
lane_read(struct lane *lane, const struct lane_listener *listener)
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

		if (++lane->n_lines > LINES_MAX)
			break;
		take_line(lane, listener, (char *)lane->line.data, len);
		blob_drop_front(&lane->line, len + 1);
	}
	lane->is_endless = lane->n_lines > LINES_MAX || lane->line.len >= LINE_MAX_BYTES;
	return !lane->is_endless;
}

/* ---- ending -------------------------------------------------------------- */

void
lane_stop(struct lane *lane)
{
	kill(lane->pid, SIGTERM);
}

static json_t *
lost_result(const struct mux_device *device, enum job_kind kind, const char *slot,
    const char *run, struct outcome *told, const char *message)
{
	const struct job job = { .kind = kind };

	told->truth = told->furthest;
	snprintf(told->facts.slot, sizeof(told->facts.slot), "%s", slot ? slot : "");
	error_set(&told->error, ERR_SOFTWARE, "%s", message);
	return worker_lost_result(&job, run, device, told);
}

json_t *
lane_not_begun(const struct mux_device *device, enum job_kind kind, const char *slot,
    const char *run, enum reason reason, const char *message)
{
	struct outcome told = { .reason = reason };

	return lost_result(device, kind, slot, run, &told, message);
}

static enum reason
why_ended(const struct lane *lane, enum lane_end_as as, int status, char *message, size_t size)
{
	switch (as) {
	case LANE_STOPPED:
		snprintf(message, size, "stopped by the operator");
		return REASON_INTERRUPTED;
	case LANE_OVERDUE:
		snprintf(message, size, "the device did not answer in time");
		return REASON_TIMEOUT;
	default:
		if (lane->is_endless)
			snprintf(message, size, "the worker said more than any worker does");
		else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
			snprintf(message, size, "the worker used up its CPU time");
		else if (WIFSIGNALED(status))
			snprintf(message, size, "the worker was ended by signal %d",
			    WTERMSIG(status));
		else
			snprintf(message, size, "the worker ended without a result");
		return REASON_CRASHED;
	}
}

json_t *
lane_end(struct lane *lane, const char *run, enum lane_end_as as)
{
	json_t *result = NULL;
	char message[96];
	int status = 0;

	close(lane->fd);
	kill(-lane->pid, SIGKILL);
	kill(lane->pid, SIGKILL);
	while (waitpid(lane->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!lane->has_result) {
		lane->told.reason = why_ended(lane, as, status, message, sizeof(message));
		result = lost_result(&lane->device, lane->kind, lane->slot, run, &lane->told,
		    message);
	}
	outcome_clear(&lane->told);
	blob_clear(&lane->line);
	*lane = (struct lane){ .fd = -1 };
	return result;
}
