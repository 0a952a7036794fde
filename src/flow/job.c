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
#include "crypto/pairing.h"
#include "crypto/signer.h"
#include "device/attend.h"
#include "device/session.h"
#include "flow/job_run.h"
#include "flow/report.h"
#include "wire/muxlink.h"

const char *
job_kind_word(enum job_kind kind)
{
	static const char *const words[] = {
		[JOB_LIST] = "list", [JOB_SHOW] = "show", [JOB_VERIFY] = "verify",
		[JOB_PLAN] = "plan", [JOB_APPLY] = "apply", [JOB_REMOVE] = "remove",
		[JOB_PAIR] = "pair", [JOB_UNPAIR] = "unpair", [JOB_AWAIT] = "await",
		[JOB_DIFF] = "diff",
	};

	return words[kind];
}

bool
job_is_about(enum job_kind kind, const char *step)
{
	bool is_trust = strcmp(step, "pair") == 0 || strcmp(step, "unpair") == 0;

	return is_trust == (kind == JOB_PAIR || kind == JOB_UNPAIR);
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
	for (i = 0; i < o->n_lints; i++) {
		free(o->lints[i].identifier);
		lint_report_clear(&o->lints[i].report);
	}
	free(o->lints);
	profile_listing_clear(&o->listing);
	desired_clear(&o->desired);
	*o = (struct outcome){ 0 };
}

/* ---- steps --------------------------------------------------------------- */

static void
end_step(struct run *r)
{
	if (r->is_step_told)
		r->out->steps[r->out->n_steps - 1].ms = now_monotonic_ms() - r->step_began;
}

void
job_begin_step(struct run *r, const char *name)
{
	end_step(r);
	r->step_began = now_monotonic_ms();
	r->is_step_told = r->out->n_steps < JOB_STEPS_MAX;
	if (r->is_step_told)
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

/* Pairing is device/session's; it asks in the same way. */
static int
permit_trust(void *ctx, const char *step, struct error *err)
{
	return job_permit(ctx, &(struct job_request){ .step = step }, err);
}

static void
note_trust(void *ctx, const char *step, bool is_acknowledged)
{
	struct run *r = ctx;
	enum truth truth = is_acknowledged ? TRUTH_ACKNOWLEDGED : TRUTH_SENT;

	r->out->is_changed = r->out->is_changed || is_acknowledged;
	if (job_is_about(r->job->kind, step) && truth > r->out->furthest)
		r->out->furthest = truth;
	if (r->listener->delivered)
		r->listener->delivered(r->listener->ctx, &(struct job_request){ .step = step },
		    is_acknowledged);
}

/* ---- signatures: asked of the signer, which holds the key ----------------- */

/* The device did nothing wrong, and this process did not fail either. */
static int
blame_signer(struct error *err)
{
	if (err->kind == ERR_UNAVAILABLE || err->kind == ERR_PERM || err->kind == ERR_DATA ||
	    err->kind == ERR_SOFTWARE)
		err->kind = ERR_UNSIGNED;
	return -1;
}

static int
ask_signer(struct run *r, enum signer_purpose purpose, const struct blob *challenge,
    struct deadline deadline, struct blob *out, struct error *err)
{
	if (signer_sign(r->signer, purpose, challenge->data, challenge->len, deadline, out,
		err) < 0)
		return blame_signer(err);
	if (r->listener->is_signed)
		r->listener->is_signed(r->listener->ctx, signer_purpose_word((int)purpose));
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

/*
 * Who signs for us also says who we are, when that was not known yet as this job
 * began: the device and the decryption of the key take their time side by side.
 */
static int
ask_who_we_are(void *ctx, struct error *err)
{
	struct run *r = ctx;
	auto_blob struct blob der = { 0 };
	int64_t began = now_monotonic_ms();

	if (r->host.certificate || r->signer < 0)
		return 0;
	if (signer_certificate(r->signer, deadline_never(), &der, err) < 0 ||
	    cert_parse(der.data, der.len, &r->told, err) < 0)
		return blame_signer(err);
	r->patience.job.at_ms += now_monotonic_ms() - began;
	r->host.certificate = &r->told.der;
	return r->desired ? desired_adopt(r->desired, r->told.organization, err) : 0;
}

static int
connect_device(struct run *r, struct error *err)
{
	struct facts *facts = &r->out->facts;

	job_begin_step(r, "connect");
	if (r->job->policies)
		return job_connect_by_policy(r, err);
	return session_open(r->device, &r->host, &r->patience, facts, &r->session, err);
}

/* ---- the jobs ------------------------------------------------------------ */

static int
open_profiles(struct run *r, struct error *err)
{
	if (connect_device(r, err) < 0)
		return -1;
	job_begin_step(r, "service");
	return session_open_mcinstall(r->session, &r->patience, &r->out->facts, err);
}

static void
conclude(struct run *r, enum reason reason, enum truth truth)
{
	r->out->reason = reason;
	r->out->truth = truth;
}

static bool
is_gone(const struct run *r)
{
	return r->job->kind == JOB_REMOVE && r->out->judgement.reason == REASON_NONE;
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
	obstacle = judge_supervision(&r->out->facts, job_has_identity(r));
	/* What has to be gone may be so without anybody's doing. */
	if (is_changing && r->job->kind != JOB_REMOVE && obstacle != REASON_NONE) {
		conclude(r, obstacle, TRUTH_NONE);
		return 0;
	}
	if (job_examine(r, err) < 0 || (job_has_files(r) && job_lint(r, err) < 0))
		return -1;
	if (obstacle == REASON_NONE && !r->job->is_forced && job_is_unsuitable(r)) {
		conclude(r, REASON_PROFILE_UNSUITABLE, TRUTH_NONE);
		return 0;
	}
	if (obstacle == REASON_NONE && is_changing && judgement_has_work(&r->out->judgement) &&
	    job_act(r, err) < 0)
		return -1;
	if (obstacle != REASON_NONE && !is_gone(r))
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
	job_begin_step(r, "facts");
	return job_read_profiles(r, err);
}

static int
run_diff(struct run *r, struct error *err)
{
	const struct profile *p = &r->desired->profiles[0].profile;
	bool is_escalated = false;

	if (open_profiles(r, err) < 0)
		return -1;
	job_begin_step(r, "facts");
	if (job_read_profiles(r, err) < 0)
		return -1;
	if (facts_find_profile(&r->out->facts, p->identifier) &&
	    job_escalate_to_ask(r, &is_escalated, err) < 0)
		return -1;
	if (is_escalated && job_read_restrictions(r, err) < 0)
		return -1;
	return profile_compare_listed(p, &r->out->facts, &r->out->listing, err);
}

static int
run_pair(struct run *r, struct error *err)
{
	if (connect_device(r, err) < 0) {
		/* Refused: nothing has come of it. Without an answer something may have. */
		if (err->kind == ERR_DEVICE && r->out->furthest == TRUTH_SENT)
			r->out->furthest = TRUTH_NONE;
		return -1;
	}
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

/* The device does not know us; what we have of it is of no use, and goes when that is on record. */
static int
forget_device(struct run *r, struct error *err)
{
	const struct job_request request = { .step = "forget" };

	*err = (struct error){ 0 };
	if (job_permit(r, &request, err) < 0)
		return -1;
	return mux_delete_pair_record(r->device, r->patience.job, err);
}

/* Proves that the device has forgotten us: it must refuse the session. */
static int
run_unpair(struct run *r, struct error *err)
{
	int rc;

	if (connect_device(r, err) < 0) {
		if (!is_stranger(err) || forget_device(r, err) < 0)
			return -1;
		conclude(r, REASON_NONE, TRUTH_EFFECTIVE);
		return 0;
	}
	job_begin_step(r, "unpair");
	if (session_unpair(r->session, &r->patience, err) < 0)
		return -1;
	job_begin_step(r, "confirm");
	rc = session_is_forgotten(r->session, &r->patience, err);
	if (rc < 0)
		return -1;
	r->out->facts.is_paired = rc ? NO : YES;
	conclude(r, rc ? REASON_NONE : REASON_NOT_REMOVED,
	    rc ? TRUTH_EFFECTIVE : TRUTH_ACKNOWLEDGED);
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
	case JOB_AWAIT:
		job_begin_step(r, "await");
		return attend(r->device, r->job->await, r->patience.job, err);
	case JOB_DIFF:
		return run_diff(r, err);
	default:
		return run_profiles(r, err);
	}
}

/*
 * A connection that ended: was the cable pulled, or did the device hang up on
 * us? usbmuxd knows. When it does not answer, it is usbmuxd that is lost.
 */
void
job_explain_lost_link(const struct run *r, struct error *err)
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
		job_explain_lost_link(r, err);
	reason = reason_of_error(err, job_has_identity(r));
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
	report_attached(r->device, facts);
	if (r->job->slot)
		text_printable(r->job->slot, strlen(r->job->slot), facts->slot,
		    sizeof(facts->slot));
	r->patience = (struct patience){
		.job = deadline_in(r->job->timeout_ms), .person_ms = r->job->person_ms,
		.waiting = tell_waiting, .ctx = r,
	};
	r->host = (struct session_host){
		.certificate = r->job->certificate, .sign_pairing = sign_pairing,
		.sign_escalation = sign_escalation, .identify = ask_who_we_are, .sign_ctx = r,
		.is_for_profiles = r->job->kind != JOB_PAIR && r->job->kind != JOB_UNPAIR,
		.may_pair = job_is_changing(r->job->kind) || r->job->kind == JOB_PAIR,
		.permit = permit_trust, .delivered = note_trust, .permit_ctx = r,
		.keys = &r->keys,
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
	pairing_keys_free(r.keys);
	cert_clear(&r.told);
	out->desired = r.own;	/* the judgement borrows from it */
	out->duration_ms = now_monotonic_ms() - began;
}
