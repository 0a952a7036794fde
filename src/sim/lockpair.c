/* lockpair: Pair, with the trust dialog or with a supervision identity */
#include "sim/lockdown.h"

#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"
#include "sim/challenge.h"
#include "sim/host.h"
#include "sim/service.h"
#include "sim/signature.h"
#include "sim/virtual.h"

/* The device keeps the record, and hands out the bag that works while locked. */
static void
trust(struct call *call)
{
	struct virtual *device = call->device;
	plist_t record = dict_get_dict(call->request, "PairRecord");
	struct host *old = host_find(device->hosts, dict_get_string(record, "HostID"));
	struct host *host;
	struct error err = { 0 };

	host = host_from_record(record, device->key, &err);
	if (!host) {
		lockdown_fail(call, "InvalidPairRecord");
		return;
	}
	if (old)
		old->is_revoked = true;
	host->next = device->hosts;
	device->hosts = host;
	device->dialog = DIALOG_NONE;
	dict_set_data(call->reply, "EscrowBag", host->escrow, ESCROW_BAG_LEN);
}

/* The person decides; until then the answer is "pending". */
static void
ask(struct call *call)
{
	struct virtual *device = call->device;

	if (device->trust == TRUST_ACCEPT || device->dialog == DIALOG_TRUSTED) {
		trust(call);
	} else if (device->trust == TRUST_DENY || device->dialog == DIALOG_DENIED) {
		device->dialog = DIALOG_NONE;
		lockdown_fail(call, "UserDeniedPairing");
	} else {
		device->dialog = DIALOG_SHOWING;
		lockdown_fail(call, "PairingDialogResponsePending");
	}
}

static void
pair_ordinarily(struct call *call, bool is_trusted)
{
	struct virtual *device = call->device;

	if (is_trusted || !device->is_set_up)
		trust(call);
	else if (!virtual_allows_pairing(device))
		lockdown_fail(call, "MCProtected");
	else if (device->is_locked)
		lockdown_fail(call, "PasswordProtected");
	else
		ask(call);
}

static void
present_certificate(struct lockdown *state, struct call *call, plist_t options, bool is_trusted)
{
	struct virtual *device = call->device;
	plist_t extended;
	const void *der;
	size_t len;

	if (is_trusted) {
		trust(call);
		return;
	}
	if (!dict_get_data(options, "SupervisorCertificate", &der, &len)
	    || !virtual_is_supervisor(device, der, len)) {
		pair_ordinarily(call, false);
		return;
	}
	if (challenge_make(&state->challenge) < 0 || blob_set(&state->supervisor, der, len) < 0) {
		lockdown_fail(call, "InvalidResponse");
		return;
	}
	lockdown_fail(call, "MCChallengeRequired");
	extended = plist_new_dict();
	dict_set_data(extended, "PairingChallenge", state->challenge.data, state->challenge.len);
	plist_dict_set_item(call->reply, "ExtendedResponse", extended);
}

static void
answer_challenge(struct lockdown *state, struct call *call, plist_t options)
{
	auto_blob struct blob challenge = blob_steal(&state->challenge);
	auto_blob struct blob der = { 0 };
	struct error err = { 0 };
	const void *data = NULL;
	size_t len = 0;

	if (!challenge.len || !dict_get_data(options, "ChallengeResponse", &data, &len)
	    || blob_set(&der, data, len) < 0
	    || !signature_answers(&der, &state->supervisor, &challenge, &err)) {
		/* Which word the device really uses is nowhere documented. */
		lockdown_fail(call, "InvalidPairRecord");
		return;
	}
	/* Locked: success without a bag, and nothing is kept (seen in go-ios). */
	if (!call->device->is_locked)
		trust(call);
}

void
lockpair(struct lockdown *state, struct call *call)
{
	plist_t record = dict_get_dict(call->request, "PairRecord");
	plist_t options = dict_get_dict(call->request, "PairingOptions");
	struct virtual *device = call->device;
	bool is_trusted;

	if (!record) {
		lockdown_fail(call, "MissingPairRecord");
		return;
	}
	if (!dict_get_string(record, "HostID")) {
		lockdown_fail(call, "MissingHostID");
		return;
	}
	is_trusted = host_find(device->hosts, dict_get_string(record, "HostID")) != NULL;
	if (dict_get(options, "ChallengeResponse"))
		answer_challenge(state, call, options);
	else if (device->is_locked && !is_trusted && !dict_get(options, "SupervisorCertificate"))
		lockdown_fail(call, "PasswordProtected");
	else if (dict_get(options, "SupervisorCertificate"))
		present_certificate(state, call, options, is_trusted);
	else
		pair_ordinarily(call, is_trusted);
}
