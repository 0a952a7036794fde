/* folder: who could put another file in the place of one that is relied on */
#include "base/folder.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/error.h"

static const char hint[] = "chmod go-w FOLDER, or take a folder of your own";

/* "a/b" of "a/b/c", "." of "c", "/" of "/c". *out is the caller's: free(). */
static int
folder_of(const char *path, char **out, struct error *err)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	*out = !slash ? strdup(".") : len == 0 ? strdup("/") : strndup(path, len);
	return *out ? 0 : error_memory(err);
}

static int
check_one(const char *folder, struct error *err)
{
	struct stat st;

	if (stat(folder, &st) < 0)
		return error_set_sys(err, ERR_NOINPUT, errno, "%s", folder);
	if (st.st_uid != 0 && st.st_uid != geteuid()) {
		error_set(err, ERR_PERM, "the folder %s belongs to another user", folder);
		return error_hint(err, hint);
	}
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) && !(st.st_mode & S_ISVTX)) {
		error_set(err, ERR_PERM, "others can write to the folder %s (mode %04o)", folder,
		    (unsigned)(st.st_mode & 07777));
		return error_hint(err, hint);
	}
	return 0;
}

int
folder_check(const char *path, struct error *err)
{
	auto_free char *folder = NULL, *real = NULL;
	char *slash;

	if (folder_of(path, &folder, err) < 0)
		return -1;
	real = realpath(folder, NULL);
	if (!real)
		return error_set_sys(err, ERR_NOINPUT, errno, "%s", folder);
	for (;;) {
		if (check_one(*real ? real : "/", err) < 0)
			return -1;
		slash = strrchr(real, '/');
		if (!slash || !*real || strcmp(real, "/") == 0)
			return 0;
		*slash = '\0';
	}
}

static int
check_open(const char *path, const char *named, struct error *err)
{
	auto_free char *folder = NULL;
	struct stat st;

	if (folder_of(path, &folder, err) < 0)
		return -1;
	if (stat(folder, &st) < 0)
		return error_set_sys(err, ERR_NOINPUT, errno, "%s", folder);
	if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX)) {
		error_set(err, ERR_PERM, "anybody can exchange %s: its folder has mode %04o", named,
		    (unsigned)(st.st_mode & 07777));
		return error_hint(err, hint);
	}
	return 0;
}

int
folder_check_open(const char *path, struct error *err)
{
	auto_free char *real = realpath(path, NULL);

	/* A pipe that a shell made has no name of its own, and nobody can exchange it. */
	if (check_open(path, path, err) < 0)
		return -1;
	return real ? check_open(real, path, err) : 0;
}
