/* service: what systemd hands over when it started us (sd_listen_fds(3)) */
#ifndef BASE_SERVICE_H
#define BASE_SERVICE_H

struct error;

/*
 * The one socket of a socket unit: *fd, the caller's, close-on-exec; -1 when
 * there is none. More than one is ERR_USAGE. The variables are gone afterwards.
 * The protocol is documented as stable, so it is spoken here: the process that
 * guards a key loads no library for it.
 */
int	service_socket(int *fd, struct error *err);

#endif
