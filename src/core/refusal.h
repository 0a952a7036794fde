/* refusal: every way in which a device says no, by the words it uses for it */
#ifndef CORE_REFUSAL_H
#define CORE_REFUSAL_H

/*
 * lockdownd answers with an Error string (protocol.md 3.5), MCInstall with a
 * Status (7.2). Both become one enumeration, so that decisions are made on it
 * and never on text. 0 is no refusal.
 */
enum refusal {
	REFUSED_NOT = 0,

	/* lockdownd: Error */
	REFUSED_INVALID_HOST_ID,
	REFUSED_PASSWORD_PROTECTED,
	REFUSED_USER_DENIED_PAIRING,
	REFUSED_DIALOG_PENDING,
	REFUSED_MC_PROTECTED,
	REFUSED_MC_CHALLENGE,
	REFUSED_ESCROW_LOCKED,
	REFUSED_SERVICE_PROHIBITED,
	REFUSED_INVALID_SERVICE,
	REFUSED_GET_PROHIBITED,
	REFUSED_MISSING_VALUE,
	REFUSED_SESSION_INACTIVE,
	REFUSED_LOCKDOWN_OTHER,

	/* TLS: the certificate of our pair record was not accepted */
	REFUSED_TLS,

	/* usbmuxd: the device has no such port open */
	REFUSED_PORT,

	/* MCInstall: Status */
	REFUSED_ERROR,			/* read the chain */
	REFUSED_NOT_NOW,
	REFUSED_CERTIFICATE,
	REFUSED_SIGNED_REQUEST,
	REFUSED_COMMAND_FORMAT,
	REFUSED_STATUS_OTHER,
};

/* For an Error string of lockdownd; REFUSED_LOCKDOWN_OTHER when unknown. */
enum refusal	refusal_of_lockdown(const char *error);
/* For a Status of MCInstall; REFUSED_STATUS_OTHER when unknown. */
enum refusal	refusal_of_status(const char *status);
/* libimobiledevice's number for a lockdown Error string; -256 when unknown. */
int		refusal_lockdown_code(const char *error);

#endif
