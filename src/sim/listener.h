/* listener: sockets that accept, for the mux server and the control socket */
#ifndef SIM_LISTENER_H
#define SIM_LISTENER_H

#include <stdint.h>

struct error;

/* A listening socket, non-blocking and close-on-exec, or -1. */
/* mode: of the socket's file. A socket that nobody serves is replaced. */
int	listener_unix(const char *path, unsigned mode, struct error *err);
/* "HOST:PORT", HOST a numeric IPv4 address; *port: the one it is. */
int	listener_tcp(const char *address, uint16_t *port, struct error *err);
/* The next connection, non-blocking and close-on-exec, or -1. */
int	listener_accept(int fd);

#endif
