/* stream: server-sent events, one whole message after the other */
#include "web/stream.h"

#include <jansson.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/text.h"
#include "web/mhd.h"
#include "web/sheet.h"
#include "web/state.h"

enum {
	BLOCK = 16 * 1024,
	/* A bench full of devices changes many times a second; eyes do not. */
	BETWEEN_BOARDS_MS = 100,
};

static void
wake(struct client *client)
{
	if (!client->is_idle)
		return;
	client->is_idle = false;
	mhd.resume_connection(client->connection);
}

static void
wake_all(struct web *web)
{
	struct client *client;

	for (client = web->clients; client; client = client->next)
		wake(client);
}

/* The message that this client has not seen, boards first; NULL: it knows all. */
static struct sheet *
next_message(struct client *client)
{
	struct web *web = client->web;

	if (web->board && client->board_seen != web->board_id) {
		client->board_seen = web->board_id;
		return sheet_hold(web->board);
	}
	if (web->beat && client->beat_seen != web->beat_id) {
		client->beat_seen = web->beat_id;
		return sheet_hold(web->beat);
	}
	return NULL;
}

/*
 * Called whenever what came before has left for the kernel. A message must be
 * gone within the server's patience: that is what a slow reader is measured by.
 */
static ssize_t
read_stream(void *argument, uint64_t pos, char *out, size_t max)
{
	struct client *client = argument;
	size_t part;

	(void)pos;
	if (client->web->is_closing)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (client->is_gone)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (!client->sending) {
		client->sent = 0;
		client->sending = next_message(client);
		if (!client->sending) {
			client->due_ms = NEVER_MS;
			client->is_idle = true;
			mhd.suspend_connection(client->connection);
			return 0;
		}
		client->due_ms = now_monotonic_ms() + client->web->patience_ms;
	}
	part = client->sending->len - client->sent;
	if (part > max)
		part = max;
	memcpy(out, client->sending->bytes + client->sent, part);
	client->sent += part;
	if (client->sent == client->sending->len)
		sheet_replace(&client->sending, NULL);
	return (ssize_t)part;
}

struct MHD_Response *
stream_begin(struct client *client)
{
	static const char greeting[] = "retry: 1000\n\n";
	struct epoll_event hang_up = { EPOLLRDHUP | EPOLLONESHOT, { .ptr = client } };
	struct MHD_Response *response;

	response = mhd.create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_stream,
	    client, NULL);
	if (!response)
		return NULL;
	/* A suspended connection is not watched, so a browser's leaving would go
	 * unnoticed until the next beat, and its place be taken until then. */
	epoll_ctl(client->web->poller, EPOLL_CTL_ADD, client->fd, &hang_up);
	client->streams = true;
	client->web->n_streams++;
	client->sending = sheet_new(greeting, strlen(greeting));
	streams_beat(client->web, now_monotonic_ms());
	return response;
}

void
stream_hung_up(struct client *client)
{
	client->is_gone = true;
	shutdown(client->fd, SHUT_RDWR);
	wake(client);
}

void
stream_end(struct client *client)
{
	if (!client->streams)
		return;
	epoll_ctl(client->web->poller, EPOLL_CTL_DEL, client->fd, NULL);
	client->web->n_streams--;
	sheet_replace(&client->sending, NULL);
}

void
streams_board(struct web *web, int64_t now_ms)
{
	if (web->n_streams == 0)
		return;
	web->tell_ms = web->told_ms + BETWEEN_BOARDS_MS;
	streams_run(web, now_ms);
}

/* NULL: out of memory. */
static char *
beat_text(const struct web *web, int64_t now_ms)
{
	struct timespec now;
	char at[TEXT_TIME_MAX];
	json_t *beat, *age;
	char *text;

	clock_gettime(CLOCK_REALTIME, &now);
	text_time_utc(now, at);
	age = web->board ? json_integer(now_ms - web->published_ms) : json_null();
	beat = json_pack("{s:s, s:o, s:b, s:s?, s:i, s:i, s:s}", "at", at, "board_age_ms", age,
	    "healthy", web->is_healthy, "why", web->is_healthy ? NULL : web->why,
	    "every_ms", web->beat_ms, "stale_ms", web->stale_ms, "page", web->page_version);
	text = beat ? json_dumps(beat, JSON_COMPACT) : NULL;
	json_decref(beat);
	return text;
}

void
streams_beat(struct web *web, int64_t now_ms)
{
	auto_free char *text = NULL;
	struct sheet *beat;

	web->beat_due_ms = now_ms + web->beat_ms;
	text = beat_text(web, now_ms);
	/* Without memory this one is left out; the page can do without one. */
	beat = text ? sheet_new_event("beat", 0, text, strlen(text)) : NULL;
	if (!beat)
		return;
	web->beat_id++;
	sheet_replace(&web->beat, beat);
	wake_all(web);
}

void
streams_run(struct web *web, int64_t now_ms)
{
	if (web->tell_ms != NEVER_MS && web->tell_ms <= now_ms) {
		web->tell_ms = NEVER_MS;
		web->told_ms = now_ms;
		wake_all(web);
	}
	if (web->n_streams > 0 && web->beat_due_ms <= now_ms)
		streams_beat(web, now_ms);
}

void
streams_release(struct web *web)
{
	web->is_closing = true;
	wake_all(web);
}
