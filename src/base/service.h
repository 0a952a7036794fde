/* service: what systemd hands over when it started us */
#ifndef BASE_SERVICE_H
#define BASE_SERVICE_H

struct error;

/*
 * The one socket of a socket unit: *fd, the caller's; -1 when there is none.
 * More than one is ERR_USAGE. The variables are gone afterwards. libsystemd is
 * loaded only where they are set, and then must be there: ERR_UNAVAILABLE.
 */
int	service_socket(int *fd, struct error *err);

#endif
