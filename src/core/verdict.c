/* verdict: the table of the product's words, and how facts become one of them */
#include "core/verdict.h"

#include <string.h>

#include "base/error.h"
#include "core/desired.h"
#include "core/refusal.h"
#include "core/reported.h"

/* One row per reason: its word, its verdict, what happened, what to do. */
static const struct {
	const char	*word;
	enum verdict	 verdict;
	const char	*message;
	const char	*hint;
} reasons[REASON_COUNT] = {
	[REASON_NONE] = { NULL, VERDICT_COMPLIANT, NULL, NULL },

	[REASON_PROFILE_MISSING] = { "profile-missing", VERDICT_NONCOMPLIANT,
	    "the profile is not on the device",
	    "chaperone apply installs it" },
	[REASON_PROFILE_DIFFERS] = { "profile-differs", VERDICT_NONCOMPLIANT,
	    "the device has another version of the profile",
	    "chaperone apply replaces it" },
	[REASON_PROFILE_INACTIVE] = { "profile-inactive", VERDICT_NONCOMPLIANT,
	    "the profile is on the device but not active",
	    "chaperone apply installs it again" },
	[REASON_PROFILE_UNWANTED] = { "profile-unwanted", VERDICT_NONCOMPLIANT,
	    "a profile that must not be there is on the device",
	    "chaperone remove takes it off, and so does apply with the policy" },
	[REASON_NOT_EFFECTIVE] = { "not-effective", VERDICT_NONCOMPLIANT,
	    "the profile is on the device, "
		"but the device reports that the restriction is not in force",
	    "see restrictions: which values were wanted and which the device reports" },
	[REASON_PROFILE_UNSUITABLE] = { "profile-unsuitable", VERDICT_NONCOMPLIANT,
	    "the profile has an error on this very device, and nothing was sent",
	    "see lint: change the profile, or go on regardless with --force" },

	[REASON_UNSUPERVISED] = { "unsupervised", VERDICT_BLOCKED,
	    "the device is not supervised, and would ignore the restriction",
	    "supervise it first: erase it and prepare it "
		"with the organization's supervision identity" },
	[REASON_FOREIGN_SUPERVISION] = { "foreign-supervision", VERDICT_BLOCKED,
	    "the device is supervised, but not by this supervision identity",
	    "use the identity (-i) of the organization that supervises it" },
	[REASON_UNTRUSTED] = { "untrusted", VERDICT_BLOCKED,
	    "the device does not trust this computer",
	    "give the supervision identity (-i), or run chaperone pair --dialog and tap Trust" },
	[REASON_TRUST_PENDING] = { "trust-pending", VERDICT_BLOCKED,
	    "the device is asking whether to trust this computer",
	    "tap Trust on the device (--wait SECONDS waits for it); "
		"with -i: the device does not know this identity" },
	[REASON_TRUST_DENIED] = { "trust-denied", VERDICT_BLOCKED,
	    "somebody tapped Don't Trust on the device",
	    "unplug the device, plug it in again and tap Trust" },
	[REASON_PAIRING_FORBIDDEN] = { "pairing-forbidden", VERDICT_BLOCKED,
	    "the device's organization forbids pairing with other computers",
	    "give the supervision identity of its organization (-i)" },
	[REASON_LOCKED] = { "locked", VERDICT_BLOCKED,
	    "the device is locked",
	    "unlock the device with its passcode (--wait SECONDS waits for it)" },
	[REASON_NOT_ACTIVATED] = { "not-activated", VERDICT_BLOCKED,
	    "the device is not activated",
	    "finish its activation first: it needs a network once" },
	[REASON_OS_TOO_OLD] = { "os-too-old", VERDICT_BLOCKED,
	    "the device's system is too old for what is wanted",
	    "update the device" },
	[REASON_NO_POLICY] = { "no-policy", VERDICT_BLOCKED,
	    "no policy is made for this device",
	    "chaperone policy check says which devices a policy matches" },

	[REASON_UNPLUGGED] = { "unplugged", VERDICT_FAILED,
	    "the device was unplugged",
	    "check the cable, plug the device in again and run the command again" },
	[REASON_TIMEOUT] = { "timeout", VERDICT_FAILED,
	    "the device did not answer in time",
	    "run the command again; --timeout SECONDS gives it longer" },
	[REASON_REFUSED] = { "refused", VERDICT_FAILED,
	    "the device refused",
	    "the device's own words are in the error chain, the last link names the cause" },
	[REASON_PROTOCOL] = { "protocol", VERDICT_FAILED,
	    "the device gave an answer that makes no sense",
	    "restart the device and run the command again; -vv shows each message" },
	[REASON_NOT_STORED] = { "not-stored", VERDICT_FAILED,
	    "the device acknowledged the profile, but its own list does not show it",
	    "restart the device and run the command again" },
	[REASON_NOT_REMOVED] = { "not-removed", VERDICT_FAILED,
	    "the device acknowledged the removal, but it did not happen",
	    "restart the device and run the command again" },
	[REASON_USBMUXD_LOST] = { "usbmuxd-lost", VERDICT_FAILED,
	    "usbmuxd went away during the job",
	    "see systemctl status usbmuxd, then run the command again" },
	[REASON_CRASHED] = { "crashed", VERDICT_FAILED,
	    "the worker process of this device failed",
	    "run the command again; please report it if it happens twice" },
	[REASON_INTERRUPTED] = { "interrupted", VERDICT_FAILED,
	    "stopped by the operator",
	    "run the command again: it goes on from what the device has" },
	[REASON_UNRECORDED] = { "unrecorded", VERDICT_FAILED,
	    "the ledger could not be written, so nothing was sent",
	    "make room on the disk, or see who may write the ledger; then run the command again" },
	[REASON_UNSIGNED] = { "unsigned", VERDICT_FAILED,
	    "no signature was to be had for the device's challenge",
	    "see what the agent or the token says, then run the command again" },
};

const char *
verdict_word(enum verdict v)
{
	static const char *const words[] = { "compliant", "noncompliant", "blocked", "failed" };

	return words[v];
}

const char *
truth_word(enum truth t)
{
	static const char *const words[] = { NULL, "sent", "acknowledged", "present", "effective" };

	return words[t];
}

const char *
reason_word(enum reason r)
{
	return reasons[r].word;
}

enum verdict
reason_verdict(enum reason r)
{
	return reasons[r].verdict;
}

const char *
reason_hint(enum reason r)
{
	return reasons[r].hint;
}

const char *
reason_message(enum reason r)
{
	return reasons[r].message;
}

static enum reason
reason_of_refusal(enum refusal refusal, bool has_identity)
{
	switch (refusal) {
	case REFUSED_INVALID_HOST_ID:
	case REFUSED_TLS:
		return REASON_UNTRUSTED;
	case REFUSED_PASSWORD_PROTECTED:
	case REFUSED_ESCROW_LOCKED:
	case REFUSED_NOT_NOW:
		return REASON_LOCKED;
	case REFUSED_USER_DENIED_PAIRING:
		return REASON_TRUST_DENIED;
	case REFUSED_DIALOG_PENDING:
		return REASON_TRUST_PENDING;
	case REFUSED_MC_PROTECTED:
		return has_identity ? REASON_FOREIGN_SUPERVISION : REASON_PAIRING_FORBIDDEN;
	case REFUSED_CERTIFICATE:
	case REFUSED_SIGNED_REQUEST:
		return REASON_FOREIGN_SUPERVISION;
	default:
		return REASON_REFUSED;
	}
}

enum reason
reason_of_error(const struct error *err, bool has_identity)
{
	switch (err->kind) {
	case ERR_NONE:
		return REASON_NONE;
	case ERR_LINK:
		return REASON_UNPLUGGED;
	case ERR_MUX:
		return REASON_USBMUXD_LOST;
	case ERR_TIMEOUT:
		return REASON_TIMEOUT;
	case ERR_INTERRUPTED:
		return REASON_INTERRUPTED;
	case ERR_PROTOCOL:
		return REASON_PROTOCOL;
	case ERR_DEVICE:
		return reason_of_refusal((enum refusal)err->refusal, has_identity);
	case ERR_IO:
		return REASON_UNRECORDED;
	case ERR_UNSIGNED:
		return REASON_UNSIGNED;
	default:
		return REASON_CRASHED;
	}
}

enum reason
judge_supervision(const struct facts *facts, bool has_identity)
{
	if (facts->activation && strcmp(facts->activation, "Unactivated") == 0)
		return REASON_NOT_ACTIVATED;
	if (facts->is_supervised == NO)
		return REASON_UNSUPERVISED;
	if (has_identity && facts->is_ours == NO)
		return REASON_FOREIGN_SUPERVISION;
	return REASON_NONE;
}

static void
judge_wanted(const struct installed_profile *found, const struct profile *want,
    struct profile_judgement *out)
{
	out->found = found;
	if (!found) {
		out->reason = REASON_PROFILE_MISSING;
		out->action = ACTION_INSTALL;
	} else if (found->times_listed != 1) {
		out->reason = REASON_PROTOCOL;
	} else if (!found->uuid || strcasecmp(found->uuid, want->uuid) != 0 ||
	    found->version != want->version) {
		out->reason = REASON_PROFILE_DIFFERS;
		out->action = ACTION_REPLACE;
	} else if (found->is_active != YES) {
		out->reason = REASON_PROFILE_INACTIVE;
		out->action = ACTION_REPLACE;
	}
}

static enum known
is_in_force(const struct facts *facts, const struct profile_restriction *r, plist_t reported)
{
	if (reported_is_in_force(facts->restrictions, r->key, r->value, reported))
		return YES;
	return reported || reported_is_expected(r->key, facts->os) ? NO : UNKNOWN;
}

static void
judge_restrictions(const struct facts *facts, const struct profile *want, size_t index,
    struct judgement *out)
{
	size_t i;

	for (i = 0; i < want->n_restrictions; i++) {
		const struct profile_restriction *r = &want->restrictions[i];
		plist_t reported = reported_value(facts->restrictions, r->key);

		out->restrictions[out->n_restrictions++] = (struct restriction_judgement){
			.key = r->key, .want = r->value, .reported = reported, .profile = index,
			.is_in_force = is_in_force(facts, r, reported),
		};
	}
}

static bool
is_wanted(const struct desired *desired, const char *identifier)
{
	size_t i;

	for (i = 0; i < desired->n_profiles; i++)
		if (strcmp(desired->profiles[i].profile.identifier, identifier) == 0)
			return true;
	return false;
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

static void
judge_unwanted(const struct facts *facts, const struct desired *desired, const char *pattern,
    struct judgement *out)
{
	size_t i;

	for (i = 0; i < facts->n_profiles; i++) {
		const struct installed_profile *found = &facts->profiles[i];

		if (!desired_matches(pattern, found->identifier) ||
		    is_wanted(desired, found->identifier) || is_judged(out, found->identifier))
			continue;
		out->profiles[out->n_profiles++] = (struct profile_judgement){
			.identifier = found->identifier, .found = found,
			.action = ACTION_REMOVE, .reason = REASON_PROFILE_UNWANTED,
		};
	}
	/* An exact name that is gone is worth a line; a pattern without a match is not. */
	if (!strchr(pattern, '*') && !is_judged(out, pattern) && !is_wanted(desired, pattern))
		out->profiles[out->n_profiles++] =
		    (struct profile_judgement){ .identifier = pattern };
}

static int
allocate(struct judgement *j, const struct facts *facts, const struct desired *desired)
{
	size_t restrictions = 0, i;

	for (i = 0; i < desired->n_profiles; i++)
		restrictions += desired->profiles[i].profile.n_restrictions;
	j->profiles = calloc(desired->n_profiles + desired->n_absent + facts->n_profiles + 1,
	    sizeof(*j->profiles));
	j->restrictions = calloc(restrictions + 1, sizeof(*j->restrictions));
	return j->profiles && j->restrictions ? 0 : -1;
}

/* Whether each wanted profile has restrictions and the device reports them all. */
static bool
all_in_force(const struct judgement *j, const struct desired *desired)
{
	size_t i;

	for (i = 0; i < desired->n_profiles; i++)
		if (desired->profiles[i].profile.n_restrictions == 0)
			return false;
	for (i = 0; i < j->n_restrictions; i++)
		if (j->restrictions[i].is_in_force != YES)
			return false;
	return j->n_restrictions > 0;
}

/* The first reason in the order of the table, and the truth that goes with it. */
static void
conclude(struct judgement *j, const struct desired *desired)
{
	size_t i;

	for (i = 0; i < j->n_profiles; i++) {
		enum reason r = j->profiles[i].reason;

		if (r != REASON_NONE && (j->reason == REASON_NONE || r < j->reason))
			j->reason = r;
	}
	if (j->reason != REASON_NONE)
		return;
	j->truth = all_in_force(j, desired) ? TRUTH_EFFECTIVE : TRUTH_PRESENT;
	for (i = 0; i < j->n_restrictions; i++) {
		struct profile_judgement *p = &j->profiles[j->restrictions[i].profile];

		if (j->restrictions[i].is_in_force != NO)
			continue;
		j->reason = p->reason = REASON_NOT_EFFECTIVE;
		p->action = ACTION_REPLACE;
	}
}

int
judge(const struct facts *facts, const struct desired *desired, struct judgement *out,
    struct error *err)
{
	auto_judgement struct judgement j = { 0 };
	size_t i;

	if (allocate(&j, facts, desired) < 0)
		return error_memory(err);
	for (i = 0; i < desired->n_profiles; i++) {
		const struct profile *want = &desired->profiles[i].profile;
		struct profile_judgement *p = &j.profiles[j.n_profiles++];

		*p = (struct profile_judgement){
			.identifier = want->identifier, .expected_uuid = want->uuid, .index = i,
			.is_wanted = true, .is_content_addressed = want->is_content_addressed,
		};
		judge_wanted(facts_find_profile(facts, want->identifier), want, p);
		if (facts->answers_restrictions == YES)
			judge_restrictions(facts, want, i, &j);
	}
	for (i = 0; i < desired->n_absent; i++)
		judge_unwanted(facts, desired, desired->absent[i], &j);
	if (!facts->has_profiles)
		j.reason = REASON_PROTOCOL;
	else
		conclude(&j, desired);
	*out = j;
	j = (struct judgement){ 0 };
	return 0;
}

void
judgement_clear(struct judgement *j)
{
	free(j->profiles);
	free(j->restrictions);
	*j = (struct judgement){ 0 };
}

bool
judgement_has_work(const struct judgement *j)
{
	size_t i;

	for (i = 0; i < j->n_profiles; i++)
		if (j->profiles[i].action != ACTION_NONE)
			return true;
	return false;
}
