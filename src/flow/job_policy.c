/* job_policy: which client's device is this, and what does that client want of it */
#include "flow/job_run.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/log.h"
#include "core/policy.h"
#include "core/refusal.h"
#include "crypto/cert.h"
#include "crypto/digest.h"

static struct policy_subject
subject_of(const struct run *r)
{
	const struct facts *f = &r->out->facts;

	return (struct policy_subject){
		.udid = f->udid, .product = f->product, .os = f->os, .serial = f->serial,
		.organization = f->organization, .is_supervised = f->is_supervised,
		.slot = r->job->slot, .has_slot_map = r->job->has_slot_map,
	};
}

static const struct job_identity *
identity_of(const struct run *r, const struct policy *p)
{
	return p->identity_index < r->job->n_identities ?
	    &r->job->identities[p->identity_index] : NULL;
}

static void
use_identity(struct run *r, const struct job_identity *id)
{
	r->host.certificate = id ? &id->cert->der : NULL;
	r->signer = id ? id->signer : -1;
}

/* ---- a device that does not know us ------------------------------------------- */

/* The answers to a certificate that the device does not know. */
static bool
is_wrong_offer(const struct error *err)
{
	return err->kind == ERR_DEVICE && (err->refusal == REFUSED_DIALOG_PENDING ||
	    err->refusal == REFUSED_MC_PROTECTED || err->refusal == REFUSED_USER_DENIED_PAIRING);
}

static bool
is_locked(const struct error *err)
{
	return err->kind == ERR_DEVICE && err->refusal == REFUSED_PASSWORD_PROTECTED;
}

/* Only the last offer waits for somebody to tap; all of them wait to be unlocked. */
static int
offer(struct run *r, const struct job_identity *id, bool is_last, struct error *err)
{
	use_identity(r, id);
	for (;;) {
		struct patience brief = r->patience;

		brief.person_ms = is_last ? brief.person_ms : 0;
		*err = (struct error){ 0 };
		if (session_open(r->device, &r->host, is_last ? &r->patience : &brief,
		    &r->out->facts, &r->session, err) == 0)
			return 0;
		if (is_last || !is_locked(err) || patience_wait(&r->patience, WAIT_UNLOCK, err) < 0)
			return -1;
	}
}

/* The identities of the policies in this order, each once. Returns how many. */
static size_t
list_offers(const struct run *r, const struct policy **order, size_t n,
    const struct job_identity **out)
{
	size_t used = 0, i, k;

	for (i = 0; i < n; i++) {
		const struct job_identity *id = identity_of(r, order[i]);

		for (k = 0; k < used && out[k] != id; k++)
			continue;
		if (id && k == used)
			out[used++] = id;
	}
	return used;
}

static int
no_policy(struct run *r, enum reason reason, struct error *err)
{
	r->obstacle = reason;
	error_set(err, ERR_DEVICE, "%s", reason_message(reason));
	return error_hint(err, reason_hint(reason));
}

static int
introduce(struct run *r, struct error *err)
{
	const struct policies *all = r->job->policies;
	auto_free const struct policy **order = calloc(all->n + 1, sizeof(struct policy *));
	auto_free const struct job_identity **offers =
	    calloc(all->n + 1, sizeof(struct job_identity *));
	const struct policy_subject subject = subject_of(r);
	size_t n, i;
	int rc = -1;

	if (!order || !offers)
		return error_memory(err);
	n = policies_rank(all, &subject, order);
	if (n == 0)
		return no_policy(r, REASON_NO_POLICY, err);
	n = list_offers(r, order, n, offers);
	r->host.may_pair = true;
	for (i = 0; i < n; i++) {
		rc = offer(r, offers[i], i + 1 == n, err);
		if (rc == 0 || !is_wrong_offer(err))
			return rc;
		log_verbose("the device does not know the certificate of %s",
		    offers[i]->cert->organization);
	}
	return -1;
}

int
job_connect_by_policy(struct run *r, struct error *err)
{
	r->host.may_pair = false;
	if (session_open(r->device, &r->host, &r->patience, &r->out->facts, &r->session, err) == 0)
		return 0;
	if (err->kind != ERR_DEVICE || (err->refusal != REFUSED_INVALID_HOST_ID &&
	    err->refusal != REFUSED_TLS) || !job_is_changing(r->job->kind))
		return -1;
	return introduce(r, err);
}

/* ---- a device of which all is known ----------------------------------------------- */

/* Why no policy is for it, in the order in which somebody could mend it. */
static enum reason
why_none(const struct run *r, const struct policy_choice *choice)
{
	enum reason reason;

	if (choice->is_too_old)
		return REASON_OS_TOO_OLD;
	if (!choice->is_unsupervised)
		return REASON_NO_POLICY;
	reason = judge_supervision(&r->out->facts, false);
	return reason == REASON_NONE ? REASON_NO_POLICY : reason;
}

static void
tell_rivals(struct run *r, const struct policy_choice *choice)
{
	error_set(&r->out->error, ERR_DATA, "the policies %s and %s are both for this device, and "
	    "neither is more specific", choice->policy->name, choice->rival->name);
	error_hint(&r->out->error, "give one of them a further condition under devices");
	r->obstacle = REASON_NO_POLICY;
}

static int
take_policy(struct run *r, const struct policy *p, enum known is_ours, struct error *err)
{
	const struct job_identity *id = identity_of(r, p);
	const char *organization = id && id->cert->organization[0] ? id->cert->organization : NULL;
	enum policy_purpose purpose = r->job->kind == JOB_REMOVE ? POLICY_REMOVE : POLICY_KEEP;
	int64_t now = r->out->at.tv_sec;

	use_identity(r, id);
	r->out->facts.is_ours = is_ours;
	r->out->policy = p->name;
	r->out->boundary = policy_next_boundary(p, now);
	r->own.digest = digest_sha256;
	r->desired = &r->own;
	return policy_desire(p, purpose, now, organization, &r->own, err);
}

int
job_choose_policy(struct run *r, struct error *err)
{
	const struct policies *all = r->job->policies;
	auto_free enum known *is_ours = calloc(all->n + 1, sizeof(*is_ours));
	const struct policy_subject subject = subject_of(r);
	struct policy_choice choice;
	size_t i;

	if (!is_ours)
		return error_memory(err);
	for (i = 0; i < all->n; i++) {
		const struct job_identity *id = identity_of(r, all->items[i]);

		is_ours[i] = id ? facts_is_supervisor(&r->out->facts, &id->cert->der) : UNKNOWN;
	}
	choice = policies_choose(all, &subject, is_ours);
	if (!choice.policy) {
		r->obstacle = why_none(r, &choice);
		return 0;
	}
	if (choice.rival) {
		tell_rivals(r, &choice);
		return 0;
	}
	for (i = 0; all->items[i] != choice.policy; i++)
		continue;
	return take_policy(r, choice.policy, is_ours[i], err);
}
