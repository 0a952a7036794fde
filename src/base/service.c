/* service: what systemd hands over when it started us */
#include "base/service.h"

#include <stdlib.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/library.h"

enum { FIRST_FD = 3 };	/* SD_LISTEN_FDS_START */

static int (*sd_listen_fds)(int unset_environment);

static int
load(struct error *err)
{
	static const struct library_symbol symbols[] = {
		{ "sd_listen_fds", &sd_listen_fds },
	};

	return library_load("libsystemd.so.0", "install libsystemd0", symbols, countof(symbols), err);
}

int
service_socket(int *fd, struct error *err)
{
	int n;

	*fd = -1;
	if (!getenv("LISTEN_FDS"))
		return 0;
	if (load(err) < 0)
		return -1;
	n = sd_listen_fds(1);
	if (n < 0)
		return error_set_sys(err, ERR_UNAVAILABLE, -n, "the socket from systemd");
	if (n > 1)
		return error_set(err, ERR_USAGE, "systemd hands over %d sockets, and one is enough", n);
	if (n == 1)
		*fd = FIRST_FD;
	return 0;
}
