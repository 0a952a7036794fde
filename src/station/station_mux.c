/* station_mux: who is here, as usbmuxd says it */
#include "station/station_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/deadline.h"
#include "base/error.h"
#include "base/log.h"
#include "station/slots.h"

enum {
	REACH_MS = 1000,	/* usbmuxd to answer */
	MUX_RETRY_MS = 500, MUX_HUNG_MS = 10000,
};

/* ---- who is here ------------------------------------------------------------------- */

struct member *
station_find(const struct station *s, const char *udid)
{
	size_t i;

	for (i = 0; i < s->n_members; i++)
		if (strcmp(s->members[i]->device.udid, udid) == 0)
			return s->members[i];
	return NULL;
}

static struct member *
find_handle(const struct station *s, uint32_t handle)
{
	size_t i;

	for (i = 0; i < s->n_members; i++)
		if (s->members[i]->is_attached && s->members[i]->device.handle == handle)
			return s->members[i];
	return NULL;
}

static struct member *
add_member(struct station *s, struct error *err)
{
	struct member **grown = reallocarray(s->members, s->n_members + 1, sizeof(*grown));
	struct member *m = grown ? calloc(1, sizeof(*m)) : NULL;

	if (grown)
		s->members = grown;
	if (!m) {
		error_memory(err);
		return NULL;
	}
	return s->members[s->n_members++] = m;
}

static void
member_free(struct member *m)
{
	json_decref(m->told);
	free(m->policy);
	free(m);
}

void
station_forget(struct station *s, struct member *m)
{
	size_t i;

	if (m->is_attached || m->is_here || work_is_on(s, m))
		return;
	for (i = 0; s->members[i] != m; i++)
		continue;
	s->members[i] = s->members[--s->n_members];
	member_free(m);
}

void
station_forget_all(struct station *s)
{
	while (s->n_members > 0)
		member_free(s->members[--s->n_members]);
	free(s->members);
	s->members = NULL;
}

/* ---- usbmuxd ------------------------------------------------------------------------- */

static int
attach(struct station *s, const struct mux_device *device, struct error *err)
{
	struct member *m = station_find(s, device->udid);
	const char *slot;

	if (!m && !(m = add_member(s, err)))
		return -1;
	m->device = *device;
	m->is_attached = true;
	/* Where the kernel knows nothing, the location is the port's name. */
	(void)usbport_of_location(device->location, &m->port);
	slot = slots_see(s->o->slots, &m->port);
	memset(m->slot, 0, sizeof(m->slot));
	if (slot)
		memcpy(m->slot, slot, strnlen(slot, sizeof(m->slot) - 1));
	return schedule_attach(s->schedule, device->handle, device->udid,
	    device->location ? m->port.name : NULL, device->location ? m->port.controller : 0,
	    station_now(), err);
}

static int
handle_event(struct station *s, const struct mux_event *e, struct error *err)
{
	struct member *m;

	switch (e->kind) {
	case MUX_ATTACHED:
		return attach(s, &e->device, err);
	case MUX_DETACHED:
		m = find_handle(s, e->device.handle);
		if (m)
			m->is_attached = false;
		schedule_detach(s->schedule, e->device.handle, station_now());
		if (m)
			station_forget(s, m);
		return 0;
	default:
		schedule_nudge(s->schedule, e->device.handle, station_now());
		return 0;
	}
}

/* Devices are expected back with it; jobs that run find out by themselves. */
static void
lose_mux(struct station *s, const struct error *why)
{
	struct moment now = station_now();
	bool is_missed = false;
	size_t i;

	mux_watch_close(s->mux);
	s->mux = NULL;
	s->mux_retry_ms = now.ms;
	for (i = 0; i < s->n_members; i++) {
		is_missed |= s->members[i]->is_attached;
		s->members[i]->is_attached = false;
	}
	schedule_mux_lost(s->schedule, now);
	s->metrics.mux_losses++;
	/* It leaves by itself with the last device: that is no trouble. */
	if (is_missed && !s->was_mux_missed) {
		s->was_mux_missed = true;
		tell_trouble(s, NULL, "usbmuxd", why->message, why->hint);
	}
}

void
station_read_mux(struct station *s)
{
	struct error err = { 0 };
	struct mux_event e;
	int rc;

	while (s->mux && (rc = mux_watch_next(s->mux, &e, &err)) != 0) {
		if (rc < 0) {
			lose_mux(s, &err);
		} else if (handle_event(s, &e, &err) < 0) {
			tell_trouble(s, NULL, "memory", err.message, err.hint);
			err = (struct error){ 0 };
		}
	}
}

/*
 * It leaves with the last device and comes with the next one. What is there and
 * does not answer, or must not be asked, is trouble; once may be its leaving.
 */
static void
note_oddity(struct station *s, const struct error *why)
{
	enum { ODDITIES = 2 };

	if (why->sys == ENOENT || why->sys == ECONNREFUSED) {
		s->mux_oddities = 0;
		return;
	}
	if (++s->mux_oddities < ODDITIES || s->was_mux_missed)
		return;
	s->was_mux_missed = true;
	tell_trouble(s, NULL, "usbmuxd", why->message, why->hint);
}

void
station_reach_mux(struct station *s)
{
	struct error err = { 0 };

	if (s->mux || now_monotonic_ms() < s->mux_retry_ms)
		return;
	if (mux_watch_open(false, deadline_in(REACH_MS), &s->mux, &err) < 0) {
		log_debug("%s", err.message);
		note_oddity(s, &err);
		s->mux_retry_ms = now_monotonic_ms() +
		    (err.kind == ERR_TIMEOUT ? MUX_HUNG_MS : MUX_RETRY_MS);
		return;
	}
	s->mux_oddities = 0;
	if (s->was_mux_missed) {
		s->was_mux_missed = false;
		tell_mended(s, "usbmuxd", "usbmuxd is back");
	}
	station_read_mux(s);
}
