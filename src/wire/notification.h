/* notification: what a device announces by itself, to hosts it does not know yet too */
#ifndef WIRE_NOTIFICATION_H
#define WIRE_NOTIFICATION_H

#include "base/deadline.h"

struct error;
struct lockdown;
struct mux_device;
struct notifications;

/* Posted when the person has tapped Trust (usbmuxd's preflight waits for it too). */
#define NOTIFICATION_REQUEST_PAIR	"com.apple.mobile.lockdown.request_pair"

/*
 * Starts com.apple.mobile.insecure_notification_proxy, which needs no session
 * and relays what concerns trust. *out is the caller's: notifications_close().
 */
int	notifications_open(const struct mux_device *device, struct lockdown *l,
	    struct deadline deadline, struct notifications **out, struct error *err);
/* Asks to be told of that one. The device does not confirm it. */
int	notifications_observe(struct notifications *n, const char *name,
	    struct deadline deadline, struct error *err);
/* Blocks until one with that name comes; others are passed over. */
int	notifications_await(struct notifications *n, const char *name, struct deadline deadline,
	    struct error *err);
void	notifications_close(struct notifications *n);	/* NULL is fine */

#endif
