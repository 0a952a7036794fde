/* deadline: one moment on the monotonic clock, passed down and never restarted */
#ifndef BASE_DEADLINE_H
#define BASE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct pollfd;

/* By value; a copy passed down cannot outlive what its owner allowed. */
struct deadline {
	int64_t	at_ms;		/* CLOCK_MONOTONIC; INT64_MAX: never */
};

int64_t		now_monotonic_ms(void);
int64_t		now_monotonic_us(void);		/* to measure with */
struct deadline	deadline_in(int64_t ms);
struct deadline	deadline_never(void);
/* The earlier of the two. */
struct deadline	deadline_sooner(struct deadline a, struct deadline b);
/* 0 when passed; never more than an hour, so it fits poll(2). */
int		deadline_left_ms(struct deadline d);
bool		deadline_passed(struct deadline d);

/*
 * Blocks until fd is ready for events (POLLIN, POLLOUT), hung up, or the
 * deadline passes: ERR_TIMEOUT. A signal whose handler called
 * deadline_interrupt() ends it too: ERR_INTERRUPTED.
 */
int	deadline_wait(int fd, short events, struct deadline d, struct error *err);
/*
 * poll(2) until the deadline. With heeds_interrupt also an interrupt ends it, and
 * none is lost between a look at it and the wait: -1 with EINTR.
 */
int	deadline_poll(struct pollfd *fds, unsigned long n, struct deadline d,
	    bool heeds_interrupt);
/* Waits without a descriptor; 0 when the time is over, -1 ERR_INTERRUPTED. */
int	deadline_pause(struct deadline d, struct error *err);

/* Safe in a signal handler: every wait of this process ends from now on. */
void	deadline_interrupt(void);
bool	deadline_interrupted(void);

#endif
