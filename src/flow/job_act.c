/* job_act: makes the changes, each on record before it is sent, and judges them */
#include "flow/job_run.h"

#include <string.h>

#include "core/refusal.h"

/* ---- what is sent ------------------------------------------------------------ */

int
job_permit(struct run *r, const struct job_request *request, struct error *err)
{
	int64_t began = now_monotonic_ms();
	int rc;

	if (!r->listener->permit)
		return 0;
	rc = r->listener->permit(r->listener->ctx, request, err);
	r->patience.job.at_ms += now_monotonic_ms() - began;
	return rc;
}

static void
note_delivery(struct run *r, const struct job_request *request, enum delivery delivery)
{
	enum truth truth = delivery == DELIVERY_ACKNOWLEDGED ? TRUTH_ACKNOWLEDGED :
	    delivery == DELIVERY_SENT ? TRUTH_SENT : TRUTH_NONE;

	if (truth > r->out->furthest)
		r->out->furthest = truth;
	if (truth == TRUTH_ACKNOWLEDGED)
		r->out->is_changed = true;
	if (r->listener->delivered && truth == TRUTH_ACKNOWLEDGED)
		r->listener->delivered(r->listener->ctx, request, true);
}

/* Said before it is done: should this process die of the answer, it is known. */
static void
tell_sending(struct run *r, const struct job_request *request)
{
	if (r->listener->delivered)
		r->listener->delivered(r->listener->ctx, request, false);
}

/* ---- acting -------------------------------------------------------------- */

static int
note_change(struct run *r, const struct profile_judgement *p, struct error *err)
{
	struct outcome *o = r->out;
	struct job_change *grown = reallocarray(o->changes, o->n_changes + 1, sizeof(*grown));
	struct job_change *change;

	if (!grown)
		return error_memory(err);
	o->changes = grown;
	change = &o->changes[o->n_changes++];
	*change = (struct job_change){ .identifier = strdup(p->identifier), .action = p->action };
	if (p->found && p->found->uuid)
		change->uuid_before = strdup(p->found->uuid);
	if (!change->identifier || (p->found && p->found->uuid && !change->uuid_before))
		return error_memory(err);
	return 0;
}

static int
send_change(struct run *r, const struct profile_judgement *p, enum delivery *delivery,
    struct error *err)
{
	struct mcinstall *mc = session_mcinstall(r->session);

	if (p->action == ACTION_REMOVE)
		return mcinstall_remove(mc, p->identifier, r->patience.job, delivery, err);
	return mcinstall_install(mc, &r->desired->profiles[p->index].bytes, r->patience.job,
	    delivery, err);
}

/* One change, asked again while the device is locked and a person has time. */
static int
make_change(struct run *r, const struct profile_judgement *p, struct error *err)
{
	const struct job_request request = {
		.step = p->action == ACTION_REMOVE ? "remove" : "install",
		.identifier = p->identifier, .uuid = p->expected_uuid,
	};
	enum delivery delivery;

	job_begin_step(r, request.step);
	if (job_permit(r, &request, err) < 0)
		return -1;
	tell_sending(r, &request);
	while (send_change(r, p, &delivery, err) < 0) {
		note_delivery(r, &request, delivery);
		if (err->kind != ERR_DEVICE || err->refusal != REFUSED_NOT_NOW ||
		    patience_wait(&r->patience, WAIT_UNLOCK, err) < 0)
			return -1;
	}
	note_delivery(r, &request, delivery);
	return note_change(r, p, err);
}

static int
make_changes(struct run *r, struct error *err)
{
	const struct judgement *j = &r->out->judgement;
	size_t i;

	if (!job_has_identity(r)) {
		error_set(err, ERR_DEVICE, "only the organization may change profiles, "
		    "and no supervision identity was given");
		err->refusal = REFUSED_INVALID_HOST_ID;
		return error_hint(err, "give the supervision identity with -i");
	}
	job_begin_step(r, "escalate");
	if (session_escalate(r->session, &r->patience, err) < 0)
		return -1;
	for (i = 0; i < j->n_profiles; i++)
		if (j->profiles[i].action != ACTION_NONE &&
		    make_change(r, &j->profiles[i], err) < 0)
			return -1;
	return 0;
}

/* Whether the device lists the very version that was there before the change. */
static bool
is_as_before(const struct run *r, const struct profile_judgement *p)
{
	size_t i;

	for (i = 0; i < r->out->n_changes; i++) {
		const struct job_change *c = &r->out->changes[i];

		if (strcmp(c->identifier, p->identifier) == 0)
			return c->uuid_before && p->found && p->found->uuid &&
			    strcmp(c->uuid_before, p->found->uuid) == 0;
	}
	return false;
}

/*
 * After the act only facts count. What was acknowledged and did not happen gets
 * a reason of its own, so that nobody takes the acknowledgement for success.
 */
static void
judge_changes(struct run *r)
{
	struct judgement *j = &r->out->judgement;
	size_t i;

	for (i = 0; i < j->n_profiles; i++) {
		struct profile_judgement *p = &j->profiles[i];

		if (p->reason == REASON_PROFILE_MISSING ||
		    (p->reason == REASON_PROFILE_DIFFERS && is_as_before(r, p)))
			p->reason = REASON_NOT_STORED;
		else if (p->reason == REASON_PROFILE_UNWANTED)
			p->reason = REASON_NOT_REMOVED;
		else
			continue;
		if (reason_verdict(j->reason) != VERDICT_FAILED)
			j->reason = p->reason;
		j->truth = TRUTH_ACKNOWLEDGED;
	}
	/* A list that contradicts itself takes nothing back of what was acknowledged. */
	if (reason_verdict(j->reason) == VERDICT_FAILED)
		j->truth = TRUTH_ACKNOWLEDGED;
}

int
job_act(struct run *r, struct error *err)
{
	if (make_changes(r, err) < 0)
		return -1;
	job_begin_step(r, "confirm");
	if (job_read_profiles(r, err) < 0)
		return -1;
	if (job_wants_restrictions(r) && job_read_restrictions(r, err) < 0)
		return -1;
	if (job_judge(r, err) < 0)
		return -1;
	judge_changes(r);
	return 0;
}
