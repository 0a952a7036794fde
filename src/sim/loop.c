/* loop: epoll and a heap of timers */
#include "sim/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"

enum { EVENTS_PER_TURN = 256, LONGEST_WAIT_MS = 60000 };

struct watch {
	struct watch	*next_dead;
	struct loop	*loop;
	int		 fd;
	uint32_t	 events;
	bool		 is_dead;
	loop_ready_fn	*ready;
	void		*ctx;
};

struct loop {
	int		  epoll;
	bool		  is_stopping;
	struct watch	 *dead;		/* may still be named in this turn's events */
	struct timer	**heap;
	size_t		  n_timers;
	size_t		  room;
	loop_call_fn	 *on_turn;
	void		 *on_turn_ctx;
};

struct loop *
loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		free(loop);
		return NULL;
	}
	return loop;
}

static void
bury(struct loop *loop)
{
	while (loop->dead) {
		struct watch *watch = loop->dead;

		loop->dead = watch->next_dead;
		free(watch);
	}
}

void
loop_free(struct loop *loop)
{
	if (!loop)
		return;
	bury(loop);
	close(loop->epoll);
	free(loop->heap);
	free(loop);
}

void
loop_stop(struct loop *loop)
{
	loop->is_stopping = true;
}

void
loop_on_turn(struct loop *loop, loop_call_fn *call, void *ctx)
{
	loop->on_turn = call;
	loop->on_turn_ctx = ctx;
}

/* ---- descriptors ---------------------------------------------------------- */

struct watch *
loop_watch(struct loop *loop, int fd, uint32_t events, loop_ready_fn *ready, void *ctx)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	struct epoll_event event = { .events = events };

	if (!watch)
		return NULL;
	*watch = (struct watch){ .loop = loop, .fd = fd, .events = events, .ready = ready,
		.ctx = ctx };
	event.data.ptr = watch;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		free(watch);
		return NULL;
	}
	return watch;
}

void
watch_change(struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events };

	if (watch->events == events)
		return;
	event.data.ptr = watch;
	watch->events = events;
	epoll_ctl(watch->loop->epoll, EPOLL_CTL_MOD, watch->fd, &event);
}

void
watch_free(struct watch *watch)
{
	if (!watch || watch->is_dead)
		return;
	epoll_ctl(watch->loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->is_dead = true;
	watch->next_dead = watch->loop->dead;
	watch->loop->dead = watch;
}

/* ---- timers --------------------------------------------------------------- */

static void
heap_put(struct loop *loop, size_t at, struct timer *timer)
{
	loop->heap[at] = timer;
	timer->slot = at + 1;
}

static void
heap_up(struct loop *loop, size_t at)
{
	struct timer *timer = loop->heap[at];

	while (at > 0 && loop->heap[(at - 1) / 2]->at_ms > timer->at_ms) {
		heap_put(loop, at, loop->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_put(loop, at, timer);
}

static void
heap_down(struct loop *loop, size_t at)
{
	struct timer *timer = loop->heap[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= loop->n_timers)
			break;
		if (child + 1 < loop->n_timers
		    && loop->heap[child + 1]->at_ms < loop->heap[child]->at_ms)
			child++;
		if (loop->heap[child]->at_ms >= timer->at_ms)
			break;
		heap_put(loop, at, loop->heap[child]);
		at = child;
	}
	heap_put(loop, at, timer);
}

void
timer_clear(struct timer *timer)
{
	struct loop *loop = timer->loop;
	size_t at = timer->slot;

	if (at == 0)
		return;
	timer->slot = 0;
	at--;
	loop->n_timers--;
	if (at == loop->n_timers)
		return;
	heap_put(loop, at, loop->heap[loop->n_timers]);
	heap_up(loop, at);
	heap_down(loop, loop->heap[at]->slot - 1);
}

int
timer_set(struct loop *loop, struct timer *timer, int64_t delay_ms, loop_call_fn *call, void *ctx)
{
	timer_clear(timer);
	if (loop->n_timers == loop->room) {
		size_t room = loop->room ? 2 * loop->room : 64;
		struct timer **grown = reallocarray(loop->heap, room, sizeof(struct timer *));

		if (!grown)
			return -1;
		loop->heap = grown;
		loop->room = room;
	}
	*timer = (struct timer){ .loop = loop, .at_ms = now_monotonic_ms() + delay_ms,
		.call = call, .ctx = ctx };
	heap_put(loop, loop->n_timers, timer);
	heap_up(loop, loop->n_timers++);
	return 0;
}

/* Fires what is due, but nothing that was set meanwhile for "now": no starving. */
static void
fire_timers(struct loop *loop)
{
	int64_t now = now_monotonic_ms();
	size_t most = loop->n_timers;

	while (most-- > 0 && loop->n_timers > 0 && loop->heap[0]->at_ms <= now) {
		struct timer *timer = loop->heap[0];

		timer_clear(timer);
		timer->call(timer->ctx);
	}
}

static int
wait_ms(const struct loop *loop, int most_ms)
{
	int64_t left;

	if (loop->n_timers == 0)
		return most_ms;
	left = loop->heap[0]->at_ms - now_monotonic_ms();
	if (left < 0)
		return 0;
	return left > most_ms ? most_ms : (int)left;
}

int
loop_turn(struct loop *loop, int most_ms, struct error *err)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int i, n = epoll_wait(loop->epoll, events, EVENTS_PER_TURN, wait_ms(loop, most_ms));

	if (n < 0 && errno != EINTR)
		return error_set_sys(err, ERR_SOFTWARE, errno, "epoll_wait");
	for (i = 0; i < n; i++) {
		struct watch *watch = events[i].data.ptr;

		if (!watch->is_dead)
			watch->ready(watch->ctx, events[i].events);
	}
	fire_timers(loop);
	if (loop->on_turn)
		loop->on_turn(loop->on_turn_ctx);
	bury(loop);
	return 0;
}

int
loop_run(struct loop *loop, struct error *err)
{
	while (!loop->is_stopping)
		if (loop_turn(loop, LONGEST_WAIT_MS, err) < 0)
			return -1;
	return 0;
}
