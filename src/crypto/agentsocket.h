/* agentsocket: where an agent listens, and who is at the other end */
#ifndef CRYPTO_AGENTSOCKET_H
#define CRYPTO_AGENTSOCKET_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/deadline.h"

struct error;

/*
 * $XDG_RUNTIME_DIR/chaperone/agent, for root /run/chaperone/agent; ERR_USAGE
 * when there is no such variable. *out is the caller's: free().
 */
int	agentsocket_default(char **out, struct error *err);

struct agentsocket_place {
	const char	*path;
	gid_t		 group;
	bool		 has_group;	/* mode 0660 for it, instead of 0600 */
	bool		 allow_loose;	/* whoever can write to its folder */
};

/* A bound and listening socket, and the name to take away when it is over. */
struct agentsocket {
	int	fd;
	char	path[108];
	dev_t	device;
	ino_t	inode;
};

/*
 * Creates the last folder of the path if it is missing (0700, or 0750 for the
 * group), has folder_check() look at it, and listens there (SOCK_SEQPACKET).
 * The socket has its mode from the first moment on. One that nobody listens on
 * is replaced; several agents that start at once do not undo each other.
 * ERR_CREATE: an agent is there already, or something else is; ERR_PERM: the
 * folder is others'; ERR_USAGE: a path too long for a socket.
 * *out is the caller's: agentsocket_close() also removes the name, if it is
 * still this socket's.
 */
int	agentsocket_listen(const struct agentsocket_place *place, struct agentsocket *out,
	    struct error *err);
/* A listening socket that systemd made: the name stays when it is closed. ERR_USAGE. */
int	agentsocket_adopt(int fd, struct agentsocket *out, struct error *err);
void	agentsocket_close(struct agentsocket *s);

#define auto_agentsocket	auto_with(agentsocket_close)

/*
 * Connects, and looks who answers: this user, root, or the owner of a folder
 * in which nobody else can have put the socket. ERR_UNAVAILABLE: nobody is
 * there; ERR_PERM: not allowed, or somebody else answers. *fd is the caller's,
 * and does not block.
 */
int	agentsocket_connect(const char *path, struct deadline deadline, int *fd,
	    struct error *err);

/* Who connected, as the kernel knows it. */
struct agent_peer {
	uid_t	uid;
	gid_t	gid;
	pid_t	pid;
};
int	agentsocket_peer(int fd, struct agent_peer *out);
/* Whether group is the peer's, or one of its others. */
bool	agentsocket_peer_has_group(int fd, const struct agent_peer *peer, gid_t group);

#endif
