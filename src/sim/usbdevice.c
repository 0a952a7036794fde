/* usbdevice: endpoint 0's requests, and the mux's two bulk endpoints */
#include "sim/usbdevice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "sim/usbdescriptor.h"
#include "sim/usbmux.h"
#include "sim/virtual.h"

enum { WAITING_MOST = 256, IN = 0x80 };

/* Standard requests (USB 2.0, 9.4). */
enum { GET_STATUS = 0, CLEAR_FEATURE = 1, SET_FEATURE = 3, GET_DESCRIPTOR = 6,
	GET_CONFIGURATION = 8, SET_CONFIGURATION = 9, GET_INTERFACE = 10, SET_INTERFACE = 11 };
enum { TO_DEVICE = 0x00, TO_INTERFACE = 0x01, TO_ENDPOINT = 0x02, RECIPIENT = 0x1F };
enum { VENDOR = 0x40, KIND = 0x60 };
enum { ENDPOINT_HALT = 0, SELF_POWERED = 1 };
/* What Linux' ipheth asks of the Ethernet interface (ipheth.c). */
enum { ETHERNET_GET_MAC = 0x00, ETHERNET_CARRIER = 0x45, ETHERNET_NO_CARRIER = 0x03,
	ETHERNET_INTERFACE = 2 };

/* A transfer to the host that has nothing to bring yet. */
struct waiting {
	struct waiting	*next;
	uint32_t	 seq;
	uint8_t		 address;
	size_t		 len;
};

struct usbdevice {
	struct virtual	*device;
	struct usbmux	*mux;
	usbdevice_done_fn *done;
	void		*ctx;
	uint8_t		 configuration;
	uint8_t		 ethernet_setting;
	bool		 is_halted;	/* the mux's OUT endpoint */
	struct waiting	*waiting;
	size_t		 n_waiting;
	struct blob	 gathered;	/* a packet from the host, in parts */
	struct blob	 packet;	/* one to the host */
	size_t		 sent;		/* of packet */
	bool		 owes_zero;	/* a zero-length packet ends what was sent */
};

/* The eight bytes of a control transfer. */
struct setup {
	uint8_t		type, request;
	uint16_t	value, index, len;
};

struct usbdevice *
usbdevice_new(struct virtual *device, usbdevice_done_fn *done, void *ctx)
{
	struct usbdevice *usb = calloc(1, sizeof(*usb));

	if (!usb)
		return NULL;
	*usb = (struct usbdevice){ .device = device, .done = done, .ctx = ctx,
		.mux = usbmux_new(device) };
	if (!usb->mux) {
		free(usb);
		return NULL;
	}
	return usb;
}

uint8_t
usbdevice_configuration(const struct usbdevice *usb)
{
	return usb->configuration;
}

static bool
has_mux(const struct usbdevice *usb)
{
	return usbdescriptor_has_endpoint(usb->configuration, USB_MUX_IN);
}

/* ---- transfers that wait ---------------------------------------------------- */

static int
wait_for_news(struct usbdevice *usb, uint8_t address, const struct usbdevice_urb *urb)
{
	struct waiting *waiting = usb->n_waiting < WAITING_MOST ? calloc(1, sizeof(*waiting))
	    : NULL, **at = &usb->waiting;

	if (!waiting)
		return -1;
	*waiting = (struct waiting){ .seq = urb->seq, .address = address, .len = urb->len };
	while (*at)
		at = &(*at)->next;
	*at = waiting;
	usb->n_waiting++;
	return 0;
}

static void
forget(struct usbdevice *usb, struct waiting **at)
{
	struct waiting *waiting = *at;

	*at = waiting->next;
	usb->n_waiting--;
	free(waiting);
}

bool
usbdevice_unlink(struct usbdevice *usb, uint32_t seq)
{
	struct waiting **at;

	for (at = &usb->waiting; *at; at = &(*at)->next) {
		if ((*at)->seq == seq) {
			forget(usb, at);
			return true;
		}
	}
	return false;
}

/* Puts as much of the packet into the transfer as fits; false when there is nothing. */
static bool
fill(struct usbdevice *usb, const struct waiting *waiting)
{
	size_t left, n;

	if (!usb->packet.len && !usb->owes_zero && !usbmux_next(usb->mux, &usb->packet))
		return false;
	left = usb->packet.len - usb->sent;
	n = left < waiting->len ? left : waiting->len;
	/* Only whole packets of the bus can be taken in parts. */
	if (n < left && waiting->len % USB_PACKET) {
		usb->done(usb->ctx, waiting->seq, -EOVERFLOW, NULL, 0);
		return true;
	}
	usb->done(usb->ctx, waiting->seq, 0, usb->packet.data + usb->sent, n);
	usb->sent += n;
	usb->owes_zero = usb->packet.len && n == waiting->len && n % USB_PACKET == 0;
	if (usb->sent == usb->packet.len)
		usb->sent = usb->packet.len = 0;
	else
		usb->owes_zero = false;
	return true;
}

void
usbdevice_turn(struct usbdevice *usb)
{
	struct waiting **at = &usb->waiting;

	while (*at) {
		if ((*at)->address != USB_MUX_IN)
			at = &(*at)->next;
		else if (fill(usb, *at))
			forget(usb, at);
		else
			break;
	}
	usbmux_reap(usb->mux);
}

/* ---- endpoint 0 -------------------------------------------------------------- */

/* As after a reset of the bus: the mux knows nobody. */
static int
set_configuration(struct usbdevice *usb, uint8_t configuration)
{
	struct usbmux *mux;

	if (configuration && !usbdescriptor_interfaces(configuration))
		return -EPIPE;
	mux = usbmux_new(usb->device);
	if (!mux)
		return -EPIPE;
	while (usb->waiting) {
		usb->done(usb->ctx, usb->waiting->seq, -ESHUTDOWN, NULL, 0);
		forget(usb, &usb->waiting);
	}
	usbmux_free(usb->mux);
	usb->mux = mux;
	usb->configuration = configuration;
	usb->ethernet_setting = 0;
	usb->is_halted = false;
	usb->gathered.len = usb->packet.len = usb->sent = 0;
	usb->owes_zero = false;
	return 0;
}

static int
set_interface(struct usbdevice *usb, const struct setup *setup)
{
	if (setup->index > UINT8_MAX || setup->value >= usbdescriptor_settings(usb->configuration,
	    (uint8_t)setup->index))
		return -EPIPE;
	if (setup->index == ETHERNET_INTERFACE)
		usb->ethernet_setting = (uint8_t)setup->value;
	return 0;
}

/* Halting an endpoint, and its end. */
static int
set_halt(struct usbdevice *usb, const struct setup *setup)
{
	if (setup->value != ENDPOINT_HALT
	    || !usbdescriptor_has_endpoint(usb->configuration, (uint8_t)setup->index))
		return -EPIPE;
	if (setup->index == USB_MUX_OUT && has_mux(usb)) {
		usb->is_halted = setup->request == SET_FEATURE;
		usb->gathered.len = 0;
	}
	return 0;
}

static int
get_status(const struct usbdevice *usb, const struct setup *setup, struct blob *out)
{
	uint8_t status[2] = { 0 };

	if ((setup->type & RECIPIENT) == TO_DEVICE)
		status[0] = SELF_POWERED;
	else if ((setup->type & RECIPIENT) == TO_ENDPOINT && setup->index == USB_MUX_OUT)
		status[0] = usb->is_halted;
	return blob_append(out, status, sizeof(status));
}

static int
get_interface(const struct usbdevice *usb, const struct setup *setup, struct blob *out)
{
	if (setup->index > UINT8_MAX
	    || !usbdescriptor_settings(usb->configuration, (uint8_t)setup->index))
		return -1;
	return blob_append(out, (const uint8_t[]){
	    setup->index == ETHERNET_INTERFACE ? usb->ethernet_setting : 0 }, 1);
}

/* The tethering that is on no use here: it has an address and no carrier. */
static int
ask_ethernet(const struct usbdevice *usb, const struct setup *setup, struct blob *out)
{
	unsigned bytes[6];
	size_t i;

	if (setup->index != ETHERNET_INTERFACE
	    || usbdescriptor_settings(usb->configuration, ETHERNET_INTERFACE) < 2)
		return -1;
	if (setup->request == ETHERNET_CARRIER)
		return blob_append(out, (const uint8_t[]){ ETHERNET_NO_CARRIER, 0 }, 2);
	if (setup->request != ETHERNET_GET_MAC || sscanf(usb->device->plate.wifi,
	    "%x:%x:%x:%x:%x:%x", &bytes[0], &bytes[1], &bytes[2], &bytes[3], &bytes[4],
	    &bytes[5]) != 6)
		return -1;
	for (i = 0; i < countof(bytes); i++)
		if (blob_append(out, (const uint8_t[]){ (uint8_t)bytes[i] }, 1) < 0)
			return -1;
	return 0;
}

/* What the device answers; -1: it stalls. */
static int
answer(const struct usbdevice *usb, const struct setup *setup, struct blob *out)
{
	if ((setup->type & KIND) == VENDOR)
		return ask_ethernet(usb, setup, out);
	if (setup->type & KIND)
		return -1;
	switch (setup->request) {
	case GET_STATUS:
		return get_status(usb, setup, out);
	case GET_DESCRIPTOR:
		return usbdescriptor_get(usb->device, setup->value, out);
	case GET_CONFIGURATION:
		return blob_append(out, &usb->configuration, 1);
	case GET_INTERFACE:
		return get_interface(usb, setup, out);
	default:
		return -1;
	}
}

static int
obey(struct usbdevice *usb, const struct setup *setup)
{
	switch (setup->type << 8 | setup->request) {
	case TO_DEVICE << 8 | SET_CONFIGURATION:
		return setup->value > UINT8_MAX ? -EPIPE
		    : set_configuration(usb, (uint8_t)setup->value);
	case TO_INTERFACE << 8 | SET_INTERFACE:
		return set_interface(usb, setup);
	case TO_ENDPOINT << 8 | CLEAR_FEATURE:
	case TO_ENDPOINT << 8 | SET_FEATURE:
		return set_halt(usb, setup);
	default:
		return -EPIPE;
	}
}

static void
control(struct usbdevice *usb, const struct usbdevice_urb *urb)
{
	const uint8_t *at = urb->setup;
	const struct setup setup = { at[0], at[1], (uint16_t)(at[2] | at[3] << 8),
		(uint16_t)(at[4] | at[5] << 8), (uint16_t)(at[6] | at[7] << 8) };
	auto_blob struct blob out = { 0 };
	int status;

	if (!(setup.type & IN)) {
		status = urb->is_in ? -EPIPE : obey(usb, &setup);
		usb->done(usb->ctx, urb->seq, status, NULL, status ? 0 : urb->len);
		return;
	}
	if (!urb->is_in || answer(usb, &setup, &out) < 0) {
		usb->done(usb->ctx, urb->seq, -EPIPE, NULL, 0);
		return;
	}
	if (out.len > setup.len)
		out.len = setup.len;
	if (out.len > urb->len)
		out.len = urb->len;
	usb->done(usb->ctx, urb->seq, 0, out.data, out.len);
}

/* ---- bulk from the host ------------------------------------------------------- */

/* A packet of the mux ends with a short packet of the bus, be it an empty one. */
static int
gather(struct usbdevice *usb, const struct usbdevice_urb *urb)
{
	int rc;

	if (usb->gathered.len + urb->len > USBMUX_PACKET_MOST
	    || blob_append(&usb->gathered, urb->data, urb->len) < 0)
		return -1;
	if ((urb->len && urb->len % USB_PACKET == 0) || !usb->gathered.len)
		return 0;
	rc = usbmux_take(usb->mux, usb->gathered.data, usb->gathered.len);
	usb->gathered.len = 0;
	return rc;
}

static void
take(struct usbdevice *usb, const struct usbdevice_urb *urb)
{
	/* What real devices do with nonsense is not known; this one stalls and says so. */
	if (!usb->is_halted && gather(usb, urb) < 0) {
		usb->gathered.len = 0;
		usb->is_halted = true;
	}
	usb->done(usb->ctx, urb->seq, usb->is_halted ? -EPIPE : 0, NULL,
	    usb->is_halted ? 0 : urb->len);
}

int
usbdevice_submit(struct usbdevice *usb, const struct usbdevice_urb *urb)
{
	uint8_t address = (uint8_t)(urb->endpoint | (urb->is_in ? IN : 0));

	if (urb->endpoint == 0) {
		control(usb, urb);
		return 0;
	}
	if (!usbdescriptor_has_endpoint(usb->configuration, address)) {
		usb->done(usb->ctx, urb->seq, -EPIPE, NULL, 0);
		return 0;
	}
	if (urb->is_in)
		return wait_for_news(usb, address, urb);
	if (address == USB_MUX_OUT)
		take(usb, urb);
	else
		usb->done(usb->ctx, urb->seq, 0, NULL, urb->len);
	return 0;
}

void
usbdevice_free(struct usbdevice *usb)
{
	if (!usb)
		return;
	while (usb->waiting)
		forget(usb, &usb->waiting);
	usbmux_free(usb->mux);
	blob_clear(&usb->gathered);
	blob_clear(&usb->packet);
	free(usb);
}
