/* values: the domains as ideviceinfo lists them, filled from the device's state */
#include "sim/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/proplist.h"
#include "sim/devicekey.h"
#include "sim/virtual.h"

enum { DISK_BYTES = 64000000, DISK_UNIT = 1000 };

static void
set_uint(plist_t dict, const char *key, uint64_t value)
{
	plist_dict_set_item(dict, key, plist_new_uint(value));
}

/* ---- the global domain ---------------------------------------------------- */

static void
add_public_key(plist_t dict, const struct virtual *device)
{
	auto_blob struct blob pem = { 0 };

	if (devicekey_public_pem(device->key, &pem) == 0)
		dict_set_data(dict, "DevicePublicKey", pem.data, pem.len);
}

static void
add_families(plist_t dict, const struct virtual *device)
{
	plist_t families = plist_new_array();

	plist_array_append_item(families, plist_new_uint(1));
	if (strcmp(device->model->class, "iPad") == 0)
		plist_array_append_item(families, plist_new_uint(2));
	plist_dict_set_item(dict, "SupportedDeviceFamilies", families);
}

/* What an unpaired host may read (as listed in appium-ios-device's documentation). */
static plist_t
make_public(const struct virtual *device)
{
	const struct model *model = device->model;
	plist_t dict = plist_new_dict();

	dict_set_string(dict, "BasebandVersion", model->has_telephony ? "3.10.00" : "");
	set_uint(dict, "BoardId", model->board);
	dict_set_string(dict, "BuildVersion", device->build);
	dict_set_string(dict, "CPUArchitecture", model->chip >= 0x8020 ? "arm64e" : "arm64");
	set_uint(dict, "ChipID", device->plate.chip);
	dict_set_string(dict, "DeviceClass", model->class);
	dict_set_string(dict, "DeviceColor", "1");
	dict_set_string(dict, "DeviceName", device->name);
	add_public_key(dict, device);
	set_uint(dict, "DieID", device->plate.die);
	dict_set_string(dict, "HardwareModel", model->hardware);
	dict_set_bool(dict, "HasSiDP", true);
	dict_set_string(dict, "PartitionType", "GUID_partition_scheme");
	dict_set_string(dict, "ProductName", "iPhone OS");
	dict_set_string(dict, "ProductType", device->product);
	dict_set_string(dict, "ProductVersion", device->os);
	dict_set_bool(dict, "ProductionSOC", true);
	dict_set_string(dict, "ProtocolVersion", "2");
	add_families(dict, device);
	dict_set_bool(dict, "TelephonyCapability", model->has_telephony);
	set_uint(dict, "UniqueChipID", device->plate.ecid);
	dict_set_string(dict, "UniqueDeviceID", device->plate.udid);
	dict_set_string(dict, "WiFiAddress", device->plate.wifi);
	return dict;
}

static void
add_private(plist_t dict, const struct virtual *device)
{
	const struct model *model = device->model;
	char platform[16];

	snprintf(platform, sizeof(platform), "t%04x", device->plate.chip & 0xFFFFu);
	dict_set_string(dict, "ActivationState",
	    device->is_activated ? "Activated" : "Unactivated");
	dict_set_bool(dict, "ActivationStateAcknowledged", device->is_activated);
	dict_set_string(dict, "BasebandStatus",
	    model->has_telephony ? "BBInfoAvailable" : "NoTelephonyCapabilty");
	dict_set_string(dict, "BluetoothAddress", device->plate.bluetooth);
	dict_set_bool(dict, "BrickState", !device->is_activated);
	dict_set_string(dict, "FirmwareVersion", "iBoot-11881.42.1");
	dict_set_string(dict, "HardwarePlatform", platform);
	dict_set_bool(dict, "HostAttached", true);
	if (model->has_telephony) {
		dict_set_string(dict, "InternationalMobileEquipmentIdentity", device->plate.imei);
		dict_set_string(dict, "SIMStatus", "kCTSIMSupportSIMStatusReady");
	}
	dict_set_string(dict, "MLBSerialNumber", device->plate.mlb);
	dict_set_string(dict, "ModelNumber", model->number);
	dict_set_bool(dict, "PasswordProtected", device->is_locked);
	dict_set_string(dict, "RegionInfo", "LL/A");
	dict_set_string(dict, "SerialNumber", device->plate.serial);
	plist_dict_set_item(dict, "TimeIntervalSince1970",
	    plist_new_real((double)bench_now(device->bench)));
	dict_set_string(dict, "TimeZone", "UTC");
	plist_dict_set_item(dict, "TimeZoneOffsetFromUTC", plist_new_real(0));
	dict_set_bool(dict, "TrustedHostAttached", true);
	dict_set_bool(dict, "Uses24HourClock", true);
}

static plist_t
make_global(const struct virtual *device, bool has_session)
{
	plist_t dict = make_public(device);

	if (has_session)
		add_private(dict, device);
	return dict;
}

/* ---- other domains -------------------------------------------------------- */

static void
fill_chaperone(plist_t dict, const struct virtual *device)
{
	dict_set_bool(dict, "DeviceIsChaperoned", virtual_is_supervised(device));
}

static void
fill_purplebuddy(plist_t dict, const struct virtual *device)
{
	dict_set_bool(dict, "SetupDone", device->is_set_up);
	dict_set_string(dict, "SetupState", device->is_set_up ? "SetupUsingAssistant" : "");
}

static void
fill_international(plist_t dict, const struct virtual *device)
{
	(void)device;
	dict_set_string(dict, "Language", "en");
	dict_set_string(dict, "Locale", "en_US");
}

static void
fill_wireless(plist_t dict, const struct virtual *device)
{
	dict_set_bool(dict, "EnableWifiConnections", false);
	dict_set_string(dict, "BonjourFullServiceName", device->name);
}

static void
fill_battery(plist_t dict, const struct virtual *device)
{
	set_uint(dict, "BatteryCurrentCapacity", 40 + device->position * 7 % 60);
	dict_set_bool(dict, "BatteryIsCharging", true);
	dict_set_bool(dict, "ExternalChargeCapable", true);
	dict_set_bool(dict, "ExternalConnected", true);
	dict_set_bool(dict, "FullyCharged", false);
	dict_set_bool(dict, "HasBattery", true);
}

static void
fill_disk(plist_t dict, const struct virtual *device)
{
	uint64_t total = (uint64_t)DISK_BYTES * DISK_UNIT;

	(void)device;
	set_uint(dict, "TotalDiskCapacity", total);
	set_uint(dict, "TotalSystemCapacity", total / 6);
	set_uint(dict, "TotalSystemAvailable", 0);
	set_uint(dict, "TotalDataCapacity", total / 6 * 5);
	set_uint(dict, "TotalDataAvailable", total / 2);
}

static void
fill_fmip(plist_t dict, const struct virtual *device)
{
	(void)device;
	dict_set_bool(dict, "IsAssociated", false);
}

static void
fill_amfi(plist_t dict, const struct virtual *device)
{
	(void)device;
	dict_set_bool(dict, "DeveloperModeStatus", false);
}

static const struct {
	const char	*name;
	void		(*fill)(plist_t dict, const struct virtual *device);
} domains[] = {
	{ "com.apple.mobile.chaperone", fill_chaperone },
	{ "com.apple.purplebuddy", fill_purplebuddy },
	{ "com.apple.PurpleBuddy", fill_purplebuddy },
	{ "com.apple.international", fill_international },
	{ "com.apple.mobile.wireless_lockdown", fill_wireless },
	{ "com.apple.mobile.battery", fill_battery },
	{ "com.apple.disk_usage", fill_disk },
	{ "com.apple.disk_usage.factory", fill_disk },
	{ "com.apple.fmip", fill_fmip },
	{ "com.apple.security.mac.amfi", fill_amfi },
	/* Known to exist; what is in them matters to nobody here. */
	{ "com.apple.mobile.restriction", NULL },
	{ "com.apple.mobile.iTunes", NULL },
	{ "com.apple.mobile.lockdownd", NULL },
	{ "com.apple.mobile.lockdown_cache", NULL },
	{ "com.apple.mobile.user_preferences", NULL },
	{ "com.apple.mobile.data_sync", NULL },
	{ "com.apple.mobile.tethered_sync", NULL },
	{ "com.apple.mobile.backup", NULL },
	{ "com.apple.mobile.nikita", NULL },
	{ "com.apple.mobile.software_behavior", NULL },
	{ "com.apple.mobile.sync_data_class", NULL },
	{ "com.apple.mobile.internal", NULL },
	{ "com.apple.mobile.third_party_termination", NULL },
	{ "com.apple.mobile.mobile_application_usage", NULL },
	{ "com.apple.xcode.developerdomain", NULL },
	{ "com.apple.fairplay", NULL },
	{ "com.apple.iqagent", NULL },
	{ "com.apple.iTunes", NULL },
	{ "com.apple.Accessibility", NULL },
};

static plist_t
make_domain(const struct virtual *device, const char *domain)
{
	plist_t dict;
	size_t i;

	for (i = 0; i < countof(domains); i++)
		if (strcmp(domains[i].name, domain) == 0)
			break;
	if (i == countof(domains))
		return NULL;
	dict = plist_new_dict();
	if (domains[i].fill)
		domains[i].fill(dict, device);
	return dict;
}

/* ---- reading -------------------------------------------------------------- */

/* What hosts set lies over what the device has by itself. */
static void
overlay(plist_t dict, const struct virtual *device, const char *domain)
{
	plist_t set = dict_get_dict(device->values, domain);

	if (set)
		plist_dict_merge(&dict, set);
}

plist_t
values_get(const struct virtual *device, const char *domain, const char *key, bool has_session,
    const char **problem)
{
	bool is_global = !domain || !*domain;
	auto_plist plist_t all = NULL;
	plist_t value;

	if (!is_global && !has_session) {
		*problem = "GetProhibited";
		return NULL;
	}
	all = is_global ? make_global(device, has_session) : make_domain(device, domain);
	if (!all) {
		*problem = "MissingValue";
		return NULL;
	}
	if (has_session)
		overlay(all, device, is_global ? "" : domain);
	if (!key)
		return steal_pointer(&all);
	value = plist_dict_get_item(all, key);
	if (value)
		return plist_copy(value);
	*problem = "MissingValue";
	if (is_global && !has_session) {
		auto_plist plist_t whole = make_global(device, true);

		if (plist_dict_get_item(whole, key))
			*problem = "GetProhibited";
	}
	return NULL;
}

/* ---- writing -------------------------------------------------------------- */

static const struct {
	const char	*domain, *key;
	plist_type	 type;
	bool		 without_session;
} settable[] = {
	{ "", "DeviceName", PLIST_STRING, false },
	{ "", "TimeZone", PLIST_STRING, false },
	{ "", "TimeIntervalSince1970", PLIST_UINT, false },
	{ "", "TimeIntervalSince1970", PLIST_REAL, false },
	/* usbmuxd's preflight does this before anybody is trusted. */
	{ "", "UntrustedHostBUID", PLIST_STRING, true },
	{ "com.apple.international", "Language", PLIST_STRING, false },
	{ "com.apple.international", "Locale", PLIST_STRING, false },
	{ "com.apple.mobile.wireless_lockdown", "EnableWifiConnections", PLIST_BOOLEAN, false },
	{ "com.apple.mobile.wireless_lockdown", "WirelessHostID", PLIST_STRING, false },
};

static const char *
may_set(const char *domain, const char *key, plist_t value, bool has_session)
{
	bool is_known = false;
	size_t i;

	for (i = 0; i < countof(settable); i++) {
		if (strcmp(settable[i].domain, domain) != 0 || strcmp(settable[i].key, key) != 0)
			continue;
		is_known = true;
		if (value && plist_get_node_type(value) != settable[i].type)
			continue;
		return has_session || settable[i].without_session ? NULL : "SessionInactive";
	}
	if (!has_session)
		return "SessionInactive";
	if (is_known)
		return "InvalidRequest";
	return value ? "SetProhibited" : "RemoveProhibited";
}

static const char *
set_name(struct virtual *device, plist_t value)
{
	char *name = strdup(node_string(value));

	if (!name)
		return "InvalidResponse";
	free(device->name);
	device->name = name;
	return NULL;
}

const char *
values_set(struct virtual *device, const char *domain, const char *key, plist_t value,
    bool has_session)
{
	const char *problem;
	plist_t set;

	domain = domain ? domain : "";
	if (!key)
		return "MissingKey";
	problem = may_set(domain, key, value, has_session);
	if (problem)
		return problem;
	if (value && !*domain && strcmp(key, "DeviceName") == 0)
		return set_name(device, value);
	/* The clock is honoured during Setup Assistant only, and the bench has its own. */
	if (strcmp(key, "TimeIntervalSince1970") == 0 || strcmp(key, "UntrustedHostBUID") == 0)
		return NULL;
	set = dict_get_dict(device->values, domain);
	if (!set) {
		set = plist_new_dict();
		plist_dict_set_item(device->values, domain, set);
	}
	if (value)
		plist_dict_set_item(set, key, plist_copy(value));
	else if (dict_get(set, key))
		plist_dict_remove_item(set, key);
	return NULL;
}
