/* mcinstall: the profile service of one device (com.apple.mobile.MCInstall) */
#ifndef WIRE_MCINSTALL_H
#define WIRE_MCINSTALL_H

#include <plist/plist.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/deadline.h"

struct blob;
struct error;
struct lockdown_service;
struct mcinstall;
struct mux_device;
struct tls_client;

#define MCINSTALL_SERVICE	"com.apple.mobile.MCInstall"

/*
 * One request, one answer. Status other than Acknowledged is ERR_DEVICE with
 * its enum refusal and the ErrorChain. A device's words reach the error only
 * as status, domain, code and text: a reply may hold an UnlockToken.
 */

/* Connects to the port that lockdown gave; who is for TLS, borrowed. Blocks. */
int	mcinstall_open(const struct mux_device *device, const struct lockdown_service *service,
	    const struct tls_client *who, struct deadline deadline, struct mcinstall **out,
	    struct error *err);
void	mcinstall_close(struct mcinstall *mc);	/* NULL is fine */

/* *out is the whole reply, the caller's; facts_read_...() reads it. */
int	mcinstall_get_profile_list(struct mcinstall *mc, struct deadline deadline, plist_t *out,
	    struct error *err);
/* In two halves, with time between them; nothing else may be asked meanwhile. */
int	mcinstall_ask_cloud_configuration(struct mcinstall *mc, struct deadline deadline,
	    struct error *err);
int	mcinstall_hear_cloud_configuration(struct mcinstall *mc, struct deadline deadline,
	    plist_t *out, struct error *err);
/*
 * Needs a prior escalation, and a device that answers it: else REFUSED_COMMAND_FORMAT.
 * by_profile: also what each profile alone restricts.
 */
int	mcinstall_get_restrictions(struct mcinstall *mc, bool by_profile, struct deadline deadline,
	    plist_t *out, struct error *err);

/* Signs challenge into *out; what crypto/signer does, given by the caller. */
typedef int mcinstall_sign_fn(void *ctx, const struct blob *challenge,
    struct deadline deadline, struct blob *out, struct error *err);

/*
 * Proves to the device that we are its supervisor: Escalate, EscalateResponse,
 * ProceedWithKeybagMigration, the three in a row as go-ios and pymobiledevice3
 * send them. Holds for this connection. certificate: DER.
 */
int	mcinstall_escalate(struct mcinstall *mc, const struct blob *certificate,
	    mcinstall_sign_fn *sign, void *ctx, struct deadline deadline, struct error *err);

/* How far a request that changes the device came, also when it failed. */
enum delivery { DELIVERY_NONE, DELIVERY_SENT, DELIVERY_ACKNOWLEDGED };

/* Both need a prior escalation. *delivery is set in every case. */
int	mcinstall_install(struct mcinstall *mc, const struct blob *profile,
	    struct deadline deadline, enum delivery *delivery, struct error *err);
int	mcinstall_remove(struct mcinstall *mc, const char *identifier, struct deadline deadline,
	    enum delivery *delivery, struct error *err);

/* Judges a reply's Status: 0, or -1 and *err. For mcinstall.c and its tests. */
int	mcinstall_check_reply(const char *request, plist_t reply, struct error *err);

#endif
