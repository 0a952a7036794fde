/* usbipwire: USB/IP's messages as bytes (Linux, Documentation/usb/usbip_protocol.rst) */
#ifndef SIM_USBIPWIRE_H
#define SIM_USBIPWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blob;
struct usbdevice_urb;
struct virtual;

enum { USBIP_REQUEST = 8, USBIP_BUSID = 32, USBIP_HEADER = 48 };
enum { USBIP_DEVLIST = 0x05, USBIP_IMPORT = 0x03 };	/* requests have 0x8000 as well */
enum { USBIP_OK = 0, USBIP_BUSY = 2, USBIP_NO_DEVICE = 4 };
enum { USBIP_SUBMIT = 1, USBIP_UNLINK = 2 };

/* The code of a request, USBIP_DEVLIST or USBIP_IMPORT, from its first 8 bytes; -1: none. */
int	usbipwire_request(const uint8_t *bytes);
/* These append, and return 0, or -1 out of memory. */
int	usbipwire_reply(int code, uint32_t status, struct blob *out);
/* The name under which the device is imported, such as 1-4. */
void	usbipwire_busid(const struct virtual *device, char out[USBIP_BUSID]);
/* with_interfaces: as in the list; without: as after an import. */
int	usbipwire_device(const struct virtual *device, bool with_interfaces, struct blob *out);

/*
 * The 48 bytes of a message after an import: USBIP_SUBMIT, or USBIP_UNLINK with
 * the victim in *unlinked, or -1. The urb's data follows on the wire when it is out.
 */
int	usbipwire_command(const uint8_t *bytes, struct usbdevice_urb *urb, uint32_t *unlinked);
int	usbipwire_submitted(uint32_t seq, int status, size_t actual, struct blob *out);
int	usbipwire_unlinked(uint32_t seq, int status, struct blob *out);

#endif
