/* usbipwire: fixed layouts, big-endian, version 1.1.1 of the protocol */
#include "sim/usbipwire.h"

#include <stdio.h>
#include <string.h>

#include "base/blob.h"
#include "sim/bigendian.h"
#include "sim/usbdescriptor.h"
#include "sim/usbdevice.h"
#include "sim/virtual.h"

enum { PROTOCOL = 0x0111, IS_REQUEST = 0x8000, PATH_LEN = 256, HIGH_SPEED = 3 };
/* What the lists show; the host that imports it chooses for itself. */
enum { FIRST_CONFIGURATION = 1 };
enum { RET_SUBMIT = 3, RET_UNLINK = 4, DIRECTION_IN = 1 };
/* Of one transfer. usbfs of Linux allows 16 MiB to all of them together. */
enum { TRANSFER_MOST = 1 << 20 };

int
usbipwire_request(const uint8_t *bytes)
{
	uint16_t code = get_be16(bytes + 2);

	if (get_be16(bytes) != PROTOCOL || !(code & IS_REQUEST))
		return -1;
	code &= 0x7FFF;
	return code == USBIP_DEVLIST || code == USBIP_IMPORT ? code : -1;
}

int
usbipwire_reply(int code, uint32_t status, struct blob *out)
{
	uint8_t bytes[USBIP_REQUEST];

	put_be16(bytes, PROTOCOL);
	put_be16(bytes + 2, (uint16_t)code);
	put_be32(bytes + 4, status);
	return blob_append(out, bytes, sizeof(bytes));
}

void
usbipwire_busid(const struct virtual *device, char out[USBIP_BUSID])
{
	/* The first port of a bus has the address after the root hub's. */
	snprintf(out, USBIP_BUSID, "%u-%u", virtual_bus(device), virtual_address(device) - 1);
}

static int
append_interfaces(struct blob *out)
{
	size_t i, n = usbdescriptor_interfaces(FIRST_CONFIGURATION);
	uint8_t bytes[4] = { 0 };

	for (i = 0; i < n; i++) {
		usbdescriptor_class(FIRST_CONFIGURATION, i, bytes);
		if (blob_append(out, bytes, sizeof(bytes)) < 0)
			return -1;
	}
	return 0;
}

int
usbipwire_device(const struct virtual *device, bool with_interfaces, struct blob *out)
{
	char path[PATH_LEN] = { 0 }, busid[USBIP_BUSID] = { 0 };
	uint8_t bytes[24] = { 0 };

	usbipwire_busid(device, busid);
	snprintf(path, sizeof(path), "/sys/devices/chaperone-vbench/usb%u/%s",
	    virtual_bus(device), busid);
	put_be32(bytes, virtual_bus(device));
	put_be32(bytes + 4, virtual_address(device));
	put_be32(bytes + 8, HIGH_SPEED);
	put_be16(bytes + 12, USB_VENDOR);
	put_be16(bytes + 14, device->model->usb_product);
	put_be16(bytes + 16, USB_RELEASE);
	bytes[21] = FIRST_CONFIGURATION;
	bytes[22] = USB_CONFIGURATIONS;
	bytes[23] = (uint8_t)usbdescriptor_interfaces(FIRST_CONFIGURATION);
	if (blob_append(out, path, sizeof(path)) < 0 || blob_append(out, busid, sizeof(busid)) < 0
	    || blob_append(out, bytes, sizeof(bytes)) < 0)
		return -1;
	return with_interfaces ? append_interfaces(out) : 0;
}

int
usbipwire_command(const uint8_t *bytes, struct usbdevice_urb *urb, uint32_t *unlinked)
{
	uint32_t direction = get_be32(bytes + 12), endpoint = get_be32(bytes + 16);
	uint32_t len = get_be32(bytes + 24), isochronous = get_be32(bytes + 32);

	*urb = (struct usbdevice_urb){ .seq = get_be32(bytes + 4) };
	*unlinked = get_be32(bytes + 20);
	switch (get_be32(bytes)) {
	case USBIP_UNLINK:
		return USBIP_UNLINK;
	case USBIP_SUBMIT:
		break;
	default:
		return -1;
	}
	/* No endpoint here is isochronous; kernels write 0 or all ones for none. */
	if (direction > DIRECTION_IN || endpoint > 15 || len > TRANSFER_MOST
	    || (isochronous && isochronous != UINT32_MAX))
		return -1;
	urb->endpoint = (uint8_t)endpoint;
	urb->is_in = direction == DIRECTION_IN;
	urb->len = len;
	memcpy(urb->setup, bytes + 40, sizeof(urb->setup));
	return USBIP_SUBMIT;
}

static int
append_result(uint32_t command, uint32_t seq, int status, size_t actual, struct blob *out)
{
	uint8_t bytes[USBIP_HEADER] = { 0 };

	put_be32(bytes, command);
	put_be32(bytes + 4, seq);
	put_be32(bytes + 20, (uint32_t)status);
	put_be32(bytes + 24, (uint32_t)actual);
	return blob_append(out, bytes, sizeof(bytes));
}

int
usbipwire_submitted(uint32_t seq, int status, size_t actual, struct blob *out)
{
	return append_result(RET_SUBMIT, seq, status, actual, out);
}

int
usbipwire_unlinked(uint32_t seq, int status, struct blob *out)
{
	return append_result(RET_UNLINK, seq, status, 0, out);
}
