/* schedule_due: what is to be done now, and how long nothing will be */
#include "station/schedule_table.h"

#include <string.h>

static bool
is_calm(const struct schedule *s, const struct port *p, struct moment now)
{
	return p->is_aside && now.ms - p->moved_ms >= s->settings.calm_ms;
}

static bool
is_aside(const struct schedule *s, const struct device *d)
{
	const struct port *p = schedule_find_port(s, d->port);

	return p && p->is_aside;
}

bool
schedule_is_aside(const struct schedule *s, const char *udid)
{
	const struct device *d = schedule_find_udid(s, udid);

	return d && is_aside(s, d);
}

/* ---- what is due --------------------------------------------------------------------------- */

static bool
fill(struct schedule_action *out, enum schedule_do what, const struct device *d)
{
	*out = (struct schedule_action){ .what = what, .why = d->why, .handle = d->handle,
		.attempt = d->tries + 1 };
	memcpy(out->udid, d->udid, sizeof(out->udid));
	memcpy(out->port, d->port, sizeof(out->port));
	return true;
}

static bool
take_port(struct schedule *s, struct moment now, struct schedule_action *out)
{
	size_t i;

	for (i = 0; i < s->n_ports; i++) {
		struct port *p = &s->ports[i];
		bool is_over = !p->is_untold && is_calm(s, p, now);

		if (!p->is_untold && !is_over)
			continue;
		*out = (struct schedule_action){ .what = is_over ? DO_CALM : DO_SET_ASIDE };
		memcpy(out->port, p->name, sizeof(out->port));
		p->is_untold = false;
		p->is_aside = !is_over;
		p->n = is_over ? 0 : p->n;
		return true;
	}
	return false;
}

static bool
is_forgettable(const struct device *d)
{
	return !d->is_attached && d->state != RUNNING && d->back_ms == INT64_MIN &&
	    !d->is_leaving_untold && !d->is_arrival_untold;
}

/* Comings and goings, in that order for each device that did both: going first. */
static bool
take_news(struct schedule *s, struct moment now, struct schedule_action *out)
{
	size_t i;

	for (i = 0; i < s->n_devices; i++) {
		struct device *d = &s->devices[i];

		if (!d->is_attached && d->back_ms != INT64_MIN && now.ms > d->back_ms)
			schedule_end_visit(d);
		if (d->is_leaving_untold) {
			d->is_leaving_untold = false;
			fill(out, DO_LEFT, d);
			out->handle = d->left_handle;
			return true;
		}
		if (d->is_arrival_untold) {
			d->is_arrival_untold = false;
			return fill(out, DO_ARRIVED, d);
		}
		if (is_forgettable(d))
			s->devices[i--] = s->devices[--s->n_devices];
	}
	return false;
}

static bool
take_overdue(struct schedule *s, struct moment now, struct schedule_action *out)
{
	size_t i;

	for (i = 0; i < s->n_devices; i++) {
		struct device *d = &s->devices[i];

		if (d->state != RUNNING || d->is_killed || now.ms < d->deadline_ms)
			continue;
		d->is_killed = true;
		return fill(out, DO_KILL, d);
	}
	return false;
}

/* Those whose time has come go into the queue. */
static void
wake(struct schedule *s, struct moment now)
{
	size_t i;

	for (i = 0; i < s->n_devices; i++) {
		struct device *d = &s->devices[i];

		if (!d->is_attached)
			continue;
		if (d->state == WAITING && now.ms >= d->due_ms)
			schedule_enqueue(s, d, d->why);
		else if (d->state != RUNNING && d->state != QUEUED && now.wall_s >= d->boundary_s) {
			d->boundary_s = INT64_MAX;
			schedule_enqueue(s, d, WHY_WINDOW);
		}
	}
}

static unsigned
running_on(const struct schedule *s, uint32_t controller)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < s->n_devices; i++)
		n += s->devices[i].state == RUNNING &&
		    (controller == 0 || s->devices[i].controller == controller);
	return n;
}

static bool
has_room(const struct schedule *s, const struct device *d)
{
	unsigned most = s->settings.per_controller;

	return !most || !d->controller || running_on(s, d->controller) < most;
}

static bool
take_start(struct schedule *s, struct moment now, struct schedule_action *out)
{
	struct device *first = NULL;
	size_t i;

	if (s->is_stopping || s->is_held || running_on(s, 0) >= s->settings.lanes)
		return false;
	for (i = 0; i < s->n_devices; i++) {
		struct device *d = &s->devices[i];

		if (d->state == QUEUED && d->is_attached && (!first || d->order < first->order) &&
		    !is_aside(s, d) && has_room(s, d))
			first = d;
	}
	if (!first)
		return false;
	first->state = RUNNING;
	first->is_killed = false;
	first->deadline_ms = now.ms + s->settings.job_ms;
	return fill(out, DO_START, first);
}

bool
schedule_take(struct schedule *s, struct moment now, struct schedule_action *out)
{
	if (take_news(s, now, out) || take_port(s, now, out) || take_overdue(s, now, out))
		return true;
	wake(s, now);
	return take_start(s, now, out);
}

/* ---- when the next thing is due -------------------------------------------------------------- */

static void
sooner(int64_t *least, int64_t ms)
{
	if (*least < 0 || ms < *least)
		*least = ms < 0 ? 0 : ms;
}

static void
sooner_for(const struct device *d, struct moment now, int64_t *least)
{
	if (d->state == RUNNING && !d->is_killed)
		sooner(least, d->deadline_ms - now.ms);
	if (!d->is_attached && d->back_ms != INT64_MIN)
		sooner(least, d->back_ms + 1 - now.ms);
	if (!d->is_attached)
		return;
	if (d->state == WAITING && d->due_ms != INT64_MAX)
		sooner(least, d->due_ms - now.ms);
	/* In steps, so that a wall clock that is set is noticed. */
	if ((d->state == IDLE || d->state == WAITING) && d->boundary_s != INT64_MAX) {
		int64_t left_s = d->boundary_s - now.wall_s;

		sooner(least, 1000 * (left_s < 60 ? left_s : 60));
	}
}

int64_t
schedule_wait_ms(const struct schedule *s, struct moment now)
{
	int64_t least = -1;
	size_t i;

	for (i = 0; i < s->n_devices; i++)
		sooner_for(&s->devices[i], now, &least);
	for (i = 0; i < s->n_ports; i++)
		if (s->ports[i].is_aside)
			sooner(&least, s->ports[i].moved_ms + s->settings.calm_ms - now.ms);
	return least;
}

struct schedule_counts
schedule_count(const struct schedule *s)
{
	struct schedule_counts c = { 0 };
	size_t i;

	for (i = 0; i < s->n_devices; i++) {
		const struct device *d = &s->devices[i];

		c.attached += d->is_attached;
		c.running += d->state == RUNNING;
		if (!d->is_attached)
			continue;
		c.waiting += d->state == WAITING;
		if (d->state == QUEUED && is_aside(s, d))
			c.aside++;
		else
			c.queued += d->state == QUEUED;
	}
	return c;
}
