/* refusal: every way in which a device says no, by the words it uses for it */
#include "core/refusal.h"

#include <string.h>

#include "base/clean.h"

/* The strings and numbers are those of libimobiledevice's lockdown.h. */
static const struct {
	const char	*error;
	int		 code;
	enum refusal	 refusal;
} lockdown[] = {
	{ "InvalidResponse", -10, REFUSED_LOCKDOWN_OTHER },
	{ "MissingKey", -11, REFUSED_LOCKDOWN_OTHER },
	{ "MissingValue", -12, REFUSED_MISSING_VALUE },
	{ "GetProhibited", -13, REFUSED_GET_PROHIBITED },
	{ "SetProhibited", -14, REFUSED_LOCKDOWN_OTHER },
	{ "RemoveProhibited", -15, REFUSED_LOCKDOWN_OTHER },
	{ "ImmutableValue", -16, REFUSED_LOCKDOWN_OTHER },
	{ "PasswordProtected", -17, REFUSED_PASSWORD_PROTECTED },
	{ "UserDeniedPairing", -18, REFUSED_USER_DENIED_PAIRING },
	{ "PairingDialogResponsePending", -19, REFUSED_DIALOG_PENDING },
	{ "MissingHostID", -20, REFUSED_LOCKDOWN_OTHER },
	{ "InvalidHostID", -21, REFUSED_INVALID_HOST_ID },
	{ "SessionActive", -22, REFUSED_LOCKDOWN_OTHER },
	{ "SessionInactive", -23, REFUSED_SESSION_INACTIVE },
	{ "MissingSessionID", -24, REFUSED_LOCKDOWN_OTHER },
	{ "InvalidSessionID", -25, REFUSED_LOCKDOWN_OTHER },
	{ "MissingService", -26, REFUSED_LOCKDOWN_OTHER },
	{ "InvalidService", -27, REFUSED_INVALID_SERVICE },
	{ "ServiceLimit", -28, REFUSED_LOCKDOWN_OTHER },
	{ "MissingPairRecord", -29, REFUSED_LOCKDOWN_OTHER },
	{ "SavePairRecordFailed", -30, REFUSED_LOCKDOWN_OTHER },
	{ "InvalidPairRecord", -31, REFUSED_LOCKDOWN_OTHER },
	{ "InvalidActivationRecord", -32, REFUSED_LOCKDOWN_OTHER },
	{ "MissingActivationRecord", -33, REFUSED_LOCKDOWN_OTHER },
	{ "ServiceProhibited", -34, REFUSED_SERVICE_PROHIBITED },
	{ "EscrowLocked", -35, REFUSED_ESCROW_LOCKED },
	{ "PairingProhibitedOverThisConnection", -36, REFUSED_LOCKDOWN_OTHER },
	{ "FMiPProtected", -37, REFUSED_LOCKDOWN_OTHER },
	{ "MCProtected", -38, REFUSED_MC_PROTECTED },
	{ "MCChallengeRequired", -39, REFUSED_MC_CHALLENGE },
};

static const struct {
	const char	*status;
	enum refusal	 refusal;
} statuses[] = {
	{ "Acknowledged", REFUSED_NOT },
	{ "Error", REFUSED_ERROR },
	{ "NotNow", REFUSED_NOT_NOW },
	{ "CertificateRejected", REFUSED_CERTIFICATE },
	{ "SignedRequestRejected", REFUSED_SIGNED_REQUEST },
	{ "CommandFormatError", REFUSED_COMMAND_FORMAT },
};

enum refusal
refusal_of_lockdown(const char *error)
{
	size_t i;

	for (i = 0; i < countof(lockdown); i++)
		if (strcmp(error, lockdown[i].error) == 0)
			return lockdown[i].refusal;
	return REFUSED_LOCKDOWN_OTHER;
}

int
refusal_lockdown_code(const char *error)
{
	size_t i;

	for (i = 0; i < countof(lockdown); i++)
		if (strcmp(error, lockdown[i].error) == 0)
			return lockdown[i].code;
	return -256;
}

enum refusal
refusal_of_status(const char *status)
{
	size_t i;

	for (i = 0; i < countof(statuses); i++)
		if (strcmp(status, statuses[i].status) == 0)
			return statuses[i].refusal;
	return REFUSED_STATUS_OTHER;
}
