/* cloud: checking and completing a cloud configuration (read in decompiled code) */
#include "sim/cloud.h"

#include "base/clean.h"
#include "base/proplist.h"
#include "sim/host.h"
#include "sim/notification.h"
#include "sim/virtual.h"

static const struct {
	const char	*key;
	plist_type	 type;
} types[] = {
	{ "IsSupervised", PLIST_BOOLEAN }, { "AllowPairing", PLIST_BOOLEAN },
	{ "SupervisorHostCertificates", PLIST_ARRAY }, { "AnchorCertificates", PLIST_ARRAY },
	{ "OrganizationName", PLIST_STRING }, { "OrganizationMagic", PLIST_STRING },
	{ "OrganizationDepartment", PLIST_STRING }, { "OrganizationAddress", PLIST_STRING },
	{ "OrganizationPhone", PLIST_STRING }, { "OrganizationEmail", PLIST_STRING },
	{ "OrganizationShortName", PLIST_STRING }, { "OrganizationAddressLine1", PLIST_STRING },
	{ "OrganizationAddressLine2", PLIST_STRING }, { "OrganizationAddressLine3", PLIST_STRING },
	{ "OrganizationCity", PLIST_STRING }, { "OrganizationRegion", PLIST_STRING },
	{ "OrganizationZipCode", PLIST_STRING }, { "OrganizationCountry", PLIST_STRING },
	{ "OrganizationSupportPhone", PLIST_STRING }, { "OrganizationSupportEmail", PLIST_STRING },
	{ "ConfigurationURL", PLIST_STRING }, { "ConfigurationWebURL", PLIST_STRING },
	{ "ConfigurationSource", PLIST_UINT }, { "MDMProtocolVersion", PLIST_UINT },
	{ "CloudConfigurationUIComplete", PLIST_BOOLEAN },
	{ "ConfigurationWasApplied", PLIST_BOOLEAN },
	{ "PostSetupProfileWasInstalled", PLIST_BOOLEAN },
	{ "IsMandatory", PLIST_BOOLEAN }, { "IsMDMUnremovable", PLIST_BOOLEAN },
	{ "IsMultiUser", PLIST_BOOLEAN }, { "AwaitDeviceConfigured", PLIST_BOOLEAN },
	{ "DeviceConfigured", PLIST_BOOLEAN }, { "AttemptedFaceTimeSignIn", PLIST_BOOLEAN },
	{ "ProvisionalEnrollmentExpiry", PLIST_UINT }, { "LanguageScript", PLIST_STRING },
	{ "AutoAdvanceSetup", PLIST_BOOLEAN }, { "SkipSetup", PLIST_ARRAY },
	{ "Language", PLIST_STRING }, { "Region", PLIST_STRING },
};

static bool
holds_only(plist_t dict, const char *key, plist_type type)
{
	plist_t list = dict_get_array(dict, key);
	uint32_t i, n = list ? plist_array_get_size(list) : 0;

	for (i = 0; i < n; i++)
		if (!node_is(plist_array_get_item(list, i), type))
			return false;
	return true;
}

bool
cloud_is_valid(plist_t wanted)
{
	size_t i;

	for (i = 0; i < countof(types); i++) {
		plist_t node = dict_get(wanted, types[i].key);

		if (node && !node_is(node, types[i].type))
			return false;
	}
	return holds_only(wanted, "SupervisorHostCertificates", PLIST_DATA)
	    && holds_only(wanted, "AnchorCertificates", PLIST_DATA)
	    && holds_only(wanted, "SkipSetup", PLIST_STRING);
}

void
cloud_apply(struct virtual *device, plist_t wanted)
{
	plist_t cloud = plist_copy(wanted);
	bool allows_pairing = true;
	struct host *host;

	plist_dict_set_item(cloud, "ConfigurationSource", plist_new_uint(2));
	dict_set_bool(cloud, "IsMandatory", true);
	dict_set_bool(cloud, "IsMDMUnremovable", false);
	if (!dict_get(cloud, "ConfigurationURL") && !dict_get(cloud, "ConfigurationWebURL")) {
		dict_set_bool(cloud, "CloudConfigurationUIComplete", true);
		dict_set_bool(cloud, "ConfigurationWasApplied", true);
	}
	device->cloud = cloud;
	dict_get_bool(cloud, "AllowPairing", &allows_pairing);
	/* Only supervising hosts may pair from now on, and all must begin anew. */
	if (!allows_pairing)
		for (host = device->hosts; host; host = host->next)
			host->is_revoked = true;
	notification_post(device, "com.apple.managedconfiguration.managedorginfochanged");
}
