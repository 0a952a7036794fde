/* deadline: waiting for a descriptor, never longer than the job allows */
#include "base/deadline.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include "base/error.h"

enum { LONGEST_POLL_MS = 3600 * 1000 };

static volatile sig_atomic_t interrupted;

int64_t
now_monotonic_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
now_monotonic_ms(void)
{
	return now_monotonic_us() / 1000;
}

struct deadline
deadline_in(int64_t ms)
{
	return (struct deadline){ .at_ms = now_monotonic_ms() + ms };
}

struct deadline
deadline_never(void)
{
	return (struct deadline){ .at_ms = INT64_MAX };
}

struct deadline
deadline_sooner(struct deadline a, struct deadline b)
{
	return a.at_ms < b.at_ms ? a : b;
}

int
deadline_left_ms(struct deadline d)
{
	int64_t left;

	if (d.at_ms == INT64_MAX)
		return LONGEST_POLL_MS;
	left = d.at_ms - now_monotonic_ms();
	if (left <= 0)
		return 0;
	return left > LONGEST_POLL_MS ? LONGEST_POLL_MS : (int)left;
}

bool
deadline_passed(struct deadline d)
{
	return deadline_left_ms(d) == 0;
}

void
deadline_interrupt(void)
{
	interrupted = 1;
}

bool
deadline_interrupted(void)
{
	return interrupted != 0;
}

int
deadline_poll(struct pollfd *fds, unsigned long n, struct deadline d, bool heeds_interrupt)
{
	int left_ms = deadline_left_ms(d), rc = -1, sys = EINTR;
	const struct timespec left = {
		.tv_sec = left_ms / 1000, .tv_nsec = left_ms % 1000 * 1000000L,
	};
	sigset_t stops, before;

	sigemptyset(&stops);
	sigaddset(&stops, SIGINT);
	sigaddset(&stops, SIGTERM);
	sigprocmask(SIG_BLOCK, &stops, &before);
	if (!heeds_interrupt || !interrupted) {
		rc = ppoll(fds, n, &left, &before);
		sys = errno;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = sys;
	return rc;
}

/* 1 ready, 0 the deadline passed, -1 failed. With nfds 0 it only waits. */
static int
wait_ready(struct pollfd *pfd, nfds_t nfds, struct deadline d, struct error *err)
{
	for (;;) {
		int n = deadline_poll(pfd, nfds, d, true);

		if (interrupted)
			return error_set(err, ERR_INTERRUPTED, "interrupted");
		if (n > 0)
			return 1;
		if (n < 0 && errno != EINTR)
			return error_set_sys(err, ERR_SOFTWARE, errno, "poll");
		if (n == 0 && deadline_passed(d))
			return 0;
	}
}

int
deadline_wait(int fd, short events, struct deadline d, struct error *err)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int n = wait_ready(&pfd, 1, d, err);

	if (n == 0)
		return error_set(err, ERR_TIMEOUT, "no answer within the time allowed");
	return n < 0 ? -1 : 0;
}

int
deadline_pause(struct deadline d, struct error *err)
{
	return wait_ready(NULL, 0, d, err) < 0 ? -1 : 0;
}
