/* notify: what a service tells the service manager (sd_notify(3)) */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <stdint.h>

/*
 * The protocol is a datagram to $NOTIFY_SOCKET, documented as stable, so it is
 * spoken here and no library is needed. state is lines as sd_notify(3) lists
 * them: "READY=1". Without a service manager nothing happens.
 *
 * A manager that is busy has room for few datagrams (net.unix.max_dgram_qlen).
 * What it acts on waits for room, up to five seconds, as sd_notify(3) does: a
 * lost READY=1 is a reload without an end.
 */
void	notify_state(const char *state);
/* What is soon said again ("WATCHDOG=1", "STATUS=..."): never blocks, -1 when there was no room. */
int	notify_hint(const char *state);
/* "RELOADING=1" with the moment that Type=notify-reload wants; may wait like notify_state(). */
void	notify_reloading(void);
/* How often "WATCHDOG=1" is to be sent: half of what is allowed. 0: not at all. */
int64_t	notify_watchdog_ms(void);

#endif
