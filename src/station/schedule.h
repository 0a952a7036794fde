/* schedule: which device is worked on when; a pure state machine */
#ifndef STATION_SCHEDULE_H
#define STATION_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/verdict.h"

struct error;
struct schedule;

/* Both clocks of one moment, by value. Only windows go by the wall's. */
struct moment {
	int64_t	ms;		/* monotonic */
	int64_t	wall_s;		/* since 1970, UTC */
};

enum schedule_why { WHY_ARRIVAL, WHY_RETRY, WHY_PERSON, WHY_WINDOW, WHY_RELOAD };

struct schedule_settings {
	unsigned	lanes;			/* jobs at once */
	unsigned	per_controller;		/* of these on one USB controller; 0: as many */
	int64_t		job_ms;			/* after that a job is killed */
	unsigned	retries;		/* of what a retry may mend */
	int64_t		retry_first_ms, retry_most_ms;	/* doubled from the one to the other */
	int64_t		locked_first_ms, locked_most_ms;	/* likewise, without end */
	int64_t		return_ms;		/* who is expected back has that long */
	unsigned	flaps;			/* so many arrivals on one port */
	int64_t		flap_ms;		/* within this time set it aside */
	int64_t		calm_ms;		/* until nothing has moved there for so long */
};

extern const struct schedule_settings SCHEDULE_DEFAULTS;

enum { SCHEDULE_DEVICES_MAX = 4096, SCHEDULE_NAME_MAX = 64 };

/* Zero lanes are one. *out is the caller's: schedule_free(). */
int	schedule_new(const struct schedule_settings *settings, struct schedule **out,
	    struct error *err);
void	schedule_free(struct schedule *s);	/* NULL is fine */

/* ---- what happens ------------------------------------------------------------ */

/*
 * A device is there. port names the physical one ("1-4.2") or is NULL;
 * controller tells USB controllers apart, 0 unknown. A device that is expected
 * back goes on from where it was; any other is a new arrival, and gets a job.
 */
int	schedule_attach(struct schedule *s, uint32_t handle, const char *udid, const char *port,
	    uint32_t controller, struct moment now, struct error *err);
void	schedule_detach(struct schedule *s, uint32_t handle, struct moment now);

/* usbmuxd went away and every device with it; they are expected back. */
void	schedule_mux_lost(struct schedule *s, struct moment now);

enum schedule_next {
	NEXT_FINAL,	/* that is the verdict */
	NEXT_RETRY,	/* it is tried again, later */
	NEXT_PERSON,	/* it goes on when somebody has unlocked the device or tapped */
};

/*
 * The device's job has ended, its worker is gone. boundary_s: when its window
 * opens or closes next (wall clock), INT64_MAX: never. Its lane is free.
 */
enum schedule_next schedule_result(struct schedule *s, const char *udid, enum reason reason,
	    int64_t boundary_s, struct moment now);

/* Somebody did something to the device: if it waits, it goes on now. */
void	schedule_nudge(struct schedule *s, uint32_t handle, struct moment now);
/*
 * Somebody watches the waiting device, and will nudge it: until he no longer
 * does, it is not asked again by itself.
 */
void	schedule_attend(struct schedule *s, const char *udid, bool is_attended, struct moment now);
/*
 * Every attached device is looked at again: policies have changed, the ledger can
 * be written again, or windows are elsewhere than they seemed (WHY_WINDOW).
 */
void	schedule_reload(struct schedule *s, enum schedule_why why);
/* No job begins until it is called again with false. */
void	schedule_hold(struct schedule *s, bool is_held);
/* No job begins any more; those running end as they would. */
void	schedule_stop(struct schedule *s);

/* ---- what is to be done -------------------------------------------------------- */

enum schedule_do {
	DO_START,	/* begin a job on the device */
	DO_KILL,	/* its worker is over its time; the result is still to be told */
	DO_ARRIVED,	/* a new arrival; told before its job begins */
	DO_LEFT,	/* gone, and not expected back */
	DO_SET_ASIDE,	/* the port flaps: nothing is begun on it */
	DO_CALM,	/* and no longer */
};

struct schedule_action {
	enum schedule_do	what;
	enum schedule_why	why;		/* of DO_START */
	uint32_t		handle;		/* the newest one */
	unsigned		attempt;	/* of DO_START, from 1 */
	char			udid[SCHEDULE_NAME_MAX];	/* "" for ports */
	char			port[SCHEDULE_NAME_MAX];	/* "" unknown */
};

/*
 * true: *out is to be done now. Ask until it is false. A DO_START counts as
 * begun: should it fail, tell its result.
 */
bool	schedule_take(struct schedule *s, struct moment now, struct schedule_action *out);

/* How long nothing will be due, unless something happens: -1 for ever. */
int64_t	schedule_wait_ms(const struct schedule *s, struct moment now);

/* Its port was set aside, and is not calm yet. */
bool	schedule_is_aside(const struct schedule *s, const char *udid);

struct schedule_counts {
	size_t	attached, queued, running, waiting, aside;
};

struct schedule_counts schedule_count(const struct schedule *s);

#endif
