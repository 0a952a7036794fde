/* attend: waiting beside a device until somebody has unlocked it or tapped Trust */
#ifndef DEVICE_ATTEND_H
#define DEVICE_ATTEND_H

#include "base/deadline.h"
#include "device/patience.h"

struct error;
struct mux_device;

/*
 * 0: somebody has done it, while we looked. WAIT_UNLOCK needs a pair record: a
 * device tells only those whom it knows that it is locked, and is asked once a
 * second over one connection. WAIT_TRUST needs none: the device tells it by
 * itself. -1: there is nothing to watch, or it went away (*err).
 */
int	attend(const struct mux_device *device, enum wait_for what, struct deadline deadline,
	    struct error *err);

#endif
