/* usbport: which physical USB port a device hangs on */
#ifndef DEVICE_USBPORT_H
#define DEVICE_USBPORT_H

#include <stdbool.h>
#include <stdint.h>

enum { USBPORT_MAX = 64, USBPORT_PATH_MAX = 160 };

/* By value, nothing to release. */
struct usbport {
	char		name[USBPORT_MAX];	/* "1-4.2": bus, and the way through the hubs */
	char		path[USBPORT_PATH_MAX];	/* udev's ID_PATH; the same after a reboot */
	char		location[16];	/* usbmuxd's "0x00010004"; "" after usbport_parse() */
	uint32_t	controller;		/* tells USB controllers apart; never 0 */
};

/*
 * From where the kernel's link for the device leads:
 * "../../devices/pci0000:00/0000:00:14.0/usb1/1-4/1-4.2" (Linux,
 * Documentation/driver-api/usb). Pure. false: it is none of this kind.
 */
bool	usbport_parse(const char *link, struct usbport *out);

/*
 * The port of an attached device from usbmuxd's LocationID, which on Linux is bus << 16 |
 * address (usbmuxd usb.c): the address is another at each plug, so the kernel is asked
 * (/sys/dev/char). When it knows nothing, as on a virtual bench, the location
 * ("0x00010004") is the port's name and false is returned. Needs no udev: ask while the
 * device is attached.
 */
bool	usbport_of_location(uint32_t location, struct usbport *out);

#endif
