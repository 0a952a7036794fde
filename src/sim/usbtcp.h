/* usbtcp: the mux protocol's kind of TCP: connections to a device's ports */
#ifndef SIM_USBTCP_H
#define SIM_USBTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blob;
struct usbtcp;
struct virtual;

enum { USBTCP_HEADER = 20 };

/* The device is borrowed. NULL: no memory. */
struct usbtcp *usbtcp_new(struct virtual *device);
/* One segment from the computer, whole. -1: it is none, or there are too many. */
int	usbtcp_take(struct usbtcp *tcp, const uint8_t *segment, size_t len);
/* Appends the next segment for the computer, of at most that many bytes. false: none now. */
bool	usbtcp_next(struct usbtcp *tcp, size_t most, struct blob *out);
/* Ends all connections without a word, as a device does when another usbmuxd begins. */
void	usbtcp_reset(struct usbtcp *tcp);
/* Frees what has ended. Not from inside a callback: once per turn of the loop. */
void	usbtcp_reap(struct usbtcp *tcp);
/* NULL is fine. */
void	usbtcp_free(struct usbtcp *tcp);

#endif
