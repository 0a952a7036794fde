/* muxlink: connections to a device and its pair record, through the libraries */
#include "wire/muxlink.h"

#include <errno.h>
#include <fcntl.h>
#include <libimobiledevice/libimobiledevice.h>
#include <string.h>
#include <usbmuxd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/log.h"
#include "core/refusal.h"
#include "wire/mux.h"

/* ---- connections ------------------------------------------------------------ */

/* The device is gone, or usbmuxd is, or the port is closed: usbmuxd tells. */
static int
connect_failed(const struct mux_device *device, struct error *err)
{
	bool is_attached;

	if (mux_is_attached(device, &is_attached, err) < 0)
		return -1;
	if (!is_attached)
		return error_set(err, ERR_LINK, "the device is no longer attached");
	error_set(err, ERR_DEVICE, "the device does not accept the connection");
	err->refusal = REFUSED_PORT;
	return -1;
}

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

int
mux_connect(const struct mux_device *device, uint16_t port, int *fd, struct error *err)
{
	auto_fd int fresh = -1;
	int flags;

	if (device->is_network) {
		if (connect_network(device, port, &fresh, err) < 0)
			return -1;
	} else {
		fresh = usbmuxd_connect(device->handle, port);
		if (fresh < 0)
			return connect_failed(device, err);
	}
	flags = fcntl(fresh, F_GETFL);
	if (flags < 0 || fcntl(fresh, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fresh, F_SETFD, FD_CLOEXEC) < 0)
		return error_set_sys(err, ERR_SOFTWARE, errno, "fcntl");
	*fd = steal_fd(&fresh);
	return 0;
}

/* ---- pair records ------------------------------------------------------------ */

static int
records_failed(const char *what, int result, struct error *err)
{
	error_set(err, ERR_MUX, "usbmuxd %s (result %d)", what, result);
	return error_hint(err, "usbmuxd must run and be able to write its folder /var/lib/lockdown");
}

int
mux_read_pair_record(const struct mux_device *device, struct blob *out, struct error *err)
{
	char *record = NULL;
	uint32_t len = 0;
	int rc;

	rc = usbmuxd_read_pair_record(device->udid, &record, &len);
	if (rc == 0 && record) {
		rc = blob_set(out, record, len);
		explicit_bzero(record, len);
		free(record);
		return rc < 0 ? error_memory(err) : 1;
	}
	free(record);
	log_debug("no pair record is stored (%d)", rc);
	/* usbmuxd answers with an errno, 2 when there is no such file. */
	return rc == -ENOENT || rc > 0 ? 0 : records_failed("does not tell the pair record", rc, err);
}

int
mux_save_pair_record(const struct mux_device *device, const struct blob *record,
    struct error *err)
{
	int rc = usbmuxd_save_pair_record_with_device_id(device->udid, device->handle,
	    (const char *)record->data, (uint32_t)record->len);

	return rc == 0 ? 0 : records_failed("could not store the pair record", rc, err);
}

int
mux_delete_pair_record(const struct mux_device *device, struct error *err)
{
	int rc = usbmuxd_delete_pair_record(device->udid);

	if (rc == 0 || rc == -ENOENT)
		return 0;
	return records_failed("could not delete the pair record", rc, err);
}

int
mux_read_buid(char out[64], struct error *err)
{
	char *buid = NULL;

	if (usbmuxd_read_buid(&buid) != 0 || !buid || strlen(buid) >= 64) {
		free(buid);
		return error_set(err, ERR_MUX, "usbmuxd does not tell this host's SystemBUID");
	}
	memcpy(out, buid, strlen(buid) + 1);
	free(buid);
	return 0;
}
