/* channel: property lists over one connection to a device, in clear or over TLS */
#ifndef WIRE_CHANNEL_H
#define WIRE_CHANNEL_H

#include <plist/plist.h>
#include <stddef.h>

#include "base/deadline.h"

struct channel;
struct error;
struct tls_client;

/*
 * Each message is four bytes of length, big endian, and a property list, in
 * lockdownd as in its services (libimobiledevice property_list_service.c).
 * Every call blocks at most until its deadline. After any failure but
 * ERR_DEVICE the channel is of no more use: close it.
 */

/* Takes fd (connected, non-blocking), also on failure. */
int	channel_new(int fd, struct channel **out, struct error *err);
/* Says goodbye to TLS when that does not block, closes and releases. NULL is fine. */
void	channel_close(struct channel *ch);

/* The rest of the connection goes over TLS. who is borrowed during the call. */
int	channel_start_tls(struct channel *ch, const struct tls_client *who,
	    struct deadline deadline, struct error *err);

/* One message, one write. message is borrowed. */
int	channel_send(struct channel *ch, plist_t message, struct deadline deadline,
	    struct error *err);
/* The next message; *out is the caller's. At most PROPLIST_WIRE.bytes long. */
int	channel_receive(struct channel *ch, struct deadline deadline, plist_t *out,
	    struct error *err);

#endif
