/* usbtcp: handshake, windows, acknowledgements and resets (usbmuxd device.c, the other end) */
#include "sim/usbtcp.h"

#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "sim/bigendian.h"
#include "sim/stream.h"
#include "sim/virtual.h"

enum { SYN = 0x02, RST = 0x04, ACK = 0x10 };
/* The window field counts units of 256 bytes. */
enum { WINDOW_SHIFT = 8, WINDOW = 131072 };
enum { CONNECTIONS_MOST = 1024, RESETS_MOST = 256, QUEUED_MOST = 64 << 20 };

struct segment {
	uint16_t	 from, to;
	uint32_t	 seq, ack;
	uint8_t		 flags;
	uint32_t	 window;	/* in bytes */
	const uint8_t	*data;
	size_t		 len;
};

struct connection {
	struct connection *next;
	struct usbtcp	*tcp;
	uint16_t	 theirs, ours;	/* ports */
	struct stream	*stream;
	struct blob	 out;
	size_t		 sent;		/* of out */
	uint32_t	 tx_seq, tx_acked, tx_window;
	uint32_t	 rx_next;
	bool		 owes_syn, owes_ack;
	bool		 is_open;	/* the handshake is over */
	bool		 is_ending;	/* reset it when all is sent and acknowledged */
	bool		 is_dead;	/* to be reaped */
};

struct usbtcp {
	struct virtual	*device;
	struct connection *connections;	/* the one that sent last is at the end */
	size_t		 n_connections;
	/* Resets for connections that are not there. */
	struct segment	 resets[RESETS_MOST];
	size_t		 n_resets;
	bool		 has_dead;
};

struct usbtcp *
usbtcp_new(struct virtual *device)
{
	struct usbtcp *tcp = calloc(1, sizeof(*tcp));

	if (tcp)
		tcp->device = device;
	return tcp;
}

/* ---- segments ------------------------------------------------------------- */

static int
parse(const uint8_t *bytes, size_t len, struct segment *out)
{
	/* The header has no options: its length is five words. */
	if (len < USBTCP_HEADER || bytes[12] >> 4 != USBTCP_HEADER / 4)
		return -1;
	*out = (struct segment){
		.from = get_be16(bytes), .to = get_be16(bytes + 2),
		.seq = get_be32(bytes + 4), .ack = get_be32(bytes + 8), .flags = bytes[13],
		.window = (uint32_t)get_be16(bytes + 14) << WINDOW_SHIFT,
		.data = bytes + USBTCP_HEADER, .len = len - USBTCP_HEADER,
	};
	return 0;
}

static bool
append(struct blob *out, const struct segment *segment)
{
	uint8_t header[USBTCP_HEADER] = { 0 };

	put_be16(header, segment->from);
	put_be16(header + 2, segment->to);
	put_be32(header + 4, segment->seq);
	put_be32(header + 8, segment->ack);
	header[12] = USBTCP_HEADER / 4 << 4;
	header[13] = segment->flags;
	put_be16(header + 14, (uint16_t)(segment->window >> WINDOW_SHIFT));
	return blob_append(out, header, sizeof(header)) == 0
	    && blob_append(out, segment->data, segment->len) == 0;
}

/* To a segment that belongs to nothing. */
static int
reset_stranger(struct usbtcp *tcp, const struct segment *to)
{
	if (to->flags & RST)
		return 0;
	if (tcp->n_resets == RESETS_MOST)
		return -1;
	tcp->resets[tcp->n_resets++] = (struct segment){
		.from = to->to, .to = to->from, .seq = to->ack,
		.ack = to->seq + (to->flags & SYN ? 1 : 0), .flags = RST,
	};
	return 0;
}

/* ---- connections ---------------------------------------------------------- */

static void
kill_connection(struct connection *connection)
{
	connection->is_dead = true;
	connection->tcp->has_dead = true;
}

static void
pipe_write(void *ctx, const void *data, size_t len)
{
	struct connection *connection = ctx;

	if (connection->is_dead)
		return;
	if (connection->out.len + len > QUEUED_MOST
	    || blob_append(&connection->out, data, len) < 0)
		kill_connection(connection);
}

static void
pipe_close(void *ctx)
{
	struct connection *connection = ctx;

	connection->is_ending = true;
}

static struct connection *
find(struct usbtcp *tcp, uint16_t theirs, uint16_t ours)
{
	struct connection *connection;

	for (connection = tcp->connections; connection; connection = connection->next)
		if (connection->theirs == theirs && connection->ours == ours
		    && !connection->is_dead)
			return connection;
	return NULL;
}

static void
link_last(struct usbtcp *tcp, struct connection *connection)
{
	struct connection **at = &tcp->connections;

	while (*at)
		at = &(*at)->next;
	connection->next = NULL;
	*at = connection;
}

static int
on_syn(struct usbtcp *tcp, const struct segment *segment)
{
	struct connection *connection = find(tcp, segment->from, segment->to);
	const struct service *service = NULL;
	struct host *host = NULL;

	if (connection)
		kill_connection(connection);
	if (tcp->n_connections < CONNECTIONS_MOST)
		service = virtual_take_port(tcp->device, segment->to, &host);
	connection = service ? calloc(1, sizeof(*connection)) : NULL;
	if (!connection)
		return reset_stranger(tcp, segment);
	*connection = (struct connection){
		.tcp = tcp, .theirs = segment->from, .ours = segment->to, .owes_syn = true,
		.rx_next = segment->seq + 1, .tx_window = segment->window,
	};
	link_last(tcp, connection);
	tcp->n_connections++;
	connection->stream = stream_new(tcp->device, service, host,
	    (struct pipe){ pipe_write, pipe_close, connection });
	if (!connection->stream)
		kill_connection(connection);
	return 0;
}

/* Takes over what the computer has seen of ours; false when it cannot have. */
static bool
take_ack(struct connection *connection, const struct segment *segment)
{
	if (segment->ack - connection->tx_acked > connection->tx_seq - connection->tx_acked)
		return false;
	connection->tx_acked = segment->ack;
	connection->tx_window = segment->window;
	return true;
}

static int
on_segment(struct connection *connection, const struct segment *segment)
{
	struct usbtcp *tcp = connection->tcp;

	if (segment->flags != ACK) {
		kill_connection(connection);
		return 0;
	}
	if (connection->owes_syn || segment->seq != connection->rx_next
	    || !take_ack(connection, segment)) {
		kill_connection(connection);
		return reset_stranger(tcp, segment);
	}
	connection->is_open = true;
	if (segment->len == 0)
		return 0;
	connection->rx_next += (uint32_t)segment->len;
	connection->owes_ack = true;
	if (!connection->is_ending)
		stream_feed(connection->stream, segment->data, segment->len);
	return 0;
}

int
usbtcp_take(struct usbtcp *tcp, const uint8_t *bytes, size_t len)
{
	struct connection *connection;
	struct segment segment;

	if (parse(bytes, len, &segment) < 0)
		return -1;
	if (segment.flags == SYN)
		return on_syn(tcp, &segment);
	connection = find(tcp, segment.from, segment.to);
	return connection ? on_segment(connection, &segment) : reset_stranger(tcp, &segment);
}

/* ---- what there is to say -------------------------------------------------- */

/* How much of what waits the computer's window lets through. */
static size_t
sendable(const struct connection *connection)
{
	uint32_t on_the_way = connection->tx_seq - connection->tx_acked;
	size_t waiting = connection->out.len - connection->sent;
	uint32_t space;

	if (!connection->is_open || on_the_way >= connection->tx_window)
		return 0;
	space = connection->tx_window - on_the_way;
	return waiting < space ? waiting : space;
}

/* Bytes that came before the end arrive before the reset that tells of it. */
static bool
may_end(const struct connection *connection)
{
	return connection->is_ending && connection->is_open
	    && connection->sent == connection->out.len
	    && connection->tx_acked == connection->tx_seq;
}

static bool
say(struct connection *connection, size_t most, struct segment *out)
{
	*out = (struct segment){
		.from = connection->ours, .to = connection->theirs, .seq = connection->tx_seq,
		.ack = connection->rx_next, .flags = ACK, .window = WINDOW,
	};
	if (connection->owes_syn) {
		out->flags = SYN | ACK;
		connection->owes_syn = false;
		connection->tx_seq++;
		return true;
	}
	out->len = sendable(connection);
	if (out->len > most)
		out->len = most;
	if (out->len || connection->owes_ack) {
		/* Nothing was ever sent: there are no bytes to point into. */
		if (out->len)
			out->data = connection->out.data + connection->sent;
		connection->owes_ack = false;
		connection->sent += out->len;
		connection->tx_seq += (uint32_t)out->len;
		return true;
	}
	if (!may_end(connection))
		return false;
	out->flags = RST;
	kill_connection(connection);
	return true;
}

bool
usbtcp_next(struct usbtcp *tcp, size_t most, struct blob *out)
{
	struct connection **at;
	struct segment segment;

	if (tcp->n_resets > 0) {
		segment = tcp->resets[0];
		memmove(tcp->resets, tcp->resets + 1, --tcp->n_resets * sizeof(segment));
		return append(out, &segment);
	}
	for (at = &tcp->connections; *at; at = &(*at)->next) {
		struct connection *connection = *at;

		if (connection->is_dead || !say(connection, most - USBTCP_HEADER, &segment))
			continue;
		/* The others are before it next time. */
		*at = connection->next;
		link_last(tcp, connection);
		if (!append(out, &segment))
			return false;
		if (connection->sent == connection->out.len)
			connection->sent = connection->out.len = 0;
		return true;
	}
	return false;
}

/* ---- the end --------------------------------------------------------------- */

static void
free_connection(struct connection *connection)
{
	connection->tcp->n_connections--;
	stream_free(connection->stream);
	blob_clear(&connection->out);
	free(connection);
}

void
usbtcp_reset(struct usbtcp *tcp)
{
	struct connection *connection;

	for (connection = tcp->connections; connection; connection = connection->next)
		kill_connection(connection);
	tcp->n_resets = 0;
}

void
usbtcp_reap(struct usbtcp *tcp)
{
	struct connection **at;

	while (tcp->has_dead) {
		tcp->has_dead = false;
		for (at = &tcp->connections; *at;) {
			struct connection *connection = *at;

			if (!connection->is_dead) {
				at = &connection->next;
				continue;
			}
			*at = connection->next;
			free_connection(connection);
		}
	}
}

void
usbtcp_free(struct usbtcp *tcp)
{
	if (!tcp)
		return;
	while (tcp->connections) {
		struct connection *connection = tcp->connections;

		tcp->connections = connection->next;
		connection->is_dead = true;
		free_connection(connection);
	}
	free(tcp);
}
