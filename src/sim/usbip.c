/* usbip: the sockets; usbipwire has the bytes and usbdevice the device */
#include "sim/usbip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "sim/bench.h"
#include "sim/bigendian.h"
#include "sim/listener.h"
#include "sim/loop.h"
#include "sim/transcript.h"
#include "sim/usbdevice.h"
#include "sim/usbipwire.h"
#include "sim/virtual.h"

enum { QUEUED_MOST = 64 << 20, READS_PER_TURN = 4 };

/* A connection: before an import without a device, after it the device's cable. */
struct cable {
	struct cable	*next;
	struct usbip	*usbip;
	int		 fd;
	struct watch	*watch;
	struct blob	 in, out;
	size_t		 sent;		/* of out */
	struct virtual	*device;
	struct usbdevice *usb;
	bool		 is_ending;	/* close when out is empty */
	bool		 is_dead;	/* to be reaped */
};

struct usbip {
	struct bench	*bench;
	struct bench_listener listener;
	struct cable	*cables;
	int		 fd;
	struct watch	*watch;
};

/* ---- bytes out --------------------------------------------------------------- */

static void
kill_cable(struct cable *cable)
{
	cable->is_dead = true;
	watch_free(cable->watch);
	cable->watch = NULL;
}

static void
flush(struct cable *cable)
{
	while (!cable->is_dead && cable->sent < cable->out.len) {
		ssize_t n = send(cable->fd, cable->out.data + cable->sent,
		    cable->out.len - cable->sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			watch_change(cable->watch, EPOLLIN | EPOLLOUT);
			return;
		}
		if (n < 0)
			kill_cable(cable);
		else
			cable->sent += (size_t)n;
	}
	if (cable->is_dead)
		return;
	cable->sent = cable->out.len = 0;
	if (cable->is_ending)
		kill_cable(cable);
	else
		watch_change(cable->watch, EPOLLIN);
}

static void
on_done(void *ctx, uint32_t seq, int status, const uint8_t *data, size_t len)
{
	struct cable *cable = ctx;

	if (cable->is_dead)
		return;
	if (cable->out.len + len > QUEUED_MOST
	    || usbipwire_submitted(seq, status, len, &cable->out) < 0
	    || (data && blob_append(&cable->out, data, len) < 0))
		kill_cable(cable);
}

/* ---- listing and importing ----------------------------------------------------- */

static const struct cable *
cable_of(const struct usbip *usbip, const struct virtual *device)
{
	const struct cable *cable;

	for (cable = usbip->cables; cable; cable = cable->next)
		if (cable->device == device && !cable->is_dead)
			return cable;
	return NULL;
}

static void
note(const struct cable *cable, const struct virtual *device, const char *request,
    const char *status)
{
	transcript_add(cable->usbip->bench->transcript, &(struct transcript_line){
		.device = device ? device->plate.udid : NULL, .service = "usbip",
		.request = request, .status = status });
}

static int
list(struct cable *cable)
{
	const struct bench *bench = cable->usbip->bench;
	uint8_t number[4];
	uint32_t n = 0;
	size_t i, at;

	if (usbipwire_reply(USBIP_DEVLIST, USBIP_OK, &cable->out) < 0)
		return -1;
	at = cable->out.len;
	if (blob_append(&cable->out, number, sizeof(number)) < 0)
		return -1;
	for (i = 0; i < bench->n_devices; i++) {
		if (!bench->devices[i]->device_id || cable_of(cable->usbip, bench->devices[i]))
			continue;
		if (usbipwire_device(bench->devices[i], true, &cable->out) < 0)
			return -1;
		n++;
	}
	put_be32(cable->out.data + at, n);
	note(cable, NULL, "list", NULL);
	cable->is_ending = true;
	return 0;
}

static struct virtual *
find(const struct bench *bench, const uint8_t *busid)
{
	char name[USBIP_BUSID];
	size_t i;

	for (i = 0; i < bench->n_devices; i++) {
		usbipwire_busid(bench->devices[i], name);
		if (bench->devices[i]->device_id
		    && strncmp(name, (const char *)busid, sizeof(name)) == 0)
			return bench->devices[i];
	}
	return NULL;
}

static int
import(struct cable *cable, const uint8_t *busid)
{
	struct virtual *device = find(cable->usbip->bench, busid);
	uint32_t status = !device ? USBIP_NO_DEVICE
	    : cable_of(cable->usbip, device) ? USBIP_BUSY : USBIP_OK;

	note(cable, device, "import", status == USBIP_BUSY ? "busy"
	    : status == USBIP_NO_DEVICE ? "no device" : NULL);
	if (usbipwire_reply(USBIP_IMPORT, status, &cable->out) < 0)
		return -1;
	if (status != USBIP_OK) {
		cable->is_ending = true;
		return 0;
	}
	cable->usb = usbdevice_new(device, on_done, cable);
	cable->device = device;
	return cable->usb ? usbipwire_device(device, false, &cable->out) : -1;
}

/* ---- bytes in -------------------------------------------------------------------- */

/* Takes one message from the front. Its length, 0 when it is not whole, -1: nonsense. */
static ssize_t
take_request(struct cable *cable, const uint8_t *bytes, size_t len)
{
	int code;

	if (len < USBIP_REQUEST)
		return 0;
	code = usbipwire_request(bytes);
	if (code == USBIP_DEVLIST)
		return list(cable) < 0 ? -1 : USBIP_REQUEST;
	if (code != USBIP_IMPORT)
		return -1;
	if (len < USBIP_REQUEST + USBIP_BUSID)
		return 0;
	return import(cable, bytes + USBIP_REQUEST) < 0 ? -1 : USBIP_REQUEST + USBIP_BUSID;
}

static ssize_t
take_command(struct cable *cable, const uint8_t *bytes, size_t len)
{
	struct usbdevice_urb urb;
	uint32_t unlinked;
	size_t body;
	int code;

	if (len < USBIP_HEADER)
		return 0;
	code = usbipwire_command(bytes, &urb, &unlinked);
	if (code < 0)
		return -1;
	if (code == USBIP_UNLINK) {
		bool was_waiting = usbdevice_unlink(cable->usb, unlinked);

		return usbipwire_unlinked(urb.seq, was_waiting ? -ECONNRESET : 0,
		    &cable->out) < 0 ? -1 : USBIP_HEADER;
	}
	body = urb.is_in ? 0 : urb.len;
	if (len < USBIP_HEADER + body)
		return 0;
	urb.data = bytes + USBIP_HEADER;
	return usbdevice_submit(cable->usb, &urb) < 0 ? -1 : (ssize_t)(USBIP_HEADER + body);
}

static void
take(struct cable *cable)
{
	size_t at = 0;
	ssize_t n = 1;

	while (n > 0 && !cable->is_dead && !cable->is_ending) {
		const uint8_t *bytes = cable->in.data + at;
		size_t len = cable->in.len - at;

		n = cable->usb ? take_command(cable, bytes, len) : take_request(cable, bytes, len);
		if (n > 0)
			at += (size_t)n;
	}
	if (n < 0)
		kill_cable(cable);
	else
		blob_drop_front(&cable->in, at);
}

static void
on_cable(void *ctx, uint32_t events)
{
	static uint8_t chunk[65536];
	struct cable *cable = ctx;
	int i;

	if (events & EPOLLOUT)
		flush(cable);
	for (i = 0; i < READS_PER_TURN && !cable->is_dead; i++) {
		ssize_t n = recv(cable->fd, chunk, sizeof(chunk), 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0 || blob_append(&cable->in, chunk, (size_t)n) < 0) {
			kill_cable(cable);
			break;
		}
		take(cable);
	}
}

/* ---- life -------------------------------------------------------------------------- */

static void
on_listener(void *ctx, uint32_t events)
{
	struct usbip *usbip = ctx;
	struct cable *cable;
	int fd, on = 1;

	(void)events;
	while ((fd = listener_accept(usbip->fd)) >= 0) {
		cable = calloc(1, sizeof(*cable));
		if (cable)
			cable->watch = loop_watch(usbip->bench->loop, fd, EPOLLIN, on_cable, cable);
		if (!cable || !cable->watch) {
			free(cable);
			close(fd);
			continue;
		}
		/* A computer that lost its power does not say goodbye. */
		(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		cable->usbip = usbip;
		cable->fd = fd;
		cable->next = usbip->cables;
		usbip->cables = cable;
	}
}

/* A cable that is pulled does not let finish what was under way. */
static void
on_event(void *ctx, struct virtual *device, enum bench_event event)
{
	struct usbip *usbip = ctx;
	struct cable *cable;

	for (cable = usbip->cables; cable; cable = cable->next)
		if (event == BENCH_DETACHED && cable->device == device && !cable->is_dead)
			kill_cable(cable);
}

static void
free_cable(struct cable *cable)
{
	usbdevice_free(cable->usb);
	watch_free(cable->watch);
	close(cable->fd);
	blob_clear(&cable->in);
	blob_clear(&cable->out);
	free(cable);
}

void
usbip_turn(struct usbip *usbip)
{
	struct cable **at = &usbip->cables, *cable;

	for (cable = usbip->cables; cable; cable = cable->next) {
		if (cable->usb && !cable->is_dead)
			usbdevice_turn(cable->usb);
		flush(cable);
	}
	while (*at) {
		cable = *at;
		if (!cable->is_dead) {
			at = &cable->next;
			continue;
		}
		*at = cable->next;
		free_cable(cable);
		/* Its streams may have ended with the end of another device: look again. */
		at = &usbip->cables;
	}
}

struct usbip *
usbip_new(struct bench *bench, const char *address, uint16_t *port, struct error *err)
{
	struct usbip *usbip = calloc(1, sizeof(*usbip));

	if (!usbip) {
		error_memory(err);
		return NULL;
	}
	usbip->bench = bench;
	usbip->fd = listener_tcp(address, port, err);
	if (usbip->fd < 0) {
		free(usbip);
		return NULL;
	}
	usbip->watch = loop_watch(bench->loop, usbip->fd, EPOLLIN, on_listener, usbip);
	if (!usbip->watch) {
		error_set(err, ERR_SOFTWARE, "%s: cannot watch", address);
		close(usbip->fd);
		free(usbip);
		return NULL;
	}
	usbip->listener = (struct bench_listener){ .hear = on_event, .ctx = usbip };
	bench_listen(bench, &usbip->listener);
	return usbip;
}

void
usbip_free(struct usbip *usbip)
{
	if (!usbip)
		return;
	bench_unlisten(usbip->bench, &usbip->listener);
	while (usbip->cables) {
		struct cable *cable = usbip->cables;

		usbip->cables = cable->next;
		cable->is_dead = true;
		free_cable(cable);
	}
	watch_free(usbip->watch);
	close(usbip->fd);
	free(usbip);
}
