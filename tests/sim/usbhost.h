/* usbhost: a computer's side of USB/IP and of the mux, written apart from the bench's */
#ifndef TESTS_SIM_USBHOST_H
#define TESTS_SIM_USBHOST_H

#include "tests/sim/fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/usbip.h"

enum { TURNS = 200, LIST_ENTRY = 312, MUX_OUT = 4, MUX_IN = 5, READ_MOST = 16384 };

struct usbhost {
	struct fixture	*fixture;
	struct usbip	*usbip;
	uint16_t	 port;
	int		 fd;		/* the cable of the imported device */
	uint32_t	 seq;
	unsigned	 version;	/* of the mux, agreed */
	uint16_t	 tx_seq;
};

static inline void
put_16(struct blob *out, uint16_t value)
{
	const uint16_t bytes = htons(value);

	assert_int_equal(blob_append(out, &bytes, 2), 0);
}

static inline void
put_32(struct blob *out, uint32_t value)
{
	const uint32_t bytes = htonl(value);

	assert_int_equal(blob_append(out, &bytes, 4), 0);
}

static inline uint32_t
take_32(const uint8_t *at)
{
	uint32_t bytes;

	memcpy(&bytes, at, 4);
	return ntohl(bytes);
}

static inline uint16_t
take_16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* ---- life ------------------------------------------------------------------- */

static inline void
usbhost_on_turn(void *ctx)
{
	struct usbhost *host = ctx;

	usbip_turn(host->usbip);
}

static inline int
usbhost_set_up(void **state)
{
	struct usbhost *host = calloc(1, sizeof(*host));
	struct error err = { 0 };

	assert_non_null(host);
	fixture_set_up((void **)&host->fixture);
	host->usbip = usbip_new(host->fixture->bench, "127.0.0.1:0", &host->port, &err);
	assert_non_null(host->usbip);
	host->fd = -1;
	loop_on_turn(host->fixture->loop, usbhost_on_turn, host);
	add_device(host->fixture, true, NULL);
	*state = host;
	return 0;
}

static inline int
usbhost_tear_down(void **state)
{
	struct usbhost *host = *state;

	if (host->fd >= 0)
		close(host->fd);
	usbip_free(host->usbip);
	fixture_tear_down((void **)&host->fixture);
	free(host);
	return 0;
}

/* ---- bytes -------------------------------------------------------------------- */

static inline int
dial(struct usbhost *host)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(host->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	/* As the usbip tool does: a second request must not wait for the first's answer. */
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	turn(host->fixture);
	return fd;
}

static inline void
put(struct usbhost *host, int fd, const struct blob *bytes)
{
	assert_int_equal(send(fd, bytes->data, bytes->len, MSG_NOSIGNAL), bytes->len);
	turn(host->fixture);
}

/* Up to n bytes; fewer when the bench closed or fell silent. */
static inline size_t
get(struct usbhost *host, int fd, void *data, size_t n)
{
	size_t had = 0;
	int i;

	for (i = 0; i < TURNS && had < n; i++) {
		ssize_t got = recv(fd, (uint8_t *)data + had, n - had, MSG_DONTWAIT);

		if (got == 0)
			break;
		if (got > 0)
			had += (size_t)got;
		else
			turn(host->fixture);
	}
	return had;
}

static inline bool
is_closed(struct usbhost *host, int fd)
{
	char rest[4096];
	int i;

	for (i = 0; i < TURNS; i++) {
		ssize_t got = recv(fd, rest, sizeof(rest), MSG_DONTWAIT);

		if (got == 0 || (got < 0 && errno != EAGAIN))
			return true;
		turn(host->fixture);
	}
	return false;
}

/* ---- USB/IP --------------------------------------------------------------------- */

/* Asks to import; the status of the answer, whose connection is host->fd when 0. */
static inline uint32_t
import(struct usbhost *host, const char *busid)
{
	auto_blob struct blob bytes = { 0 };
	uint8_t reply[8 + LIST_ENTRY];
	char name[32] = { 0 };
	int fd = dial(host);

	snprintf(name, sizeof(name), "%s", busid);
	put_32(&bytes, 0x01118003);
	put_32(&bytes, 0);
	assert_int_equal(blob_append(&bytes, name, sizeof(name)), 0);
	put(host, fd, &bytes);
	assert_int_equal(get(host, fd, reply, 8), 8);
	assert_int_equal(take_32(reply), 0x01110003);
	if (take_32(reply + 4) != 0) {
		assert_true(is_closed(host, fd));
		close(fd);
		return take_32(reply + 4);
	}
	assert_int_equal(get(host, fd, reply, LIST_ENTRY), LIST_ENTRY);
	assert_string_equal((char *)reply + 256, busid);
	host->fd = fd;
	return 0;
}

/* Sends a transfer; setup may be NULL. Its number. */
static inline uint32_t
submit(struct usbhost *host, uint32_t endpoint, bool is_in, const uint8_t *setup,
    const void *data, size_t len)
{
	static const uint8_t none[8];
	auto_blob struct blob bytes = { 0 };

	put_32(&bytes, 1);
	put_32(&bytes, ++host->seq);
	put_32(&bytes, 0x10002);
	put_32(&bytes, is_in);
	put_32(&bytes, endpoint);
	put_32(&bytes, 0);
	put_32(&bytes, (uint32_t)len);
	put_32(&bytes, 0);
	put_32(&bytes, UINT32_MAX);
	put_32(&bytes, 0);
	assert_int_equal(blob_append(&bytes, setup ? setup : none, 8), 0);
	if (!is_in)
		assert_int_equal(blob_append(&bytes, data, len), 0);
	put(host, host->fd, &bytes);
	return host->seq;
}

/* Takes the result of transfer seq; its status. *data: what came in, appended. */
static inline int
result(struct usbhost *host, uint32_t seq, bool is_in, struct blob *data, size_t *actual)
{
	uint8_t header[48], body[65536];

	assert_int_equal(get(host, host->fd, header, sizeof(header)), sizeof(header));
	assert_int_equal(take_32(header), 3);
	assert_int_equal(take_32(header + 4), seq);
	*actual = take_32(header + 24);
	assert_true(*actual <= sizeof(body));
	if (is_in) {
		assert_int_equal(get(host, host->fd, body, *actual), *actual);
		assert_int_equal(blob_append(data, body, *actual), 0);
	}
	return (int)take_32(header + 20);
}

/* A control transfer; its status, and how many bytes were moved. */
static inline int
control(struct usbhost *host, const uint8_t setup[8], struct blob *answer, size_t *actual)
{
	bool is_in = setup[0] & 0x80;
	size_t len = setup[6] | (size_t)setup[7] << 8;
	uint32_t seq = submit(host, 0, is_in, setup, "", is_in ? len : 0);

	return result(host, seq, is_in, answer, actual);
}

static inline int
choose_configuration(struct usbhost *host, uint8_t number)
{
	const uint8_t setup[8] = { 0, 9, number };
	size_t actual;

	return control(host, setup, NULL, &actual);
}

/* ---- the mux ----------------------------------------------------------------------- */

/* Sends the bytes as usbmuxd does: at most 16 KiB at once, ended by a short packet. */
static inline int
bulk_out(struct usbhost *host, const struct blob *packet)
{
	size_t at = 0, n, actual;
	int status;

	do {
		n = packet->len - at < READ_MOST ? packet->len - at : READ_MOST;
		status = result(host, submit(host, MUX_OUT, false, NULL, packet->data + at, n),
		    false, NULL, &actual);
		if (status)
			return status;
		assert_int_equal(actual, n);
		at += n;
	} while (n && n % 512 == 0);
	return 0;
}

/* Puts the header of the agreed version before the body. */
static inline int
put_packet(struct usbhost *host, uint32_t protocol, const struct blob *body)
{
	auto_blob struct blob packet = { 0 };
	bool is_long = host->version >= 2 && protocol != 0;

	put_32(&packet, protocol);
	put_32(&packet, (uint32_t)((is_long ? 16 : 8) + body->len));
	if (is_long) {
		put_32(&packet, 0xFEEDFACE);
		put_16(&packet, host->tx_seq++);
		put_16(&packet, 0xFFFF);
	}
	assert_int_equal(blob_append(&packet, body->data, body->len), 0);
	return bulk_out(host, &packet);
}

/* Reads until the mux's own length is reached, as usbmuxd does. The header goes. */
static inline void
get_packet(struct usbhost *host, uint32_t *protocol, struct blob *body)
{
	size_t actual, header;

	body->len = 0;
	do {
		assert_int_equal(result(host, submit(host, MUX_IN, true, NULL, NULL, READ_MOST),
		    true, body, &actual), 0);
	} while (body->len == 0 || (actual == READ_MOST && take_32(body->data + 4) > body->len));
	assert_int_equal(take_32(body->data + 4), body->len);
	*protocol = take_32(body->data);
	header = host->version >= 2 && *protocol ? 16 : 8;
	if (header == 16)
		assert_int_equal(take_32(body->data + 8), 0xFEEDFACE);
	blob_drop_front(body, header);
}

/* The handshake of versions; the one that was agreed. */
static inline unsigned
handshake(struct usbhost *host, uint32_t wanted)
{
	auto_blob struct blob body = { 0 };
	uint32_t protocol;

	host->version = 0;
	put_32(&body, wanted);
	put_32(&body, 0);
	put_32(&body, 0);
	assert_int_equal(put_packet(host, 0, &body), 0);
	get_packet(host, &protocol, &body);
	assert_int_equal(protocol, 0);
	assert_int_equal(body.len, 12);
	host->version = take_32(body.data);
	if (host->version >= 2) {
		host->tx_seq = 0;
		assert_int_equal(blob_set(&body, "\x07", 1), 0);
		assert_int_equal(put_packet(host, 2, &body), 0);
	}
	return host->version;
}

/* ---- its TCP ------------------------------------------------------------------------- */

struct link {
	uint16_t	port, from;
	uint32_t	seq, ack;	/* next to send, next expected */
	uint16_t	window;		/* the field */
};

struct heard {
	uint8_t		flags;
	uint32_t	seq, ack;
	uint16_t	window, from, to;
	struct blob	data;
};

static inline int
say(struct usbhost *host, const struct link *link, uint8_t flags, const void *data, size_t len)
{
	auto_blob struct blob body = { 0 };

	put_16(&body, link->from);
	put_16(&body, link->port);
	put_32(&body, link->seq);
	put_32(&body, link->ack);
	put_16(&body, (uint16_t)(0x5000 | flags));
	put_16(&body, link->window);
	put_32(&body, 0);
	assert_int_equal(blob_append(&body, data, len), 0);
	return put_packet(host, 6, &body);
}

static inline void
hear(struct usbhost *host, struct heard *heard)
{
	uint32_t protocol;

	get_packet(host, &protocol, &heard->data);
	assert_int_equal(protocol, 6);
	assert_true(heard->data.len >= 20);
	assert_int_equal(heard->data.data[12], 0x50);
	heard->from = take_16(heard->data.data);
	heard->to = take_16(heard->data.data + 2);
	heard->seq = take_32(heard->data.data + 4);
	heard->ack = take_32(heard->data.data + 8);
	heard->flags = heard->data.data[13];
	heard->window = take_16(heard->data.data + 14);
	blob_drop_front(&heard->data, 20);
}

static inline void
clear_heard(struct heard *heard)
{
	blob_clear(&heard->data);
}

#define auto_heard	auto_with(clear_heard)

/* Opens a connection; false when it was refused. */
static inline bool
open_link(struct usbhost *host, struct link *link)
{
	auto_heard struct heard heard = { 0 };

	assert_int_equal(say(host, link, 0x02, "", 0), 0);
	hear(host, &heard);
	assert_int_equal(heard.from, link->port);
	assert_int_equal(heard.to, link->from);
	if (heard.flags == 0x04)
		return false;
	assert_int_equal(heard.flags, 0x12);
	assert_int_equal(heard.ack, link->seq + 1);
	link->seq++;
	link->ack = heard.seq + 1;
	assert_int_equal(say(host, link, 0x10, "", 0), 0);
	return true;
}

#endif
