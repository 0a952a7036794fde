/* fuzz_mux: any bytes as what usbmuxd says when asked for devices, and when watched */
#include "tests/fuzz/harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "tests/fuzz/talk.h"
#include "wire/mux.h"

static const struct blob *said;
static int far_end = -1;

/* The linker gives this to wire/mux for connect(): usbmuxd is a socket that has spoken. */
int	__wrap_connect(int fd, const struct sockaddr *address, socklen_t len);

int
__wrap_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	auto_fd int ours = talk_socket(SOCK_STREAM, said, &far_end);

	(void)address;
	(void)len;
	return dup2(ours, fd) < 0 ? -1 : 0;
}

static void
check_device(const struct mux_device *d)
{
	if (d->handle == 0 || !d->udid[0] || strnlen(d->udid, sizeof(d->udid)) == sizeof(d->udid) ||
	    strpbrk(d->udid, "/.\n\033 "))
		abort();
}

static void
list(bool with_network)
{
	auto_free struct mux_device *devices = NULL;
	struct error err = { 0 };
	size_t n = 0, i;

	if (mux_list(with_network, deadline_in(1000), &devices, &n, &err) == 0)
		for (i = 0; i < n; i++) {
			check_device(&devices[i]);
			if (devices[i].is_network && !with_network)
				abort();
		}
	close(far_end);
}

static void
watch(bool with_network)
{
	struct mux_watch *w = NULL;
	struct mux_event event;
	struct error err = { 0 };

	if (mux_watch_open(with_network, deadline_in(1000), &w, &err) == 0)
		while (mux_watch_next(w, &event, &err) == 1)
			if (event.kind == MUX_ATTACHED)
				check_device(&event.device);
	mux_watch_close(w);
	close(far_end);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_blob struct blob bytes = { 0 };
	unsigned choice;
	struct talk talk = talk_begin(data, len, &choice);

	setenv("USBMUXD_SOCKET_ADDRESS", "UNIX:/nonexistent/usbmuxd", 1);
	talk_frame(&talk, TALK_MUX, &bytes);
	said = &bytes;
	list(choice & 1);
	watch(choice & 1);
	return 0;
}
