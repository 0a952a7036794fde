/* muxlink: connections to a device, and its pair record */
#ifndef WIRE_MUXLINK_H
#define WIRE_MUXLINK_H

#include <stdint.h>

#include "base/deadline.h"

struct blob;
struct error;
struct mux_device;

/*
 * A connection to a port of the device; *fd is the caller's, non-blocking.
 * Device gone: ERR_LINK. Port closed: ERR_DEVICE, REFUSED_PORT. usbmuxd gone, or
 * its answer nonsense: ERR_MUX. Over Wi-Fi libimobiledevice connects, in a time
 * of its own.
 */
int	mux_connect(const struct mux_device *device, uint16_t port, struct deadline deadline,
	    int *fd, struct error *err);

/* 1: *out is the pair record; 0: there is none; -1 ERR_MUX. */
int	mux_read_pair_record(const struct mux_device *device, struct deadline deadline,
	    struct blob *out, struct error *err);
int	mux_save_pair_record(const struct mux_device *device, const struct blob *record,
	    struct deadline deadline, struct error *err);
int	mux_delete_pair_record(const struct mux_device *device, struct deadline deadline,
	    struct error *err);
/* SystemBUID: this host's name towards devices. out holds 64 bytes. */
int	mux_read_buid(struct deadline deadline, char out[64], struct error *err);

#endif
