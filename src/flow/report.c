/* report: an outcome as JSON */
#include "flow/report.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"
#include "base/text.h"
#include "core/facts.h"
#include "core/verdict.h"
#include "flow/job.h"
#include "flow/plist_json.h"
#include "wire/mux.h"

/* json_string() refuses invalid UTF-8, and a foreign text may be anything. */
static json_t *
text_or_null(const char *s)
{
	char clean[2048];

	if (!s)
		return json_null();
	text_printable(s, strlen(s), clean, sizeof(clean));
	return json_string(clean);
}

static json_t *
known_or_null(enum known k)
{
	return k == UNKNOWN ? json_null() : json_boolean(k == YES);
}

static json_t *
time_now_or(struct timespec at)
{
	char text[TEXT_TIME_MAX];

	if (at.tv_sec == 0)
		clock_gettime(CLOCK_REALTIME, &at);
	text_time_utc(at, text);
	return json_string(text);
}

static json_t *
hex_number(bool is_known, uint64_t n, int digits)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%0*llx", digits, (unsigned long long)n);
	return is_known ? json_string(text) : json_null();
}

static json_t *
device_object(const struct facts *f)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s}",
	    "udid", f->udid,
	    "serial", text_or_null(f->serial),
	    "ecid", hex_number(f->ecid != 0, f->ecid, 1),
	    "name", text_or_null(f->name),
	    "product", text_or_null(f->product),
	    "model", text_or_null(facts_model(f->product)),
	    "class", text_or_null(f->device_class),
	    "os", text_or_null(f->os),
	    "build", text_or_null(f->build),
	    "location", hex_number(f->has_location, f->location, 8),
	    "slot", text_or_null(*f->slot ? f->slot : NULL),
	    "connection", f->is_network ? "network" : "usb");
}

static json_t *
trust_object(const struct facts *f)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",
	    "paired", known_or_null(f->is_paired),
	    "supervised", known_or_null(f->is_supervised),
	    "organization", text_or_null(f->organization),
	    "ours", known_or_null(f->is_ours),
	    "locked", known_or_null(f->is_locked),
	    "activation", text_or_null(f->activation));
}

/* What was done with the profile, or by plan would be. */
static const char *
action_word(const struct job *job, const struct outcome *o, const struct profile_judgement *p)
{
	static const char *const done[] = { "none", "installed", "replaced", "removed" };
	static const char *const would[] = {
		"none", "would-install", "would-replace", "would-remove",
	};
	size_t i;

	if (job->kind == JOB_PLAN)
		return would[o->reason == REASON_PROFILE_UNSUITABLE ? ACTION_NONE : p->action];
	for (i = 0; i < o->n_changes; i++)
		if (strcmp(o->changes[i].identifier, p->identifier) == 0)
			return done[o->changes[i].action];
	return done[ACTION_NONE];
}

static json_t *
profile_object(const struct job *job, const struct outcome *o, const struct profile_judgement *p)
{
	return json_pack("{s:o, s:o, s:o, s:b, s:o, s:s, s:o}",
	    "identifier", text_or_null(p->identifier),
	    "uuid", text_or_null(p->found ? p->found->uuid : NULL),
	    "expected_uuid", text_or_null(p->expected_uuid),
	    "present", p->found != NULL,
	    "active", p->found ? known_or_null(p->found->is_active) : json_false(),
	    "action", action_word(job, o, p),
	    "content-addressed", p->is_wanted ?
	    json_boolean(p->is_content_addressed) : json_null());
}

static bool
is_judged(const struct judgement *j, const char *identifier)
{
	size_t i;

	for (i = 0; i < j->n_profiles; i++)
		if (strcmp(j->profiles[i].identifier, identifier) == 0)
			return true;
	return false;
}

/* What a pattern named and is gone has no line in the judgement any more. */
static json_t *
profiles_array(const struct job *job, const struct outcome *o)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < o->judgement.n_profiles; i++)
		json_array_append_new(array, profile_object(job, o, &o->judgement.profiles[i]));
	for (i = 0; i < o->n_changes; i++) {
		const struct profile_judgement gone = { .identifier = o->changes[i].identifier };

		if (!is_judged(&o->judgement, gone.identifier))
			json_array_append_new(array, profile_object(job, o, &gone));
	}
	return array;
}

static json_t *
restrictions_array(const struct judgement *j)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < j->n_restrictions; i++) {
		const struct restriction_judgement *r = &j->restrictions[i];

		json_array_append_new(array, json_pack("{s:o, s:o, s:o}",
		    "key", text_or_null(r->key), "want", plist_to_json(r->want),
		    "reported", plist_to_json(r->reported)));
	}
	return array;
}

/* What lint says of given profiles on this device. */
static json_t *
lint_array(const struct outcome *o)
{
	json_t *array = json_array();
	size_t i, k;

	for (i = 0; i < o->n_lints; i++)
		for (k = 0; k < o->lints[i].report.n; k++) {
			const struct lint_finding *f = &o->lints[i].report.findings[k];

			json_array_append_new(array, json_pack("{s:o, s:s, s:s, s:s, s:s}",
			    "identifier", text_or_null(o->lints[i].identifier), "rule", f->rule->id,
			    "severity", lint_severity_word(f->severity), "path", f->path,
			    "message", f->message));
		}
	return array;
}

static json_t *
chain_array(const struct chain *chain)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < chain->n; i++)
		json_array_append_new(array, json_pack("{s:s, s:I, s:s}",
		    "domain", chain->link[i].domain,
		    "code", (json_int_t)chain->link[i].code,
		    "text", chain->link[i].text));
	return array;
}

/* What happened and what to do. Facts speak for themselves, but in a sentence. */
static json_t *
error_object(const struct outcome *o)
{
	bool is_error = o->error.kind != ERR_NONE;
	const char *message = is_error ? o->error.message : reason_message(o->reason);
	const char *hint = is_error && o->error.hint ? o->error.hint : reason_hint(o->reason);

	if (!message)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:I}",
	    "message", text_or_null(message), "hint", text_or_null(hint),
	    "chain", chain_array(&o->error.chain),
	    "chain_left_out", (json_int_t)o->error.chain.left_out);
}

static json_t *
steps_array(const struct outcome *o)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < o->n_steps; i++)
		json_array_append_new(array, json_pack("{s:s, s:I}", "name", o->steps[i].name,
		    "ms", (json_int_t)o->steps[i].ms));
	return array;
}

/* When the policy's window opens or closes next. */
static json_t *
boundary_or_null(int64_t at)
{
	if (at <= 0 || at == INT64_MAX)
		return json_null();
	return time_now_or((struct timespec){ .tv_sec = (time_t)at });
}

json_t *
report_result(const struct job *job, const char *run, const struct outcome *o)
{
	return json_pack("{s:s, s:o, s:s, s:s, s:o, s:o, s:s, s:o, s:o, "
	    "s:b, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o}",
	    "schema", "chaperone.result/1",
	    "at", time_now_or(o->at),
	    "command", job_kind_word(job->kind),
	    "run", run,
	    "device", device_object(&o->facts),
	    "trust", trust_object(&o->facts),
	    "verdict", verdict_word(reason_verdict(o->reason)),
	    "reason", text_or_null(reason_word(o->reason)),
	    "truth", text_or_null(truth_word(o->truth)),
	    "changed", o->is_changed,
	    "profiles", profiles_array(job, o),
	    "restrictions", restrictions_array(&o->judgement),
	    "lint", lint_array(o),
	    "error", error_object(o),
	    "steps", steps_array(o),
	    "duration_ms", (json_int_t)o->duration_ms,
	    "policy", text_or_null(o->policy),
	    "next_boundary", boundary_or_null(o->boundary));
}

json_t *
report_changes(const struct profile_changes *c)
{
	static const char *const words[] = {
		[PROFILE_ADDED] = "added", [PROFILE_REMOVED] = "removed",
		[PROFILE_CHANGED] = "changed",
	};
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < c->n; i++)
		json_array_append_new(array, json_pack("{s:s, s:s, s:s?, s:s?}",
		    "path", c->items[i].path, "change", words[c->items[i].kind],
		    "before", c->items[i].before, "after", c->items[i].after));
	return array;
}

json_t *
report_diff(const struct outcome *o)
{
	const struct profile_listing *l = &o->listing;
	bool is_compared = o->reason == REASON_NONE;
	json_t *untold = json_array();
	size_t i;

	for (i = 0; i < l->n_untold; i++)
		json_array_append_new(untold, json_string(l->untold[i]));
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "schema", "chaperone.diff/1", "device", device_object(&o->facts),
	    "same", is_compared ? json_boolean(l->changes.n == 0) : json_null(),
	    "listed", is_compared ? json_boolean(l->is_listed) : json_null(),
	    "proven", is_compared ? json_boolean(l->is_proven) : json_null(),
	    "changes", report_changes(&l->changes), "untold", untold,
	    "verdict", is_compared ? json_null() :
	    json_string(verdict_word(reason_verdict(o->reason))),
	    "reason", text_or_null(reason_word(o->reason)), "error", error_object(o));
}

json_t *
report_lost(const struct job *job, const char *run, const struct mux_device *device,
    const struct outcome *o)
{
	struct outcome told = *o;

	report_attached(device, &told.facts);
	return job->kind == JOB_DIFF ? report_diff(&told) : report_result(job, run, &told);
}

static json_t *
installed_array(const struct facts *f)
{
	json_t *array;
	size_t i;

	if (!f->has_profiles)
		return json_null();
	array = json_array();
	for (i = 0; i < f->n_profiles; i++) {
		const struct installed_profile *p = &f->profiles[i];

		json_array_append_new(array, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		    "identifier", text_or_null(p->identifier),
		    "uuid", text_or_null(p->uuid),
		    "display_name", text_or_null(p->display_name),
		    "organization", text_or_null(p->organization),
		    "version", p->version < 0 ? json_null() : json_integer((json_int_t)p->version),
		    "active", known_or_null(p->is_active),
		    "removal_disallowed", known_or_null(p->is_removal_disallowed)));
	}
	return array;
}

json_t *
report_device(const struct outcome *o, bool with_profiles)
{
	json_t *object = json_pack("{s:s, s:o, s:o, s:o, s:o}",
	    "schema", "chaperone.device/1",
	    "at", time_now_or(o->at),
	    "device", device_object(&o->facts),
	    "trust", trust_object(&o->facts),
	    "error", error_object(o));

	if (object && with_profiles) {
		json_object_set_new(object, "profiles", installed_array(&o->facts));
		json_object_set_new(object, "cloud_configuration", plist_to_json(o->facts.cloud));
	}
	return object;
}

void
report_attached(const struct mux_device *device, struct facts *facts)
{
	memcpy(facts->udid, device->udid, sizeof(facts->udid));
	facts->has_location = device->location != 0;
	facts->location = device->location;
	facts->is_network = device->is_network;
}

json_t *
report_event_of(const char *event, const struct facts *facts)
{
	struct timespec unset = { 0 };

	return json_pack("{s:s, s:o, s:s, s:o}",
	    "schema", "chaperone.event/1",
	    "at", time_now_or(unset),
	    "event", event,
	    "device", device_object(facts));
}

json_t *
report_event(const char *event, const struct mux_device *device)
{
	auto_facts struct facts facts = { 0 };

	report_attached(device, &facts);
	return report_event_of(event, &facts);
}

json_t *
report_error(int exit_code, const char *message, const char *hint)
{
	return json_pack("{s:s, s:i, s:o, s:o}", "schema", "chaperone.error/1", "exit", exit_code,
	    "message", text_or_null(message), "hint", text_or_null(hint));
}
