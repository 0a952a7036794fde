/* mux: usbmuxd's socket: which devices are attached, and how they come and go */
#include "wire/mux.h"

#include <plist/plist.h>
#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"
#include "base/text.h"
#include "wire/muxtalk.h"

enum {
	DEVICES_MAX = 8192,
	AFTERWARDS_MS = 1000,
};

bool
mux_needs_tcp(const struct mux_device *device)
{
	return device->is_network || muxtalk_needs_tcp();
}

/* ---- devices ------------------------------------------------------------- */

/* It becomes part of file names and of our output: nothing but letters and digits. */
static bool
is_udid(const char *s)
{
	const char *letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-";

	return s && *s && strlen(s) < 64 && strspn(s, letters) == strlen(s);
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
	uint64_t daemon = muxtalk_daemon();
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
		device.daemon = daemon;
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
	auto_muxtalk struct muxtalk t = { .fd = -1 };
	auto_plist plist_t request = muxtalk_request("ListDevices"), reply = NULL;

	if (muxtalk_open(&t, deadline, err) < 0 ||
	    muxtalk_ask(&t, request, deadline, &reply, err) < 0)
		return -1;
	return read_device_list(reply, with_network, out, n, err);
}

/* ---- watching ------------------------------------------------------------ */

struct mux_watch {
	struct muxtalk	talk;
	bool		with_network;
};

void
mux_watch_close(struct mux_watch *w)
{
	if (w)
		muxtalk_close(&w->talk);
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
	auto_plist plist_t request = muxtalk_request("Listen"), reply = NULL;
	uint64_t number = 1;

	if (!w)
		return error_memory(err);
	w->talk.fd = -1;
	w->with_network = with_network;
	if (muxtalk_open(&w->talk, deadline, err) < 0 ||
	    muxtalk_ask(&w->talk, request, deadline, &reply, err) < 0)
		return -1;
	if (!muxtalk_result(reply, &number) || number != 0)
		return error_set(err, ERR_MUX, "usbmuxd refuses to be watched (result %llu)",
		    (unsigned long long)number);
	*out = steal_pointer(&w);
	return 0;
}

int
mux_watch_fd(const struct mux_watch *w)
{
	return w->talk.fd;
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
		if (mux_parse_device(message, &out->device) < 0)
			return false;
		out->device.daemon = muxtalk_daemon();
		return w->with_network || !out->device.is_network;
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
		int rc = muxtalk_take(&w->talk, &message, err);

		if (rc <= 0 || read_event(w, message, out))
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
	if (device->daemon && muxtalk_daemon() != device->daemon)
		return error_set(err, ERR_MUX, "usbmuxd ended and was started again");
	/* A device that restarted comes back under another handle. */
	same = find_udid(list, n, device->udid);
	*is_attached = same && same->handle == device->handle;
	return 0;
}
