/* job: facts, plan, act, facts, verdict: the one loop that everything here is */
#include "flow/job.h"

#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/text.h"
#include "core/desired.h"
#include "core/refusal.h"
#include "crypto/signer.h"
#include "device/session.h"
#include "flow/job_run.h"
#include "wire/muxlink.h"

const char *
job_kind_word(enum job_kind kind)
{
	static const char *const words[] = {
		[JOB_LIST] = "list", [JOB_SHOW] = "show", [JOB_VERIFY] = "verify",
		[JOB_PLAN] = "plan", [JOB_APPLY] = "apply", [JOB_REMOVE] = "remove",
		[JOB_PAIR] = "pair", [JOB_UNPAIR] = "unpair",
	};

	return words[kind];
}

bool
job_is_changing(enum job_kind kind)
{
	return kind == JOB_APPLY || kind == JOB_REMOVE;
}

void
outcome_clear(struct outcome *o)
{
	size_t i;

	judgement_clear(&o->judgement);
	facts_clear(&o->facts);
	for (i = 0; i < o->n_changes; i++) {
		free(o->changes[i].identifier);
		free(o->changes[i].uuid_before);
	}
	free(o->changes);
	desired_clear(&o->desired);
	*o = (struct outcome){ 0 };
}

/* ---- steps --------------------------------------------------------------- */

static void
end_step(struct run *r)
{
	if (r->out->n_steps)
		r->out->steps[r->out->n_steps - 1].ms = now_monotonic_ms() - r->step_began;
}

static void
begin_step(struct run *r, const char *name)
{
	end_step(r);
	r->step_began = now_monotonic_ms();
	if (r->out->n_steps < JOB_STEPS_MAX)
		r->out->steps[r->out->n_steps++] = (struct job_step){ .name = name };
	if (r->listener->step)
		r->listener->step(r->listener->ctx, name);
}

static void
tell_waiting(void *ctx, enum wait_for what)
{
	struct run *r = ctx;

	if (r->listener->waiting)
		r->listener->waiting(r->listener->ctx, what);
}

static int
permit(struct run *r, const struct job_request *request, struct error *err)
{
	if (!r->listener->permit)
		return 0;
	return r->listener->permit(r->listener->ctx, request, r->patience.job, err);
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

/* Pairing is device/session's; it asks in the same way. */
static int
permit_trust(void *ctx, const char *step, struct error *err)
{
	return permit(ctx, &(struct job_request){ .step = step }, err);
}

/* ---- signatures: asked of the signer, which holds the key ----------------- */

static int
ask_signer(struct run *r, enum signer_purpose purpose, const struct blob *challenge,
    struct deadline deadline, struct blob *out, struct error *err)
{
	if (signer_sign(r->signer, purpose, challenge->data, challenge->len, deadline, out,
		err) < 0)
		return -1;
	if (r->listener->is_signed)
		r->listener->is_signed(r->listener->ctx,
		    purpose == SIGNER_PAIR ? "pairing" : "escalation");
	return 0;
}

static int
sign_pairing(void *ctx, const struct blob *challenge, struct deadline deadline,
    struct blob *out, struct error *err)
{
	return ask_signer(ctx, SIGNER_PAIR, challenge, deadline, out, err);
}

static int
sign_escalation(void *ctx, const struct blob *challenge, struct deadline deadline,
    struct blob *out, struct error *err)
{
	return ask_signer(ctx, SIGNER_ESCALATE, challenge, deadline, out, err);
}

/* ---- facts --------------------------------------------------------------- */

static int
connect_device(struct run *r, struct error *err)
{
	struct facts *facts = &r->out->facts;

	begin_step(r, "connect");
	if (r->job->policies)
		return job_connect_by_policy(r, err);
	return session_open(r->device, &r->host, &r->patience, facts, &r->session, err);
}

static int
read_profiles(struct run *r, struct error *err)
{
	auto_plist plist_t reply = NULL;

	/* It points into the list that is about to be replaced. */
	judgement_clear(&r->out->judgement);
	if (mcinstall_get_profile_list(session_mcinstall(r->session), r->patience.job, &reply, err) < 0)
		return -1;
	return facts_read_profile_list(&r->out->facts, reply, err);
}

/*
 * The strongest truth there is. Not every device answers, and a device that
 * does not is no failure: the truth stays at what its list shows.
 */
static int
read_restrictions(struct run *r, struct error *err)
{
	auto_plist plist_t reply = NULL;
	struct error no = { 0 };

	if (mcinstall_get_restrictions(session_mcinstall(r->session), r->patience.job, &reply, &no) ==
	    0)
		return facts_read_restrictions(&r->out->facts, reply, err);
	if (no.kind != ERR_DEVICE) {
		*err = no;
		return -1;
	}
	log_verbose("the device does not tell its restrictions: %s", no.message);
	r->out->facts.answers_restrictions = NO;
	return 0;
}

/* ---- judging ------------------------------------------------------------- */

static bool
has_identity(const struct run *r)
{
	return r->host.certificate != NULL;
}

static int
judge_again(struct run *r, struct error *err)
{
	judgement_clear(&r->out->judgement);
	if (desired_settle(r->desired, &r->out->facts, err) < 0)
		return -1;
	return judge(&r->out->facts, r->desired, &r->out->judgement, err);
}

/* Whether the device's own report of restrictions would tell us more. */
static bool
wants_restrictions(const struct run *r)
{
	size_t i;

	for (i = 0; i < r->desired->n_profiles; i++)
		if (r->desired->profiles[i].profile.n_restrictions)
			return true;
	return false;
}

/* Escalates for a query only; that a device refuses it is no failure then. */
static int
escalate_to_ask(struct run *r, bool *is_escalated, struct error *err)
{
	struct error no = { 0 };

	*is_escalated = false;
	if (!has_identity(r) || r->out->facts.is_ours != YES || !wants_restrictions(r))
		return 0;
	begin_step(r, "escalate");
	if (session_escalate(r->session, &r->patience, &no) == 0) {
		*is_escalated = true;
		return 0;
	}
	if (no.kind == ERR_DEVICE && no.refusal == REFUSED_NOT_NOW)
		return 0;
	*err = no;
	return -1;
}

/* Reads what is there and judges it. */
static int
examine(struct run *r, struct error *err)
{
	bool is_escalated = false;

	begin_step(r, "facts");
	if (read_profiles(r, err) < 0 || judge_again(r, err) < 0)
		return -1;
	/* A profile that is missing needs no second opinion. */
	if (r->out->judgement.reason != REASON_NONE)
		return 0;
	if (escalate_to_ask(r, &is_escalated, err) < 0)
		return -1;
	if (!is_escalated)
		return 0;
	begin_step(r, "confirm");
	return read_restrictions(r, err) < 0 ? -1 : judge_again(r, err);
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

	begin_step(r, request.step);
	if (permit(r, &request, err) < 0)
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

	if (!has_identity(r)) {
		error_set(err, ERR_DEVICE, "only the organization may change profiles, and no supervision "
		    "identity was given");
		err->refusal = REFUSED_INVALID_HOST_ID;
		return error_hint(err, "give the supervision identity with -i");
	}
	begin_step(r, "escalate");
	if (session_escalate(r->session, &r->patience, err) < 0)
		return -1;
	for (i = 0; i < j->n_profiles; i++)
		if (j->profiles[i].action != ACTION_NONE && make_change(r, &j->profiles[i], err) < 0)
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
}

static int
act(struct run *r, struct error *err)
{
	if (make_changes(r, err) < 0)
		return -1;
	begin_step(r, "confirm");
	if (read_profiles(r, err) < 0)
		return -1;
	if (wants_restrictions(r) && read_restrictions(r, err) < 0)
		return -1;
	if (judge_again(r, err) < 0)
		return -1;
	judge_changes(r);
	return 0;
}

/* ---- the jobs ------------------------------------------------------------ */

static int
open_profiles(struct run *r, struct error *err)
{
	if (connect_device(r, err) < 0)
		return -1;
	begin_step(r, "service");
	return session_open_mcinstall(r->session, &r->patience, &r->out->facts, err);
}

static void
conclude(struct run *r, enum reason reason, enum truth truth)
{
	r->out->reason = reason;
	r->out->truth = truth;
}

/* VERIFY, PLAN, APPLY and REMOVE: they differ in whether anything is done. */
static int
run_profiles(struct run *r, struct error *err)
{
	bool is_changing = job_is_changing(r->job->kind);
	enum reason obstacle;

	if (open_profiles(r, err) < 0 || (r->job->policies && job_choose_policy(r, err) < 0))
		return -1;
	if (r->obstacle != REASON_NONE) {
		conclude(r, r->obstacle, TRUTH_NONE);
		return 0;
	}
	obstacle = judge_supervision(&r->out->facts, has_identity(r));
	if (is_changing && obstacle != REASON_NONE) {
		conclude(r, obstacle, TRUTH_NONE);
		return 0;
	}
	if (examine(r, err) < 0)
		return -1;
	if (obstacle == REASON_NONE && is_changing && judgement_has_work(&r->out->judgement) &&
	    act(r, err) < 0)
		return -1;
	if (obstacle != REASON_NONE)
		conclude(r, obstacle, TRUTH_NONE);
	else
		conclude(r, r->out->judgement.reason, r->out->judgement.truth);
	return 0;
}

/* LIST and SHOW tell what can be known; a closed door is part of it. */
static int
run_list(struct run *r, struct error *err)
{
	if (open_profiles(r, err) < 0)
		return -1;
	if (r->job->kind == JOB_LIST)
		return 0;
	begin_step(r, "facts");
	return read_profiles(r, err);
}

static int
run_pair(struct run *r, struct error *err)
{
	if (connect_device(r, err) < 0)
		return -1;
	r->out->is_changed = session_has_paired(r->session);
	/* The session is open: the device itself has accepted the record. */
	conclude(r, REASON_NONE, TRUTH_EFFECTIVE);
	return 0;
}

static bool
is_stranger(const struct error *err)
{
	return err->kind == ERR_DEVICE &&
	    (err->refusal == REFUSED_INVALID_HOST_ID || err->refusal == REFUSED_TLS);
}

/* Proves that the device has forgotten us: it must refuse the session. */
static int
run_unpair(struct run *r, struct error *err)
{
	int rc;

	if (connect_device(r, err) < 0) {
		/* The device does not know us; what we have of it is of no use. */
		if (!is_stranger(err) || mux_delete_pair_record(r->device, err) < 0)
			return -1;
		*err = (struct error){ 0 };
		conclude(r, REASON_NONE, TRUTH_EFFECTIVE);
		return 0;
	}
	begin_step(r, "unpair");
	if (session_unpair(r->session, &r->patience, err) < 0)
		return -1;
	r->out->is_changed = true;
	r->out->furthest = TRUTH_ACKNOWLEDGED;
	begin_step(r, "confirm");
	rc = session_is_forgotten(r->session, &r->patience, err);
	if (rc < 0)
		return -1;
	r->out->facts.is_paired = rc ? NO : YES;
	conclude(r, rc ? REASON_NONE : REASON_NOT_REMOVED, rc ? TRUTH_EFFECTIVE : TRUTH_ACKNOWLEDGED);
	return 0;
}

static int
run_kind(struct run *r, struct error *err)
{
	switch (r->job->kind) {
	case JOB_LIST:
	case JOB_SHOW:
		return run_list(r, err);
	case JOB_PAIR:
		return run_pair(r, err);
	case JOB_UNPAIR:
		return run_unpair(r, err);
	default:
		return run_profiles(r, err);
	}
}

/*
 * A connection that ended: was the cable pulled, or did the device hang up on
 * us? usbmuxd knows. When it does not answer, it is usbmuxd that is lost.
 */
static void
explain_lost_link(const struct run *r, struct error *err)
{
	struct error lost = { 0 };
	bool is_attached = false;

	if (mux_is_attached(r->device, &is_attached, &lost) < 0)
		err->kind = ERR_MUX;
	else if (is_attached)
		err->kind = ERR_PROTOCOL;
}

static enum reason
reason_of_failure(const struct run *r, struct error *err)
{
	enum reason reason;

	if (r->obstacle != REASON_NONE)
		return r->obstacle;
	if (err->kind == ERR_LINK)
		explain_lost_link(r, err);
	reason = reason_of_error(err, has_identity(r));
	if (reason == REASON_LOCKED)
		r->out->facts.is_locked = YES;
	/* Locked or not, what a supervisor may not do he may not do. */
	if (reason == REASON_LOCKED && r->out->facts.is_supervised == NO &&
	    r->job->kind != JOB_PAIR && r->job->kind != JOB_UNPAIR)
		return REASON_UNSUPERVISED;
	return reason;
}

static void
begin(struct run *r)
{
	struct facts *facts = &r->out->facts;

	clock_gettime(CLOCK_REALTIME, &r->out->at);
	memcpy(facts->udid, r->device->udid, sizeof(facts->udid));
	facts->has_location = r->device->location != 0;
	facts->location = r->device->location;
	facts->is_network = r->device->is_network;
	if (r->job->slot)
		text_printable(r->job->slot, strlen(r->job->slot), facts->slot, sizeof(facts->slot));
	r->patience = (struct patience){
		.job = deadline_in(r->job->timeout_ms), .person_ms = r->job->person_ms,
		.waiting = tell_waiting, .ctx = r,
	};
	r->host = (struct session_host){
		.certificate = r->job->certificate, .sign_pairing = sign_pairing,
		.sign_escalation = sign_escalation, .sign_ctx = r,
		.may_pair = job_is_changing(r->job->kind) || r->job->kind == JOB_PAIR,
		.permit = permit_trust, .permit_ctx = r,
		.may_ask_person = r->job->may_ask_person,
	};
}

void
job_run(const struct job *job, const struct mux_device *device,
    const struct job_listener *listener, struct outcome *out)
{
	static const struct job_listener nobody;
	struct run r = {
		.job = job, .device = device, .listener = listener ? listener : &nobody, .out = out,
		.signer = job->signer, .desired = job->desired,
	};
	struct error err = { 0 };
	int64_t began = now_monotonic_ms();

	begin(&r);
	if (run_kind(&r, &err) < 0) {
		enum reason reason = reason_of_failure(&r, &err);

		out->error = err;
		conclude(&r, reason, out->furthest);
	}
	end_step(&r);
	session_close(r.session);
	out->desired = r.own;	/* the judgement borrows from it */
	out->duration_ms = now_monotonic_ms() - began;
}
