/* muxserver: the sockets and the bytes; muxcommand knows what they mean */
#include "sim/muxserver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/error.h"
#include "sim/bench.h"
#include "sim/listener.h"
#include "sim/loop.h"
#include "sim/muxclient.h"
#include "sim/stream.h"
#include "sim/virtual.h"

enum { LISTENERS = 2, QUEUED_MOST = 64 << 20, READS_PER_TURN = 4 };

struct muxserver {
	struct bench	*bench;
	struct bench_listener listener;
	struct muxclient *clients;
	uint64_t	 last_number;
	size_t		 n_listeners;
	int		 fds[LISTENERS];
	struct watch	*watches[LISTENERS];
	char		*path, *address;	/* of the two, once they are there */
	bool		 has_dead, is_stopped;
};

/* ---- bytes out ------------------------------------------------------------ */

static void
kill_client(struct muxclient *client)
{
	client->is_dead = true;
	client->server->has_dead = true;
	watch_free(client->watch);
	client->watch = NULL;
}

static void
flush(struct muxclient *client)
{
	while (client->sent < client->out.len) {
		ssize_t n = send(client->fd, client->out.data + client->sent,
		    client->out.len - client->sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			watch_change(client->watch, EPOLLIN | EPOLLOUT);
			return;
		}
		if (n < 0) {
			kill_client(client);
			return;
		}
		client->sent += (size_t)n;
	}
	client->sent = 0;
	client->out.len = 0;
	if (client->is_ending)
		kill_client(client);
	else
		watch_change(client->watch, EPOLLIN);
}

void
muxclient_write(struct muxclient *client, const void *data, size_t len)
{
	if (client->is_dead)
		return;
	if (client->out.len + len > QUEUED_MOST || blob_append(&client->out, data, len) < 0) {
		kill_client(client);
		return;
	}
	flush(client);
}

void
muxclient_end(struct muxclient *client)
{
	client->is_ending = true;
	if (!client->is_dead && client->sent == client->out.len)
		kill_client(client);
}

struct muxclient *
muxclient_first(struct muxserver *server)
{
	return server->clients;
}

/* ---- bytes in ------------------------------------------------------------- */

static void
take(struct muxclient *client, const uint8_t *data, size_t len)
{
	if (client->is_ending || client->is_hung)
		return;
	if (client->mode == MUX_STREAM) {
		stream_feed(client->stream, data, len);
		return;
	}
	if (blob_append(&client->in, data, len) < 0) {
		kill_client(client);
		return;
	}
	while (!client->is_dead && !client->is_ending && !client->is_hung
	    && client->mode != MUX_STREAM && muxcommand_take(client))
		;
	/* What came in the same read as Connect belongs to the stream. */
	if (client->mode == MUX_STREAM && client->in.len && !client->is_dead) {
		stream_feed(client->stream, client->in.data, client->in.len);
		blob_clear(&client->in);
	}
}

/* How much to read at once. */
static size_t
portion(const struct muxclient *client, size_t room)
{
	int waiting = 0;

	if (client->mode != MUX_STREAM || !stream_reads_by_half(client->stream)
	    || ioctl(client->fd, FIONREAD, &waiting) < 0 || waiting < 2)
		return room;
	return (size_t)waiting / 2 < room ? (size_t)waiting / 2 : room;
}

static void
on_client(void *ctx, uint32_t events)
{
	static uint8_t chunk[65536];
	struct muxclient *client = ctx;
	int i;

	if (events & EPOLLOUT)
		flush(client);
	for (i = 0; i < READS_PER_TURN && !client->is_dead; i++) {
		ssize_t n = recv(client->fd, chunk, portion(client, sizeof(chunk)), 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			kill_client(client);
			return;
		}
		take(client, chunk, (size_t)n);
		if ((size_t)n < sizeof(chunk))
			return;
	}
}

/* ---- clients -------------------------------------------------------------- */

static void
free_client(struct muxclient *client)
{
	stream_free(client->stream);
	watch_free(client->watch);
	close(client->fd);
	blob_clear(&client->in);
	blob_clear(&client->out);
	free(client);
}

static void
add_client(struct muxserver *server, int fd)
{
	struct muxclient *client = calloc(1, sizeof(*client));

	if (client)
		client->watch = loop_watch(server->bench->loop, fd, EPOLLIN, on_client, client);
	if (!client || !client->watch) {
		free(client);
		close(fd);
		return;
	}
	client->server = server;
	client->bench = server->bench;
	client->fd = fd;
	client->number = ++server->last_number;
	client->next = server->clients;
	server->clients = client;
}

static void
on_listener(void *ctx, uint32_t events)
{
	struct muxserver *server = ctx;
	size_t i;
	int fd;

	(void)events;
	for (i = 0; i < server->n_listeners; i++)
		while ((fd = listener_accept(server->fds[i])) >= 0)
			add_client(server, fd);
}

static void
on_event(void *ctx, struct virtual *device, enum bench_event event)
{
	struct muxserver *server = ctx;
	struct muxclient *client;

	for (client = server->clients; client; client = client->next) {
		if (client->mode != MUX_LISTEN || client->is_dead)
			continue;
		if (event == BENCH_ATTACHED)
			muxcommand_send_attached(client, device);
		else
			muxcommand_send_event(client,
			    event == BENCH_PAIRED ? "Paired" : "Detached", device);
	}
}

/* ---- life ----------------------------------------------------------------- */

struct muxserver *
muxserver_new(struct bench *bench, struct error *err)
{
	struct muxserver *server = calloc(1, sizeof(*server));

	if (!server) {
		error_memory(err);
		return NULL;
	}
	server->bench = bench;
	server->listener = (struct bench_listener){ .hear = on_event, .ctx = server };
	bench_listen(bench, &server->listener);
	bench->usbmuxd = server;
	return server;
}

static int
add_listener(struct muxserver *server, int fd, struct error *err)
{
	struct watch *watch;

	if (fd < 0)
		return -1;
	watch = server->n_listeners < LISTENERS
	    ? loop_watch(server->bench->loop, fd, EPOLLIN, on_listener, server) : NULL;
	if (!watch) {
		close(fd);
		return error_set(err, ERR_SOFTWARE, "cannot watch the socket");
	}
	server->fds[server->n_listeners] = fd;
	server->watches[server->n_listeners++] = watch;
	return 0;
}

int
muxserver_listen_unix(struct muxserver *server, const char *path, struct error *err)
{
	/* World-writable like usbmuxd's own. */
	if (add_listener(server, listener_unix(path, 0666, err), err) < 0)
		return -1;
	if (!server->path)
		server->path = strdup(path);
	return server->path ? 0 : error_memory(err);
}

int
muxserver_listen_tcp(struct muxserver *server, const char *address, uint16_t *port,
    struct error *err)
{
	if (add_listener(server, listener_tcp(address, port, err), err) < 0)
		return -1;
	/* The port that was chosen is kept. */
	if (!server->address && asprintf(&server->address, "%.*s:%u",
	    (int)(strrchr(address, ':') - address), address, *port) < 0)
		return error_memory(err);
	return 0;
}

static void
close_listeners(struct muxserver *server)
{
	while (server->n_listeners > 0) {
		watch_free(server->watches[--server->n_listeners]);
		close(server->fds[server->n_listeners]);
	}
	if (server->path)
		unlink(server->path);
}

void
muxserver_stop(struct muxserver *server)
{
	struct muxclient *client;

	for (client = server->clients; client; client = client->next)
		if (!client->is_dead)
			kill_client(client);
	close_listeners(server);
	server->is_stopped = true;
}

static void
number_again(struct bench *bench)
{
	size_t i;

	bench->last_device_id = 0;
	for (i = 0; i < bench->n_devices; i++)
		if (bench->devices[i]->device_id)
			bench->devices[i]->device_id = ++bench->last_device_id;
}

int
muxserver_start(struct muxserver *server, struct error *err)
{
	uint16_t port;

	if (!server->is_stopped)
		return 0;
	number_again(server->bench);
	if ((server->path && muxserver_listen_unix(server, server->path, err) < 0)
	    || (server->address && muxserver_listen_tcp(server, server->address, &port, err) < 0))
		return -1;
	server->is_stopped = false;
	return 0;
}

void
muxserver_reap(struct muxserver *server)
{
	struct muxclient **at = &server->clients;

	/* Freeing a stream can end others (a restart): then there is one more round. */
	while (server->has_dead) {
		server->has_dead = false;
		for (at = &server->clients; *at;) {
			struct muxclient *client = *at;

			if (!client->is_dead) {
				at = &client->next;
				continue;
			}
			*at = client->next;
			free_client(client);
		}
	}
}

void
muxserver_free(struct muxserver *server)
{
	if (!server)
		return;
	bench_unlisten(server->bench, &server->listener);
	server->bench->usbmuxd = NULL;
	while (server->clients) {
		struct muxclient *client = server->clients;

		server->clients = client->next;
		client->is_dead = true;
		free_client(client);
	}
	close_listeners(server);
	free(server->path);
	free(server->address);
	free(server);
}
