/* schedule: what happens to devices, and what their results mean */
#include "station/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "station/schedule_table.h"

const struct schedule_settings SCHEDULE_DEFAULTS = {
	.lanes = 32, .per_controller = 8, .job_ms = 60000, .retries = 4, .retry_first_ms = 2000,
	.retry_most_ms = 60000, .locked_first_ms = 3000, .locked_most_ms = 15000,
	.return_ms = 180000,
	.flaps = 5, .flap_ms = 30000, .calm_ms = 20000,
};

int
schedule_new(const struct schedule_settings *settings, struct schedule **out, struct error *err)
{
	struct schedule *s = calloc(1, sizeof(*s));

	if (!s)
		return error_memory(err);
	s->settings = *settings;
	if (s->settings.lanes == 0)
		s->settings.lanes = 1;
	if (s->settings.flaps > FLAPS_MAX)
		s->settings.flaps = FLAPS_MAX;
	*out = s;
	return 0;
}

void
schedule_free(struct schedule *s)
{
	if (!s)
		return;
	free(s->devices);
	free(s->ports);
	free(s);
}

/* ---- ports that flap ------------------------------------------------------------- */

static void
note_arrival(struct schedule *s, const char *name, struct moment now)
{
	struct port *p = schedule_find_port(s, name);
	size_t flaps = s->settings.flaps;

	if (!p || flaps == 0)
		return;
	p->moved_ms = now.ms;
	memmove(&p->arrivals[1], &p->arrivals[0], sizeof(p->arrivals) - sizeof(p->arrivals[0]));
	p->arrivals[0] = now.ms;
	p->n += p->n < flaps;
	if (p->is_aside || p->n < flaps || now.ms - p->arrivals[flaps - 1] > s->settings.flap_ms)
		return;
	p->is_aside = p->is_untold = true;
}

/* ---- arriving and leaving ----------------------------------------------------------- */

static bool
is_expected(const struct device *d, struct moment now)
{
	return d->back_ms != INT64_MIN && now.ms <= d->back_ms;
}

/* An arrival says more than that the policies changed. */
static void
run_again(struct device *d, enum schedule_why why)
{
	if (!d->runs_again || why == WHY_ARRIVAL)
		d->again_why = why;
	d->runs_again = true;
}

/* Forgets what its earlier visits were like. */
static void
begin_visit(struct schedule *s, struct device *d)
{
	d->tries = d->asked = 0;
	d->boundary_s = INT64_MAX;
	d->back_ms = INT64_MIN;
	d->is_arrival_untold = true;
	if (d->state == RUNNING)
		run_again(d, WHY_ARRIVAL);
	else
		schedule_enqueue(s, d, WHY_ARRIVAL);
}

int
schedule_attach(struct schedule *s, uint32_t handle, const char *udid, const char *port,
    uint32_t controller, struct moment now, struct error *err)
{
	struct device *d = schedule_find_udid(s, udid);
	char name[SCHEDULE_NAME_MAX] = "";
	bool is_back;

	if (port)
		schedule_copy_name(name, port);
	if (schedule_add_port(s, name, err) < 0 ||
	    (!d && schedule_add_device(s, udid, &d, err) < 0))
		return -1;
	/* Announced again as it is: nothing has happened. */
	if (d->is_attached && d->handle == handle)
		return 0;
	is_back = is_expected(d, now);
	if (!is_back && (d->is_attached || d->back_ms != INT64_MIN))
		schedule_end_visit(d);
	d->is_attached = true;
	d->handle = handle;
	d->controller = controller;
	memcpy(d->port, name, sizeof(d->port));
	if (is_back) {
		d->back_ms = INT64_MIN;
		/* Who watched it is gone, and perhaps the box on its screen. */
		if (d->state == WAITING && d->why == WHY_PERSON)
			schedule_enqueue(s, d, WHY_PERSON);
		return 0;
	}
	note_arrival(s, name, now);
	begin_visit(s, d);
	return 0;
}

void
schedule_detach(struct schedule *s, uint32_t handle, struct moment now)
{
	struct device *d = schedule_find_handle(s, handle);
	struct port *p;

	if (!d)
		return;
	d->is_attached = false;
	if (is_expected(d, now))
		return;
	p = schedule_find_port(s, d->port);
	if (p)
		p->moved_ms = now.ms;
	schedule_end_visit(d);
}

void
schedule_mux_lost(struct schedule *s, struct moment now)
{
	size_t i;

	for (i = 0; i < s->n_devices; i++) {
		struct device *d = &s->devices[i];

		if (!d->is_attached)
			continue;
		d->is_attached = false;
		d->back_ms = now.ms + s->settings.return_ms;
	}
}

void
schedule_nudge(struct schedule *s, uint32_t handle, struct moment now)
{
	struct device *d = schedule_find_handle(s, handle);

	(void)now;
	if (d && d->state == WAITING)
		schedule_enqueue(s, d, WHY_PERSON);
}

void
schedule_reload(struct schedule *s, enum schedule_why why)
{
	size_t i;

	for (i = 0; i < s->n_devices; i++) {
		struct device *d = &s->devices[i];

		d->tries = 0;
		if (d->state == RUNNING && (d->is_attached || d->back_ms != INT64_MIN))
			run_again(d, why);
		else if (d->state != RUNNING && d->is_attached && d->state != QUEUED)
			schedule_enqueue(s, d, why);
	}
}

void
schedule_hold(struct schedule *s, bool is_held)
{
	s->is_held = is_held;
}

void
schedule_stop(struct schedule *s)
{
	s->is_stopping = true;
}

/* ---- results ---------------------------------------------------------------------------- */

/* What may be over by itself when it is tried again. */
static bool
is_mendable(enum reason reason)
{
	return reason == REASON_UNPLUGGED || reason == REASON_TIMEOUT ||
	    reason == REASON_USBMUXD_LOST;
}

static int64_t
doubled(int64_t first_ms, int64_t most_ms, unsigned times)
{
	while (times-- > 0 && first_ms < most_ms)
		first_ms *= 2;
	return first_ms < most_ms ? first_ms : most_ms;
}

/* Each time it is asked in vain the next time is further away. */
static int64_t
locked_due_ms(const struct schedule *s, const struct device *d, struct moment now)
{
	const struct schedule_settings *o = &s->settings;

	return now.ms + doubled(o->locked_first_ms, o->locked_most_ms, d->asked);
}

void
schedule_attend(struct schedule *s, const char *udid, bool is_attended, struct moment now)
{
	struct device *d = schedule_find_udid(s, udid);

	/* A box on the screen is never asked about by itself. */
	if (!d || d->state != WAITING || d->why != WHY_PERSON || d->asked == 0)
		return;
	d->due_ms = is_attended ? INT64_MAX : locked_due_ms(s, d, now);
}

static enum schedule_next
wait_for(struct device *d, enum schedule_why why, int64_t due_ms)
{
	d->state = WAITING;
	d->why = why;
	d->due_ms = due_ms;
	return why == WHY_RETRY ? NEXT_RETRY : NEXT_PERSON;
}

static enum schedule_next
decide(struct schedule *s, struct device *d, enum reason reason, struct moment now)
{
	const struct schedule_settings *o = &s->settings;

	if (reason == REASON_LOCKED) {
		int64_t due_ms = locked_due_ms(s, d, now);

		d->asked++;
		return wait_for(d, WHY_PERSON, due_ms);
	}
	d->asked = 0;
	/* Asking again would put the box on the screen again: a tap is told by usbmuxd. */
	if (reason == REASON_TRUST_PENDING)
		return wait_for(d, WHY_PERSON, INT64_MAX);
	if (is_mendable(reason) && d->tries < o->retries)
		return wait_for(d, WHY_RETRY,
		    now.ms + doubled(o->retry_first_ms, o->retry_most_ms, d->tries++));
	d->tries = 0;
	return NEXT_FINAL;
}

enum schedule_next
schedule_result(struct schedule *s, const char *udid, enum reason reason, int64_t boundary_s,
    struct moment now)
{
	struct device *d = schedule_find_udid(s, udid);

	if (!d || d->state != RUNNING)
		return NEXT_FINAL;
	d->state = IDLE;
	d->boundary_s = boundary_s;
	if (d->runs_again) {
		d->runs_again = false;
		schedule_enqueue(s, d, d->again_why);
		return is_mendable(reason) ? NEXT_RETRY : NEXT_FINAL;
	}
	/* Who left is done with; who comes back is tried again. */
	if (!d->is_attached && d->back_ms == INT64_MIN)
		return NEXT_FINAL;
	return decide(s, d, reason, now);
}
