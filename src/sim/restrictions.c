/* restrictions: what a device knows about each key of the Restrictions payload */
#include "sim/restrictions.h"

#include <string.h>

#include "base/clean.h"

/*
 * Keys, defaults and supervision as in Apple's device-management schema (18.1,
 * 18.3) and the developer documentation. The fold is observed behaviour: the
 * schema states none for this payload.
 */
static const struct restriction rows[] = {
	{ "allowAccountModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowActivityContinuation", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowAddingGameCenterFriends", KIND_BOOL, FOLD_FALSE_WINS, 1, 13, true },
	{ "allowAirDrop", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowAirPrint", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowAirPrintCredentialsStorage", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowAirPrintiBeaconDiscovery", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowAppCellularDataModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowAppClips", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowAppInstallation", KIND_BOOL, FOLD_FALSE_WINS, 1, 13, true },
	{ "allowAppleIntelligenceReport", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowApplePersonalizedAdvertising", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowAppRemoval", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowAppsToBeHidden", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowAppsToBeLocked", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowAssistant", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowAssistantUserGeneratedContent", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowAssistantWhileLocked", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowAutoCorrection", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowAutoDim", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowAutomaticAppDownloads", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowAutoUnlock", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowBluetoothModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowBookstore", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowBookstoreErotica", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowCallRecording", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowCamera", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowCellularPlanModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowChat", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowCloudBackup", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowCloudDocumentSync", KIND_BOOL, FOLD_FALSE_WINS, 1, 13, true },
	{ "allowCloudKeychainSync", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowCloudPhotoLibrary", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowCloudPrivateRelay", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowContinuousPathKeyboard", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowDefaultBrowserModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowDefaultCallingAppModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowDefaultMessagingAppModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowDefinitionLookup", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowDeviceNameModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowDiagnosticSubmission", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowDiagnosticSubmissionModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowDictation", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowedCameraRestrictionBundleIDs", KIND_LIST, FOLD_INTERSECTION, 0, 0, true },
	{ "allowedExternalIntelligenceWorkspaceIDs", KIND_LIST, FOLD_INTERSECTION, 0, 0, true },
	{ "allowEnablingRestrictions", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowEnterpriseAppTrust", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowEnterpriseBookBackup", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowEnterpriseBookMetadataSync", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowEraseContentAndSettings", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowESIMModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowESIMOutgoingTransfers", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowExplicitContent", KIND_BOOL, FOLD_FALSE_WINS, 1, 13, true },
	{ "allowExternalIntelligenceIntegrations", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowExternalIntelligenceIntegrationsSignIn", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowFilesNetworkDriveAccess", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowFilesUSBDriveAccess", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowFindMyDevice", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowFindMyFriends", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowFindMyFriendsModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowFingerprintForUnlock", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowFingerprintModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowGameCenter", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowGenmoji", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowGlobalBackgroundFetchWhenRoaming", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowHostPairing", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowImagePlayground", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowImageWand", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowInAppPurchases", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowiPhoneMirroring", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowiPhoneWidgetsOnMac", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowiTunes", KIND_BOOL, FOLD_FALSE_WINS, 1, 13, true },
	{ "allowKeyboardShortcuts", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowListedAppBundleIDs", KIND_LIST, FOLD_INTERSECTION, 0, 0, true },
	{ "allowLiveVoicemail", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowLockScreenControlCenter", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowLockScreenNotificationsView", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowLockScreenTodayView", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowMailPrivacyProtection", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowMailSmartReplies", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowMailSummary", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowManagedAppsCloudSync", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowManagedToWriteUnmanagedContacts", KIND_BOOL, FOLD_LAST, 0, 0, false },
	{ "allowMarketplaceAppInstallation", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowMultiplayerGaming", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowMusicService", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowNews", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowNFC", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowNotesTranscription", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowNotesTranscriptionSummary", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowNotificationsModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowOpenFromManagedToUnmanaged", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowOpenFromUnmanagedToManaged", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowOTAPKIUpdates", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowPairedWatch", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowPassbookWhileLocked", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowPasscodeModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowPasswordAutoFill", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowPasswordProximityRequests", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowPasswordSharing", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowPersonalHotspotModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowPersonalizedHandwritingResults", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowPhotoStream", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowPodcasts", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowPredictiveKeyboard", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowProximitySetupToNewDevice", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowRadioService", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowRapidSecurityResponseInstallation", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowRapidSecurityResponseRemoval", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowRCSMessaging", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowRemoteScreenObservation", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowSafari", KIND_BOOL, FOLD_FALSE_WINS, 1, 13, true },
	{ "allowSafariHistoryClearing", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowSafariPrivateBrowsing", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowSafariSummary", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowSatelliteConnection", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowScreenShot", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowSharedDeviceTemporarySession", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowSharedStream", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowSiriAI", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowSpellCheck", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowSpotlightInternetResults", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowSystemAppRemoval", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowUIAppInstallation", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowUIConfigurationProfileInstallation", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowUnmanagedToReadManagedContacts", KIND_BOOL, FOLD_LAST, 0, 0, false },
	{ "allowUnpairedExternalBootToRecovery", KIND_BOOL, FOLD_LAST, 0, 0, true },
	{ "allowUntrustedTLSPrompt", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowUSBRestrictedMode", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowVideoConferencing", KIND_BOOL, FOLD_FALSE_WINS, 1, 13, true },
	{ "allowVideoConferencingRemoteControl", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowVisualIntelligenceSummary", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowVoiceDialing", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "allowVPNCreation", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowWallpaperModification", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowWebDistributionAppInstallation", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "allowWritingTools", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, true },
	{ "autonomousSingleAppModePermittedAppIDs", KIND_LIST, FOLD_INTERSECTION, 0, 0, true },
	{ "blacklistedAppBundleIDs", KIND_LIST, FOLD_UNION, 0, 0, true },
	{ "blockedAppBundleIDs", KIND_LIST, FOLD_UNION, 0, 0, true },
	{ "deniedICCIDsForiMessageFaceTime", KIND_LIST, FOLD_UNION, 0, 0, true },
	{ "deniedICCIDsForRCS", KIND_LIST, FOLD_UNION, 0, 0, true },
	{ "enforcedSoftwareUpdateDelay", KIND_NUMBER, FOLD_LAST, 30, 0, true },
	{ "forceAirDropUnmanaged", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false },
	{ "forceAirPlayOutgoingRequestsPairingPassword", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false },
	{ "forceAirPrintTrustedTLSRequirement", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true },
	{ "forceAssistantProfanityFilter", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true },
	{ "forceAuthenticationBeforeAutoFill", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true },
	{ "forceAutomaticDateAndTime", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true },
	{ "forceClassroomAutomaticallyJoinClasses", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true },
	{ "forceClassroomRequestPermissionToLeaveClasses", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true },
	{ "forceClassroomUnpromptedAppAndDeviceLock", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true },
	{ "forceClassroomUnpromptedScreenObservation", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true },
	{ "forceDelayedSoftwareUpdates", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true },
	{ "forceEncryptedBackup", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false },
	{ "forceITunesStorePasswordEntry", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false },
	{ "forceLimitAdTracking", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false },
	{ "forceOnDeviceOnlyDictation", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false },
	{ "forceOnDeviceOnlyTranslation", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false },
	{ "forcePreserveESIMOnErase", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true },
	{ "forceWatchWristDetection", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false },
	{ "forceWiFiPowerOn", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true },
	{ "forceWiFiToAllowedNetworksOnly", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true },
	{ "forceWiFiWhitelisting", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, true },
	{ "ratingApps", KIND_NUMBER, FOLD_SMALLEST, 1000, 0, false },
	{ "ratingAppsExemptedBundleIDs", KIND_LIST, FOLD_INTERSECTION, 0, 0, false },
	{ "ratingMovies", KIND_NUMBER, FOLD_SMALLEST, 1000, 0, false },
	{ "ratingRegion", KIND_TEXT, FOLD_LAST, 0, 0, false },
	{ "ratingTVShows", KIND_NUMBER, FOLD_SMALLEST, 1000, 0, false },
	{ "requireManagedPasteboard", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false },
	{ "safariAcceptCookies", KIND_NUMBER, FOLD_SMALLEST, 2.0, 0, false },
	{ "safariAllowAutoFill", KIND_BOOL, FOLD_FALSE_WINS, 1, 13, true },
	{ "safariAllowJavaScript", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "safariAllowPopups", KIND_BOOL, FOLD_FALSE_WINS, 1, 0, false },
	{ "safariForceFraudWarning", KIND_BOOL, FOLD_TRUE_WINS, 0, 0, false },
	{ "whitelistedAppBundleIDs", KIND_LIST, FOLD_INTERSECTION, 0, 0, true },
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
restriction_needs_supervision(const struct restriction *row, long major)
{
	return row->supervised_only && (!row->since || major >= row->since);
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
