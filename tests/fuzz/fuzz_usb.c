/* fuzz_usb: any bytes as what a computer says to a virtual device over USB, mux and TCP within */
#include "tests/fuzz/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "sim/bench.h"
#include "sim/bigendian.h"
#include "sim/loop.h"
#include "sim/usbdevice.h"
#include "sim/usbipwire.h"
#include "sim/virtual.h"

enum { MUX_OUT = 4, MUX_IN = 5, READ_LEN = 16384, TCP_LEN = 20, PACKET_MAX = 4096 };
enum { STEPS_MAX = 200 };

/* The computer: what it must know of the last packet to be able to go on. */
struct host {
	struct usbdevice *usb;
	uint32_t	 seq, version;
	uint16_t	 tx_seq;
	uint32_t	 tcp_seq, tcp_ack;
	size_t		 waiting;	/* transfers without an end */
};

struct input {
	const uint8_t	*data;
	size_t		 len;
};

static const uint8_t *
take(struct input *in, size_t len)
{
	const uint8_t *at = in->data;

	if (len > in->len)
		return NULL;
	in->data += len;
	in->len -= len;
	return at;
}

/* ---- what comes back ----------------------------------------------------------- */

static void
hear_packet(struct host *host, const uint8_t *data, size_t len)
{
	size_t header = host->version < 2 ? 8 : 16;
	const uint8_t *tcp = data + header;

	if (len >= 12 && get_be32(data) == 0) {
		host->version = get_be32(data + 8);
		if (host->version != 1 && host->version != 2)
			abort();
	} else if (len >= header + TCP_LEN && get_be32(data) == 6) {
		host->tcp_ack = get_be32(tcp + 4) + (uint32_t)(len - header - TCP_LEN) +
		    (tcp[13] & 2 ? 1 : 0);
		host->tcp_seq = get_be32(tcp + 8);
	}
}

/* Once for each transfer, and never more than was asked for. */
static void
done(void *ctx, uint32_t seq, int status, const uint8_t *data, size_t len)
{
	struct host *host = ctx;

	(void)seq;
	if (host->waiting-- == 0 || len > READ_LEN * 4 || (data && status < 0 && len > 0))
		abort();
	if (data && len >= 8)
		hear_packet(host, data, len);
}

/* ---- what is said ----------------------------------------------------------------- */

static int
submit(struct host *host, struct usbdevice_urb *urb)
{
	urb->seq = ++host->seq;
	host->waiting++;
	return usbdevice_submit(host->usb, urb);
}

static int
send_out(struct host *host, const uint8_t *data, size_t len)
{
	return submit(host,
	    &(struct usbdevice_urb){ .endpoint = MUX_OUT, .data = data, .len = len });
}

/* A header that is right around bytes that need not be. */
static int
send_packet(struct host *host, uint32_t protocol, const uint8_t *data, size_t len)
{
	uint8_t packet[PACKET_MAX] = { 0 };
	size_t header = host->version < 2 || protocol == 0 ? 8 : 16;

	if (len > sizeof(packet) - header)
		return 0;
	put_be32(packet, protocol);
	put_be32(packet + 4, (uint32_t)(header + len));
	if (header == 16) {
		put_be32(packet + 8, 0xFEEDFACE);
		put_be16(packet + 12, host->tx_seq++);
		put_be16(packet + 14, 0xFFFF);
	}
	if (len)
		memcpy(packet + header, data, len);
	return send_out(host, packet, header + len);
}

/* A segment that goes on where the last packet stopped: flags, ports, then bytes. */
static int
send_segment(struct host *host, struct input *in, const uint8_t *data, size_t len)
{
	uint8_t segment[PACKET_MAX] = { 0 };
	const uint8_t *choice = take(in, 2);

	if (!choice || len > sizeof(segment) - TCP_LEN - 16)
		return -1;
	put_be16(segment, choice[1] & 7);
	put_be16(segment + 2, 62078);
	put_be32(segment + 4, choice[0] & 2 ? 0 : host->tcp_seq);
	put_be32(segment + 8, choice[0] & 2 ? 0 : host->tcp_ack);
	segment[12] = 5 << 4;
	segment[13] = choice[0];
	put_be16(segment + 14, choice[1] & 8 ? 1 : 512);
	if (len)
		memcpy(segment + TCP_LEN, data, len);
	return send_packet(host, 6, segment, TCP_LEN + len);
}

/* The 48 bytes of USB/IP as they come from a stranger. */
static int
send_command(struct host *host, struct input *in)
{
	const uint8_t *header = take(in, USBIP_HEADER), *data;
	struct usbdevice_urb urb;
	uint32_t victim;

	switch (header ? usbipwire_command(header, &urb, &victim) : -1) {
	case USBIP_SUBMIT:
		data = urb.is_in ? NULL : take(in, urb.len);
		if (!urb.is_in && !data)
			return -1;
		urb.data = data;
		return submit(host, &urb);
	case USBIP_UNLINK:
		if (usbdevice_unlink(host->usb, victim % (host->seq + 1)))
			host->waiting--;
		return 0;
	default:
		return -1;
	}
}

static int
say(struct host *host, struct input *in)
{
	const uint8_t *head = take(in, 2), *data = NULL;
	size_t len = head ? head[1] : 0;

	if (!head)
		return -1;
	if (head[0] % 8 < 4 && !(data = take(in, len)))
		return -1;
	switch (head[0] % 8) {
	case 0:
		return send_out(host, data, len);
	case 1:
		return send_packet(host, head[0] >> 3 & 7, data, len);
	case 2:
	case 3:
		return send_segment(host, in, data, len);
	case 4:
		return submit(host, &(struct usbdevice_urb){ .endpoint = MUX_IN, .is_in = true,
		    .len = len % 2 ? READ_LEN : len * 16 });
	case 5:
		return send_command(host, in);
	default:
		usbdevice_turn(host->usb);
		return 0;
	}
}

/* ---- one device, with keys that last --------------------------------------------------- */

static EVP_PKEY *keys[BENCH_KEYS], *host_keys[2];

static void
speak(struct bench *bench, struct input *in)
{
	static const uint8_t configure[8] = { 0x00, 0x09, 0x04 };
	struct host host = { .version = 0 };
	struct usbdevice_urb urb = { .endpoint = 0 };
	int steps;

	host.usb = usbdevice_new(bench->devices[0], done, &host);
	if (!host.usb)
		abort();
	memcpy(urb.setup, configure, sizeof(configure));
	if (submit(&host, &urb) < 0 || usbdevice_configuration(host.usb) != 4)
		abort();
	for (steps = 0; steps < STEPS_MAX && say(&host, in) == 0; steps++)
		;
	usbdevice_turn(host.usb);
	usbdevice_free(host.usb);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { data, len };
	const uint8_t *choice = take(&in, 1);
	struct loop *loop = loop_new();
	struct error err = { 0 };
	struct virtual_spec spec;
	struct bench *bench = loop ? bench_new(loop, NULL, &err) : NULL;

	if (!bench)
		abort();
	memcpy(bench->keys, keys, sizeof(keys));
	memcpy(bench->host_keys, host_keys, sizeof(host_keys));
	virtual_spec_init(&spec);
	spec.mux_version = choice && *choice & 1 ? 1 : 2;
	if (bench_add(bench, &spec, &err) < 0)
		abort();
	speak(bench, &in);
	memcpy(keys, bench->keys, sizeof(keys));
	memcpy(host_keys, bench->host_keys, sizeof(host_keys));
	memset(bench->keys, 0, sizeof(keys));
	memset(bench->host_keys, 0, sizeof(host_keys));
	bench_free(bench);
	loop_free(loop);
	return 0;
}
