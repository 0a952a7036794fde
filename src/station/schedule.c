/* schedule: devices and ports as rows of two small tables */
#include "station/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/text.h"

const struct schedule_settings SCHEDULE_DEFAULTS = {
	.lanes = 32, .per_controller = 8, .job_ms = 60000, .retries = 4, .retry_first_ms = 2000,
	.retry_most_ms = 60000, .locked_first_ms = 3000, .locked_most_ms = 15000, .return_ms = 180000,
	.flaps = 5, .flap_ms = 30000, .calm_ms = 20000,
};

enum { FLAPS_MAX = 16 };

enum state {
	IDLE,		/* nothing to do, but perhaps at a boundary */
	QUEUED,
	RUNNING,
	WAITING,	/* until due_ms, then QUEUED; without a lane */
};

struct device {
	char			udid[SCHEDULE_NAME_MAX];
	char			port[SCHEDULE_NAME_MAX];
	uint32_t		handle, controller;
	enum state		state;
	enum schedule_why	why;
	uint64_t		order;		/* in the queue */
	unsigned		tries;		/* retries so far */
	unsigned		asked;		/* times it was found locked */
	int64_t			due_ms;
	int64_t			deadline_ms;	/* of the job; when RUNNING */
	int64_t			boundary_s;
	int64_t			back_ms;	/* expected back until then; INT64_MIN: not */
	bool			is_attached, is_killed;
	bool			runs_again;	/* it came anew while its old job was running */
	bool			is_arrival_untold, is_leaving_untold;
	uint32_t		left_handle;
};

struct port {
	char	name[SCHEDULE_NAME_MAX];
	int64_t	arrivals[FLAPS_MAX];	/* the newest first */
	size_t	n;
	int64_t	moved_ms;		/* last attach or detach */
	bool	is_aside, is_untold;
};

struct schedule {
	struct schedule_settings settings;
	struct device	*devices;
	size_t		 n_devices;
	struct port	*ports;
	size_t		 n_ports;
	uint64_t	 order;
	bool		 is_stopping, is_held;
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

/* ---- the tables ---------------------------------------------------------------- */

static struct device *
find_udid(const struct schedule *s, const char *udid)
{
	size_t i;

	for (i = 0; i < s->n_devices; i++)
		if (text_same_udid(s->devices[i].udid, udid))
			return &s->devices[i];
	return NULL;
}

static struct device *
find_handle(const struct schedule *s, uint32_t handle)
{
	size_t i;

	for (i = 0; i < s->n_devices; i++)
		if (s->devices[i].is_attached && s->devices[i].handle == handle)
			return &s->devices[i];
	return NULL;
}

static struct port *
find_port(const struct schedule *s, const char *name)
{
	size_t i;

	for (i = 0; *name && i < s->n_ports; i++)
		if (strcmp(s->ports[i].name, name) == 0)
			return &s->ports[i];
	return NULL;
}

static void
copy_name(char out[SCHEDULE_NAME_MAX], const char *name)
{
	text_printable(name, strlen(name), out, SCHEDULE_NAME_MAX);
}

static int
add_device(struct schedule *s, const char *udid, struct device **out, struct error *err)
{
	struct device *grown;

	if (s->n_devices == SCHEDULE_DEVICES_MAX)
		return error_set(err, ERR_SOFTWARE, "more than %d devices", SCHEDULE_DEVICES_MAX);
	grown = reallocarray(s->devices, s->n_devices + 1, sizeof(*grown));
	if (!grown)
		return error_memory(err);
	s->devices = grown;
	*out = &grown[s->n_devices++];
	**out = (struct device){ .boundary_s = INT64_MAX, .back_ms = INT64_MIN };
	copy_name((*out)->udid, udid);
	return 0;
}

static int
add_port(struct schedule *s, const char *name, struct error *err)
{
	struct port *grown;

	if (!*name || find_port(s, name))
		return 0;
	if (s->n_ports == SCHEDULE_DEVICES_MAX)
		return error_set(err, ERR_SOFTWARE, "more than %d ports", SCHEDULE_DEVICES_MAX);
	grown = reallocarray(s->ports, s->n_ports + 1, sizeof(*grown));
	if (!grown)
		return error_memory(err);
	s->ports = grown;
	grown[s->n_ports] = (struct port){ 0 };
	memcpy(grown[s->n_ports++].name, name, SCHEDULE_NAME_MAX);
	return 0;
}

/* ---- ports that flap ------------------------------------------------------------- */

static void
note_arrival(struct schedule *s, const char *name, struct moment now)
{
	struct port *p = find_port(s, name);
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

static bool
is_calm(const struct schedule *s, const struct port *p, struct moment now)
{
	return p->is_aside && now.ms - p->moved_ms >= s->settings.calm_ms;
}

static bool
is_aside(const struct schedule *s, const struct device *d)
{
	const struct port *p = find_port(s, d->port);

	return p && p->is_aside;
}

/* ---- arriving and leaving ----------------------------------------------------------- */

static void
enqueue(struct schedule *s, struct device *d, enum schedule_why why)
{
	d->state = QUEUED;
	d->why = why;
	d->order = s->order++;
}

static bool
is_expected(const struct device *d, struct moment now)
{
	return d->back_ms != INT64_MIN && now.ms <= d->back_ms;
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
		d->runs_again = true;
	else
		enqueue(s, d, WHY_ARRIVAL);
}

static void
end_visit(struct device *d)
{
	/* Who was never announced need not be taken leave of. */
	if (d->is_arrival_untold)
		d->is_arrival_untold = false;
	else
		d->is_leaving_untold = true;
	d->left_handle = d->handle;
	d->back_ms = INT64_MIN;
	d->runs_again = false;
	if (d->state != RUNNING)
		d->state = IDLE;
}

int
schedule_attach(struct schedule *s, uint32_t handle, const char *udid, const char *port,
    uint32_t controller, struct moment now, struct error *err)
{
	struct device *d = find_udid(s, udid);
	char name[SCHEDULE_NAME_MAX] = "";
	bool is_back;

	if (port)
		copy_name(name, port);
	if (add_port(s, name, err) < 0 || (!d && add_device(s, udid, &d, err) < 0))
		return -1;
	/* Announced again as it is: nothing has happened. */
	if (d->is_attached && d->handle == handle)
		return 0;
	is_back = is_expected(d, now);
	if (!is_back && (d->is_attached || d->back_ms != INT64_MIN))
		end_visit(d);
	d->is_attached = true;
	d->handle = handle;
	d->controller = controller;
	memcpy(d->port, name, sizeof(d->port));
	if (is_back) {
		d->back_ms = INT64_MIN;
		return 0;
	}
	note_arrival(s, name, now);
	begin_visit(s, d);
	return 0;
}

void
schedule_detach(struct schedule *s, uint32_t handle, struct moment now)
{
	struct device *d = find_handle(s, handle);
	struct port *p;

	if (!d)
		return;
	d->is_attached = false;
	if (is_expected(d, now))
		return;
	p = find_port(s, d->port);
	if (p)
		p->moved_ms = now.ms;
	end_visit(d);
}

void
schedule_expect(struct schedule *s, const char *udid, struct moment now)
{
	struct device *d = find_udid(s, udid);

	if (d && d->is_attached)
		d->back_ms = now.ms + s->settings.return_ms;
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
	struct device *d = find_handle(s, handle);

	(void)now;
	if (d && d->state == WAITING)
		enqueue(s, d, WHY_PERSON);
}

void
schedule_reload(struct schedule *s, struct moment now)
{
	size_t i;

	(void)now;
	for (i = 0; i < s->n_devices; i++) {
		struct device *d = &s->devices[i];

		d->tries = 0;
		if (d->state == RUNNING)
			d->runs_again = d->is_attached || d->back_ms != INT64_MIN;
		else if (d->is_attached && d->state != QUEUED)
			enqueue(s, d, WHY_RELOAD);
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
	return reason == REASON_UNPLUGGED || reason == REASON_TIMEOUT || reason == REASON_USBMUXD_LOST;
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
	struct device *d = find_udid(s, udid);

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
	struct device *d = find_udid(s, udid);

	if (!d || d->state != RUNNING)
		return NEXT_FINAL;
	d->state = IDLE;
	d->boundary_s = boundary_s;
	if (d->runs_again) {
		d->runs_again = false;
		enqueue(s, d, WHY_ARRIVAL);
		return is_mendable(reason) ? NEXT_RETRY : NEXT_FINAL;
	}
	/* Who left is done with; who comes back is tried again. */
	if (!d->is_attached && d->back_ms == INT64_MIN)
		return NEXT_FINAL;
	return decide(s, d, reason, now);
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
			end_visit(d);
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
			enqueue(s, d, d->why);
		else if (d->state != RUNNING && d->state != QUEUED && now.wall_s >= d->boundary_s) {
			d->boundary_s = INT64_MAX;
			enqueue(s, d, WHY_WINDOW);
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
