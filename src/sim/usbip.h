/* usbip: the bench's devices for anybody's USB bus, over Linux' USB/IP */
#ifndef SIM_USBIP_H
#define SIM_USBIP_H

#include <stdint.h>

struct bench;
struct error;
struct usbip;

/*
 * address: "HOST:PORT", HOST a numeric IPv4 address; port 0 lets the system
 * choose. *port: the one it is. A device that is plugged in can be listed and
 * imported, once at a time; unplugging it ends that connection. The bench is
 * borrowed. Nothing is checked of who imports.
 */
struct usbip *usbip_new(struct bench *bench, const char *address, uint16_t *port,
	    struct error *err);
/* After each turn of the loop: moves what waits, frees what was closed. */
void	usbip_turn(struct usbip *usbip);
/* Closes everything. NULL is fine. */
void	usbip_free(struct usbip *usbip);

#endif
