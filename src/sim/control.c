/* control: lines of JSON on a UNIX socket */
#include "sim/control.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/text.h"
#include "sim/bench.h"
#include "sim/listener.h"
#include "sim/loop.h"
#include "sim/order.h"

enum { LINE_LONGEST = 65536, WAIT_MS = 10000 };

struct visitor {
	struct visitor	*next;
	struct control	*control;
	int		 fd;
	struct watch	*watch;
	struct blob	 in, out;
	size_t		 sent;
	json_t		*waiting;	/* the wait command not yet answered */
	struct timer	 timeout;
	bool		 is_dead;
};

struct control {
	struct bench	*bench;
	struct visitor	*visitors;
	int		 fd;
	struct watch	*watch;
	char		*path;
};

static void
flush(struct visitor *visitor)
{
	while (visitor->sent < visitor->out.len) {
		ssize_t n = send(visitor->fd, visitor->out.data + visitor->sent,
		    visitor->out.len - visitor->sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			watch_change(visitor->watch, EPOLLIN | EPOLLOUT);
			return;
		}
		if (n < 0) {
			visitor->is_dead = true;
			return;
		}
		visitor->sent += (size_t)n;
	}
	visitor->sent = visitor->out.len = 0;
	watch_change(visitor->watch, EPOLLIN);
}

/* Takes result: an object, or NULL when err says what went wrong. */
static void
reply(struct visitor *visitor, json_t *result, const struct error *err)
{
	auto_free char *line = NULL;

	if (!result) {
		result = json_object();
		json_object_set_new(result, "error", json_string(err->message));
	}
	json_object_set_new(result, "ok", json_boolean(!err));
	line = json_dumps(result, JSON_COMPACT);
	json_decref(result);
	if (!line || blob_append(&visitor->out, line, strlen(line)) < 0
	    || blob_append(&visitor->out, "\n", 1) < 0)
		visitor->is_dead = true;
	else
		flush(visitor);
}

/* ---- waiting -------------------------------------------------------------- */

static void
on_timeout(void *ctx)
{
	struct visitor *visitor = ctx;
	struct error err = { 0 };

	json_decref(visitor->waiting);
	visitor->waiting = NULL;
	error_set(&err, ERR_TIMEOUT, "waited in vain");
	reply(visitor, NULL, &err);
}

static void
look(struct visitor *visitor)
{
	struct error err = { 0 };
	int met;

	if (!visitor->waiting)
		return;
	met = order_is_met(visitor->control->bench, visitor->waiting, &err);
	if (met == 0)
		return;
	timer_clear(&visitor->timeout);
	json_decref(visitor->waiting);
	visitor->waiting = NULL;
	if (met < 0)
		reply(visitor, NULL, &err);
	else
		reply(visitor, json_object(), NULL);
}

static void
begin_wait(struct visitor *visitor, json_t *command)
{
	const char *text = json_string_value(json_object_get(command, "timeout-ms"));
	int64_t ms = WAIT_MS;

	if (text)
		(void)text_number(text, 0, 3600000, &ms);
	visitor->waiting = json_incref(command);
	timer_set(visitor->control->bench->loop, &visitor->timeout, ms, on_timeout, visitor);
	look(visitor);
}

/* ---- lines ---------------------------------------------------------------- */

static void
obey(struct visitor *visitor, const char *line, size_t len)
{
	json_t *command = json_loadb(line, len, 0, NULL), *result;
	const char *name = json_string_value(json_object_get(command, "command"));
	struct error err = { 0 };

	if (!json_is_object(command)) {
		error_set(&err, ERR_USAGE, "not a JSON object");
		reply(visitor, NULL, &err);
	} else if (name && strcmp(name, "wait") == 0) {
		begin_wait(visitor, command);
	} else {
		result = order_run(visitor->control->bench, command, &err);
		reply(visitor, result, result ? NULL : &err);
	}
	json_decref(command);
}

static void
take_lines(struct visitor *visitor)
{
	const uint8_t *end;

	while (!visitor->waiting && !visitor->is_dead && visitor->in.len
	    && (end = memchr(visitor->in.data, '\n', visitor->in.len))) {
		size_t len = (size_t)(end - visitor->in.data);

		obey(visitor, (const char *)visitor->in.data, len);
		blob_drop_front(&visitor->in, len + 1);
	}
	if (visitor->in.len > LINE_LONGEST)
		visitor->is_dead = true;
}

static void
on_visitor(void *ctx, uint32_t events)
{
	struct visitor *visitor = ctx;
	char chunk[4096];
	ssize_t n;

	if (events & EPOLLOUT)
		flush(visitor);
	if (visitor->is_dead)
		return;
	n = recv(visitor->fd, chunk, sizeof(chunk), 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || blob_append(&visitor->in, chunk, (size_t)n) < 0)
		visitor->is_dead = true;
	else
		take_lines(visitor);
}

/* ---- life ----------------------------------------------------------------- */

static void
on_listener(void *ctx, uint32_t events)
{
	struct control *control = ctx;
	int fd = listener_accept(control->fd);
	struct visitor *visitor;

	(void)events;
	if (fd < 0)
		return;
	visitor = calloc(1, sizeof(*visitor));
	if (visitor)
		visitor->watch = loop_watch(control->bench->loop, fd, EPOLLIN, on_visitor, visitor);
	if (!visitor || !visitor->watch) {
		free(visitor);
		close(fd);
		return;
	}
	visitor->control = control;
	visitor->fd = fd;
	visitor->next = control->visitors;
	control->visitors = visitor;
}

struct control *
control_new(struct bench *bench, const char *path, struct error *err)
{
	struct control *control = calloc(1, sizeof(*control));

	if (!control) {
		error_memory(err);
		return NULL;
	}
	control->bench = bench;
	control->path = strdup(path);
	control->fd = control->path ? listener_unix(path, 0600, err) : error_memory(err);
	if (control->fd >= 0)
		control->watch = loop_watch(bench->loop, control->fd, EPOLLIN, on_listener,
		    control);
	if (control->watch)
		return control;
	if (control->fd >= 0) {
		error_set(err, ERR_SOFTWARE, "%s: cannot watch", path);
		close(control->fd);
	}
	free(control->path);
	free(control);
	return NULL;
}

static void
drop(struct visitor **at)
{
	struct visitor *visitor = *at;

	*at = visitor->next;
	timer_clear(&visitor->timeout);
	json_decref(visitor->waiting);
	watch_free(visitor->watch);
	close(visitor->fd);
	blob_clear(&visitor->in);
	blob_clear(&visitor->out);
	free(visitor);
}

void
control_turn(struct control *control)
{
	struct visitor **at = &control->visitors;

	while (*at) {
		look(*at);
		take_lines(*at);
		if ((*at)->is_dead)
			drop(at);
		else
			at = &(*at)->next;
	}
}

void
control_free(struct control *control)
{
	if (!control)
		return;
	while (control->visitors)
		drop(&control->visitors);
	watch_free(control->watch);
	close(control->fd);
	unlink(control->path);
	free(control->path);
	free(control);
}
