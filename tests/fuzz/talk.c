/* talk: fuzzed bytes as what one side says, on one connection after the other */
#include "tests/fuzz/talk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { SEPARATOR = 4 };		/* "\n--\n", "\n==\n" */

struct talk
talk_begin(const uint8_t *data, size_t len, unsigned *choice)
{
	*choice = len ? data[0] : 0;
	return (struct talk){ .at = data + (len > 0), .end = data + len, .is_at_turn = len <= 1 };
}

bool
talk_is_over(const struct talk *t)
{
	return t->at == t->end;
}

void
talk_turn(struct talk *t)
{
	const uint8_t *unused;
	size_t len;

	while (talk_next(t, &unused, &len))
		continue;
	t->is_at_turn = talk_is_over(t);
}

static const uint8_t *
separator(const struct talk *t)
{
	const uint8_t *p = t->at;

	while ((p = memchr(p, '\n', (size_t)(t->end - p)))) {
		if ((size_t)(t->end - p) < SEPARATOR)
			return NULL;
		if (memcmp(p, "\n--\n", SEPARATOR) == 0 || memcmp(p, "\n==\n", SEPARATOR) == 0)
			return p;
		p++;
	}
	return NULL;
}

bool
talk_next(struct talk *t, const uint8_t **message, size_t *len)
{
	const uint8_t *stop;

	if (t->is_at_turn)
		return false;
	stop = separator(t);
	*message = t->at;
	*len = (size_t)((stop ? stop : t->end) - t->at);
	t->is_at_turn = !stop || stop[1] == '=';
	t->at = stop ? stop + SEPARATOR : t->end;
	return true;
}

static size_t
write_header(enum talk_frame frame, size_t len, uint8_t out[16])
{
	static const uint8_t plist_1_8_1[12] = { 1, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0 };
	size_t i;

	if (frame == TALK_DEVICE) {
		for (i = 0; i < 4; i++)
			out[i] = (uint8_t)(len >> (8 * (3 - i)));
		return 4;
	}
	for (i = 0; i < 4; i++)
		out[i] = (uint8_t)((len + 16) >> (8 * i));
	memcpy(out + 4, plist_1_8_1, sizeof(plist_1_8_1));
	return 16;
}

void
talk_frame(struct talk *t, enum talk_frame frame, struct blob *out)
{
	const uint8_t *message;
	uint8_t header[16];
	size_t len;
	int rc = 0;

	while (talk_next(t, &message, &len)) {
		if (len && *message == '!')
			rc |= blob_append(out, message + 1, len - 1);
		else
			rc |= blob_append(out, header, write_header(frame, len, header)) |
			    blob_append(out, message, len);
	}
	if (rc < 0)
		abort();
}

int
talk_socket(int type, const struct blob *bytes, int *other)
{
	int ends[2], room = 1 << 20;

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0 ||
	    setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) < 0)
		abort();
	if (bytes->len)
		(void)!send(ends[1], bytes->data, bytes->len, MSG_NOSIGNAL);
	shutdown(ends[1], SHUT_WR);
	*other = ends[1];
	return ends[0];
}
