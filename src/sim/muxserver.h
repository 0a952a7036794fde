/* muxserver: usbmuxd's socket protocol, on a UNIX and a TCP socket at once */
#ifndef SIM_MUXSERVER_H
#define SIM_MUXSERVER_H

#include <stdint.h>

struct bench;
struct error;
struct muxserver;

/* Listens to the bench, which is borrowed and outlives the server. */
struct muxserver *muxserver_new(struct bench *bench, struct error *err);
/* The path must fit sun_path; a socket that nobody serves any more is replaced. */
int	muxserver_listen_unix(struct muxserver *server, const char *path, struct error *err);
/* "127.0.0.1:PORT"; port 0 lets the system choose. *port: the one it is. */
int	muxserver_listen_tcp(struct muxserver *server, const char *address, uint16_t *port,
	    struct error *err);
/*
 * As if the process had ended, and as if it were started again: connections
 * break, the sockets are gone and come back, and the devices, which stay as they
 * are, are numbered from 1. Doing either twice does nothing more.
 */
void	muxserver_stop(struct muxserver *server);
int	muxserver_start(struct muxserver *server, struct error *err);
/* Frees what was closed. Call after each turn of the loop. */
void	muxserver_reap(struct muxserver *server);
/* Closes all connections and removes the socket. NULL is fine. */
void	muxserver_free(struct muxserver *server);

#endif
