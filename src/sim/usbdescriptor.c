/* usbdescriptor: four configurations as on iPhones and iPads, the mux in the last two */
#include "sim/usbdescriptor.h"

#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "sim/virtual.h"

enum { TYPE_DEVICE = 1, TYPE_CONFIGURATION = 2, TYPE_STRING = 3, TYPE_INTERFACE = 4,
	TYPE_ENDPOINT = 5 };
enum { BULK = 2, INTERRUPT = 3 };
enum { STRING_LANGUAGES, STRING_MAKER, STRING_PRODUCT, STRING_SERIAL, STRING_CONFIGURATION };
enum { ENDPOINTS_MOST = 3, INTERFACES_MOST = 4, ENGLISH = 0x0409 };

struct endpoint {
	uint8_t		address, kind;
};

/* One setting of an interface. */
struct setting {
	uint8_t		interface, number;
	uint8_t		class, subclass, protocol;
	struct endpoint	endpoints[ENDPOINTS_MOST];
};

#define PTP(n)		{ n, 0, 6, 1, 1, { { 0x81, BULK }, { 0x02, BULK }, { 0x83, INTERRUPT } } }
#define MUX(n)		{ n, 0, 255, 254, 2, { { USB_MUX_OUT, BULK }, { USB_MUX_IN, BULK } } }

/* Which is in which: seen in lists of several users' devices. */
static const struct configuration {
	const char	*name;
	struct setting	 settings[INTERFACES_MOST];
	size_t		 n_settings;
} configurations[USB_CONFIGURATIONS] = {
	{ "PTP", { PTP(0) }, 1 },
	{ "iPod USB Interface", {
		{ 0, 0, 1, 1, 0, { { 0, 0 } } },
		{ 1, 0, 1, 2, 0, { { 0, 0 } } },
		PTP(2) }, 3 },
	{ "PTP + Apple Mobile Device", { PTP(0), MUX(1) }, 2 },
	{ "PTP + Apple Mobile Device + Apple USB Ethernet", { PTP(0), MUX(1),
		{ 2, 0, 255, 253, 1, { { 0, 0 } } },
		{ 2, 1, 255, 253, 1, { { 0x86, BULK }, { 0x05, BULK } } } }, 4 },
};

static const struct configuration *
find(uint8_t configuration)
{
	return configuration >= 1 && configuration <= USB_CONFIGURATIONS
	    ? &configurations[configuration - 1] : NULL;
}

size_t
usbdescriptor_interfaces(uint8_t configuration)
{
	const struct configuration *found = find(configuration);

	return found ? (size_t)found->settings[found->n_settings - 1].interface + 1 : 0;
}

size_t
usbdescriptor_settings(uint8_t configuration, uint8_t interface)
{
	const struct configuration *found = find(configuration);
	size_t i, n = 0;

	for (i = 0; found && i < found->n_settings; i++)
		n += found->settings[i].interface == interface;
	return n;
}

bool
usbdescriptor_has_endpoint(uint8_t configuration, uint8_t address)
{
	const struct configuration *found = find(configuration);
	size_t i, k;

	for (i = 0; found && i < found->n_settings; i++)
		for (k = 0; k < ENDPOINTS_MOST; k++)
			if (address && found->settings[i].endpoints[k].address == address)
				return true;
	return false;
}

void
usbdescriptor_class(uint8_t configuration, size_t nth, uint8_t out[3])
{
	const struct configuration *found = find(configuration);
	size_t i;

	memset(out, 0, 3);
	for (i = 0; found && i < found->n_settings; i++) {
		const struct setting *setting = &found->settings[i];

		if (setting->interface != nth || setting->number != 0)
			continue;
		out[0] = setting->class;
		out[1] = setting->subclass;
		out[2] = setting->protocol;
	}
}

/* ---- the descriptors ------------------------------------------------------- */

static int
get_device(const struct virtual *device, struct blob *out)
{
	const uint16_t product = device->model->usb_product;
	const uint8_t bytes[] = {
		18, TYPE_DEVICE, 0x00, 0x02, 0, 0, 0, 64,
		USB_VENDOR & 0xFF, USB_VENDOR >> 8, (uint8_t)product, (uint8_t)(product >> 8),
		USB_RELEASE & 0xFF, USB_RELEASE >> 8,
		STRING_MAKER, STRING_PRODUCT, STRING_SERIAL, USB_CONFIGURATIONS,
	};

	return blob_append(out, bytes, sizeof(bytes));
}

static int
append_setting(const struct setting *setting, struct blob *out)
{
	uint8_t n = 0, i;

	while (n < ENDPOINTS_MOST && setting->endpoints[n].address)
		n++;
	if (blob_append(out, (const uint8_t[]){ 9, TYPE_INTERFACE, setting->interface,
	    setting->number, n, setting->class, setting->subclass, setting->protocol, 0 }, 9) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		const struct endpoint *endpoint = &setting->endpoints[i];
		bool is_bulk = endpoint->kind == BULK;
		uint16_t size = is_bulk ? USB_PACKET : 64;

		if (blob_append(out, (const uint8_t[]){ 7, TYPE_ENDPOINT, endpoint->address,
		    endpoint->kind, (uint8_t)size, (uint8_t)(size >> 8), is_bulk ? 0 : 10 }, 7) < 0)
			return -1;
	}
	return 0;
}

static int
get_configuration(uint8_t index, struct blob *out)
{
	uint8_t number = (uint8_t)(index + 1);
	const struct configuration *found = find(number);
	uint8_t header[] = { 9, TYPE_CONFIGURATION, 0, 0, 0, number,
		(uint8_t)(STRING_CONFIGURATION + index), 0xC0, 250 };
	size_t begin = out->len, i, total;

	if (!found)
		return -1;
	header[4] = (uint8_t)usbdescriptor_interfaces(number);
	if (blob_append(out, header, sizeof(header)) < 0)
		return -1;
	for (i = 0; i < found->n_settings; i++)
		if (append_setting(&found->settings[i], out) < 0)
			return -1;
	total = out->len - begin;
	out->data[begin + 2] = (uint8_t)total;
	out->data[begin + 3] = (uint8_t)(total >> 8);
	return 0;
}

/* ASCII as the UTF-16 of a string descriptor; dashes of a UDID are left out. */
static int
append_text(const char *text, bool has_dashes, struct blob *out)
{
	uint8_t header[2] = { 2, TYPE_STRING };
	size_t begin = out->len;

	if (blob_append(out, header, sizeof(header)) < 0)
		return -1;
	for (; *text; text++) {
		if (*text == '-' && !has_dashes)
			continue;
		if (blob_append(out, (const uint8_t[]){ (uint8_t)*text, 0 }, 2) < 0)
			return -1;
	}
	out->data[begin] = (uint8_t)(out->len - begin);
	return 0;
}

static int
get_string(const struct virtual *device, uint8_t index, struct blob *out)
{
	switch (index) {
	case STRING_LANGUAGES:
		return blob_append(out,
		    (const uint8_t[]){ 4, TYPE_STRING, ENGLISH & 0xFF, ENGLISH >> 8 }, 4);
	case STRING_MAKER:
		return append_text("Apple Inc.", true, out);
	case STRING_PRODUCT:
		return append_text(device->model->class, true, out);
	case STRING_SERIAL:
		return append_text(device->plate.udid, false, out);
	default:
		if (index >= STRING_CONFIGURATION + USB_CONFIGURATIONS)
			return -1;
		return append_text(configurations[index - STRING_CONFIGURATION].name, true, out);
	}
}

int
usbdescriptor_get(const struct virtual *device, uint16_t value, struct blob *out)
{
	uint8_t index = (uint8_t)value;

	switch (value >> 8) {
	case TYPE_DEVICE:
		return get_device(device, out);
	case TYPE_CONFIGURATION:
		return get_configuration(index, out);
	case TYPE_STRING:
		return get_string(device, index, out);
	default:
		return -1;
	}
}
