/* usbport: the kernel's name for a port, and udev's */
#include "device/usbport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clean.h"

enum { USB_DEVICE_MAJOR = 189, LINK_MAX_BYTES = 1024 };

/* FNV-1a: a number to tell names apart by. */
static uint32_t
number_of(const char *s, size_t len)
{
	uint32_t h = 2166136261u;
	size_t i;

	for (i = 0; i < len; i++)
		h = (h ^ (uint8_t)s[i]) * 16777619u;
	return h ? h : 1;
}

/* "0000:00:14.0": domain, bus, slot and function. */
static bool
is_pci(const char *s, size_t len)
{
	size_t i;

	if (len != 12 || s[4] != ':' || s[7] != ':' || s[10] != '.')
		return false;
	for (i = 0; i < len; i++)
		if (i != 4 && i != 7 && i != 10 && !strchr("0123456789abcdef", s[i]))
			return false;
	return true;
}

/* "1-4.2": a bus, a dash, and port numbers with dots between them. */
static bool
is_port_name(const char *s)
{
	size_t bus = strspn(s, "0123456789"), way;

	if (bus == 0 || s[bus] != '-')
		return false;
	way = strspn(s + bus + 1, "0123456789.");
	return way > 0 && !s[bus + 1 + way] && s[bus + 1] != '.' && s[bus + way] != '.';
}

bool
usbport_parse(const char *link, struct usbport *out)
{
	const char *name = strrchr(link, '/'), *hub = strstr(link, "/usb"), *parent;
	struct usbport port = { 0 };
	size_t len;
	int n;

	if (!name || !hub || hub == link || !is_port_name(name + 1))
		return false;
	for (parent = hub; parent > link && parent[-1] != '/'; parent--)
		continue;
	len = (size_t)(hub - parent);
	if (len == 0 || strlen(name + 1) >= sizeof(port.name))
		return false;
	snprintf(port.name, sizeof(port.name), "%.*s", USBPORT_MAX - 1, name + 1);
	n = snprintf(port.path, sizeof(port.path), "%s-%.*s-usb-0:%s",
	    is_pci(parent, len) ? "pci" : "platform", (int)len, parent, strchr(port.name, '-') + 1);
	if (n < 0 || (size_t)n >= sizeof(port.path))
		return false;
	port.controller = number_of(parent, len);
	*out = port;
	return true;
}

bool
usbport_of_location(uint32_t location, struct usbport *out)
{
	unsigned bus = location >> 16, address = location & 0xffff;
	char path[64], link[LINK_MAX_BYTES];
	struct usbport port;
	ssize_t n;

	*out = (struct usbport){ .controller = bus + 1 };
	snprintf(out->location, sizeof(out->location), "0x%08x", location);
	memcpy(out->name, out->location, sizeof(out->location));
	if (bus == 0 || address == 0 || address > 127)
		return false;
	/* The kernel numbers USB devices 128 to a bus (usbcore, usb_device_dev_t). */
	snprintf(path, sizeof(path), "/sys/dev/char/%d:%u", USB_DEVICE_MAJOR,
	    (bus - 1) * 128 + address - 1);
	n = readlink(path, link, sizeof(link) - 1);
	if (n <= 0)
		return false;
	link[n] = '\0';
	if (!usbport_parse(link, &port))
		return false;
	memcpy(port.location, out->location, sizeof(port.location));
	*out = port;
	return true;
}
