/* job_look: reads what is on the device, and judges it */
#include "flow/job_run.h"

#include <string.h>

#include "base/clean.h"
#include "base/log.h"
#include "core/refusal.h"

int
job_read_profiles(struct run *r, struct error *err)
{
	auto_plist plist_t reply = NULL;

	/* It points into the list that is about to be replaced. */
	judgement_clear(&r->out->judgement);
	if (mcinstall_get_profile_list(session_mcinstall(r->session), r->patience.job,
	    &reply, err) < 0)
		return -1;
	return facts_read_profile_list(&r->out->facts, reply, err);
}

/* It is still there, and has ended the connection: that is an answer too. */
static bool
hangs_up(const struct run *r, struct error *no)
{
	if (no->kind != ERR_LINK)
		return false;
	job_explain_lost_link(r, no);
	return no->kind == ERR_PROTOCOL;
}

/*
 * The strongest truth there is. Not every device answers, and a device that
 * does not is no failure: the truth stays at what its list shows.
 */
int
job_read_restrictions(struct run *r, struct error *err)
{
	auto_plist plist_t reply = NULL;
	struct error no = { 0 };

	if (mcinstall_get_restrictions(session_mcinstall(r->session), job_has_files(r),
	    r->patience.job, &reply, &no) == 0)
		return facts_read_restrictions(&r->out->facts, reply, err);
	if (no.kind != ERR_DEVICE && !hangs_up(r, &no)) {
		*err = no;
		return -1;
	}
	log_verbose("the device does not tell its restrictions: %s", no.message);
	r->out->facts.answers_restrictions = NO;
	return 0;
}

/* ---- judging ------------------------------------------------------------- */

bool
job_has_identity(const struct run *r)
{
	return r->host.certificate || r->signer >= 0;
}

int
job_judge(struct run *r, struct error *err)
{
	judgement_clear(&r->out->judgement);
	if (desired_settle(r->desired, &r->out->facts, err) < 0)
		return -1;
	return judge(&r->out->facts, r->desired, &r->out->judgement, err);
}

/* Whether the device's own report of restrictions would tell us more. */
bool
job_wants_restrictions(const struct run *r)
{
	size_t i;

	for (i = 0; i < r->desired->n_profiles; i++)
		if (r->desired->profiles[i].profile.n_restrictions)
			return true;
	return false;
}

/* It knows the identity, and cannot reach what its passcode protects. */
static bool
is_about_keybag(const struct error *err)
{
	return err->refusal == REFUSED_ERROR && err->chain.n > 0 &&
	    strcmp(err->chain.link[0].domain, "DMCKeybagErrorDomain") == 0;
}

/* Escalates for a query only; that a device refuses it is no failure then. */
int
job_escalate_to_ask(struct run *r, bool *is_escalated, struct error *err)
{
	struct error no = { 0 };

	*is_escalated = false;
	if (!job_has_identity(r) || r->out->facts.is_ours != YES ||
	    (!job_wants_restrictions(r) && r->job->kind != JOB_DIFF))
		return 0;
	job_begin_step(r, "escalate");
	if (session_escalate(r->session, &r->patience, &no) == 0) {
		*is_escalated = true;
		return 0;
	}
	if (no.kind == ERR_DEVICE && (no.refusal == REFUSED_NOT_NOW || is_about_keybag(&no)))
		return 0;
	*err = no;
	return -1;
}

/* Reads what is there and judges it. */
int
job_examine(struct run *r, struct error *err)
{
	bool is_escalated = false;

	job_begin_step(r, "facts");
	if (job_read_profiles(r, err) < 0 || job_judge(r, err) < 0)
		return -1;
	/* A profile that is missing needs no second opinion. */
	if (r->out->judgement.reason != REASON_NONE)
		return 0;
	if (job_escalate_to_ask(r, &is_escalated, err) < 0)
		return -1;
	if (!is_escalated)
		return 0;
	job_begin_step(r, "confirm");
	return job_read_restrictions(r, err) < 0 ? -1 : job_judge(r, err);
}
