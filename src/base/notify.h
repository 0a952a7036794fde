/* notify: what a service tells the service manager (sd_notify(3)) */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <stdint.h>

/*
 * The protocol is a datagram to $NOTIFY_SOCKET, documented as stable, so it is
 * spoken here and no library is needed. state is lines as sd_notify(3) lists
 * them: "READY=1". Without a service manager nothing happens; nothing blocks.
 */
void	notify_send(const char *state);
/* "RELOADING=1" with the moment that Type=notify-reload wants. */
void	notify_reloading(void);
/* How often "WATCHDOG=1" is to be sent: half of what is allowed. 0: not at all. */
int64_t	notify_watchdog_ms(void);

#endif
