/* session: one device that trusts us, its lockdown session and its MCInstall */
#ifndef DEVICE_SESSION_H
#define DEVICE_SESSION_H

#include <stdbool.h>

#include "wire/mcinstall.h"

struct blob;
struct error;
struct facts;
struct mux_device;
struct pairing_keys;
struct patience;
struct session;

/* Who we are towards the device. Borrowed while the session lives. */
struct session_host {
	const struct blob	*certificate;	/* DER of the supervision identity, or NULL */
	/* Called before the certificate is first looked at, to set it; it may wait. NULL:
	 * it is as it is. ctx is sign_ctx. */
	int			(*identify)(void *ctx, struct error *err);
	mcinstall_sign_fn	*sign_pairing;	/* signs a challenge of Pair */
	mcinstall_sign_fn	*sign_escalation;
	void			*sign_ctx;
	/* Asked before anything that changes whom the device trusts is sent; NULL:
	 * it may. -1 ends it with *err. */
	int			(*permit)(void *ctx, const char *step, struct error *err);
	/* The request is about to leave (false), or was acknowledged (true). May be NULL. */
	void			(*delivered)(void *ctx, const char *step, bool is_acknowledged);
	void			*permit_ctx;	/* of both */
	/* Made when they are first needed, and used again: what one device refused to
	 * one identity may serve the next. The caller's, even on failure. */
	struct pairing_keys	**keys;
	bool			 is_for_profiles;	/* session_open_mcinstall() will follow */
	bool			 may_pair;		/* silently, with the certificate */
	bool			 may_ask_person;	/* pair by the Trust dialog */
};

/*
 * Opens lockdown and a session with the stored pair record. Is there none, or
 * does the device no longer know it, then we pair: silently with the identity
 * when may_pair, by the dialog when may_ask_person, and not at all otherwise
 * (ERR_DEVICE, REFUSED_INVALID_HOST_ID). A new record is stored only when the device gave
 * an escrow bag with it: a locked one agrees and stores nothing.
 * Fills what lockdown says into *facts, also when it fails half-way; for profiles
 * that is complete when MCInstall is open, because the device answers both side
 * by side. *out is the caller's. Blocks within patience.
 */
int	session_open(const struct mux_device *device, const struct session_host *host,
	    struct patience *patience, struct facts *facts, struct session **out,
	    struct error *err);
void	session_close(struct session *s);	/* NULL is fine */

/*
 * Starts MCInstall and reads the cloud configuration into *facts. When a locked
 * device does not start it, facts->is_locked is set and supervision is asked of
 * lockdown.
 */
int	session_open_mcinstall(struct session *s, struct patience *patience,
	    struct facts *facts, struct error *err);
struct mcinstall *session_mcinstall(struct session *s);

/* Proves the supervision identity to MCInstall, once; later calls do nothing. */
int	session_escalate(struct session *s, struct patience *patience, struct error *err);

/* Tells the device to forget us and deletes the record. The session is over then. */
int	session_unpair(struct session *s, struct patience *patience, struct error *err);
/* Proof of the above: asks for a session again. 1: refused; 0: it still knows us. */
int	session_is_forgotten(struct session *s, struct patience *patience, struct error *err);

#endif
