/* job_lint: what lint says of the given profiles, now that the device is known */
#include "flow/job_run.h"

#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "core/lint_facts.h"

bool
job_has_files(const struct run *r)
{
	size_t i;

	for (i = 0; r->desired && i < r->desired->n_profiles; i++)
		if (!r->desired->profiles[i].is_built)
			return true;
	return false;
}

static bool
is_wanted(const struct desired *d, const char *identifier)
{
	size_t i;

	for (i = 0; i < d->n_profiles; i++)
		if (strcmp(d->profiles[i].profile.identifier, identifier) == 0)
			return true;
	return false;
}

/* Whether the device has a profile that might set the same as one of ours. */
static bool
has_neighbours(const struct run *r)
{
	const struct facts *f = &r->out->facts;
	size_t i;

	for (i = 0; i < f->n_profiles; i++)
		if (!is_wanted(r->desired, f->profiles[i].identifier))
			return true;
	return false;
}

/* What each of them restricts: a device tells that to its supervisor only. */
static int
ask_neighbours(struct run *r, struct error *err)
{
	const struct facts *f = &r->out->facts;
	bool is_escalated = false;

	if (f->by_profile || f->answers_restrictions == NO || !has_neighbours(r))
		return 0;
	if (job_escalate_to_ask(r, &is_escalated, err) < 0)
		return -1;
	return is_escalated ? job_read_restrictions(r, err) : 0;
}

static int
keep(struct run *r, const char *identifier, struct lint_report *report, struct error *err)
{
	struct outcome *o = r->out;
	struct job_lint *grown;

	if (report->n == 0)
		return 0;
	grown = reallocarray(o->lints, o->n_lints + 1, sizeof(*grown));
	if (!grown)
		return error_memory(err);
	o->lints = grown;
	grown[o->n_lints] = (struct job_lint){ .identifier = strdup(identifier) };
	if (!grown[o->n_lints].identifier)
		return error_memory(err);
	grown[o->n_lints++].report = *report;
	*report = (struct lint_report){ 0 };
	return 0;
}

int
job_lint(struct run *r, struct error *err)
{
	size_t i;

	if (ask_neighbours(r, err) < 0)
		return -1;
	for (i = 0; i < r->desired->n_profiles; i++) {
		const struct desired_profile *p = &r->desired->profiles[i];
		const struct lint_subject subject = {
			.data = p->content.data, .len = p->content.len,
			.profile = &p->profile, .now = r->out->at.tv_sec,
		};
		auto_lint_report struct lint_report report = { 0 };

		if (p->is_built)
			continue;
		if (lint_with_facts(&subject, &r->out->facts, &report, err) < 0 ||
		    keep(r, p->profile.identifier, &report, err) < 0)
			return -1;
	}
	return 0;
}

static bool
would_be_sent(const struct judgement *j, const char *identifier)
{
	size_t i;

	for (i = 0; i < j->n_profiles; i++)
		if (strcmp(j->profiles[i].identifier, identifier) == 0)
			return j->profiles[i].is_wanted && j->profiles[i].action != ACTION_NONE;
	return false;
}

bool
job_is_unsuitable(const struct run *r)
{
	const struct outcome *o = r->out;
	size_t i;

	if (r->job->kind != JOB_APPLY && r->job->kind != JOB_PLAN)
		return false;
	for (i = 0; i < o->n_lints; i++)
		if (o->lints[i].report.errors &&
		    would_be_sent(&o->judgement, o->lints[i].identifier))
			return true;
	return false;
}
