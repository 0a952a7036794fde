/* listener: bind, listen, accept */
#include "sim/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/text.h"

enum { BACKLOG = 4096 };

/* Left over from a bench that died: connecting is refused. */
static bool
is_abandoned(const struct sockaddr_un *at)
{
	auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	return fd >= 0 && lstat(at->sun_path, &st) == 0 && S_ISSOCK(st.st_mode)
	    && connect(fd, (const struct sockaddr *)at, sizeof(*at)) < 0
	    && errno == ECONNREFUSED;
}

int
listener_unix(const char *path, unsigned mode, struct error *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(at.sun_path))
		return error_set(err, ERR_USAGE, "%s: longer than %zu characters", path,
		    sizeof(at.sun_path) - 1);
	memcpy(at.sun_path, path, strlen(path));
	if (fd >= 0 && is_abandoned(&at))
		unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0
	    || chmod(path, (mode_t)mode) < 0 || listen(fd, BACKLOG) < 0)
		return error_set_sys(err, ERR_CREATE, errno, "%s", path);
	return steal_fd(&fd);
}

static int
parse_address(const char *address, struct sockaddr_in *out, struct error *err)
{
	const char *colon = strrchr(address, ':');
	char host[INET_ADDRSTRLEN];
	int64_t port;

	*out = (struct sockaddr_in){ .sin_family = AF_INET };
	if (!colon || (size_t)(colon - address) >= sizeof(host)
	    || text_number(colon + 1, 0, 65535, &port) < 0)
		return error_set(err, ERR_USAGE, "%s: not HOST:PORT", address);
	memcpy(host, address, (size_t)(colon - address));
	host[colon - address] = '\0';
	if (inet_pton(AF_INET, host, &out->sin_addr) != 1)
		return error_set(err, ERR_USAGE, "%s: not a numeric address", host);
	out->sin_port = htons((uint16_t)port);
	return 0;
}

int
listener_tcp(const char *address, uint16_t *port, struct error *err)
{
	auto_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	int on = 1;

	if (parse_address(address, &at, err) < 0)
		return -1;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0
	    || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, BACKLOG) < 0
	    || getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		return error_set_sys(err, ERR_CREATE, errno, "%s", address);
	*port = ntohs(at.sin_port);
	return steal_fd(&fd);
}

int
listener_accept(int fd)
{
	int on = 1, accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	/* Fails on UNIX sockets, which need it not. */
	if (accepted >= 0)
		(void)setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return accepted;
}
