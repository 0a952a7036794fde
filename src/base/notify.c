/* notify: what a service tells the service manager (sd_notify(3)) */
#include "base/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/text.h"

enum {
	WAIT_S = 5,
};

/* -1: there was no room. Nobody there is no failure. */
static int
notify_send(const char *state, int flags)
{
	const char *path = getenv("NOTIFY_SOCKET");
	const struct timeval wait = { .tv_sec = WAIT_S };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = path ? strlen(path) : 0;
	auto_fd int fd = -1;

	if (len < 2 || len >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
		return 0;
	memcpy(to.sun_path, path, len);
	/* "@" stands for the NUL of a socket without a file. */
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0)
		return 0;
	return sendto(fd, state, strlen(state), MSG_NOSIGNAL | flags, (const struct sockaddr *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0 && errno == EAGAIN ?
	    -1 : 0;
}

void
notify_state(const char *state)
{
	(void)notify_send(state, 0);
}

int
notify_hint(const char *state)
{
	return notify_send(state, MSG_DONTWAIT);
}

void
notify_reloading(void)
{
	struct timespec now;
	char state[80];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	notify_state(state);
}

int64_t
notify_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *whose = getenv("WATCHDOG_PID");
	int64_t allowed, pid;

	if (!usec || text_number(usec, 1, INT64_MAX, &allowed) < 0)
		return 0;
	if (whose && (text_number(whose, 1, INT32_MAX, &pid) < 0 || pid != getpid()))
		return 0;
	return allowed / 2000 > 0 ? allowed / 2000 : 1;
}
