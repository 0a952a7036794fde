/* channel: property lists over one connection to a device */
#include "wire/channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"
#include "crypto/tls.h"

enum { HEADER = 4 };

struct channel {
	int		 fd;
	struct tls	*tls;		/* NULL: in clear */
};

int
channel_new(int fd, struct channel **out, struct error *err)
{
	struct channel *ch = calloc(1, sizeof(*ch));

	if (!ch) {
		close(fd);
		return error_memory(err);
	}
	ch->fd = fd;
	*out = ch;
	return 0;
}

void
channel_close(struct channel *ch)
{
	if (!ch)
		return;
	tls_close(ch->tls);
	close(ch->fd);
	free(ch);
}

int
channel_start_tls(struct channel *ch, const struct tls_client *who, struct deadline deadline,
    struct error *err)
{
	return tls_open(ch->fd, who, deadline, &ch->tls, err);
}

static int
closed(struct error *err, int sys)
{
	if (sys && sys != ECONNRESET && sys != EPIPE)
		return error_set_sys(err, ERR_LINK, sys, "the connection to the device broke");
	return error_set(err, ERR_LINK, "the device closed the connection");
}

static int
write_clear(int fd, const uint8_t *data, size_t len, struct deadline deadline, struct error *err)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			if (deadline_wait(fd, POLLOUT, deadline, err) < 0)
				return -1;
			continue;
		}
		if (n < 0 && errno != EINTR)
			return closed(err, errno);
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int
read_clear(int fd, uint8_t *data, size_t len, struct deadline deadline, struct error *err)
{
	while (len > 0) {
		ssize_t n = recv(fd, data, len, 0);

		if (n < 0 && errno == EAGAIN) {
			if (deadline_wait(fd, POLLIN, deadline, err) < 0)
				return -1;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return closed(err, n < 0 ? errno : 0);
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
read_exactly(struct channel *ch, void *data, size_t len, struct deadline deadline,
    struct error *err)
{
	if (ch->tls)
		return tls_read(ch->tls, data, len, deadline, err);
	return read_clear(ch->fd, data, len, deadline, err);
}

int
channel_send(struct channel *ch, plist_t message, struct deadline deadline, struct error *err)
{
	auto_blob struct blob body = { 0 }, packet = { 0 };
	uint8_t header[HEADER];
	size_t len;

	if (proplist_to_xml(message, &body) < 0)
		return error_memory(err);
	len = body.len;
	if (len > PROPLIST_WIRE.bytes)
		return error_set(err, ERR_DATA, "a message of %zu bytes is too long to send", len);
	header[0] = (uint8_t)(len >> 24);
	header[1] = (uint8_t)(len >> 16);
	header[2] = (uint8_t)(len >> 8);
	header[3] = (uint8_t)len;
	if (blob_append(&packet, header, HEADER) < 0 || blob_append(&packet, body.data, len) < 0)
		return error_memory(err);
	if (ch->tls)
		return tls_write(ch->tls, packet.data, packet.len, deadline, err);
	return write_clear(ch->fd, packet.data, packet.len, deadline, err);
}

/*
 * Reads the body in pieces, so that a length that lies makes us wait but not
 * allocate: memory grows with what really came.
 */
static int
read_body(struct channel *ch, size_t len, struct deadline deadline, struct blob *body,
    struct error *err)
{
	enum { PIECE = 256 << 10 };

	while (body->len < len) {
		size_t piece = len - body->len < PIECE ? len - body->len : PIECE;

		if (blob_reserve(body, body->len + piece) < 0)
			return error_memory(err);
		if (read_exactly(ch, body->data + body->len, piece, deadline, err) < 0)
			return -1;
		body->len += piece;
	}
	return 0;
}

int
channel_receive(struct channel *ch, struct deadline deadline, plist_t *out, struct error *err)
{
	auto_blob struct blob body = { 0 };
	uint8_t header[HEADER];
	size_t len;

	if (read_exactly(ch, header, HEADER, deadline, err) < 0)
		return -1;
	len = (size_t)header[0] << 24 | (size_t)header[1] << 16 |
	    (size_t)header[2] << 8 | header[3];
	if (len == 0 || len > PROPLIST_WIRE.bytes)
		return error_set(err, ERR_PROTOCOL,
		    "an answer that claims to be %zu bytes long", len);
	if (read_body(ch, len, deadline, &body, err) < 0)
		return -1;
	return proplist_parse(body.data, body.len, &PROPLIST_WIRE, ERR_PROTOCOL, out, err);
}
