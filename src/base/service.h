/* service: what systemd is told, and what it hands over, when it started us */
#ifndef BASE_SERVICE_H
#define BASE_SERVICE_H

struct error;

/*
 * libsystemd is loaded only where systemd's variables are set, and then must be
 * there: a service that systemd waits for in vain is worse than an error.
 * Without them these do nothing. ERR_UNAVAILABLE.
 */

/* A state of sd_notify(3): "READY=1", "STOPPING=1", "STATUS=...". */
int	service_notify(const char *state, struct error *err);

/*
 * The one socket of a socket unit: *fd, the caller's; -1 when there is none.
 * More than one is ERR_USAGE. Asked once: the variables are gone afterwards.
 */
int	service_socket(int *fd, struct error *err);

#endif
