/* muxtalk: one conversation with usbmuxd: its socket, its messages and their limits */
#ifndef WIRE_MUXTALK_H
#define WIRE_MUXTALK_H

#include <plist/plist.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/deadline.h"

struct error;

/* Open one with muxtalk_open(); release with muxtalk_close(), also when that failed. */
struct muxtalk {
	int		fd;
	struct blob	in;	/* what has come of the next message */
};

/*
 * At USBMUXD_SOCKET_ADDRESS, as libusbmuxd reads it. Not there: ERR_UNAVAILABLE; there and
 * hanging: ERR_TIMEOUT. Of HOST:PORT the host is looked up first, in the resolver's time.
 */
int	muxtalk_open(struct muxtalk *t, struct deadline deadline, struct error *err);
void	muxtalk_close(struct muxtalk *t);
#define auto_muxtalk	auto_with(muxtalk_close)

/* A request, to which its own keys are added; NULL: no memory. */
plist_t	muxtalk_request(const char *type);
int	muxtalk_send(struct muxtalk *t, plist_t request, struct deadline deadline,
	    struct error *err);
/*
 * The next message. Never reads beyond it: after Connect the bytes that follow
 * are the device's. Gone or nonsense: ERR_MUX; too late: ERR_TIMEOUT.
 */
int	muxtalk_receive(struct muxtalk *t, struct deadline deadline, plist_t *out,
	    struct error *err);
/* The same for those who wait elsewhere. 1: *out is a message; 0: none for now. */
int	muxtalk_take(struct muxtalk *t, plist_t *out, struct error *err);

/* Sends request (which may be NULL: no memory) and waits for its answer. */
int	muxtalk_ask(struct muxtalk *t, plist_t request, struct deadline deadline, plist_t *out,
	    struct error *err);
/* The number of an answer that is a Result. */
bool	muxtalk_result(plist_t answer, uint64_t *number);

/* Whether usbmuxd is reached over TCP and not a UNIX socket. */
bool	muxtalk_needs_tcp(void);

/*
 * Which usbmuxd listens at the socket: one that was started again has another
 * number, for its socket is another file. 0 where that cannot be told, as over TCP.
 */
uint64_t muxtalk_daemon(void);

#endif
