/* mcescalated: what MCInstall does for a host that holds the supervision identity */
#include "sim/mcinstall.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/proplist.h"
#include "sim/effective.h"
#include "sim/fault.h"
#include "sim/installed.h"
#include "sim/service.h"
#include "sim/virtual.h"
#include "sim/vprofile.h"

enum { UNLOCK_TOKEN_LEN = 64 };

static bool
contradicts(const struct call *call)
{
	return call->fault && call->fault->kind == FAULT_CONTRADICT;
}

static void
on_proceed(struct mcinstall *state, struct call *call)
{
	state->stage = MC_READY;
	mc_acknowledge(call);
}

/* Installed when the answer comes, nobody asked. */
static void
on_install_silently(struct mcinstall *state, struct call *call)
{
	auto_blob struct blob payload = { 0 };
	struct vrefusal refusal;

	/* Whether a device insists is unknown; every client proceeds first. */
	if (state->stage != MC_READY)
		mc_error(call, MC_KEYBAG_DOMAIN, 37000, "The keybag has not been migrated.");
	else if (call->device->is_locked)
		mc_status(call, "NotNow");
	else if (!mc_payload(call, "CommandFormatError", &payload))
		return;
	else if (installed_add(call->device, payload.data, payload.len, call->fault,
	    &refusal) < 0)
		mc_refuse(call, &refusal);
	else
		mc_acknowledge(call);
}

/* ---- queries -------------------------------------------------------------- */

/* The opposite of the truth: what is off is reported on. */
static void
flip(plist_t restrictions)
{
	plist_t bools = dict_get_dict(restrictions, "restrictedBool"), entry;
	plist_dict_iter it = NULL;
	bool value;

	plist_dict_new_iter(bools, &it);
	do {
		entry = NULL;
		plist_dict_next_item(bools, it, NULL, &entry);
		if (entry && dict_get_bool(entry, "value", &value))
			dict_set_bool(entry, "value", !value);
	} while (entry);
	free(it);
}

static void
on_restrictions(struct mcinstall *state, struct call *call)
{
	struct virtual *device = call->device;
	const struct vprofile *profile;
	bool wants_each = false;
	plist_t global, each;

	(void)state;
	if (!device->has_queries) {
		mc_status(call, "CommandFormatError");
		return;
	}
	mc_acknowledge(call);
	global = virtual_effective(device);
	if (contradicts(call))
		flip(global);
	plist_dict_set_item(call->reply, "GlobalRestrictions", global);
	dict_get_bool(call->request, "ProfileRestrictions", &wants_each);
	if (!wants_each)
		return;
	each = plist_new_dict();
	for (profile = device->profiles; profile; profile = profile->next)
		plist_dict_set_item(each, profile->identifier, effective_fold(device->profiles,
		    profile, virtual_is_supervised(device), device->os));
	plist_dict_set_item(call->reply, "ProfileRestrictions", each);
}

/* The heads of the payloads; what they set is not told. */
static plist_t
payload_heads(const struct vprofile *profile)
{
	static const char *const keys[] = { "PayloadType", "PayloadIdentifier", "PayloadVersion",
		"PayloadUUID", "PayloadDisplayName", "PayloadDescription",
		"PayloadOrganization" };
	plist_t content = dict_get_array(profile->root, "PayloadContent");
	plist_t heads = plist_new_array();
	uint32_t i, n = content ? plist_array_get_size(content) : 0;
	size_t key;

	for (i = 0; i < n; i++) {
		plist_t payload = plist_array_get_item(content, i), head = plist_new_dict();

		for (key = 0; key < countof(keys); key++)
			if (dict_get(payload, keys[key]))
				plist_dict_set_item(head, keys[key],
				    plist_copy(dict_get(payload, keys[key])));
		plist_array_append_item(heads, head);
	}
	return heads;
}

static plist_t
describe(const struct vprofile *profile)
{
	static const char *const texts[] = { "PayloadDisplayName", "PayloadOrganization",
		"PayloadDescription" };
	plist_t entry = plist_new_dict();
	size_t i;

	dict_set_string(entry, "PayloadUUID", profile->uuid);
	dict_set_string(entry, "PayloadIdentifier", profile->identifier);
	plist_dict_set_item(entry, "PayloadVersion", plist_new_uint(profile->version));
	for (i = 0; i < countof(texts); i++)
		if (vprofile_text(profile, texts[i]))
			dict_set_string(entry, texts[i], vprofile_text(profile, texts[i]));
	dict_set_bool(entry, "PayloadRemovalDisallowed", profile->is_locked);
	dict_set_bool(entry, "HasRemovalPasscode", profile->has_password);
	dict_set_bool(entry, "IsEncrypted", false);
	dict_set_bool(entry, "IsManaged", false);
	if (profile->signers.len) {
		plist_t signers = plist_new_array();

		plist_array_append_item(signers, plist_new_data(
		    (const char *)profile->signers.data, profile->signers.len));
		plist_dict_set_item(entry, "SignerCertificates", signers);
	}
	plist_dict_set_item(entry, "PayloadContent", payload_heads(profile));
	return entry;
}

static void
on_profile_list(struct mcinstall *state, struct call *call)
{
	const struct vprofile *profile = call->device->profiles;
	plist_t list;

	(void)state;
	if (!call->device->has_queries) {
		mc_status(call, "CommandFormatError");
		return;
	}
	list = plist_new_array();
	for (; profile && !contradicts(call); profile = profile->next)
		plist_array_append_item(list, describe(profile));
	mc_acknowledge(call);
	plist_dict_set_item(call->reply, "ProfileList", list);
}

static void
on_security_info(struct mcinstall *state, struct call *call)
{
	const struct virtual *device = call->device;
	plist_t info, management;

	(void)state;
	if (device->is_locked) {
		mc_status(call, "NotNow");
		return;
	}
	info = plist_new_dict();
	management = plist_new_dict();
	plist_dict_set_item(info, "HardwareEncryptionCaps", plist_new_uint(3));
	dict_set_bool(info, "PasscodePresent", device->has_passcode);
	dict_set_bool(info, "PasscodeCompliant", true);
	dict_set_bool(info, "PasscodeCompliantWithProfiles", true);
	plist_dict_set_item(info, "PasscodeLockGracePeriod", plist_new_uint(0));
	plist_dict_set_item(info, "PasscodeLockGracePeriodEnforced", plist_new_uint(0));
	dict_set_bool(management, "EnrolledViaDEP", false);
	dict_set_bool(management, "IsUserEnrollment", false);
	dict_set_bool(management, "UserApprovedEnrollment", false);
	plist_dict_set_item(info, "ManagementStatus", management);
	mc_acknowledge(call);
	plist_dict_set_item(call->reply, "SecurityInfo", info);
}

/* ---- settings and passcodes ----------------------------------------------- */

static plist_t
apply_setting(plist_t setting)
{
	const char *item = dict_get_string(setting, "Item");
	plist_t result = plist_new_dict(), chain;
	const void *image;
	size_t len;

	if (item && strcmp(item, "Wallpaper") == 0
	    && dict_get_data(setting, "Image", &image, &len)) {
		dict_set_string(result, "Status", "Acknowledged");
		return result;
	}
	chain = plist_new_array();
	plist_array_append_item(chain,
	    mc_link(MC_SETTINGS_DOMAIN, 28003, "The setting is not supported."));
	dict_set_string(result, "Status", "Error");
	plist_dict_set_item(result, "ErrorChain", chain);
	return result;
}

static void
on_settings(struct mcinstall *state, struct call *call)
{
	plist_t settings = dict_get_array(call->request, "Settings"), results;
	uint32_t i;

	(void)state;
	if (!settings) {
		mc_status(call, "CommandFormatError");
		return;
	}
	results = plist_new_array();
	for (i = 0; i < plist_array_get_size(settings); i++)
		plist_array_append_item(results, apply_setting(plist_array_get_item(settings, i)));
	mc_acknowledge(call);
	plist_dict_set_item(call->reply, "Settings", results);
}

static void
on_request_unlock_token(struct mcinstall *state, struct call *call)
{
	struct blob *token = &call->device->unlock_token;
	uint8_t bytes[UNLOCK_TOKEN_LEN];

	(void)state;
	if (call->device->is_locked) {
		mc_status(call, "NotNow");
		return;
	}
	if (call->device->has_passcode) {
		mc_error(call, MC_KEYBAG_DOMAIN, 37002, "A passcode is set.");
		return;
	}
	if (!token->len && (RAND_bytes(bytes, sizeof(bytes)) != 1
	    || blob_set(token, bytes, sizeof(bytes)) < 0)) {
		mc_status(call, "CommandFormatError");
		return;
	}
	mc_acknowledge(call);
	dict_set_data(call->reply, "UnlockToken", token->data, token->len);
}

static void
on_clear_passcode(struct mcinstall *state, struct call *call)
{
	const struct blob *token = &call->device->unlock_token;
	const void *data;
	size_t len;

	(void)state;
	if (!dict_get_data(call->request, "UnlockToken", &data, &len)) {
		mc_status(call, "CommandFormatError");
	} else if (!token->len || token->len != len || memcmp(token->data, data, len) != 0) {
		mc_error(call, "MCMDMErrorDomain", 12014, "The unlock token is not valid.");
	} else {
		call->device->has_passcode = false;
		virtual_unlock(call->device);
		mc_acknowledge(call);
	}
}

static void
on_acknowledged(struct mcinstall *state, struct call *call)
{
	(void)state;
	mc_acknowledge(call);
}

/* ---- power ---------------------------------------------------------------- */

static void
on_device_lock(struct mcinstall *state, struct call *call)
{
	(void)state;
	if (!call->device->is_set_up) {
		mc_status(call, "NotNow");
		return;
	}
	mc_acknowledge(call);
	if (call->device->has_passcode)
		virtual_lock(call->device);
}

static void
on_restart_device(struct mcinstall *state, struct call *call)
{
	(void)state;
	mc_acknowledge(call);
	call->fate = FATE_RESTART;
}

static void
on_shut_down_device(struct mcinstall *state, struct call *call)
{
	(void)state;
	mc_acknowledge(call);
	call->fate = FATE_SHUTDOWN;
}

/* A list that is always empty here. */
static void
on_empty_list(struct mcinstall *state, struct call *call)
{
	const char *request = dict_get_string(call->request, "RequestType");

	(void)state;
	if (strcmp(request, "CertificateList") == 0 && !call->device->was_unlocked) {
		mc_status(call, "NotNow");
		return;
	}
	mc_acknowledge(call);
	plist_dict_set_item(call->reply, request, plist_new_array());
}

static const struct {
	const char	*request;
	void		(*run)(struct mcinstall *state, struct call *call);
} requests[] = {
	{ "ProceedWithKeybagMigration", on_proceed },
	{ "InstallProfileSilent", on_install_silently },
	{ "Restrictions", on_restrictions },
	{ "ProfileList", on_profile_list },
	{ "SecurityInfo", on_security_info },
	{ "Settings", on_settings },
	{ "RequestUnlockToken", on_request_unlock_token },
	{ "ClearPasscode", on_clear_passcode },
	{ "ClearRestrictionsPassword", on_acknowledged },
	{ "SetDefaultMDMOptions", on_acknowledged },
	{ "DeviceLock", on_device_lock },
	{ "RestartDevice", on_restart_device },
	{ "ShutDownDevice", on_shut_down_device },
	{ "CertificateList", on_empty_list },
	{ "ProvisioningProfileList", on_empty_list },
	{ "InstalledApplicationList", on_empty_list },
	{ "AvailableOSUpdates", on_empty_list },
	{ "OSUpdateStatus", on_empty_list },
};

bool
mc_run_escalated(struct mcinstall *state, struct call *call, const char *request)
{
	size_t i;

	/* The token belongs into ClearPasscode and nowhere else. */
	if (dict_get(call->request, "UnlockToken") && strcmp(request, "ClearPasscode") != 0) {
		mc_status(call, "CommandFormatError");
		return true;
	}
	for (i = 0; i < countof(requests); i++) {
		if (strcmp(requests[i].request, request) == 0) {
			requests[i].run(state, call);
			return true;
		}
	}
	return false;
}
