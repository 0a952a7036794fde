/* usbdevice: a virtual device as a USB host sees it: configurations, endpoints, transfers */
#ifndef SIM_USBDEVICE_H
#define SIM_USBDEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct usbdevice;
struct virtual;

/* A transfer that the host asks for (Linux: an URB). */
struct usbdevice_urb {
	uint32_t	 seq;		/* the host's name for it */
	uint8_t		 endpoint;	/* its number, 0 to 15 */
	bool		 is_in;
	size_t		 len;		/* what it wants, or brings in data */
	const uint8_t	*data;		/* borrowed; NULL when is_in */
	uint8_t		 setup[8];	/* endpoint 0 */
};

/* A transfer is over. status: 0 or a negative errno; len: bytes moved; data: when is_in. */
typedef void usbdevice_done_fn(void *ctx, uint32_t seq, int status, const uint8_t *data,
	    size_t len);

/* The device is borrowed. NULL: no memory. */
struct usbdevice *usbdevice_new(struct virtual *device, usbdevice_done_fn *done, void *ctx);
/* Calls done before it returns, or later from usbdevice_turn(). -1: too much waits. */
int	usbdevice_submit(struct usbdevice *usb, const struct usbdevice_urb *urb);
/* The host no longer wants it. true: it was waiting, and done will not be called. */
bool	usbdevice_unlink(struct usbdevice *usb, uint32_t seq);
/* Gives what the device has to say to the transfers that wait. Once per turn of the loop. */
void	usbdevice_turn(struct usbdevice *usb);
uint8_t	usbdevice_configuration(const struct usbdevice *usb);
/* Transfers that wait are forgotten. NULL is fine. */
void	usbdevice_free(struct usbdevice *usb);

#endif
