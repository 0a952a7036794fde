/* muxlink: connections to a device, and its pair record */
#include "wire/muxlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libimobiledevice/libimobiledevice.h>
#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/log.h"
#include "base/proplist.h"
#include "core/refusal.h"
#include "wire/mux.h"
#include "wire/muxtalk.h"

/* The numbers of a Result; those about pair records are values of errno. */
enum { MUX_OK = 0, MUX_BAD_DEVICE = 2, MUX_REFUSED = 3 };

/* In the middle of a job a usbmuxd that is not there is one that went away. */
static int
ask(struct muxtalk *t, plist_t request, struct deadline deadline, plist_t *out,
    struct error *err)
{
	if (muxtalk_open(t, deadline, err) < 0) {
		err->kind = err->kind == ERR_UNAVAILABLE ? ERR_MUX : err->kind;
		return -1;
	}
	return muxtalk_ask(t, request, deadline, out, err);
}

static int
nonsense(const char *request, struct error *err)
{
	return error_set(err, ERR_MUX, "%s: usbmuxd gave an answer that makes no sense", request);
}

static bool
set_number(plist_t request, const char *key, uint64_t value)
{
	if (request)
		plist_dict_set_item(request, key, plist_new_uint(value));
	return request != NULL;
}

/* ---- connections ------------------------------------------------------------ */

/* Over Wi-Fi the connection is not usbmuxd's: libimobiledevice knows the way. */
static int
connect_network(const struct mux_device *device, uint16_t port, int *fd, struct error *err)
{
	idevice_t idevice = NULL;
	idevice_connection_t connection = NULL;
	int theirs = -1;

	if (idevice_new_with_options(&idevice, device->udid, IDEVICE_LOOKUP_NETWORK) !=
	    IDEVICE_E_SUCCESS)
		return error_set(err, ERR_LINK, "the device is no longer on the network");
	if (idevice_connect(idevice, port, &connection) == IDEVICE_E_SUCCESS &&
	    idevice_connection_get_fd(connection, &theirs) == IDEVICE_E_SUCCESS)
		*fd = fcntl(theirs, F_DUPFD_CLOEXEC, 3);
	if (connection)
		idevice_disconnect(connection);
	idevice_free(idevice);
	return *fd >= 0 ? 0 : error_set(err, ERR_LINK, "the device does not answer on the network");
}

/* After an answer of 0 the socket is the connection. */
static int
connect_cable(const struct mux_device *device, uint16_t port, struct deadline deadline, int *fd,
    struct error *err)
{
	auto_muxtalk struct muxtalk t = { .fd = -1 };
	auto_plist plist_t request = muxtalk_request("Connect"), reply = NULL;
	uint64_t number;

	/* The port travels in network order, as a number. */
	if (!set_number(request, "DeviceID", device->handle) ||
	    !set_number(request, "PortNumber", htons(port)))
		return error_memory(err);
	if (ask(&t, request, deadline, &reply, err) < 0)
		return -1;
	if (!muxtalk_result(reply, &number))
		return nonsense("Connect", err);
	switch (number) {
	case MUX_OK:
		*fd = steal_fd(&t.fd);
		return 0;
	case MUX_BAD_DEVICE:
		return error_set(err, ERR_LINK, "the device is no longer attached");
	case MUX_REFUSED:
		error_set(err, ERR_DEVICE, "the device does not accept the connection");
		err->refusal = REFUSED_PORT;
		return -1;
	default:
		return error_set(err, ERR_MUX,
		    "usbmuxd does not connect to the device (result %llu)",
		    (unsigned long long)number);
	}
}

int
mux_connect(const struct mux_device *device, uint16_t port, struct deadline deadline, int *fd,
    struct error *err)
{
	auto_fd int fresh = -1;
	int flags;

	if (device->is_network ? connect_network(device, port, &fresh, err) < 0
	    : connect_cable(device, port, deadline, &fresh, err) < 0)
		return -1;
	flags = fcntl(fresh, F_GETFL);
	if (flags < 0 || fcntl(fresh, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fresh, F_SETFD, FD_CLOEXEC) < 0)
		return error_set_sys(err, ERR_SOFTWARE, errno, "fcntl");
	*fd = steal_fd(&fresh);
	return 0;
}

/* ---- pair records ------------------------------------------------------------ */

/* A request about the record of this device. */
static plist_t
record_request(const char *type, const struct mux_device *device)
{
	auto_plist plist_t request = muxtalk_request(type);

	return dict_set_string(request, "PairRecordID", device->udid) ?
	    steal_pointer(&request) : NULL;
}

static int
records_failed(const char *what, uint64_t result, struct error *err)
{
	error_set(err, ERR_MUX, "usbmuxd %s (result %llu)", what, (unsigned long long)result);
	return error_hint(err,
	    "usbmuxd must run and be able to write its folder /var/lib/lockdown");
}

int
mux_read_pair_record(const struct mux_device *device, struct deadline deadline,
    struct blob *out, struct error *err)
{
	auto_muxtalk struct muxtalk t = { .fd = -1 };
	auto_plist plist_t request = record_request("ReadPairRecord", device), reply = NULL;
	const void *record;
	uint64_t number;
	size_t len;
	int rc;

	if (ask(&t, request, deadline, &reply, err) < 0)
		return -1;
	if (dict_get_data(reply, "PairRecordData", &record, &len)) {
		rc = blob_set(out, record, len);
		/* The host's private key is in it. */
		explicit_bzero((void *)(uintptr_t)record, len);
		return rc < 0 ? error_memory(err) : 1;
	}
	if (!muxtalk_result(reply, &number) || number == 0)
		return nonsense("ReadPairRecord", err);
	log_debug("no pair record is stored (%llu)", (unsigned long long)number);
	return number == ENOENT ? 0 : records_failed("does not tell the pair record", number, err);
}

int
mux_save_pair_record(const struct mux_device *device, const struct blob *record,
    struct deadline deadline, struct error *err)
{
	auto_muxtalk struct muxtalk t = { .fd = -1 };
	auto_plist plist_t request = record_request("SavePairRecord", device), reply = NULL;
	uint64_t number;

	if (!dict_set_data(request, "PairRecordData", record->data, record->len) ||
	    !set_number(request, "DeviceID", device->handle))
		return error_memory(err);
	if (ask(&t, request, deadline, &reply, err) < 0)
		return -1;
	if (!muxtalk_result(reply, &number))
		return nonsense("SavePairRecord", err);
	return number == 0 ? 0 : records_failed("could not store the pair record", number, err);
}

int
mux_delete_pair_record(const struct mux_device *device, struct deadline deadline,
    struct error *err)
{
	auto_muxtalk struct muxtalk t = { .fd = -1 };
	auto_plist plist_t request = record_request("DeletePairRecord", device), reply = NULL;
	uint64_t number;

	if (ask(&t, request, deadline, &reply, err) < 0)
		return -1;
	if (!muxtalk_result(reply, &number))
		return nonsense("DeletePairRecord", err);
	if (number == 0 || number == ENOENT)
		return 0;
	return records_failed("could not delete the pair record", number, err);
}

int
mux_read_buid(struct deadline deadline, char out[64], struct error *err)
{
	auto_muxtalk struct muxtalk t = { .fd = -1 };
	auto_plist plist_t request = muxtalk_request("ReadBUID"), reply = NULL;
	const char *buid;

	if (ask(&t, request, deadline, &reply, err) < 0)
		return -1;
	buid = dict_get_string(reply, "BUID");
	if (!buid || strlen(buid) >= 64)
		return nonsense("ReadBUID", err);
	memcpy(out, buid, strlen(buid) + 1);
	return 0;
}
