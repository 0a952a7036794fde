/* mux: usbmuxd's socket: which devices are attached, and how they come and go */
#ifndef WIRE_MUX_H
#define WIRE_MUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

struct error;
struct mux_watch;

/* One attached device, as usbmuxd describes it. By value, nothing to release. */
struct mux_device {
	uint32_t	handle;		/* DeviceID: new at every attach */
	char		udid[64];	/* with its dash */
	uint32_t	location;	/* USB: bus << 16 | address; 0 unknown */
	bool		is_network;	/* reached over Wi-Fi, not over the cable */
	uint64_t	daemon;		/* which usbmuxd says so; 0 unknown (muxtalk.h) */
};

/*
 * usbmuxd's protocol is spoken here (muxtalk.h) and not through libusbmuxd,
 * whose usbmuxd_device_info_t drops LocationID (which port a device hangs on),
 * whose listener cannot find a usbmuxd that comes back under another than the
 * default path, and whose waits know no deadline but their own: an answer that
 * is nonsense, late or missing looks to its caller like a device that refuses.
 */

/*
 * The attached devices; *out is the caller's: free(). A device attached by
 * cable and by network is listed once, by cable. usbmuxd not there:
 * ERR_UNAVAILABLE.
 */
int	mux_list(bool with_network, struct deadline deadline, struct mux_device **out,
	    size_t *n, struct error *err);

enum mux_event_kind { MUX_ATTACHED, MUX_DETACHED, MUX_PAIRED };

/* For MUX_DETACHED and MUX_PAIRED only device.handle is set. */
struct mux_event {
	enum mux_event_kind	kind;
	struct mux_device	device;
};

/* Subscribes; every device already attached is announced first. */
int	mux_watch_open(bool with_network, struct deadline deadline, struct mux_watch **out,
	    struct error *err);
/* Readable when mux_watch_next() has something to do. Borrowed. */
int	mux_watch_fd(const struct mux_watch *w);
/* 1: *out is an event; 0: nothing more for now; -1: usbmuxd is gone (ERR_MUX). */
int	mux_watch_next(struct mux_watch *w, struct mux_event *out, struct error *err);
void	mux_watch_close(struct mux_watch *w);	/* NULL is fine */

/* Whether usbmuxd, or this device, is reached over TCP and not a UNIX socket. */
bool	mux_needs_tcp(const struct mux_device *device);

/*
 * What it means that usbmuxd, or a connection through it, failed just now: asks
 * usbmuxd whether this device is still attached. ERR_MUX in *err when it does
 * not answer, or is not the one that told of the device: a new one numbers its
 * devices anew. Else *is_attached. Blocks a second at most, over TCP also as
 * long as its name takes to be looked up.
 */
int	mux_is_attached(const struct mux_device *device, bool *is_attached, struct error *err);

/* Reads one property list of usbmuxd into *out; for mux.c and its tests. */
int	mux_parse_device(const void *entry, struct mux_device *out);

#endif
