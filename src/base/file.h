/* file: reading whole files with a limit, writing them whole or not at all */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct blob;
struct error;

enum file_flags {
	FILE_ANY = 0,
	/*
	 * Refuse what group or others can read, and what anybody can exchange: ERR_PERM.
	 * Files in $CREDENTIALS_DIRECTORY itself are systemd's to guard.
	 */
	FILE_PRIVATE = 1,
};

/*
 * Replaces *out by the file's bytes; "-" is standard input. A folder is none:
 * ERR_NOINPUT. Longer than limit: ERR_DATA. Cannot be
 * opened: ERR_NOINPUT (sys says why). The check of FILE_PRIVATE is made on
 * the open descriptor, so that the file cannot be exchanged in between.
 */
int	file_read(const char *path, size_t limit, int flags, struct blob *out,
	    struct error *err);

/*
 * Writes beside path, syncs, and renames over it; on failure path is as it
 * was. With mode 0600 no other user could read it at any moment. "-" is
 * standard output. replace false: an existing file is ERR_CREATE. A pipe or a
 * device such as /dev/null is not replaced: the bytes are written into it.
 */
int	file_write(const char *path, const void *data, size_t len, unsigned mode,
	    bool replace, struct error *err);

/*
 * Before anything is done for its sake: ERR_CREATE, as file_write() would, when
 * path is there and is not to be replaced.
 */
int	file_check_new(const char *path, bool replace, struct error *err);

#endif
