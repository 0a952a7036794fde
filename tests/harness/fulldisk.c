/* fulldisk: a preloaded library that lets one write below a folder fail, or all from it on
 *
 * FULL_DISK: the folder. FULL_DISK_AT: which write is the first to fail, from 1 on; 0: none.
 * FULL_DISK_ONCE: only that one. FULL_DISK_LOG: a file that gets a byte for each write there.
 * A write is whatever takes room: bytes, a longer file, a new name; and a sync that says so late.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define NEXT(name)	((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int
is_there(const char *path)
{
	const char *folder = getenv("FULL_DISK");

	return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int
is_there_fd(int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return 0;
	path[n] = '\0';
	return is_there(path);
}

/* Counts it; whether it fails. */
static int
fails(void)
{
	static long n;
	const char *at = getenv("FULL_DISK_AT"), *log = getenv("FULL_DISK_LOG");
	long first = at ? atol(at) : 0;
	int fd = log ? NEXT(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

	n++;
	if (fd >= 0) {
		(void)!NEXT(write)(fd, ".", 1);
		NEXT(close)(fd);
	}
	if (first == 0 || n < first || (n > first && getenv("FULL_DISK_ONCE")))
		return 0;
	errno = ENOSPC;
	return 1;
}

#define WRITER(type, name, parameters, ...)                                   \
	type name parameters                                                  \
	{                                                                     \
		return is_there_fd(fd) && fails() ? (type)-1 : NEXT(name)(__VA_ARGS__); \
	}

WRITER(ssize_t, write, (int fd, const void *p, size_t n), fd, p, n)
WRITER(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), fd, p, n, at)
WRITER(ssize_t, pwrite64, (int fd, const void *p, size_t n, off64_t at), fd, p, n, at)
WRITER(int, ftruncate, (int fd, off_t n), fd, n)
WRITER(int, ftruncate64, (int fd, off64_t n), fd, n)
WRITER(int, fsync, (int fd), fd)
WRITER(int, fdatasync, (int fd), fd)

/* Only a new name takes room. */
#define OPENER(name)                                                          \
	int name(const char *path, int flags, ...)                            \
	{                                                                     \
		mode_t mode = 0;                                              \
		va_list ap;                                                   \
									      \
		va_start(ap, flags);                                          \
		if (flags & O_CREAT)                                          \
			mode = va_arg(ap, mode_t);                            \
		va_end(ap);                                                   \
		if (flags & O_CREAT && is_there(path) && access(path, F_OK) != 0 && fails()) \
			return -1;                                            \
		return NEXT(name)(path, flags, mode);                         \
	}

OPENER(open)
OPENER(open64)
