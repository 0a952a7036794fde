/* trust: how a host becomes trusted: silently by identity, or by the Trust dialog */
#ifndef DEVICE_TRUST_H
#define DEVICE_TRUST_H

#include <plist/plist.h>

struct error;
struct lockdown;
struct mux_device;
struct pair_record;
struct patience;
struct session_host;

/*
 * host->keys were made before l was opened, for a device hangs up on who idles.
 * Pairs over l (open, no session) and stores the record through usbmuxd.
 * public_values: what lockdown tells strangers, or NULL; what is missing there
 * is asked for. *out is replaced on success and untouched otherwise, and so is
 * what usbmuxd has stored.
 */
int	trust_establish(struct lockdown *l, const struct mux_device *device,
	    const struct session_host *host, plist_t public_values, struct patience *patience,
	    struct pair_record *out, struct error *err);

#endif
