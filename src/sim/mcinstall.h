/* mcinstall: the connection's state and the words shared by its two command sets */
#ifndef SIM_MCINSTALL_H
#define SIM_MCINSTALL_H

#include <plist/plist.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/blob.h"

struct call;
struct vrefusal;

enum mc_stage {
	MC_PLAIN,
	MC_CHALLENGED,		/* Escalate was answered with a challenge */
	MC_ESCALATED,		/* the challenge was signed well */
	MC_READY,		/* ... and ProceedWithKeybagMigration came */
};

struct mcinstall {
	enum mc_stage	stage;
	struct blob	challenge, certificate;
};

#define MC_TUNNEL_DOMAIN	"DMCTunnelErrorDomain"
#define MC_KEYBAG_DOMAIN	"DMCKeybagErrorDomain"
#define MC_CLOUD_DOMAIN		"MCCloudConfigErrorDomain"
#define MC_SETTINGS_DOMAIN	"MCSettingsErrorDomain"

/* Each begins the reply; call once. */
void	mc_status(struct call *call, const char *status);
void	mc_acknowledge(struct call *call);
void	mc_error(struct call *call, const char *domain, unsigned code, const char *text);
/* A profile refused: 4001 above the device's reason (4008 stands alone). */
void	mc_refuse(struct call *call, const struct vrefusal *refusal);

/* One ErrorChain link; the caller's. */
plist_t	mc_link(const char *domain, unsigned code, const char *text);

/*
 * The profile bytes of the request: data, or a dictionary, which the device
 * serialises itself. 0: replied already, as absent says when there is none.
 */
bool	mc_payload(struct call *call, const char *absent, struct blob *out);

/* Both return false when they do not know the request. */
bool	mc_run_plain(struct mcinstall *state, struct call *call, const char *request);
bool	mc_run_escalated(struct mcinstall *state, struct call *call, const char *request);

#endif
