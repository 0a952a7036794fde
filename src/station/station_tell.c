/* station_tell: the ledger first, then the board, programs and people */
#include "station/station_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clean.h"
#include "base/error.h"
#include "core/policy.h"
#include "flow/journal.h"
#include "flow/report.h"
#include "station/board.h"
#include "station/hooks.h"
#include "station/slots.h"
#include "store/json.h"

static int64_t
wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- events ------------------------------------------------------------------------ */

/* What is known of the device, or what usbmuxd says. */
static json_t *
new_event(const struct member *m, const char *what)
{
	static const struct mux_device nobody;
	json_t *event = report_event(what, m ? &m->device : &nobody), *device;

	if (!m) {
		json_object_set_new(event, "device", json_null());
		return event;
	}
	if (m->told)
		json_object_set(event, "device", m->told);
	device = json_object_get(event, "device");
	json_object_set_new(device, "slot", *m->slot ? json_string(m->slot) : json_null());
	return event;
}

/* Takes event. */
static void
tell(struct station *s, json_t *event)
{
	if (s->o->tell)
		s->o->tell(s->o->ctx, event);
	json_decref(event);
}

/* ---- hooks --------------------------------------------------------------------------- */

static const struct policy *
policy_of(const struct station *s, const struct member *m)
{
	const struct policies *all = s->side->is.policies;
	size_t i;

	for (i = 0; m->policy && i < all->n; i++)
		if (strcmp(all->items[i]->name, m->policy) == 0)
			return all->items[i];
	return NULL;
}

static void
run_hook(struct station *s, const struct member *m, const char *program, const char *event,
    json_t *about)
{
	hooks_add(s->hooks, program, event, m->device.udid, about);
}

/* ---- devices ---------------------------------------------------------------------------- */

void
tell_attached(struct station *s, struct member *m)
{
	json_t *event = new_event(m, "attached");
	struct error err = { 0 };

	m->is_here = true;
	m->was_greeted = false;
	journal_add(s->o->journal, EVENT_ATTACH, m->device.udid,
	    json_pack("{s:O}", "device", json_object_get(event, "device")));
	if (board_attached(s->board, m->device.udid, *m->slot ? m->slot : NULL,
		wall_ms(), &err) < 0)
		tell_trouble(s, NULL, "memory", err.message, NULL);
	if (schedule_is_aside(s->schedule, m->device.udid))
		board_still_aside(s->board, m->device.udid, wall_ms());
	run_hook(s, m, s->o->hooks.on_attach, "attach", event);
	tell(s, event);
}

void
tell_detached(struct station *s, struct member *m)
{
	json_t *event = new_event(m, "detached");
	const struct policy *p = policy_of(s, m);

	m->is_here = false;
	board_detached(s->board, m->device.udid, wall_ms());
	run_hook(s, m, s->o->hooks.on_detach, "detach", event);
	run_hook(s, m, p ? p->on_detach : NULL, "detach", event);
	free(m->policy);
	m->policy = NULL;
	tell(s, event);
}

void
tell_started(struct station *s, struct member *m, const struct schedule_action *a)
{
	static const char *const why[] = {
		[WHY_ARRIVAL] = "arrival", [WHY_RETRY] = "retry", [WHY_PERSON] = "person",
		[WHY_WINDOW] = "window", [WHY_RELOAD] = "reload",
	};
	json_t *event = new_event(m, "started");

	json_object_set_new(event, "why", json_string(why[a->why]));
	json_object_set_new(event, "attempt", json_integer(a->attempt));
	journal_note(s->o->journal, &m->device, event, false);
	board_started(s->board, m->device.udid, wall_ms());
	tell(s, event);
}

void
tell_step(struct station *s, struct member *m, json_t *step)
{
	static const char *const keys[] = { "step", "profile", "uuid", "truth" };
	json_t *event = new_event(m, "step");
	size_t i;

	for (i = 0; i < countof(keys); i++)
		json_object_set_new(event, keys[i], json_text(step, keys[i], NULL) ?
		    json_incref(json_object_get(step, keys[i])) : json_null());
	board_step(s->board, m->device.udid, json_text(step, "step", NULL));
	tell(s, event);
}

/* What a job learned is what later events say of the device. */
static void
learn(struct member *m, const json_t *result, enum reason reason)
{
	json_t *device = json_object_get(result, "device");
	const char *policy = json_text(result, "policy", NULL);

	/* One that did not come as far as the name knows nothing new. */
	if (json_text(device, "product", NULL)) {
		json_decref(m->told);
		m->told = json_copy(device);
	}
	/* A job that did not come so far does not say whose it is; one that says nobody's does. */
	if (policy || reason == REASON_NO_POLICY) {
		free(m->policy);
		m->policy = policy ? strdup(policy) : NULL;
	}
}

static void
tell_waiting(struct station *s, struct member *m, enum reason reason)
{
	json_t *event = new_event(m, "waiting");

	json_object_set_new(event, "for",
	    json_string(reason == REASON_LOCKED ? "unlock" : "trust"));
	tell(s, event);
}

static void
tell_programs(struct station *s, struct member *m, json_t *result)
{
	const struct policy *p = policy_of(s, m);

	if (p && !m->was_greeted) {
		m->was_greeted = true;
		run_hook(s, m, p->on_attach, "attach", result);
	}
	run_hook(s, m, s->o->hooks.on_verdict, "verdict", result);
	run_hook(s, m, p ? p->on_verdict : NULL, "verdict", result);
}

void
tell_result(struct station *s, struct member *m, json_t *result, enum reason reason,
    enum schedule_next next)
{
	static const char *const words[] = {
		[NEXT_FINAL] = "nothing", [NEXT_RETRY] = "retry", [NEXT_PERSON] = "person",
	};
	static const char *const keys[] = {
		"trust", "verdict", "reason", "truth", "changed", "policy",
	};
	json_t *event;
	size_t i;

	learn(m, result, reason);
	event = new_event(m, "result");
	for (i = 0; i < countof(keys); i++)
		json_object_set(event, keys[i], json_object_get(result, keys[i]));
	json_object_set_new(event, "next", json_string(words[next]));
	json_object_set(event, "result", result);
	metrics_verdict(&s->metrics, m->policy ? m->policy : "", reason);
	metrics_job(&s->metrics, json_integer_value(json_object_get(result, "duration_ms")));
	s->metrics.retries += next == NEXT_RETRY;
	board_result(s->board, m->device.udid, result, reason, next, wall_ms());
	/* Between two tries nothing is decided yet. */
	if (next != NEXT_RETRY)
		tell_programs(s, m, result);
	tell(s, event);
	if (next == NEXT_PERSON)
		tell_waiting(s, m, reason);
}

void
tell_port(struct station *s, const char *port, bool is_aside)
{
	const char *slot = slots_called(s->o->slots, port), *name = slot ? slot : port;
	struct member *m = NULL;
	char text[128];
	size_t i;

	for (i = 0; i < s->n_members && !m; i++)
		if (strcmp(s->members[i]->port.name, port) == 0 && s->members[i]->is_here)
			m = s->members[i];
	board_set_aside(s->board, m ? m->device.udid : NULL, name, is_aside, wall_ms());
	snprintf(text, sizeof(text), is_aside ?
	    "port %.64s comes and goes; nothing is begun on it until it is calm" :
	    "port %.64s is calm again", name);
	if (is_aside)
		tell_trouble(s, m, "port", text, "check the cable and the plug");
	else
		tell_mended(s, "port", text);
}

/* ---- what everybody should know ------------------------------------------ */

void
tell_notice(struct station *s, enum notice which, const char *text)
{
	size_t i;

	if (which == NOTICES)
		return;
	snprintf(s->notices[which], sizeof(s->notices[which]), "%s", text ? text : "");
	for (i = 0; i < NOTICES && !*s->notices[i]; i++)
		continue;
	board_set_notice(s->board, i < NOTICES ? s->notices[i] : NULL);
}

/* NOTICES: it is of one device, or over already. */
static enum notice
notice_about(const char *about)
{
	return strcmp(about, "ledger") == 0 ? NOTICE_LEDGER :
	    strcmp(about, "usbmuxd") == 0 ? NOTICE_USBMUXD : NOTICES;
}

/* ---- policies ------------------------------------------------------------------------------ */

static json_t *
policy_object(const struct policy *p)
{
	return json_pack("{s:s, s:s, s:s, s:s?}", "name", p->name, "file", p->path,
	    "sha256", p->sha256, "organization", p->organization);
}

void
tell_policies(struct station *s, const struct error *problem)
{
	const struct policies *all = s->side->is.policies;
	json_t *event = new_event(NULL, "policy"), *list = json_array();
	char notice[ERROR_MESSAGE_MAX + 64];
	size_t i;

	for (i = 0; i < all->n; i++)
		json_array_append_new(list, policy_object(all->items[i]));
	json_object_set_new(event, "policies", list);
	json_object_set_new(event, "error", problem ? json_pack("{s:s, s:s?}", "message",
	    problem->message, "hint", problem->hint) : json_null());
	if (problem) {
		snprintf(notice, sizeof(notice), "the old policies stay in force: %s",
		    problem->message);
		journal_add(s->o->journal, EVENT_NOTE, NULL, json_pack("{s:s, s:s}", "what",
		    "policies not loaded", "note", problem->message));
		board_event(s->board, NULL, TONE_BAD, notice, wall_ms());
	} else {
		for (i = 0; i < all->n; i++)
			journal_add(s->o->journal, EVENT_POLICY_LOADED, NULL,
			    policy_object(all->items[i]));
		board_set_policies(s->board, all);
		board_event(s->board, NULL, TONE_PLAIN, "policies loaded", wall_ms());
	}
	tell_notice(s, NOTICE_POLICIES, problem ? notice : NULL);
	tell(s, event);
}

/* ---- trouble --------------------------------------------------------------------------------- */

void
tell_trouble(struct station *s, const struct member *m, const char *about, const char *message,
    const char *hint)
{
	json_t *event = new_event(m, "error");

	json_object_set_new(event, "about", json_string(about));
	json_object_set_new(event, "message", json_string(message));
	json_object_set_new(event, "hint", hint ? json_string(hint) : json_null());
	/* With the device, so that what privacy keeps out is known also inside the message. */
	journal_add(s->o->journal, EVENT_NOTE, m ? m->device.udid : NULL,
	    json_pack("{s:s, s:s, s:O*}", "what", about, "note", message,
	    "device", m ? json_object_get(event, "device") : NULL));
	if (strcmp(about, "port") != 0)
		board_event(s->board, m ? m->device.udid : NULL, TONE_BAD, message, wall_ms());
	tell_notice(s, notice_about(about), message);
	tell(s, event);
}

void
tell_mended(struct station *s, const char *about, const char *message)
{
	if (strcmp(about, "port") != 0) {
		board_event(s->board, NULL, TONE_PLAIN, message, wall_ms());
		tell_notice(s, notice_about(about), NULL);
	}
	journal_add(s->o->journal, EVENT_NOTE, NULL,
	    json_pack("{s:s, s:s}", "what", about, "note", message));
}
