/* usbmux: the device's end of the mux protocol that usbmuxd speaks over two bulk endpoints */
#ifndef SIM_USBMUX_H
#define SIM_USBMUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blob;
struct usbmux;
struct virtual;

/* Of packets from the computer; usbmuxd sends at most three times 16 KiB. */
enum { USBMUX_PACKET_MOST = 65536 };

/* The device is borrowed; its mux_version is the highest spoken. NULL: no memory. */
struct usbmux *usbmux_new(struct virtual *device);
/*
 * One packet from the computer, whole. A VERSION packet ends all connections:
 * another usbmuxd begins. -1: nonsense, and nothing was done.
 */
int	usbmux_take(struct usbmux *mux, const uint8_t *packet, size_t len);
/* The next packet for the computer, into an empty blob. false: nothing to say now. */
bool	usbmux_next(struct usbmux *mux, struct blob *packet);
/* Frees what has ended. Once per turn of the loop. */
void	usbmux_reap(struct usbmux *mux);
/* NULL is fine. */
void	usbmux_free(struct usbmux *mux);

#endif
