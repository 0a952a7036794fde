/* restrictions: what a device knows about each key of the Restrictions payload */
#include "sim/restrictions.h"

#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/text.h"

/*
 * Keys, defaults and supervision as in Apple's device-management schema (18.1,
 * 18.3) and the developer documentation. The fold is observed behaviour: the
 * schema states none for this payload.
 */
static const struct restriction rows[] = {
	{ "allowAccountModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "7.0" },
	{ "allowActivityContinuation", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "8.0" },
	{ "allowAddingGameCenterFriends", KIND_BOOL, FOLD_FALSE_WINS, 1, 13, true, "4.2.1" },
	{ "allowAirDrop", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "7.0" },
	{ "allowAirPrint", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "11.0" },
	{ "allowAirPrintCredentialsStorage", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "11.0" },
	{ "allowAirPrintiBeaconDiscovery", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "11.0" },
	{ "allowAppCellularDataModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "7.0" },
	{ "allowAppClips", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "14.0" },
	{ "allowAppInstallation", KIND_BOOL, FOLD_FALSE_WINS, 1, 13, true, "4.0" },
	{ "allowAppleIntelligenceReport", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.4" },
	{ "allowApplePersonalizedAdvertising", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "14.0" },
	{ "allowAppRemoval", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "4.2.1" },
	{ "allowAppsToBeHidden", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.0" },
	{ "allowAppsToBeLocked", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.0" },
	{ "allowAssistant", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "5.0" },
	{ "allowAssistantUserGeneratedContent", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "7.0" },
	{ "allowAssistantWhileLocked", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "5.1" },
	{ "allowAutoCorrection", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "8.1.3" },
	{ "allowAutoDim", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "17.4" },
	{ "allowAutomaticAppDownloads", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "9.0" },
	{ "allowAutoUnlock", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "14.5" },
	{ "allowBluetoothModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "11.0" },
	{ "allowBookstore", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "6.0" },
	{ "allowBookstoreErotica", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "6.0" },
	{ "allowCallRecording", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.1" },
	{ "allowCamera", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "4.0" },
	{ "allowCellularPlanModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "11.0" },
	{ "allowChat", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "5.0" },
	{ "allowCloudBackup", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "5.0" },
	{ "allowCloudDocumentSync", KIND_BOOL, FOLD_FALSE_WINS, 1, 13, true, "5.0" },
	{ "allowCloudKeychainSync", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "7.0" },
	{ "allowCloudPhotoLibrary", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "9.0" },
	{ "allowCloudPrivateRelay", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "15.0" },
	{ "allowContinuousPathKeyboard", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "13.0" },
	{ "allowDefaultBrowserModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.2" },
	{ "allowDefaultCallingAppModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.4" },
	{ "allowDefaultMessagingAppModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.4" },
	{ "allowDefinitionLookup", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "8.1.3" },
	{ "allowDeviceNameModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "9.0" },
	{ "allowDiagnosticSubmission", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "6.0" },
	{ "allowDiagnosticSubmissionModification",
	    KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "9.3.2" },
	{ "allowDictation", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "10.3" },
	{ "allowedCameraRestrictionBundleIDs", KIND_LIST, FOLD_INTERSECTION, 0, 0, true, "26.0" },
	{ "allowedExternalIntelligenceWorkspaceIDs",
	    KIND_LIST, FOLD_INTERSECTION, 0, 0, true, NULL },
	{ "allowEnablingRestrictions", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "8.0" },
	{ "allowEnterpriseAppTrust", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "9.0" },
	{ "allowEnterpriseBookBackup", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "8.0" },
	{ "allowEnterpriseBookMetadataSync", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "8.0" },
	{ "allowEraseContentAndSettings", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "8.0" },
	{ "allowESIMModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "12.1" },
	{ "allowESIMOutgoingTransfers", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.0" },
	{ "allowExplicitContent", KIND_BOOL, FOLD_FALSE_WINS, 1, 13, true, "4.0" },
	{ "allowExternalIntelligenceIntegrations",
	    KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "18.2" },
	{ "allowExternalIntelligenceIntegrationsSignIn",
	    KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.2" },
	{ "allowFilesNetworkDriveAccess", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "13.1" },
	{ "allowFilesUSBDriveAccess", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "13.0" },
	{ "allowFindMyDevice", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "13.0" },
	{ "allowFindMyFriends", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "13.0" },
	{ "allowFindMyFriendsModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "7.0" },
	{ "allowFingerprintForUnlock", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "7.0" },
	{ "allowFingerprintModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "8.3" },
	{ "allowGameCenter", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "6.0" },
	{ "allowGenmoji", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.0" },
	{ "allowGlobalBackgroundFetchWhenRoaming", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "4.0" },
	{ "allowHostPairing", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "7.0" },
	{ "allowImagePlayground", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.0" },
	{ "allowImageWand", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.0" },
	{ "allowInAppPurchases", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "4.0" },
	{ "allowiPhoneMirroring", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.0" },
	{ "allowiPhoneWidgetsOnMac", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "17.0" },
	{ "allowiTunes", KIND_BOOL, FOLD_FALSE_WINS, 1, 13, true, "4.0" },
	{ "allowKeyboardShortcuts", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "9.0" },
	{ "allowListedAppBundleIDs", KIND_LIST, FOLD_INTERSECTION, 0, 0, true, "15.0" },
	{ "allowLiveVoicemail", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "17.2" },
	{ "allowLockScreenControlCenter", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "7.0" },
	{ "allowLockScreenNotificationsView", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "7.0" },
	{ "allowLockScreenTodayView", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "7.0" },
	{ "allowMailPrivacyProtection", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "15.2" },
	{ "allowMailSmartReplies", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.4" },
	{ "allowMailSummary", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.1" },
	{ "allowManagedAppsCloudSync", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "8.0" },
	{ "allowManagedToWriteUnmanagedContacts", KIND_BOOL, FOLD_LAST, 0, 0, false, NULL },
	{ "allowMarketplaceAppInstallation", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "17.4" },
	{ "allowMultiplayerGaming", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "4.1" },
	{ "allowMusicService", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "9.3" },
	{ "allowNews", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "9.0" },
	{ "allowNFC", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "14.2" },
	{ "allowNotesTranscription", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.4" },
	{ "allowNotesTranscriptionSummary", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.3" },
	{ "allowNotificationsModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "9.3" },
	{ "allowOpenFromManagedToUnmanaged", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "7.0" },
	{ "allowOpenFromUnmanagedToManaged", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "7.0" },
	{ "allowOTAPKIUpdates", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "7.0" },
	{ "allowPairedWatch", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "9.0" },
	{ "allowPassbookWhileLocked", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "6.0" },
	{ "allowPasscodeModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "9.0" },
	{ "allowPasswordAutoFill", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "12.0" },
	{ "allowPasswordProximityRequests", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "12.0" },
	{ "allowPasswordSharing", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "12.0" },
	{ "allowPersonalHotspotModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "12.2" },
	{ "allowPersonalizedHandwritingResults", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.0" },
	{ "allowPhotoStream", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "5.0" },
	{ "allowPodcasts", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "8.0" },
	{ "allowPredictiveKeyboard", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "8.1.3" },
	{ "allowProximitySetupToNewDevice", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "11.0" },
	{ "allowRadioService", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "9.3" },
	{ "allowRapidSecurityResponseInstallation",
	    KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "16.0" },
	{ "allowRapidSecurityResponseRemoval", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "16.0" },
	{ "allowRCSMessaging", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.1" },
	{ "allowRemoteScreenObservation", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "9.3" },
	{ "allowSafari", KIND_BOOL, FOLD_FALSE_WINS, 1, 13, true, "4.0" },
	{ "allowSafariHistoryClearing", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "26.0" },
	{ "allowSafariPrivateBrowsing", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "26.0" },
	{ "allowSafariSummary", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.4" },
	{ "allowSatelliteConnection", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.2" },
	{ "allowScreenShot", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "3.1" },
	{ "allowSharedDeviceTemporarySession", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "13.4" },
	{ "allowSharedStream", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "6.0" },
	{ "allowSiriAI", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "27.0" },
	{ "allowSpellCheck", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "8.1.3" },
	{ "allowSpotlightInternetResults", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "8.0" },
	{ "allowSystemAppRemoval", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "11.0" },
	{ "allowUIAppInstallation", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "9.0" },
	{ "allowUIConfigurationProfileInstallation",
	    KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "6.0" },
	{ "allowUnmanagedToReadManagedContacts", KIND_BOOL, FOLD_LAST, 0, 0, false, NULL },
	{ "allowUnpairedExternalBootToRecovery", KIND_BOOL, FOLD_LAST, 0, 0, true, "14.5" },
	{ "allowUntrustedTLSPrompt", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "5.0" },
	{ "allowUSBRestrictedMode", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "11.4.1" },
	{ "allowVideoConferencing", KIND_BOOL, FOLD_FALSE_WINS, 1, 13, true, "4.0" },
	{ "allowVideoConferencingRemoteControl", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.4" },
	{ "allowVisualIntelligenceSummary", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.3" },
	{ "allowVoiceDialing", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "4.0" },
	{ "allowVPNCreation", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "11.0" },
	{ "allowWallpaperModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "9.0" },
	{ "allowWebDistributionAppInstallation", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "17.5" },
	{ "allowWritingTools", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true, "18.0" },
	{ "autonomousSingleAppModePermittedAppIDs",
	    KIND_LIST, FOLD_INTERSECTION, 0, 0, true, "7.0" },
	{ "blacklistedAppBundleIDs", KIND_LIST, FOLD_UNION, 0, 0, true, "9.3" },
	{ "blockedAppBundleIDs", KIND_LIST, FOLD_UNION, 0, 0, true, "15.0" },
	{ "deniedICCIDsForiMessageFaceTime", KIND_LIST, FOLD_UNION, 0, 0, true, "26.0" },
	{ "deniedICCIDsForRCS", KIND_LIST, FOLD_UNION, 0, 0, true, "26.0" },
	{ "enforcedSoftwareUpdateDelay", KIND_NUMBER, FOLD_LAST, 30, 0, true, "11.3" },
	{ "forceAirDropUnmanaged", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false, "9.0" },
	{ "forceAirPlayOutgoingRequestsPairingPassword",
	    KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false, "7.1" },
	{ "forceAirPrintTrustedTLSRequirement", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true, "11.0" },
	{ "forceAssistantProfanityFilter", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true, "5.0" },
	{ "forceAuthenticationBeforeAutoFill", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true, "11.0" },
	{ "forceAutomaticDateAndTime", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true, "12.0" },
	{ "forceClassroomAutomaticallyJoinClasses", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true, "11.0" },
	{ "forceClassroomRequestPermissionToLeaveClasses",
	    KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true, "11.3" },
	{ "forceClassroomUnpromptedAppAndDeviceLock",
	    KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true, "11.0" },
	{ "forceClassroomUnpromptedScreenObservation",
	    KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true, "11.0" },
	{ "forceDelayedSoftwareUpdates", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true, "11.3" },
	{ "forceEncryptedBackup", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false, "4.0" },
	{ "forceITunesStorePasswordEntry", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false, "6.0" },
	{ "forceLimitAdTracking", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false, "7.0" },
	{ "forceOnDeviceOnlyDictation", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false, "14.5" },
	{ "forceOnDeviceOnlyTranslation", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false, "15.0" },
	{ "forcePreserveESIMOnErase", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true, "17.2" },
	{ "forceWatchWristDetection", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false, "8.2" },
	{ "forceWiFiPowerOn", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true, "13.0" },
	{ "forceWiFiToAllowedNetworksOnly", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true, "14.5" },
	{ "forceWiFiWhitelisting", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true, "10.3" },
	{ "ratingApps", KIND_NUMBER, FOLD_SMALLEST, 1000, 0, false, "4.0" },
	{ "ratingAppsExemptedBundleIDs", KIND_LIST, FOLD_INTERSECTION, 0, 0, false, "26.1" },
	{ "ratingMovies", KIND_NUMBER, FOLD_SMALLEST, 1000, 0, false, "4.0" },
	{ "ratingRegion", KIND_TEXT, FOLD_LAST, 0, 0, false, "4.0" },
	{ "ratingTVShows", KIND_NUMBER, FOLD_SMALLEST, 1000, 0, false, "4.0" },
	{ "requireManagedPasteboard", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false, "15.0" },
	{ "safariAcceptCookies", KIND_NUMBER, FOLD_SMALLEST, 2.0, 0, false, "4.0" },
	{ "safariAllowAutoFill", KIND_BOOL, FOLD_FALSE_WINS, 1, 13, true, "4.0" },
	{ "safariAllowJavaScript", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "4.0" },
	{ "safariAllowPopups", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false, "4.0" },
	{ "safariForceFraudWarning", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false, "4.0" },
	{ "whitelistedAppBundleIDs", KIND_LIST, FOLD_INTERSECTION, 0, 0, true, "9.3" },
};

/* Turning the first off turns the others off too (observed). */
static const struct {
	const char	*key, *implied;
} implications[] = {
	{ "allowCamera", "allowVideoConferencing" },
	{ "allowGameCenter", "allowMultiplayerGaming" },
	{ "allowAppInstallation", "allowUIAppInstallation" },
	{ "allowAppInstallation", "allowMarketplaceAppInstallation" },
	{ "allowAppInstallation", "allowWebDistributionAppInstallation" },
	{ "allowScreenShot", "allowRemoteScreenObservation" },
	{ "allowAppRemoval", "allowSystemAppRemoval" },
	{ "allowPasscodeModification", "allowFingerprintModification" },
	{ "allowCloudDocumentSync", "allowManagedAppsCloudSync" },
};

const struct restriction *
restriction_find(const char *key)
{
	size_t i;

	for (i = 0; i < countof(rows); i++)
		if (strcmp(rows[i].key, key) == 0)
			return &rows[i];
	return NULL;
}

bool
restriction_is_heeded(const struct restriction *row, const char *os)
{
	return row->introduced && text_compare_versions(row->introduced, os) <= 0;
}

bool
restriction_needs_supervision(const struct restriction *row, const char *os)
{
	return row->supervised_only && (!row->since || strtol(os, NULL, 10) >= row->since);
}

const char *
restriction_modern_name(const char *key)
{
	if (strcmp(key, "blacklistedAppBundleIDs") == 0)
		return "blockedAppBundleIDs";
	if (strcmp(key, "whitelistedAppBundleIDs") == 0)
		return "allowListedAppBundleIDs";
	return key;
}

const char *
restriction_implied(const char *key, size_t i)
{
	size_t at;

	for (at = 0; at < countof(implications); at++)
		if (strcmp(implications[at].key, key) == 0 && i-- == 0)
			return implications[at].implied;
	return NULL;
}
