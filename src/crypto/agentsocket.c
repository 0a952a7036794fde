/* agentsocket: where an agent listens, and who is at the other end */
#include "crypto/agentsocket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/folder.h"

enum {
	BACKLOG = 128,
	LOCK_MS = 5000,		/* for others that start at the same moment */
	AGAIN_MS = 10,		/* until a busy agent is asked again */
	GROUPS_MAX = 1024,
};

static const char start_one[] = "start one: chaperone agent -i FILE.p12";

int
agentsocket_default(char **out, struct error *err)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	char *path;

	if (geteuid() == 0)
		run = "/run";
	if (!run || *run != '/') {
		error_set(err, ERR_USAGE, "there is no XDG_RUNTIME_DIR for the agent's socket");
		return error_hint(err,
		    "name it: --socket PATH for the agent, -i agent:PATH to use it");
	}
	if (asprintf(&path, "%s/chaperone/agent", run) < 0)
		return error_memory(err);
	*out = path;
	return 0;
}

static int
fill_address(const char *path, struct sockaddr_un *out, struct error *err)
{
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!*path || strlen(path) >= sizeof(out->sun_path))
		return error_set(err, ERR_USAGE, "a socket's path has 1 to %zu bytes, not %zu: %s",
		    sizeof(out->sun_path) - 1, strlen(path), path);
	memcpy(out->sun_path, path, strlen(path) + 1);
	return 0;
}

static int
make_socket(struct error *err)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? error_set_sys(err, ERR_SOFTWARE, errno, "a socket") : fd;
}

/* ---- listening ------------------------------------------------------------------ */

/* The last folder only: whoever wants it elsewhere has made the rest. */
static int
make_folder(const struct agentsocket_place *place, char *folder, size_t size, struct error *err)
{
	const char *slash = strrchr(place->path, '/');

	snprintf(folder, size, "%.*s", slash ? (int)(slash - place->path) : 1,
	    slash ? place->path : ".");
	if (!*folder)
		snprintf(folder, size, "/");
	if (mkdir(folder, 0700) < 0)
		return errno == EEXIST ? 0 : error_set_sys(err, ERR_CREATE, errno, "%s", folder);
	if (place->has_group && (chown(folder, (uid_t)-1, place->group) < 0 ||
	    chmod(folder, 0750) < 0))
		return error_set_sys(err, ERR_CREATE, errno, "%s", folder);
	return 0;
}

/* Held while a name is looked at and taken, so that two do not both find it free. */
static int
lock_folder(const char *folder, struct error *err)
{
	struct deadline deadline = deadline_in(LOCK_MS);
	auto_fd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_set_sys(err, ERR_CREATE, errno, "%s", folder);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK || deadline_passed(deadline))
			return error_set_sys(err, ERR_CREATE, errno,
			    "%s is locked by others", folder);
		if (deadline_pause(deadline_in(AGAIN_MS), err) < 0)
			return -1;
	}
	return steal_fd(&fd);
}

/* Nobody but us may connect from the first moment on. */
static int
bind_private(int fd, const struct sockaddr_un *address)
{
	mode_t before = umask(0177);
	int rc = bind(fd, (const struct sockaddr *)address, sizeof(*address)), sys = errno;

	umask(before);
	errno = sys;
	return rc;
}

/* 0 when nobody listens behind the name: it is gone then. */
static int
remove_stale(const struct sockaddr_un *address, struct error *err)
{
	auto_fd int fd = -1;
	struct stat st;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 0 :
		    error_set_sys(err, ERR_CREATE, errno, "%s", address->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, ERR_CREATE, "%s is there, and is no socket",
		    address->sun_path);
	fd = make_socket(err);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
	    errno != ECONNREFUSED) {
		error_set(err, ERR_CREATE, "%s: an agent listens there already", address->sun_path);
		return error_hint(err, "use it, or stop it first, or take another --socket");
	}
	if (unlink(address->sun_path) < 0)
		return error_set_sys(err, ERR_CREATE, errno, "%s", address->sun_path);
	return 0;
}

static int
bind_name(int fd, const struct sockaddr_un *address, struct error *err)
{
	if (bind_private(fd, address) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return error_set_sys(err, ERR_CREATE, errno, "%s", address->sun_path);
	if (remove_stale(address, err) < 0)
		return -1;
	if (bind_private(fd, address) < 0)
		return error_set_sys(err, ERR_CREATE, errno, "%s", address->sun_path);
	return 0;
}

static int
open_to_group(const struct agentsocket_place *place, const struct stat *st, struct error *err)
{
	if (!place->has_group)
		return 0;
	/* A service has the group as its own, and may be forbidden to give things away. */
	if ((st->st_gid != place->group && chown(place->path, (uid_t)-1, place->group) < 0) ||
	    chmod(place->path, 0660) < 0)
		return error_set_sys(err, ERR_CREATE, errno, "%s", place->path);
	return 0;
}

int
agentsocket_listen(const struct agentsocket_place *place, struct agentsocket *out,
    struct error *err)
{
	auto_agentsocket struct agentsocket s = { .fd = -1 };
	auto_fd int lock = -1;
	char folder[sizeof(s.path)];
	struct sockaddr_un address;
	struct stat st;

	if (fill_address(place->path, &address, err) < 0 ||
	    make_folder(place, folder, sizeof(folder), err) < 0)
		return -1;
	if (!place->allow_loose && folder_check(place->path, err) < 0)
		return error_context(err, "the agent's socket");
	lock = lock_folder(folder, err);
	s.fd = lock < 0 ? -1 : make_socket(err);
	if (s.fd < 0 || bind_name(s.fd, &address, err) < 0)
		return -1;
	memcpy(s.path, address.sun_path, sizeof(s.path));
	if (lstat(s.path, &st) < 0)
		return error_set_sys(err, ERR_CREATE, errno, "%s", s.path);
	s.device = st.st_dev;
	s.inode = st.st_ino;
	if (open_to_group(place, &st, err) < 0)
		return -1;
	if (listen(s.fd, BACKLOG) < 0)
		return error_set_sys(err, ERR_CREATE, errno, "%s", place->path);
	*out = s;
	s = (struct agentsocket){ .fd = -1 };
	return 0;
}

int
agentsocket_adopt(int fd, struct agentsocket *out, struct error *err)
{
	struct sockaddr_un address = { 0 };
	socklen_t len = sizeof(address), int_len = sizeof(int);
	int type = 0, is_listening = 0;

	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0 ||
	    address.sun_family != AF_UNIX ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &int_len) < 0 || type != SOCK_SEQPACKET ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &int_len) < 0 ||
	    !is_listening) {
		error_set(err, ERR_USAGE, "the socket from systemd is not one for an agent");
		return error_hint(err, "its unit says ListenSequentialPacket=PATH");
	}
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return error_set_sys(err, ERR_SOFTWARE, errno, "the socket from systemd");
	*out = (struct agentsocket){ .fd = fd };
	memcpy(out->path, address.sun_path, sizeof(out->path));
	out->path[sizeof(out->path) - 1] = '\0';
	return 0;
}

void
agentsocket_close(struct agentsocket *s)
{
	struct stat st;

	if (s->fd < 0)
		return;
	/* Before it is closed: nobody else can have this inode yet. */
	if (s->inode && lstat(s->path, &st) == 0 && st.st_ino == s->inode && st.st_dev == s->device)
		(void)unlink(s->path);
	clean_fd(&s->fd);
	*s = (struct agentsocket){ .fd = -1 };
}

/* ---- connecting ------------------------------------------------------------------ */

static int
cannot_connect(const char *path, int sys, struct error *err)
{
	if (sys == EACCES || sys == EPERM)
		return error_set_sys(err, ERR_PERM, sys, "the agent at %s", path);
	error_set_sys(err, ERR_UNAVAILABLE, sys, "no agent answers at %s", path);
	return error_hint(err, start_one);
}

/* The owner of a folder, where nobody else could have made the socket. */
static bool
is_owner(const char *path, uid_t uid)
{
	const char *slash = strrchr(path, '/');
	auto_free char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	struct stat st;

	return folder && stat(folder, &st) == 0 && st.st_uid == uid &&
	    !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static int
check_agent(const char *path, int fd, struct error *err)
{
	struct agent_peer peer;

	if (agentsocket_peer(fd, &peer) < 0)
		return error_set_sys(err, ERR_SOFTWARE, errno, "the agent at %s", path);
	if (peer.uid == 0 || peer.uid == geteuid() || is_owner(path, peer.uid))
		return 0;
	return error_set(err, ERR_PERM,
	    "the agent at %s runs as user %u, whom nothing entitles to it",
	    path, (unsigned)peer.uid);
}

int
agentsocket_connect(const char *path, struct deadline deadline, int *out, struct error *err)
{
	struct sockaddr_un address;
	auto_fd int fd = -1;

	if (fill_address(path, &address, err) < 0 || (fd = make_socket(err)) < 0)
		return -1;
	while (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno == EINTR)
			continue;
		/* Its queue is full: what poll(2) cannot wait for. */
		if (errno != EAGAIN || deadline_passed(deadline))
			return cannot_connect(path, errno, err);
		if (deadline_pause(deadline_in(AGAIN_MS), err) < 0)
			return -1;
	}
	if (check_agent(path, fd, err) < 0)
		return -1;
	*out = steal_fd(&fd);
	return 0;
}

/* ---- who --------------------------------------------------------------------------- */

int
agentsocket_peer(int fd, struct agent_peer *out)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		return -1;
	*out = (struct agent_peer){ .uid = who.uid, .gid = who.gid, .pid = who.pid };
	return 0;
}

bool
agentsocket_peer_has_group(int fd, const struct agent_peer *peer, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);
	size_t i;

	if (peer->gid == group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return false;
	for (i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}
