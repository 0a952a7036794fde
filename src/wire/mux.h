/* mux: usbmuxd's socket: which devices are attached, connections, pair records */
#ifndef WIRE_MUX_H
#define WIRE_MUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

struct blob;
struct error;
struct mux_watch;

/* One attached device, as usbmuxd describes it. By value, nothing to release. */
struct mux_device {
	uint32_t	handle;		/* DeviceID: new at every attach */
	char		udid[64];	/* with its dash */
	uint32_t	product_id;
	uint32_t	location;	/* USB: bus << 16 | address; 0 unknown */
	bool		is_network;	/* reached over Wi-Fi, not over the cable */
};

/*
 * Listing and watching speak usbmuxd's protocol here and not through
 * libusbmuxd, because usbmuxd_device_info_t drops LocationID (which port a
 * device hangs on), and because libusbmuxd's listener cannot find a usbmuxd
 * that comes back under another than the default path. Connections and pair
 * records go through libusbmuxd and libimobiledevice.
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

/*
 * A connection to a port of the device; *fd is the caller's, non-blocking.
 * Device gone: ERR_LINK. Port closed: ERR_DEVICE, REFUSED_PORT. usbmuxd gone:
 * ERR_MUX. Bounded by libusbmuxd's own five seconds.
 */
int	mux_connect(const struct mux_device *device, uint16_t port, int *fd, struct error *err);

/* 1: *out is the pair record; 0: there is none; -1 ERR_MUX. */
int	mux_read_pair_record(const struct mux_device *device, struct blob *out,
	    struct error *err);
int	mux_save_pair_record(const struct mux_device *device, const struct blob *record,
	    struct error *err);
int	mux_delete_pair_record(const struct mux_device *device, struct error *err);
/* SystemBUID: this host's name towards devices. out holds 64 bytes. */
int	mux_read_buid(char out[64], struct error *err);

/* Whether usbmuxd, or this device, is reached over TCP and not a UNIX socket. */
bool	mux_needs_tcp(const struct mux_device *device);

/* Reads one property list of usbmuxd into *out; for mux.c and its tests. */
int	mux_parse_device(const void *entry, struct mux_device *out);

#endif
