/* mcplain: what MCInstall does for any trusted host */
#include "sim/mcinstall.h"

#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"
#include "sim/challenge.h"
#include "sim/cloud.h"
#include "sim/fault.h"
#include "sim/installed.h"
#include "sim/service.h"
#include "sim/signature.h"
#include "sim/virtual.h"
#include "sim/vpayload.h"
#include "sim/vprofile.h"

static bool
acts_out(const struct call *call, enum fault_kind kind)
{
	return call->fault && call->fault->kind == kind;
}

static void
on_acknowledged(struct mcinstall *state, struct call *call)
{
	(void)state;
	mc_acknowledge(call);
}

/* ---- the list ------------------------------------------------------------- */

static plist_t
describe(const struct vprofile *profile)
{
	static const char *const optional[] = { "PayloadOrganization", "PayloadDescription" };
	const char *name = vprofile_text(profile, "PayloadDisplayName");
	plist_t entry = plist_new_dict();
	size_t i;

	dict_set_string(entry, "PayloadUUID", profile->uuid);
	dict_set_string(entry, "PayloadDisplayName", name ? name : profile->identifier);
	plist_dict_set_item(entry, "PayloadVersion", plist_new_uint(profile->version));
	dict_set_bool(entry, "PayloadRemovalDisallowed", profile->is_locked);
	for (i = 0; i < countof(optional); i++)
		if (vprofile_text(profile, optional[i]))
			dict_set_string(entry, optional[i], vprofile_text(profile, optional[i]));
	return entry;
}

static plist_t
manifest(const struct vprofile *profile)
{
	const char *name = vprofile_text(profile, "PayloadDisplayName");
	plist_t entry = plist_new_dict();

	dict_set_string(entry, "Description", name ? name : profile->identifier);
	dict_set_bool(entry, "IsActive", profile->is_active);
	return entry;
}

static void
on_get_profile_list(struct mcinstall *state, struct call *call)
{
	plist_t order = plist_new_array(), manifests = plist_new_dict(), all = plist_new_dict();
	const struct vprofile *profile = call->device->profiles;

	(void)state;
	if (acts_out(call, FAULT_CONTRADICT))
		profile = NULL;
	for (; profile; profile = profile->next) {
		plist_array_append_item(order, plist_new_string(profile->identifier));
		plist_dict_set_item(manifests, profile->identifier, manifest(profile));
		plist_dict_set_item(all, profile->identifier, describe(profile));
	}
	mc_acknowledge(call);
	plist_dict_set_item(call->reply, "OrderedIdentifiers", order);
	plist_dict_set_item(call->reply, "ProfileManifest", manifests);
	plist_dict_set_item(call->reply, "ProfileMetadata", all);
}

/* ---- installing and removing ---------------------------------------------- */

/* Waits for the user; Acknowledged says no more than that it was downloaded. */
static void
on_install_profile(struct mcinstall *state, struct call *call)
{
	auto_blob struct blob payload = { 0 };
	struct vrefusal refusal;

	if (call->device->is_locked && state->stage >= MC_ESCALATED)
		mc_status(call, "NotNow");
	else if (!mc_payload(call, "ErrorPayloadEmpty", &payload))
		return;
	else if (call->device->is_locked)
		mc_error(call, "DMCInstallationErrorDomain", 4020,
		    "A profile cannot be installed interactively now.");
	else if (installed_queue(call->device, payload.data, payload.len, &refusal) < 0)
		mc_refuse(call, &refusal);
	else
		mc_acknowledge(call);
}

/* A string, or data that is a profile's head, or for MDM-like requests Identifier. */
static char *
wanted_identifier(const struct mcinstall *state, struct call *call)
{
	plist_t node = dict_get(call->request, "ProfileIdentifier");
	const char *text = node_string(node);
	const void *data;
	size_t len;

	if (!node && state->stage >= MC_ESCALATED)
		text = dict_get_string(call->request, "Identifier");
	if (text)
		return strdup(text);
	return node_data(node, &data, &len) ? vprofile_read_identifier(data, len) : NULL;
}

static void
on_remove_profile(struct mcinstall *state, struct call *call)
{
	bool is_escalated = state->stage >= MC_ESCALATED;
	auto_free char *identifier = wanted_identifier(state, call);
	const struct vprofile *profile = identifier
	    ? installed_find(call->device, identifier) : NULL;

	if (is_escalated && !call->device->was_unlocked) {
		mc_status(call, "NotNow");
	} else if (!identifier) {
		mc_error(call, "DMCInstallationErrorDomain", 4000, "The identifier is invalid.");
	} else if (profile && profile->is_locked && !is_escalated) {
		mc_error(call, INSTALLATION_DOMAIN, 4008, "The profile cannot be removed.");
	} else {
		if (profile && !acts_out(call, FAULT_ACK_NOT_STORED))
			installed_remove(call->device, identifier);
		mc_acknowledge(call);
	}
}

/* ---- escalation ----------------------------------------------------------- */

static void
on_escalate(struct mcinstall *state, struct call *call)
{
	const void *der;
	size_t len;

	blob_clear(&state->challenge);
	state->stage = MC_PLAIN;
	if (!dict_get_data(call->request, "SupervisorCertificate", &der, &len)) {
		mc_status(call, "CommandFormatError");
		return;
	}
	if (acts_out(call, FAULT_REFUSE_ESCALATION)
	    || !virtual_is_supervisor(call->device, der, len)) {
		mc_status(call, "CertificateRejected");
		return;
	}
	if (challenge_make(&state->challenge) < 0
	    || blob_set(&state->certificate, der, len) < 0) {
		mc_status(call, "CommandFormatError");
		return;
	}
	state->stage = MC_CHALLENGED;
	mc_acknowledge(call);
	dict_set_data(call->reply, "Challenge", state->challenge.data, state->challenge.len);
}

static void
on_escalate_response(struct mcinstall *state, struct call *call)
{
	auto_blob struct blob challenge = blob_steal(&state->challenge);
	auto_blob struct blob der = { 0 };
	bool was_challenged = state->stage == MC_CHALLENGED;
	struct error err = { 0 };
	const void *data = NULL;
	size_t len = 0;

	/* One try per challenge, whatever comes. */
	state->stage = MC_PLAIN;
	if (!was_challenged || acts_out(call, FAULT_REFUSE_ESCALATION)
	    || !dict_get_data(call->request, "SignedRequest", &data, &len)
	    || blob_set(&der, data, len) < 0
	    || !signature_answers(&der, &state->certificate, &challenge, &err)) {
		mc_status(call, "SignedRequestRejected");
		return;
	}
	state->stage = MC_ESCALATED;
	mc_acknowledge(call);
}

/* ---- supervision ---------------------------------------------------------- */

static void
on_get_cloud_configuration(struct mcinstall *state, struct call *call)
{
	(void)state;
	mc_acknowledge(call);
	if (call->device->cloud)
		plist_dict_set_item(call->reply, "CloudConfiguration",
		    plist_copy(call->device->cloud));
}

static void
on_set_cloud_configuration(struct mcinstall *state, struct call *call)
{
	plist_t wanted = dict_get_dict(call->request, "CloudConfiguration");

	(void)state;
	if (!wanted)
		mc_status(call, "CommandFormatError");
	else if (call->device->cloud)
		mc_error(call, MC_TUNNEL_DOMAIN, 14002,
		    "A cloud configuration is already present.");
	else if (!cloud_is_valid(wanted))
		mc_error(call, MC_CLOUD_DOMAIN, 33002, "The cloud configuration is invalid.");
	else {
		cloud_apply(call->device, wanted);
		mc_acknowledge(call);
	}
}

static void
on_erase_device(struct mcinstall *state, struct call *call)
{
	(void)state;
	mc_acknowledge(call);
	call->fate = FATE_ERASE;
}

static void
on_download_cloud_configuration(struct mcinstall *state, struct call *call)
{
	(void)state;
	mc_error(call, MC_CLOUD_DOMAIN, 33001,
	    "The cloud configuration could not be retrieved.");
}

/* ---- stored profiles and oddities ----------------------------------------- */

static void
on_store_profile(struct mcinstall *state, struct call *call)
{
	const char *purpose = dict_get_string(call->request, "Purpose");
	const void *data;
	size_t len;

	(void)state;
	if (!purpose || strcmp(purpose, "PostSetupInstallation") != 0
	    || !dict_get_data(call->request, "ProfileData", &data, &len)) {
		mc_status(call, "CommandFormatError");
		return;
	}
	dict_set_data(call->device->stored, purpose, data, len);
	mc_acknowledge(call);
}

static void
on_get_stored_profile(struct mcinstall *state, struct call *call)
{
	const char *purpose = dict_get_string(call->request, "Purpose");
	plist_t data = purpose ? dict_get(call->device->stored, purpose) : NULL;

	(void)state;
	if (!purpose) {
		mc_status(call, "CommandFormatError");
		return;
	}
	mc_acknowledge(call);
	if (data)
		plist_dict_set_item(call->reply, "ProfileData", plist_copy(data));
}

static void
on_provisional_enrollment(struct mcinstall *state, struct call *call)
{
	const void *nonce;
	size_t len;

	(void)state;
	if (!dict_get_data(call->request, "Nonce", &nonce, &len)) {
		mc_status(call, "NonceNotReceived");
	} else if (call->device->is_set_up) {
		mc_status(call, "ProvisionalEnrollmentRejected");
	} else {
		mc_acknowledge(call);
		plist_dict_set_item(call->reply, "ProvisionalEnrollmentDetails",
		    plist_new_dict());
	}
}

static void
on_set_wifi_power(struct mcinstall *state, struct call *call)
{
	bool is_on;

	(void)state;
	if (dict_get_bool(call->request, "PowerState", &is_on))
		mc_acknowledge(call);
	else
		mc_status(call, "CommandFormatError");
}

static const struct {
	const char	*request;
	void		(*run)(struct mcinstall *state, struct call *call);
} requests[] = {
	{ "HelloHostIdentifier", on_acknowledged },
	{ "Flush", on_acknowledged },
	{ "PollMDMIfNetworkTethered", on_acknowledged },
	{ "GetProfileList", on_get_profile_list },
	{ "InstallProfile", on_install_profile },
	{ "RemoveProfile", on_remove_profile },
	{ "Escalate", on_escalate },
	{ "EscalateResponse", on_escalate_response },
	{ "GetCloudConfiguration", on_get_cloud_configuration },
	{ "SetCloudConfiguration", on_set_cloud_configuration },
	{ "DownloadAndApplyCloudConfiguration", on_download_cloud_configuration },
	{ "EraseDevice", on_erase_device },
	{ "StoreProfile", on_store_profile },
	{ "GetStoredProfile", on_get_stored_profile },
	{ "EstablishProvisionalEnrollment", on_provisional_enrollment },
	{ "SetWiFiPowerState", on_set_wifi_power },
};

bool
mc_run_plain(struct mcinstall *state, struct call *call, const char *request)
{
	size_t i;

	for (i = 0; i < countof(requests); i++) {
		if (strcmp(requests[i].request, request) == 0) {
			requests[i].run(state, call);
			return true;
		}
	}
	return false;
}
