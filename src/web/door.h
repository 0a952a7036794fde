/* door: the listening socket, and who is let in through it */
#ifndef WEB_DOOR_H
#define WEB_DOOR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct error;

enum { DOOR_ADDRESS_MAX = INET6_ADDRSTRLEN + 10 };	/* "[...]:65535" */

struct door {
	int	listener;
	int	spare;			/* given up for a moment when no descriptor is left */
	int64_t	closed_until_ms;	/* 0: open. No descriptor was left at all */
	bool	is_exposed;		/* bound to more than loopback */
	char	address[DOOR_ADDRESS_MAX];
};

/* A connection that was let in; fd is the caller's. */
struct guest {
	int			fd;
	socklen_t		len;
	struct sockaddr_storage	peer;
};

/* Numeric addresses and localhost only. ERR_USAGE, ERR_UNAVAILABLE. */
int	door_open(const char *address, struct door *door, struct error *err);
/*
 * The next one waiting, or false. Without descriptors those waiting are turned
 * away by means of the spare one, and when even that is gone, door_is_shut().
 */
bool	door_let_in(struct door *door, struct guest *guest);
bool	door_is_shut(const struct door *door);
/* Says 503 and why, as far as that works without waiting, and closes. */
void	door_turn_away(int fd, const char *why);
void	door_close(struct door *door);

/* The same host? Ports do not count. */
bool	door_same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
bool	door_is_loopback(const struct sockaddr_storage *address);
/* "127.0.0.1" or "::1"; out holds INET6_ADDRSTRLEN. */
void	door_host_text(const struct sockaddr_storage *address, char *out);

#endif
