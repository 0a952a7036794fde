/* preset: the table of presets; profile_build() turns rows into payloads */
#include "core/preset.h"

#include <string.h>

#include "base/clean.h"

/*
 * Values that equal the default are left out. Some keys are left alone on
 * purpose: allowPairedWatch=false would erase a watch, allowCloudPhotoLibrary
 * =false drops photos, allowEnablingRestrictions=false ends Screen Time.
 */

static const struct profile_setting imessage_off[] = {
	{ "allowChat", "false" },
	{ NULL, NULL },
};

static const struct profile_setting messaging_off[] = {
	{ "allowChat", "false" },
	{ "allowRCSMessaging", "false" },
	{ "allowVideoConferencing", "false" },
	{ "allowAirDrop", "false" },
	{ "allowSatelliteConnection", "false" },
	{ "allowiPhoneMirroring", "false" },
	{ "allowGameCenter", "false" },
	{ "allowMultiplayerGaming", "false" },
	{ "allowAddingGameCenterFriends", "false" },
	{ NULL, NULL },
};

static const struct profile_setting messages_hidden[] = {
	{ "blockedAppBundleIDs", "com.apple.MobileSMS,com.apple.facetime" },
	{ "allowNotificationsModification", "false" },
	{ NULL, NULL },
};

static const struct profile_setting kiosk[] = {
	{ "allowAppInstallation", "false" },
	{ "allowAppRemoval", "false" },
	{ "allowAccountModification", "false" },
	{ "allowEraseContentAndSettings", "false" },
	{ "allowUIConfigurationProfileInstallation", "false" },
	{ "allowPasscodeModification", "false" },
	{ "allowDeviceNameModification", "false" },
	{ "allowWallpaperModification", "false" },
	{ "allowBluetoothModification", "false" },
	{ "allowProximitySetupToNewDevice", "false" },
	{ "allowAutomaticAppDownloads", "false" },
	{ "allowAssistant", "false" },
	{ "forceAutomaticDateAndTime", "true" },
	{ "forceWiFiPowerOn", "true" },
	{ NULL, NULL },
};

static const struct profile_setting conference_room[] = {
	{ "allowChat", "false" },
	{ "allowRCSMessaging", "false" },
	{ "allowAirDrop", "false" },
	{ "allowAppInstallation", "false" },
	{ "allowAppRemoval", "false" },
	{ "allowAccountModification", "false" },
	{ "allowCloudBackup", "false" },
	{ "allowCloudDocumentSync", "false" },
	{ "allowPasswordAutoFill", "false" },
	{ "safariAllowAutoFill", "false" },
	{ "allowLockScreenNotificationsView", "false" },
	{ "allowLockScreenTodayView", "false" },
	{ "allowPairedWatch", "false" },
	{ "allowEraseContentAndSettings", "false" },
	{ "allowUIConfigurationProfileInstallation", "false" },
	{ NULL, NULL },
};

static const struct profile_setting retail_demo[] = {
	{ "allowAccountModification", "false" },
	{ "allowAppInstallation", "false" },
	{ "allowInAppPurchases", "false" },
	{ "allowiTunes", "false" },
	{ "allowBookstore", "false" },
	{ "allowAppRemoval", "false" },
	{ "allowEraseContentAndSettings", "false" },
	{ "allowPasscodeModification", "false" },
	{ "allowFingerprintModification", "false" },
	{ "allowDeviceNameModification", "false" },
	{ "allowNotificationsModification", "false" },
	{ "allowWallpaperModification", "false" },
	{ "allowUIConfigurationProfileInstallation", "false" },
	{ "allowFindMyDevice", "false" },
	{ "allowESIMModification", "false" },
	{ "allowCellularPlanModification", "false" },
	{ "allowExplicitContent", "false" },
	{ "ratingApps", "300" },
	{ NULL, NULL },
};

static const struct profile_setting student_day[] = {
	{ "allowChat", "false" },
	{ "allowRCSMessaging", "false" },
	{ "allowVideoConferencing", "false" },
	{ "allowAirDrop", "false" },
	{ "allowGameCenter", "false" },
	{ "allowMultiplayerGaming", "false" },
	{ "allowAddingGameCenterFriends", "false" },
	{ "allowiPhoneMirroring", "false" },
	{ "allowAppInstallation", "false" },
	{ "allowExplicitContent", "false" },
	{ "ratingApps", "300" },
	{ "allowAccountModification", "false" },
	{ "allowUIConfigurationProfileInstallation", "false" },
	{ "allowSafariPrivateBrowsing", "false" },
	{ "forceAutomaticDateAndTime", "true" },
	{ NULL, NULL },
};

static const struct profile_setting exam[] = {
	{ "allowAssistant", "false" },
	{ "allowDictation", "false" },
	{ "allowScreenShot", "false" },
	{ "allowPredictiveKeyboard", "false" },
	{ "allowAutoCorrection", "false" },
	{ "allowSpellCheck", "false" },
	{ "allowDefinitionLookup", "false" },
	{ "allowKeyboardShortcuts", "false" },
	{ "allowContinuousPathKeyboard", "false" },
	{ "allowSpotlightInternetResults", "false" },
	{ "allowSafari", "false" },
	{ "allowCamera", "false" },
	{ "allowActivityContinuation", "false" },
	{ "allowWritingTools", "false" },
	{ "allowImagePlayground", "false" },
	{ "allowGenmoji", "false" },
	{ "allowExternalIntelligenceIntegrations", "false" },
	{ "allowFilesUSBDriveAccess", "false" },
	{ "allowFilesNetworkDriveAccess", "false" },
	{ NULL, NULL },
};

static const struct profile_setting shared_ipad[] = {
	{ "allowAccountModification", "false" },
	{ "allowCloudKeychainSync", "false" },
	{ "allowCloudBackup", "false" },
	{ "allowPasswordAutoFill", "false" },
	{ "safariAllowAutoFill", "false" },
	{ "allowPasscodeModification", "false" },
	{ "allowAppRemoval", "false" },
	{ "allowSystemAppRemoval", "false" },
	{ "allowUIConfigurationProfileInstallation", "false" },
	{ "allowDeviceNameModification", "false" },
	{ "allowEraseContentAndSettings", "false" },
	{ NULL, NULL },
};

static const struct profile_setting lockdown_of_tool[] = {
	{ "allowUIConfigurationProfileInstallation", "false" },
	{ "allowEraseContentAndSettings", "false" },
	{ "allowUSBRestrictedMode", "false" },
	{ NULL, NULL },
};

static const struct preset presets[] = {
	{
		.name = "imessage-off",
		.title = "iMessage off",
		.purpose = "Turns iMessage off and nothing else.",
		.min_ios = "5.0",
		.stays = "SMS, MMS and RCS on devices with a cellular plan, FaceTime, phone calls, "
		    "AirDrop, mail and other messengers. Old conversations stay on the device.",
		.settings = imessage_off,
	},
	{
		.name = "messaging-off",
		.title = "Messaging off",
		.purpose = "Turns off iMessage, RCS, FaceTime, AirDrop, satellite messages, "
		    "iPhone Mirroring and Game Center.",
		.min_ios = "18.2",
		.core_ios = "18.1",
		.stays = "SMS, MMS and phone calls on devices with a cellular plan, mail, "
		    "other messengers, Siri, the web.",
		.settings = messaging_off,
	},
	{
		.name = "messages-hidden",
		.title = "Messages hidden",
		.purpose = "Messaging off, and the Messages and FaceTime apps "
		    "neither show nor start.",
		.min_ios = "18.2",
		.core_ios = "15.0",
		.stays = "Phone calls, emergency calls and texts, mail, other messengers, the web. "
		    "Whether incoming SMS are still stored in the background is not known.",
		.base = "messaging-off",
		.extras = PRESET_MESSAGES_SILENT,
		.settings = messages_hidden,
	},
	{
		.name = "kiosk",
		.title = "Kiosk",
		.purpose = "One app fills the screen, unattended; "
		    "nobody can leave it, install, pair or erase from the device.",
		.min_ios = "18.2",
		.core_ios = "13.0",
		.stays = "Everything that the one app offers, links to the web inside it included.",
		.base = "messaging-off",
		.extras = PRESET_APP_LOCK | PRESET_APP_NEEDED,
		.settings = kiosk,
	},
	{
		.name = "conference-room",
		.title = "Conference room",
		.purpose = "A shared wall or table device: no iMessage, RCS or AirDrop, "
		    "no new accounts, no saved passwords; video calls stay. "
		    "A paired Apple Watch is unpaired and erased.",
		.min_ios = "18.1",
		.core_ios = "13.0",
		.stays = "FaceTime and calls by apps that are installed, Safari, AirPlay, "
		    "AirPrint, the camera.",
		.extras = PRESET_APP_AUTONOMOUS,
		.settings = conference_room,
	},
	{
		.name = "retail-demo",
		.title = "Retail demo",
		.purpose = "A device to try out: "
		    "nobody can sign in, buy, install, set a passcode or erase it.",
		.min_ios = "18.2",
		.core_ios = "13.0",
		.stays = "Every app that is installed, the camera, Safari, Siri, "
		    "SMS and phone calls on a cellular device.",
		.base = "messaging-off",
		.extras = PRESET_APP_ON_HOME,
		.settings = retail_demo,
	},
	{
		.name = "student-day",
		.title = "School day",
		.purpose = "School hours: no iMessage, RCS, FaceTime, AirDrop, Game Center "
		    "or new apps; learning apps stay free.",
		.min_ios = "26.0",
		.core_ios = "18.1",
		.stays = "Installed apps up to the age rating 12, Safari, the camera, mail, files, "
		    "Siri; SMS and phone calls on a cellular device.",
		.settings = student_day,
	},
	{
		.name = "exam",
		.title = "Exam",
		.purpose = "One sitting: the school day's rules, and no help from Siri, keyboard, "
		    "web, camera, drives or Apple Intelligence.",
		.min_ios = "26.0",
		.core_ios = "18.2",
		.stays = "The exam app when one is named, otherwise every installed app "
		    "up to the age rating 12; SMS and phone calls on a cellular device; "
		    "a paired watch.",
		.base = "student-day",
		.extras = PRESET_APP_LOCK,
		.settings = exam,
	},
	{
		.name = "shared-ipad",
		.title = "Hand-out iPad",
		.purpose = "A pool of iPads handed out by the hour (not Apple's Shared iPad mode): "
		    "no accounts, no saved passwords, no changes that outlast the visitor.",
		.min_ios = "18.2",
		.core_ios = "13.0",
		.stays = "Installing apps, Safari, the camera, "
		    "mail accounts that are already there; "
		    "SMS and phone calls on a cellular device.",
		.base = "messaging-off",
		.extras = PRESET_PAIRING,
		.settings = shared_ipad,
	},
	{
		.name = "lockdown-of-tool",
		.title = "Management kept",
		.purpose = "Keeps the other presets in place: no profiles installed by hand, "
		    "no erasing from the menu, and a locked device still talks to the bench "
		    "over USB.",
		.min_ios = "11.4.1",
		.stays = "Everything else. A restore in recovery mode still erases the device.",
		.extras = PRESET_PAIRING,
		.settings = lockdown_of_tool,
	},
};

const char *const preset_default[1] = { "imessage-off" };

const struct preset *
preset_find(const char *name)
{
	size_t i;

	for (i = 0; i < countof(presets); i++)
		if (strcmp(presets[i].name, name) == 0)
			return &presets[i];
	return NULL;
}

const struct preset *
preset_at(size_t i)
{
	return i < countof(presets) ? &presets[i] : NULL;
}

int
preset_extras(const struct preset *p)
{
	int extras = 0;

	for (; p; p = p->base ? preset_find(p->base) : NULL)
		extras |= p->extras;
	return extras;
}

const char *
profile_preset_name(size_t i)
{
	return i < countof(presets) ? presets[i].name : NULL;
}
