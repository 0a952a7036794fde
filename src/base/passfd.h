/* passfd: a descriptor that travels with a packet (SCM_RIGHTS) */
#ifndef BASE_PASSFD_H
#define BASE_PASSFD_H

#include <stddef.h>
#include <sys/types.h>

/*
 * As send(2) and recv(2) of one packet, never raising SIGPIPE. fd -1: none goes
 * along. *fd is the caller's, close-on-exec; -1 when none came.
 */
ssize_t	passfd_send(int socket, const void *data, size_t len, int fd, int flags);
ssize_t	passfd_receive(int socket, void *data, size_t len, int flags, int *fd);

#endif
