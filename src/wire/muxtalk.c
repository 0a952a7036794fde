/* muxtalk: one conversation with usbmuxd: its socket, its messages and their limits */
#include "wire/muxtalk.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/error.h"
#include "base/proplist.h"

enum {
	HEADER = 16,
	VERSION_PLIST = 1,
	MESSAGE_PLIST = 8,
	MESSAGE_MAX = 4 << 20,		/* a list of some thousand devices */
	PIECE = 64 << 10,		/* memory grows with what comes, not with what is
					 * announced */
};

static const char DEFAULT_SOCKET[] = "/var/run/usbmuxd";
static const char HINT_USBMUXD[] =
    "is usbmuxd running? systemctl status usbmuxd (it starts when a device is plugged in)";

/* ---- the socket ---------------------------------------------------------- */

static int
unavailable(struct error *err, int sys, const char *where)
{
	if (sys == EINTR && deadline_interrupted())
		return error_set(err, ERR_INTERRUPTED, "interrupted");
	if (sys == ETIMEDOUT)
		error_set(err, ERR_TIMEOUT, "usbmuxd takes no connection at %s", where);
	else
		error_set_sys(err, ERR_UNAVAILABLE, sys, "usbmuxd cannot be reached at %s", where);
	return error_hint(err, HINT_USBMUXD);
}

/* For connect(2) alone: nothing that is sent over it blocks. */
static int
limit_connecting(int fd, struct deadline deadline)
{
	int left_ms = deadline_left_ms(deadline);
	/* 0 would be for ever. */
	const struct timeval most = {
		.tv_sec = left_ms / 1000, .tv_usec = left_ms > 0 ? left_ms % 1000 * 1000 : 1,
	};

	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
}

/*
 * -1: errno says why; ETIMEDOUT in time. Also a UNIX socket can keep us waiting:
 * one whose queue is full, because usbmuxd hangs.
 */
static int
connect_to(const struct sockaddr *to, socklen_t len, struct deadline deadline, int *out)
{
	auto_fd int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return -1;
	do
		rc = limit_connecting(fd, deadline) < 0 ? -1 : connect(fd, to, len);
	while (rc < 0 && errno == EINTR && !deadline_interrupted());
	if (rc < 0) {
		errno = errno == EAGAIN || errno == EINPROGRESS ? ETIMEDOUT : errno;
		return -1;
	}
	*out = steal_fd(&fd);
	return 0;
}

static int
connect_unix(const char *path, struct deadline deadline, int *out, struct error *err)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(sa.sun_path))
		return unavailable(err, ENAMETOOLONG, path);
	memcpy(sa.sun_path, path, strlen(path) + 1);
	return connect_to((struct sockaddr *)&sa, sizeof(sa), deadline, out) < 0 ?
	    unavailable(err, errno, path) : 0;
}

/*
 * Where it was reached last. A confined process inherits that of its parent: it
 * can open no file that would tell it what a name stands for.
 */
static struct {
	char			address[256];
	struct sockaddr_storage	to;
	socklen_t		len;
} reached;

static void
note_reached(const char *address, const struct addrinfo *a)
{
	if (a->ai_addrlen > sizeof(reached.to))
		return;
	snprintf(reached.address, sizeof(reached.address), "%s", address);
	memcpy(&reached.to, a->ai_addr, a->ai_addrlen);
	reached.len = a->ai_addrlen;
}

static int
connect_tcp(const char *address, struct deadline deadline, int *out, struct error *err)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *list, *a;
	const char *colon = strrchr(address, ':');
	char host[256];
	int sys = EHOSTUNREACH;

	if (reached.len && strcmp(reached.address, address) == 0 && connect_to(
		(const struct sockaddr *)&reached.to, reached.len, deadline, out) == 0)
		return 0;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
	if (getaddrinfo(host, colon + 1, &hints, &list) != 0)
		return unavailable(err, EHOSTUNREACH, address);
	for (a = list; a; a = a->ai_next) {
		if (connect_to(a->ai_addr, a->ai_addrlen, deadline, out) == 0) {
			note_reached(address, a);
			break;
		}
		sys = errno;
	}
	freeaddrinfo(list);
	return a ? 0 : unavailable(err, sys, address);
}

bool
muxtalk_needs_tcp(void)
{
	const char *address = getenv("USBMUXD_SOCKET_ADDRESS");

	return address && *address && strncmp(address, "UNIX:", 5) != 0;
}

uint64_t
muxtalk_daemon(void)
{
	const char *address = getenv("USBMUXD_SOCKET_ADDRESS");
	const char *path = address && *address ? address + 5 : DEFAULT_SOCKET;
	struct stat st;

	if (muxtalk_needs_tcp() || stat(path, &st) < 0)
		return 0;
	/* Inodes are used again, moments are not. */
	return ((uint64_t)st.st_ctim.tv_sec * 1000000000u + (uint64_t)st.st_ctim.tv_nsec) ^
	    (uint64_t)st.st_ino << 40;
}

/* USBMUXD_SOCKET_ADDRESS as libusbmuxd reads it, so that both reach the same. */
static int
connect_usbmuxd(struct deadline deadline, int *out, struct error *err)
{
	const char *address = getenv("USBMUXD_SOCKET_ADDRESS");

	if (address && strncmp(address, "UNIX:", 5) == 0)
		return connect_unix(address + 5, deadline, out, err);
	if (address && strrchr(address, ':'))
		return connect_tcp(address, deadline, out, err);
	if (address && *address) {
		error_set(err, ERR_USAGE,
		    "USBMUXD_SOCKET_ADDRESS is neither UNIX:PATH nor HOST:PORT: %s", address);
		return error_hint(err, "libusbmuxd would silently use the system's socket instead");
	}
	return connect_unix(DEFAULT_SOCKET, deadline, out, err);
}

int
muxtalk_open(struct muxtalk *t, struct deadline deadline, struct error *err)
{
	*t = (struct muxtalk){ .fd = -1 };
	return connect_usbmuxd(deadline, &t->fd, err);
}

void
muxtalk_close(struct muxtalk *t)
{
	clean_fd(&t->fd);
	blob_clear(&t->in);
}

/* ---- messages ------------------------------------------------------------ */

static void
put_le32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

static uint32_t
get_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int
lost(struct error *err, int sys)
{
	if (sys)
		error_set_sys(err, ERR_MUX, sys, "the connection to usbmuxd broke");
	else
		error_set(err, ERR_MUX, "usbmuxd closed the connection");
	return error_hint(err, HINT_USBMUXD);
}

plist_t
muxtalk_request(const char *type)
{
	auto_plist plist_t request = plist_new_dict();

	if (!dict_set_string(request, "MessageType", type) ||
	    !dict_set_string(request, "ClientVersionString", PACKAGE_STRING) ||
	    !dict_set_string(request, "ProgName", PACKAGE_NAME))
		return NULL;
	plist_dict_set_item(request, "kLibUSBMuxVersion", plist_new_uint(3));
	return steal_pointer(&request);
}

static int
write_all(int fd, const struct blob *packet, struct deadline deadline, struct error *err)
{
	size_t sent = 0;

	while (sent < packet->len) {
		ssize_t n = send(fd, packet->data + sent, packet->len - sent,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN && deadline_wait(fd, POLLOUT, deadline, err) < 0)
			return -1;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return lost(err, errno);
		sent += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int
muxtalk_send(struct muxtalk *t, plist_t request, struct deadline deadline, struct error *err)
{
	auto_blob struct blob body = { 0 }, packet = { 0 };
	uint8_t header[HEADER];

	if (proplist_to_xml(request, &body) < 0)
		return error_memory(err);
	put_le32(header, (uint32_t)(HEADER + body.len));
	put_le32(header + 4, VERSION_PLIST);
	put_le32(header + 8, MESSAGE_PLIST);
	put_le32(header + 12, 1);
	if (blob_append(&packet, header, HEADER) < 0 ||
	    blob_append(&packet, body.data, body.len) < 0)
		return error_memory(err);
	return write_all(t->fd, &packet, deadline, err);
}

/* Its length, as soon as the header is there; 0: it is not. -1: no message. */
static int
message_length(const struct muxtalk *t, size_t *len, struct error *err)
{
	*len = 0;
	if (t->in.len < HEADER)
		return 0;
	*len = get_le32(t->in.data);
	if (*len < HEADER || *len > MESSAGE_MAX || get_le32(t->in.data + 8) != MESSAGE_PLIST)
		return error_set(err, ERR_MUX, "usbmuxd sent something that is no message");
	return 0;
}

/* Reads what is there of the message. 1 something came, 0 nothing for now, -1 lost. */
static int
fill(struct muxtalk *t, size_t len, struct error *err)
{
	size_t missing = (len ? len : HEADER) - t->in.len;
	ssize_t n;

	missing = missing < PIECE ? missing : PIECE;
	if (blob_reserve(&t->in, t->in.len + missing) < 0)
		return error_memory(err);
	n = recv(t->fd, t->in.data + t->in.len, missing, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return lost(err, n < 0 ? errno : 0);
	t->in.len += (size_t)n;
	return 1;
}

int
muxtalk_take(struct muxtalk *t, plist_t *out, struct error *err)
{
	size_t len;
	int rc;

	for (;;) {
		if (message_length(t, &len, err) < 0)
			return -1;
		if (len && t->in.len == len)
			break;
		rc = fill(t, len, err);
		if (rc <= 0)
			return rc;
	}
	if (proplist_parse(t->in.data + HEADER, len - HEADER, &PROPLIST_WIRE, ERR_MUX,
		out, err) < 0)
		return error_context(err, "usbmuxd");
	t->in.len = 0;
	return 1;
}

int
muxtalk_receive(struct muxtalk *t, struct deadline deadline, plist_t *out, struct error *err)
{
	for (;;) {
		int rc = muxtalk_take(t, out, err);

		if (rc != 0)
			return rc < 0 ? -1 : 0;
		if (deadline_wait(t->fd, POLLIN, deadline, err) < 0)
			return error_context(err, "waiting for usbmuxd");
	}
}

int
muxtalk_ask(struct muxtalk *t, plist_t request, struct deadline deadline, plist_t *out,
    struct error *err)
{
	if (!request)
		return error_memory(err);
	if (muxtalk_send(t, request, deadline, err) < 0)
		return -1;
	return muxtalk_receive(t, deadline, out, err);
}

bool
muxtalk_result(plist_t answer, uint64_t *number)
{
	const char *type = dict_get_string(answer, "MessageType");

	return type && strcmp(type, "Result") == 0 && dict_get_uint(answer, "Number", number);
}
