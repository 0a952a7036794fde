/* usbmux: packet headers, the handshake of versions; usbtcp has the connections */
#include "sim/usbmux.h"

#include <stdlib.h>

#include "base/blob.h"
#include "base/clean.h"
#include "sim/bigendian.h"
#include "sim/usbtcp.h"
#include "sim/virtual.h"

enum { HEADER_1 = 8, HEADER_2 = 16, VERSION_LEN = 20 };
enum { PACKET_SENT_MOST = 3 * 16384 };
enum { PROTOCOL_VERSION = 0, PROTOCOL_CONTROL = 1, PROTOCOL_SETUP = 2, PROTOCOL_TCP = 6 };
#define MAGIC 0xFEEDFACEu

struct usbmux {
	struct virtual	*device;
	struct usbtcp	*tcp;
	uint32_t	 version;	/* agreed; 0: not yet */
	bool		 owes_version;
	bool		 is_set_up;	/* version 2: after SETUP */
	uint16_t	 tx_seq, rx_seq;
};

struct usbmux *
usbmux_new(struct virtual *device)
{
	struct usbmux *mux = calloc(1, sizeof(*mux));

	if (!mux)
		return NULL;
	mux->device = device;
	mux->tcp = usbtcp_new(device);
	if (!mux->tcp) {
		free(mux);
		return NULL;
	}
	return mux;
}

/* ---- from the computer ----------------------------------------------------- */

static int
on_version(struct usbmux *mux, const uint8_t *packet, size_t len)
{
	uint32_t major = len >= HEADER_1 + 4 ? get_be32(packet + HEADER_1) : 0;

	if (major == 0)
		return -1;
	usbtcp_reset(mux->tcp);
	mux->version = major < mux->device->mux_version ? major : mux->device->mux_version;
	mux->owes_version = true;
	mux->is_set_up = false;
	mux->tx_seq = 0;
	return 0;
}

static int
on_setup(struct usbmux *mux)
{
	if (mux->version < 2)
		return -1;
	mux->is_set_up = true;
	mux->tx_seq = 0;
	return 0;
}

int
usbmux_take(struct usbmux *mux, const uint8_t *packet, size_t len)
{
	size_t header = mux->version < 2 ? HEADER_1 : HEADER_2;
	uint32_t protocol;

	if (len < HEADER_1 || get_be32(packet + 4) != len)
		return -1;
	protocol = get_be32(packet);
	/* The one packet whose header is short in any version. */
	if (protocol == PROTOCOL_VERSION)
		return on_version(mux, packet, len);
	if (mux->version == 0 || len < header)
		return -1;
	if (mux->version >= 2) {
		if (get_be32(packet + 8) != MAGIC)
			return -1;
		mux->rx_seq = get_be16(packet + 12);
	}
	switch (protocol) {
	case PROTOCOL_CONTROL:
		return 0;
	case PROTOCOL_SETUP:
		return on_setup(mux);
	case PROTOCOL_TCP:
		if (mux->version >= 2 && !mux->is_set_up)
			return -1;
		return usbtcp_take(mux->tcp, packet + header, len - header);
	default:
		return -1;
	}
}

/* ---- to the computer -------------------------------------------------------- */

static bool
tell_version(struct usbmux *mux, struct blob *packet)
{
	uint8_t bytes[VERSION_LEN] = { 0 };

	put_be32(bytes, PROTOCOL_VERSION);
	put_be32(bytes + 4, VERSION_LEN);
	put_be32(bytes + HEADER_1, mux->version);
	mux->owes_version = false;
	return blob_append(packet, bytes, sizeof(bytes)) == 0;
}

bool
usbmux_next(struct usbmux *mux, struct blob *packet)
{
	size_t header = mux->version < 2 ? HEADER_1 : HEADER_2;
	uint8_t bytes[HEADER_2] = { 0 };

	if (mux->owes_version)
		return tell_version(mux, packet);
	if (blob_append(packet, bytes, header) < 0)
		return false;
	if (!usbtcp_next(mux->tcp, PACKET_SENT_MOST - header, packet)) {
		packet->len = 0;
		return false;
	}
	put_be32(packet->data, PROTOCOL_TCP);
	put_be32(packet->data + 4, (uint32_t)packet->len);
	if (mux->version >= 2) {
		put_be32(packet->data + 8, MAGIC);
		put_be16(packet->data + 12, mux->tx_seq++);
		put_be16(packet->data + 14, mux->rx_seq);
	}
	return true;
}

/* ---- the end ---------------------------------------------------------------- */

void
usbmux_reap(struct usbmux *mux)
{
	usbtcp_reap(mux->tcp);
}

void
usbmux_free(struct usbmux *mux)
{
	if (!mux)
		return;
	usbtcp_free(mux->tcp);
	free(mux);
}
