/* loop: one thread, many descriptors and timers; nothing in the bench ever blocks */
#ifndef SIM_LOOP_H
#define SIM_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct loop;
struct watch;

typedef void loop_ready_fn(void *ctx, uint32_t events);
typedef void loop_call_fn(void *ctx);

/* Lives inside its owner; zero-initialise. The owner clears it before it goes. */
struct timer {
	struct loop	*loop;
	int64_t		 at_ms;
	size_t		 slot;		/* place in the heap plus one; 0: not running */
	loop_call_fn	*call;
	void		*ctx;
};

/* NULL when the system refuses. */
struct loop *loop_new(void);
void	loop_free(struct loop *loop);
/* Returns after loop_stop(), or -1 when the system no longer waits. */
int	loop_run(struct loop *loop, struct error *err);
/* One turn: waits at most that long, then serves what is ready. */
int	loop_turn(struct loop *loop, int most_ms, struct error *err);
void	loop_stop(struct loop *loop);
/* Called after each turn, when no callback is on the stack. */
void	loop_on_turn(struct loop *loop, loop_call_fn *call, void *ctx);

/* events as in epoll(7). fd stays the caller's and must outlive the watch. */
struct watch *loop_watch(struct loop *loop, int fd, uint32_t events, loop_ready_fn *ready,
	    void *ctx);
void	watch_change(struct watch *watch, uint32_t events);
/* Safe inside any callback: no further call comes. NULL is fine. */
void	watch_free(struct watch *watch);

/* Starts or restarts. 0, or -1 out of memory. */
int	timer_set(struct loop *loop, struct timer *timer, int64_t delay_ms, loop_call_fn *call,
	    void *ctx);
void	timer_clear(struct timer *timer);

#endif
