/* door: binds, accepts, and keeps its composure when descriptors run out */
#include "web/door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/text.h"

enum {
	WAITING_MAX = 64,		/* connections the kernel keeps for us */
	SHUT_MS = 500,			/* after even the spare descriptor was gone */
	SEND_BUFFER = 64 * 1024,	/* what the kernel may keep of old boards per client */
};

static const struct sockaddr_in *
as_v4(const struct sockaddr_storage *address)
{
	return (const struct sockaddr_in *)(const void *)address;
}

static const struct sockaddr_in6 *
as_v6(const struct sockaddr_storage *address)
{
	return (const struct sockaddr_in6 *)(const void *)address;
}

bool
door_same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return as_v4(a)->sin_addr.s_addr == as_v4(b)->sin_addr.s_addr;
	/* One host has a whole /64 of IPv6. */
	return memcmp(&as_v6(a)->sin6_addr, &as_v6(b)->sin6_addr, 8) == 0 &&
	    (!door_is_loopback(a) || door_is_loopback(b));
}

bool
door_is_loopback(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return ntohl(as_v4(address)->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&as_v6(address)->sin6_addr);
}

void
door_host_text(const struct sockaddr_storage *address, char *out)
{
	const void *bytes = address->ss_family == AF_INET ?
	    (const void *)&as_v4(address)->sin_addr : (const void *)&as_v6(address)->sin6_addr;

	if (!inet_ntop(address->ss_family, bytes, out, INET6_ADDRSTRLEN))
		*out = '\0';
}

/* "127.0.0.1:8765", "[::1]:8765", "localhost:8765" */
static int
parse_address(const char *text, struct sockaddr_storage *out, struct error *err)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	char host[INET6_ADDRSTRLEN + 2];
	int64_t port;
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	memset(out, 0, sizeof(*out));
	if (len > 0 && len < sizeof(host) && text_number(colon + 1, 0, 65535, &port) == 0) {
		memcpy(host, text, len);
		host[len] = '\0';
		if (strcmp(host, "localhost") == 0)
			snprintf(host, sizeof(host), "127.0.0.1");
		v4.sin_port = v6.sin6_port = htons((uint16_t)port);
		if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
			memcpy(out, &v4, sizeof(v4));
			return 0;
		}
		if (host[0] == '[' && host[len - 1] == ']') {
			host[len - 1] = '\0';
			if (inet_pton(AF_INET6, host + 1, &v6.sin6_addr) == 1) {
				memcpy(out, &v6, sizeof(v6));
				return 0;
			}
		}
	}
	error_set(err, ERR_USAGE, "no address and port: '%s'", text);
	return error_hint(err, "for this computer only: 127.0.0.1:8765 or [::1]:8765");
}

static void
describe(struct door *door, const struct sockaddr_storage *bound)
{
	bool is_v6 = bound->ss_family == AF_INET6;
	char host[INET6_ADDRSTRLEN];

	door_host_text(bound, host);
	door->is_exposed = !door_is_loopback(bound);
	snprintf(door->address, sizeof(door->address), is_v6 ? "[%s]:%u" : "%s:%u", host,
	    (unsigned)ntohs(is_v6 ? as_v6(bound)->sin6_port : as_v4(bound)->sin_port));
}

int
door_open(const char *text, struct door *door, struct error *err)
{
	struct sockaddr_storage address;
	socklen_t len;
	auto_fd int listener = -1, spare = -1;
	const int yes = 1;

	if (parse_address(text, &address, err) < 0)
		return -1;
	len = address.ss_family == AF_INET ? sizeof(struct sockaddr_in) :
	    sizeof(struct sockaddr_in6);
	listener = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener < 0)
		return error_set_sys(err, ERR_UNAVAILABLE, errno, "a socket for %s", text);
	/* A station that restarts gets its port back at once. */
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (address.ss_family == AF_INET6)
		setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	if (bind(listener, (const struct sockaddr *)&address, len) < 0 ||
	    listen(listener, WAITING_MAX) < 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &len) < 0)
		return error_set_sys(err, ERR_UNAVAILABLE, errno, "listening on %s", text);
	spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (spare < 0)
		return error_set_sys(err, ERR_UNAVAILABLE, errno, "/dev/null");
	*door = (struct door){ .listener = steal_fd(&listener), .spare = steal_fd(&spare) };
	describe(door, &address);
	return 0;
}

void
door_turn_away(int fd, const char *why)
{
	char text[256];
	int len = snprintf(text, sizeof(text), "HTTP/1.1 503 Service Unavailable\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n"
	    "Cache-Control: no-store\r\nRetry-After: 5\r\nConnection: close\r\n\r\n%s\n",
	    strlen(why) + 1, why);

	/* It fits an empty buffer; a client that lost interest may miss it. */
	if (len > 0 && (size_t)len < sizeof(text))
		(void)!send(fd, text, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
	shutdown(fd, SHUT_WR);
	close(fd);
}

/*
 * Without a free descriptor the one that waits would wake us forever. So one is
 * freed, the visitor is shown out, and the descriptor is kept again.
 */
static void
turn_away_with_spare(struct door *door)
{
	int fd;

	clean_fd(&door->spare);
	door->spare = -1;
	fd = accept4(door->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		door_turn_away(fd, "the station has no descriptor left");
	door->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (door->spare < 0)
		door->closed_until_ms = now_monotonic_ms() + SHUT_MS;
}

bool
door_is_shut(const struct door *door)
{
	return door->closed_until_ms > now_monotonic_ms();
}

bool
door_let_in(struct door *door, struct guest *guest)
{
	const int send_buffer = SEND_BUFFER;

	if (door_is_shut(door))
		return false;
	door->closed_until_ms = 0;
	if (door->spare < 0)
		door->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	guest->len = sizeof(guest->peer);
	guest->fd = accept4(door->listener, (struct sockaddr *)&guest->peer, &guest->len,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (guest->fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			turn_away_with_spare(door);
		return false;
	}
	setsockopt(guest->fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer));
	return true;
}

void
door_close(struct door *door)
{
	clean_fd(&door->listener);
	clean_fd(&door->spare);
	door->listener = door->spare = -1;
}
