/* usbdescriptor: what a device says of itself to a USB host */
#ifndef SIM_USBDESCRIPTOR_H
#define SIM_USBDESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blob;
struct virtual;

enum {
	USB_VENDOR = 0x05AC,
	USB_RELEASE = 0x1401,		/* bcdDevice */
	USB_CONFIGURATIONS = 4,
	USB_PACKET = 512,		/* of bulk endpoints at high speed */
	USB_MUX_IN = 0x85, USB_MUX_OUT = 0x04,
};

/* By value and index of GET_DESCRIPTOR, appended to out. -1: there is none. */
int	usbdescriptor_get(const struct virtual *device, uint16_t value, struct blob *out);
/* How many interfaces the configuration has; 0: there is no such configuration. */
size_t	usbdescriptor_interfaces(uint8_t configuration);
/* How many settings the interface has; 0: there is none of that number. */
size_t	usbdescriptor_settings(uint8_t configuration, uint8_t interface);
/* Has the configuration this endpoint address? */
bool	usbdescriptor_has_endpoint(uint8_t configuration, uint8_t address);
/* Class, subclass and protocol of the nth interface, for USB/IP's list. */
void	usbdescriptor_class(uint8_t configuration, size_t nth, uint8_t out[3]);

#endif
