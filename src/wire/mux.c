/* mux: usbmuxd's socket: which devices are attached, and how they come and go */
#include "wire/mux.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"
#include "base/text.h"

enum {
	HEADER = 16,
	VERSION_PLIST = 1,
	MESSAGE_PLIST = 8,
	MESSAGE_MAX = 4 << 20,		/* a list of some thousand devices */
	DEVICES_MAX = 8192,
	AFTERWARDS_MS = 1000,
};

static const char DEFAULT_SOCKET[] = "/var/run/usbmuxd";
static const char HINT_USBMUXD[] =
    "is usbmuxd running? systemctl status usbmuxd (it starts when a device is plugged in)";

/* ---- the socket ---------------------------------------------------------- */

static int
unavailable(struct error *err, int sys, const char *where)
{
	error_set_sys(err, ERR_UNAVAILABLE, sys, "usbmuxd cannot be reached at %s", where);
	return error_hint(err, HINT_USBMUXD);
}

static int
connect_unix(const char *path, int *out, struct error *err)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	auto_fd int fd = -1;

	if (strlen(path) >= sizeof(sa.sun_path))
		return unavailable(err, ENAMETOOLONG, path);
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return unavailable(err, errno, path);
	*out = steal_fd(&fd);
	return 0;
}

static int
connect_tcp(const char *address, int *out, struct error *err)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *list, *a;
	const char *colon = strrchr(address, ':');
	char host[256];
	int sys = EHOSTUNREACH;

	snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
	if (getaddrinfo(host, colon + 1, &hints, &list) != 0)
		return unavailable(err, EHOSTUNREACH, address);
	for (a = list; a; a = a->ai_next) {
		auto_fd int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);

		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0) {
			*out = steal_fd(&fd);
			break;
		}
		sys = errno;
	}
	freeaddrinfo(list);
	return a ? 0 : unavailable(err, sys, address);
}

bool
mux_needs_tcp(const struct mux_device *device)
{
	const char *address = getenv("USBMUXD_SOCKET_ADDRESS");

	return device->is_network || (address && *address && strncmp(address, "UNIX:", 5) != 0);
}

/* USBMUXD_SOCKET_ADDRESS as libusbmuxd reads it, so that both reach the same. */
static int
connect_usbmuxd(int *out, struct error *err)
{
	const char *address = getenv("USBMUXD_SOCKET_ADDRESS");

	if (address && strncmp(address, "UNIX:", 5) == 0)
		return connect_unix(address + 5, out, err);
	if (address && strrchr(address, ':'))
		return connect_tcp(address, out, err);
	if (address && *address) {
		error_set(err, ERR_USAGE,
		    "USBMUXD_SOCKET_ADDRESS is neither UNIX:PATH nor HOST:PORT: %s", address);
		return error_hint(err, "libusbmuxd would silently use the system's socket instead");
	}
	return connect_unix(DEFAULT_SOCKET, out, err);
}

/* ---- messages ------------------------------------------------------------ */

static void
put_le32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

static uint32_t
get_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int
lost(struct error *err, int sys)
{
	if (sys)
		error_set_sys(err, ERR_MUX, sys, "the connection to usbmuxd broke");
	else
		error_set(err, ERR_MUX, "usbmuxd closed the connection");
	return error_hint(err, HINT_USBMUXD);
}

static int
send_message(int fd, const char *type, struct deadline deadline, struct error *err)
{
	auto_plist plist_t request = plist_new_dict();
	auto_blob struct blob body = { 0 }, packet = { 0 };
	uint8_t header[HEADER];
	size_t sent = 0;

	if (!dict_set_string(request, "MessageType", type) ||
	    !dict_set_string(request, "ClientVersionString", PACKAGE_STRING) ||
	    !dict_set_string(request, "ProgName", PACKAGE_NAME))
		return error_memory(err);
	plist_dict_set_item(request, "kLibUSBMuxVersion", plist_new_uint(3));
	if (proplist_to_xml(request, &body) < 0)
		return error_memory(err);
	put_le32(header, (uint32_t)(HEADER + body.len));
	put_le32(header + 4, VERSION_PLIST);
	put_le32(header + 8, MESSAGE_PLIST);
	put_le32(header + 12, 1);
	if (blob_append(&packet, header, HEADER) < 0 || blob_append(&packet, body.data, body.len) < 0)
		return error_memory(err);
	while (sent < packet.len) {
		ssize_t n;

		if (deadline_wait(fd, POLLOUT, deadline, err) < 0)
			return -1;
		n = send(fd, packet.data + sent, packet.len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return lost(err, errno);
		sent += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* What arrived and is not yet a whole message. */
struct inbox {
	int		fd;
	struct blob	bytes;
};

static void
inbox_clear(struct inbox *in)
{
	clean_fd(&in->fd);
	blob_clear(&in->bytes);
}

/* 1: *out is the next message; 0: it is not all here yet; -1: no message. */
static int
take_message(struct inbox *in, plist_t *out, struct error *err)
{
	uint32_t len;

	if (in->bytes.len < HEADER)
		return 0;
	len = get_le32(in->bytes.data);
	if (len < HEADER || len > MESSAGE_MAX || get_le32(in->bytes.data + 8) != MESSAGE_PLIST)
		return error_set(err, ERR_MUX, "usbmuxd sent something that is no message");
	if (in->bytes.len < len)
		return 0;
	if (proplist_parse(in->bytes.data + HEADER, len - HEADER, &PROPLIST_WIRE, ERR_MUX, out,
		err) < 0)
		return error_context(err, "usbmuxd");
	blob_drop_front(&in->bytes, len);
	return 1;
}

/* Reads what is there. 1 something came, 0 nothing for now, -1 lost. */
static int
fill(struct inbox *in, struct error *err)
{
	ssize_t n;

	if (blob_reserve(&in->bytes, in->bytes.len + 16384) < 0)
		return error_memory(err);
	n = recv(in->fd, in->bytes.data + in->bytes.len, in->bytes.room - in->bytes.len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return lost(err, n < 0 ? errno : 0);
	in->bytes.len += (size_t)n;
	return 1;
}

static int
receive_message(struct inbox *in, struct deadline deadline, plist_t *out, struct error *err)
{
	for (;;) {
		int rc = take_message(in, out, err);

		if (rc != 0)
			return rc < 0 ? -1 : 0;
		if (deadline_wait(in->fd, POLLIN, deadline, err) < 0)
			return error_context(err, "waiting for usbmuxd");
		if (fill(in, err) < 0)
			return -1;
	}
}

/* ---- devices ------------------------------------------------------------- */

/* It becomes part of file names and of our output: nothing but letters and digits. */
static bool
is_udid(const char *s)
{
	return s && *s && strlen(s) < 64 &&
	    strspn(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") == strlen(s);
}

int
mux_parse_device(const void *entry, struct mux_device *out)
{
	plist_t properties = dict_get_dict((plist_t)entry, "Properties");
	const char *serial = dict_get_string(properties, "SerialNumber");
	const char *type = dict_get_string(properties, "ConnectionType");
	uint64_t handle = 0, number = 0;

	if (!dict_get_uint((plist_t)entry, "DeviceID", &handle) || handle == 0 ||
	    handle > UINT32_MAX || !is_udid(serial))
		return -1;
	*out = (struct mux_device){ .handle = (uint32_t)handle };
	text_canonical_udid(serial, out->udid, sizeof(out->udid));
	out->is_network = type && strcmp(type, "Network") == 0;
	if (dict_get_uint(properties, "ProductID", &number))
		out->product_id = (uint32_t)number;
	if (dict_get_uint(properties, "LocationID", &number))
		out->location = (uint32_t)number;
	return 0;
}

static struct mux_device *
find_udid(struct mux_device *list, size_t n, const char *udid)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (text_same_udid(list[i].udid, udid))
			return &list[i];
	return NULL;
}

static int
read_device_list(plist_t reply, bool with_network, struct mux_device **out, size_t *n,
    struct error *err)
{
	plist_t entries = dict_get_array(reply, "DeviceList");
	uint32_t count = entries ? plist_array_get_size(entries) : 0, i;
	auto_free struct mux_device *list = NULL;
	size_t used = 0;

	if (!entries || count > DEVICES_MAX)
		return error_set(err, ERR_MUX, "usbmuxd's answer holds no list of devices");
	list = calloc(count + 1, sizeof(*list));
	if (!list)
		return error_memory(err);
	for (i = 0; i < count; i++) {
		struct mux_device device, *same;

		if (mux_parse_device(plist_array_get_item(entries, i), &device) < 0 ||
		    (device.is_network && !with_network))
			continue;
		same = find_udid(list, used, device.udid);
		if (!same)
			list[used++] = device;
		else if (same->is_network)
			*same = device;
	}
	*out = steal_pointer(&list);
	*n = used;
	return 0;
}

int
mux_list(bool with_network, struct deadline deadline, struct mux_device **out, size_t *n,
    struct error *err)
{
	auto_with(inbox_clear) struct inbox in = { .fd = -1 };
	auto_plist plist_t reply = NULL;

	if (connect_usbmuxd(&in.fd, err) < 0 ||
	    send_message(in.fd, "ListDevices", deadline, err) < 0 ||
	    receive_message(&in, deadline, &reply, err) < 0)
		return -1;
	return read_device_list(reply, with_network, out, n, err);
}

/* ---- watching ------------------------------------------------------------ */

struct mux_watch {
	struct inbox	in;
	bool		with_network;
};

void
mux_watch_close(struct mux_watch *w)
{
	if (w)
		inbox_clear(&w->in);
	free(w);
}

static void
clean_watch(struct mux_watch **w)
{
	mux_watch_close(*w);
}

int
mux_watch_open(bool with_network, struct deadline deadline, struct mux_watch **out,
    struct error *err)
{
	auto_with(clean_watch) struct mux_watch *w = calloc(1, sizeof(*w));
	auto_plist plist_t reply = NULL;
	uint64_t number = 1;

	if (!w)
		return error_memory(err);
	w->in.fd = -1;
	w->with_network = with_network;
	if (connect_usbmuxd(&w->in.fd, err) < 0 ||
	    send_message(w->in.fd, "Listen", deadline, err) < 0 ||
	    receive_message(&w->in, deadline, &reply, err) < 0)
		return -1;
	if (!dict_get_uint(reply, "Number", &number) || number != 0)
		return error_set(err, ERR_MUX, "usbmuxd refuses to be watched (result %llu)",
		    (unsigned long long)number);
	*out = steal_pointer(&w);
	return 0;
}

int
mux_watch_fd(const struct mux_watch *w)
{
	return w->in.fd;
}

/* true: the message is an event that is wanted. */
static bool
read_event(const struct mux_watch *w, plist_t message, struct mux_event *out)
{
	const char *type = dict_get_string(message, "MessageType");
	uint64_t handle = 0;

	*out = (struct mux_event){ 0 };
	if (!type)
		return false;
	if (strcmp(type, "Attached") == 0) {
		out->kind = MUX_ATTACHED;
		return mux_parse_device(message, &out->device) == 0 &&
		    (w->with_network || !out->device.is_network);
	}
	if (!dict_get_uint(message, "DeviceID", &handle) || handle > UINT32_MAX)
		return false;
	out->device.handle = (uint32_t)handle;
	out->kind = strcmp(type, "Paired") == 0 ? MUX_PAIRED : MUX_DETACHED;
	return out->kind == MUX_PAIRED || strcmp(type, "Detached") == 0;
}

int
mux_watch_next(struct mux_watch *w, struct mux_event *out, struct error *err)
{
	for (;;) {
		auto_plist plist_t message = NULL;
		int rc = take_message(&w->in, &message, err);

		if (rc < 0)
			return -1;
		if (rc > 0 && read_event(w, message, out))
			return 1;
		if (rc > 0)
			continue;
		rc = fill(&w->in, err);
		if (rc <= 0)
			return rc;
	}
}

/* ---- afterwards ----------------------------------------------------------- */

int
mux_is_attached(const struct mux_device *device, bool *is_attached, struct error *err)
{
	auto_free struct mux_device *list = NULL;
	struct mux_device *same;
	size_t n = 0;

	if (mux_list(device->is_network, deadline_in(AFTERWARDS_MS), &list, &n, err) < 0) {
		err->kind = ERR_MUX;
		return -1;
	}
	/* A device that restarted comes back under another handle. */
	same = find_udid(list, n, device->udid);
	*is_attached = same && same->handle == device->handle;
	return 0;
}
