/* web: opening and closing, the loop's turn, and what the owner tells */
#include "web/web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "web/answer.h"
#include "web/assets.h"
#include "web/mhd.h"
#include "web/sheet.h"
#include "web/state.h"
#include "web/stream.h"

enum {
	PATIENCE_MS = 10000,
	BEAT_MS = 5000,
	REQUEST_MEMORY = 16 * 1024,	/* line and headers of a request; beyond that 431 or 414 */
	EVENTS_AT_ONCE = 32,
	GUESTS_AT_ONCE = 16,
};

/* ---- clients ------------------------------------------------------------------- */

static void
add_client(struct web *web, struct MHD_Connection *connection, void **context)
{
	const union MHD_ConnectionInfo *fd =
	    mhd.get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *peer =
	    mhd.get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct client *client = fd && peer ? calloc(1, sizeof(*client)) : NULL;

	if (!client)
		return;
	client->web = web;
	client->connection = connection;
	client->fd = fd->connect_fd;
	memcpy(&client->peer, peer->client_addr, peer->client_addr->sa_family == AF_INET ?
	    sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
	client->due_ms = now_monotonic_ms() + web->patience_ms;
	client->next = web->clients;
	if (client->next)
		client->next->prev = client;
	web->clients = client;
	web->n_clients++;
	*context = client;
}

static void
drop_client(struct client *client)
{
	stream_end(client);
	if (client->next)
		client->next->prev = client->prev;
	if (client->prev)
		client->prev->next = client->next;
	else
		client->web->clients = client->next;
	client->web->n_clients--;
	free(client);
}

static void
note_connection(void *web, struct MHD_Connection *connection, void **context,
    enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		add_client(web, connection, context);
	else if (*context)
		drop_client(steal_pointer((struct client **)context));
}

/* The whole of a request, its answer, or one message of a stream took too long. */
static void
drop_overdue(struct web *web, int64_t now_ms)
{
	struct client *client;

	for (client = web->clients; client; client = client->next) {
		if (client->due_ms == NEVER_MS || client->due_ms > now_ms)
			continue;
		/* libmicrohttpd sees the end of it and releases the connection. */
		log_debug("page: a client was too slow and is dropped");
		shutdown(client->fd, SHUT_RDWR);
		client->due_ms = now_ms + web->patience_ms;
	}
}

static bool
is_welcome(const struct web *web, const struct guest *guest)
{
	const struct client *client;
	unsigned of_this_host = 0;

	for (client = web->clients; client; client = client->next)
		of_this_host += door_same_host(&client->peer, &guest->peer);
	return web->n_clients < WEB_CONNECTIONS_MAX &&
	    of_this_host < WEB_CONNECTIONS_PER_ADDRESS_MAX;
}

static void
let_guests_in(struct web *web)
{
	struct guest guest;
	int i;

	for (i = 0; i < GUESTS_AT_ONCE && door_let_in(&web->door, &guest); i++) {
		if (!is_welcome(web, &guest))
			door_turn_away(guest.fd, "the station has too many visitors");
		else	/* which closes it when it fails */
			mhd.add_connection(web->daemon, guest.fd,
			    (struct sockaddr *)&guest.peer, guest.len);
	}
}

/* ---- the loop's turn ------------------------------------------------------------- */

static void
watch_door(struct web *web)
{
	struct epoll_event event = { EPOLLIN, { .ptr = &web->door } };
	bool wanted = !door_is_shut(&web->door);

	if (wanted != web->is_listening && epoll_ctl(web->poller,
	    wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, web->door.listener, &event) == 0)
		web->is_listening = wanted;
}

void
web_run(struct web *web)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int64_t now_ms = now_monotonic_ms();
	bool is_visited = false;
	int i, n;

	/* Clients first: further down some of them cease to be. */
	n = epoll_wait(web->poller, events, EVENTS_AT_ONCE, 0);
	for (i = 0; i < n; i++) {
		if (events[i].data.ptr == &web->door)
			is_visited = true;
		else if (events[i].data.ptr != web)
			stream_hung_up(events[i].data.ptr);
	}
	if (is_visited)
		let_guests_in(web);
	watch_door(web);
	streams_run(web, now_ms);
	drop_overdue(web, now_ms);
	mhd.run(web->daemon);
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a == NEVER_MS || (b != NEVER_MS && b < a) ? b : a;
}

int
web_timeout_ms(const struct web *web)
{
	int64_t due_ms = web->tell_ms, left_ms;
	MHD_UNSIGNED_LONG_LONG mhd_ms;
	const struct client *client;

	if (web->n_streams > 0)
		due_ms = sooner(due_ms, web->beat_due_ms);
	if (!web->is_listening)
		due_ms = sooner(due_ms, web->door.closed_until_ms);
	for (client = web->clients; client; client = client->next)
		due_ms = sooner(due_ms, client->due_ms);
	left_ms = due_ms == NEVER_MS ? NEVER_MS : due_ms - now_monotonic_ms();
	if (due_ms != NEVER_MS && left_ms < 0)
		left_ms = 0;
	if (mhd.get_timeout(web->daemon, &mhd_ms) == MHD_YES)
		left_ms = sooner(left_ms, mhd_ms > 60000 ? 60000 : (int64_t)mhd_ms);
	return (int)left_ms;
}

int
web_descriptor(const struct web *web)
{
	return web->poller;
}

const char *
web_address(const struct web *web)
{
	return web->door.address;
}

bool
web_is_exposed(const struct web *web)
{
	return web->door.is_exposed;
}

/* ---- what the owner tells ---------------------------------------------------------- */

int
web_publish(struct web *web, const char *board_json, size_t length)
{
	int64_t now_ms = now_monotonic_ms();
	struct sheet *board;

	if (length > WEB_BOARD_MAX)
		return -1;
	board = sheet_new_event("board", web->board_id + 1, board_json, length);
	if (!board)
		return -1;
	sheet_replace(&web->board, board);
	web->board_id++;
	web->published_ms = now_ms;
	streams_board(web, now_ms);
	return 0;
}

int
web_set_metrics(struct web *web, const char *text, size_t length)
{
	struct sheet *metrics = length > WEB_BOARD_MAX ? NULL : sheet_new(text, length);

	if (!metrics)
		return -1;
	sheet_replace(&web->metrics, metrics);
	return 0;
}

void
web_set_health(struct web *web, bool healthy, const char *why)
{
	char said[sizeof(web->why)];

	if (!why || healthy)
		why = healthy ? "" : "the station is not well";
	text_printable(why, strlen(why), said, sizeof(said));
	if (healthy == web->is_healthy && strcmp(said, web->why) == 0)
		return;
	web->is_healthy = healthy;
	memcpy(web->why, said, sizeof(said));
	streams_beat(web, now_monotonic_ms());
}

/* ---- opening and closing ------------------------------------------------------------- */

static void __attribute__((format(printf, 2, 0)))
log_mhd(void *web, const char *fmt, va_list args)
{
	char text[200], clean[200];

	(void)web;
	vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = '\0';
	text_printable(text, strlen(text), clean, sizeof(clean));
	log_debug("page: %s", clean);
}

/* Paths are compared as they were sent: %00 would end one early. */
static size_t
keep_escapes(void *web, struct MHD_Connection *connection, char *text)
{
	(void)web;
	(void)connection;
	return strlen(text);
}

static int
start_daemon(struct web *web, struct error *err)
{
	const union MHD_DaemonInfo *info;
	struct epoll_event event = { EPOLLIN, { .ptr = web } };

	web->daemon = mhd.start_daemon(
	    MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
	    0, NULL, NULL, answer_request, web,
	    MHD_OPTION_EXTERNAL_LOGGER, log_mhd, web,
	    MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, web,
	    MHD_OPTION_NOTIFY_CONNECTION, note_connection, web,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)WEB_CONNECTIONS_MAX + 1,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_MEMORY,
	    MHD_OPTION_CONNECTION_TIMEOUT, 0u,	/* deadlines are ours */
	    MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_END);
	if (!web->daemon)
		return error_set(err, ERR_UNAVAILABLE, "libmicrohttpd does not start");
	info = mhd.get_daemon_info(web->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	web->poller = epoll_create1(EPOLL_CLOEXEC);
	if (!info || web->poller < 0 ||
	    epoll_ctl(web->poller, EPOLL_CTL_ADD, info->epoll_fd, &event) < 0)
		return error_set_sys(err, ERR_UNAVAILABLE, errno, "epoll");
	watch_door(web);
	return 0;
}

static int
copy_names(struct web *web, const struct web_options *options)
{
	web->names = calloc(options->n_host_names + 1, sizeof(*web->names));
	if (!web->names)
		return -1;
	for (; web->n_names < options->n_host_names; web->n_names++) {
		web->names[web->n_names] = strdup(options->host_names[web->n_names]);
		if (!web->names[web->n_names])
			return -1;
	}
	return 0;
}

/* A page that is open while the program is exchanged loads itself anew. */
static void
set_page_version(struct web *web)
{
	const char *const files[] = { web_page_html, web_app_css, web_app_js };
	uint64_t hash = 0xcbf29ce484222325;	/* FNV-1a */
	const char *c;
	size_t i;

	for (i = 0; i < countof(files); i++)
		for (c = files[i]; *c; c++)
			hash = (hash ^ (uint8_t)*c) * 0x100000001b3;
	snprintf(web->page_version, sizeof(web->page_version), "%016llx", (unsigned long long)hash);
}

static void
clean_web(struct web **web)
{
	web_close(*web);
}

int
web_open(const struct web_options *options, struct web **out, struct error *err)
{
	auto_with(clean_web) struct web *web = NULL;

	if (mhd_load(err) < 0)
		return -1;
	web = calloc(1, sizeof(*web));
	if (!web)
		return error_memory(err);
	web->poller = web->door.listener = web->door.spare = -1;
	web->tell_ms = NEVER_MS;
	web->patience_ms = options->patience_ms > 0 ? options->patience_ms : PATIENCE_MS;
	web->beat_ms = options->beat_ms > 0 ? options->beat_ms : BEAT_MS;
	web->stale_ms = options->stale_ms > 0 ? options->stale_ms : 3 * WEB_BOARD_FRESH_MS;
	set_page_version(web);
	snprintf(web->why, sizeof(web->why), "the station is starting");
	if (copy_names(web, options) < 0)
		return error_memory(err);
	if (door_open(options->address, &web->door, err) < 0 || start_daemon(web, err) < 0)
		return -1;
	*out = steal_pointer(&web);
	return 0;
}

void
web_close(struct web *web)
{
	if (!web)
		return;
	if (web->daemon) {
		streams_release(web);
		/* It stops only when it has taken note that none is suspended. */
		mhd.run(web->daemon);
		mhd.stop_daemon(web->daemon);
	}
	door_close(&web->door);
	clean_fd(&web->poller);
	sheet_release(web->board);
	sheet_release(web->beat);
	sheet_release(web->metrics);
	while (web->n_names > 0)
		free(web->names[--web->n_names]);
	free(web->names);
	free(web);
}
