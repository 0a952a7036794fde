/* file: reading whole files with a limit, writing them whole or not at all */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/folder.h"

/* What systemd has put there for this service only, in its own ways: modes may lie. */
static bool
is_credential(const char *path)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY"), *slash = strrchr(path, '/');
	size_t len = folder ? strlen(folder) : 0;

	return len > 0 && slash && (size_t)(slash - path) == len && strncmp(path, folder, len) == 0;
}

static int
check_kind(int fd, const char *path, int flags, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_set_sys(err, ERR_NOINPUT, errno, "%s", path);
	if (S_ISDIR(st.st_mode))
		return error_set_sys(err, ERR_NOINPUT, EISDIR, "%s", path);
	if ((flags & FILE_PRIVATE) && S_ISREG(st.st_mode) && (st.st_mode & 077) &&
	    !is_credential(path)) {
		error_set(err, ERR_PERM, "%s can be read by others (mode %04o)", path,
		    (unsigned)(st.st_mode & 07777));
		return error_hint(err, "make it yours alone: chmod 600 FILE");
	}
	return 0;
}

static int
read_all(int fd, const char *path, size_t limit, struct blob *out, struct error *err)
{
	for (;;) {
		ssize_t n;

		if (blob_reserve(out, out->len + 65536) < 0)
			return error_memory(err);
		n = read(fd, out->data + out->len, out->room - out->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set_sys(err, ERR_NOINPUT, errno, "%s", path);
		if (n == 0)
			return 0;
		out->len += (size_t)n;
		if (out->len > limit)
			return error_set(err, ERR_DATA, "%s is larger than %zu bytes", path, limit);
	}
}

int
file_read(const char *path, size_t limit, int flags, struct blob *out, struct error *err)
{
	auto_blob struct blob bytes = { 0 };
	auto_fd int fd = -1;

	if (strcmp(path, "-") == 0)
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return error_set_sys(err, ERR_NOINPUT, errno, "%s", path);
	if ((flags & FILE_PRIVATE) && strcmp(path, "-") != 0 && folder_check_open(path, err) < 0)
		return -1;
	if (check_kind(fd, path, flags, err) < 0 || read_all(fd, path, limit, &bytes, err) < 0)
		return -1;
	blob_clear(out);
	*out = blob_steal(&bytes);
	return 0;
}

static int
write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Puts the finished file in place; link(2) fails where something already is. */
static int
put_in_place(const char *temporary, const char *path, bool replace)
{
	if (replace)
		return rename(temporary, path);
	if (link(temporary, path) < 0)
		return -1;
	unlink(temporary);
	return 0;
}

/* So that the new name, too, outlives a power cut. Best effort by nature. */
static void
sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	auto_free char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	auto_fd int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0)
		(void)fsync(fd);
}

static int
already_there(const char *path, struct error *err)
{
	error_set_sys(err, ERR_CREATE, EEXIST, "%s", path);
	return error_hint(err, "--overwrite replaces it");
}

/* A pipe, a terminal, /dev/null: nothing that could be replaced. */
static bool
is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int
write_into(const char *path, const void *data, size_t len, struct error *err)
{
	auto_fd int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return error_set_sys(err, ERR_CREATE, errno, "%s", path);
	return write_all(fd, data, len) < 0 ? error_set_sys(err, ERR_IO, errno, "%s", path) : 0;
}

int
file_write(const char *path, const void *data, size_t len, unsigned mode, bool replace,
    struct error *err)
{
	auto_free char *temporary = NULL;
	auto_fd int fd = -1;
	int sys;

	if (strcmp(path, "-") == 0) {
		if (write_all(STDOUT_FILENO, data, len) < 0)
			return error_set_sys(err, ERR_IO, errno, "standard output");
		return 0;
	}
	if (replace && is_special(path))
		return write_into(path, data, len, err);
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
		temporary = NULL;
		return error_memory(err);
	}
	/* mkostemp() creates with 0600, whatever the umask. */
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return error_set_sys(err, ERR_CREATE, errno, "%s", path);
	if (write_all(fd, data, len) < 0 || fchmod(fd, mode) < 0 || fsync(fd) < 0) {
		sys = errno;
		unlink(temporary);
		return error_set_sys(err, ERR_IO, sys, "%s", path);
	}
	if (put_in_place(temporary, path, replace) < 0) {
		sys = errno;
		unlink(temporary);
		return sys == EEXIST ? already_there(path, err) :
		    error_set_sys(err, ERR_CREATE, sys, "%s", path);
	}
	sync_folder_of(path);
	return 0;
}

int
file_check_new(const char *path, bool replace, struct error *err)
{
	if (replace || strcmp(path, "-") == 0 || access(path, F_OK) != 0)
		return 0;
	return already_there(path, err);
}
