/* rotate: closes a file of the ledger and starts the next one */
#include "store/ledger.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "store/ledgerhandle.h"
#include "store/sql.h"

/*
 * Nobody opens the file meanwhile (ledgerfile_lock), nobody has it open
 * (take_alone). The steps, each of which may be the last: (1) the closing event, after which
 * nothing can be appended; (2) PATH.next, complete; (3) PATH becomes the
 * archive; (4) PATH.next becomes PATH. ledger_open() finds out how far it came.
 */

#define ARCHIVE_NAME	"ledger-%lld-%lld.db"

static int
folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (int)(slash - path) + 1 : 0;
}

static char *
archive_path(const struct ledger *l, int64_t last)
{
	char *path = NULL;

	return asprintf(&path, "%.*s" ARCHIVE_NAME, folder_length(l->path), l->path,
	    (long long)l->first, (long long)last) < 0 ? NULL : path;
}

char *
ledger_find_archive(const char *path, int64_t sequence)
{
	auto_free char *folder = NULL;
	char name[64], *found = NULL;
	struct dirent *entry;
	DIR *dir;

	if (asprintf(&folder, "%.*s", folder_length(path), path) < 0) {
		folder = NULL;
		return NULL;
	}
	dir = opendir(*folder ? folder : ".");
	while (dir && !found && (entry = readdir(dir))) {
		long long first, last;

		if (sscanf(entry->d_name, ARCHIVE_NAME, &first, &last) != 2 || sequence < first ||
		    sequence > last)
			continue;
		snprintf(name, sizeof(name), ARCHIVE_NAME, first, last);
		if (strcmp(name, entry->d_name) == 0 && asprintf(&found, "%s%s", folder, name) < 0)
			found = NULL;
	}
	if (dir)
		closedir(dir);
	return found;
}

static int
append_closing(struct ledger *l, const char *run, struct error *err)
{
	json_t *body = json_pack("{s:s}", "action", "rotate");
	const struct ledger_entry entry = { .kind = EVENT_CLOSED, .run = run, .body = body };
	int rc = body ? ledger_append(l, &entry, NULL, err) : error_memory(err);

	json_decref(body);
	return rc;
}

static int
take_alone(struct ledger *l, int *lock, struct error *err)
{
	sqlite3_finalize(steal_pointer(&l->last));
	sqlite3_finalize(steal_pointer(&l->insert));
	sqlite3_close_v2(steal_pointer(&l->db));
	if (ledgerfile_lock(l->path, true, false, l->busy_ms, lock, err) < 0)
		return -1;
	return ledgerfile_leave_wal(l->path, l->busy_ms, &l->db, err);
}

/* Cut short between link and unlink: the archive is there already. */
static bool
is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The very entry of its folder, by whatever path. */
static bool
is_same_entry(const char *a, const char *b)
{
	auto_free char *x = NULL, *y = NULL;
	const char *name_a = a + folder_length(a), *name_b = b + folder_length(b);

	if (asprintf(&x, "%.*s.", folder_length(a), a) < 0)
		x = NULL;
	if (asprintf(&y, "%.*s.", folder_length(b), b) < 0)
		y = NULL;
	if (!x || !y)
		return true;
	return strcmp(name_a, name_b) == 0 && is_same_file(x, y);
}

/* Before the file is closed, after which there is no way back. */
static int
check_archive(const struct ledger *l, const char *archive, struct error *err)
{
	auto_free char *folder = NULL;
	struct stat st, ours;

	if (asprintf(&folder, "%.*s.", folder_length(archive), archive) < 0) {
		folder = NULL;
		return error_memory(err);
	}
	if (is_same_entry(l->path, archive))
		return error_set(err, ERR_USAGE,
		    "%s is the ledger itself: an archive has another name", archive);
	if (stat(folder, &st) < 0)
		return error_set_sys(err, ERR_CREATE, errno, "%s", archive);
	if (stat(l->path, &ours) == 0 && st.st_dev != ours.st_dev)
		return error_set_sys(err, ERR_CREATE, EXDEV, "%s", archive);
	/* Only a link that an earlier, cut short, rotation made may be there. */
	if (lstat(archive, &st) == 0 && (S_ISLNK(st.st_mode) || !is_same_file(l->path, archive)))
		return error_set_sys(err, ERR_CREATE, EEXIST, "%s", archive);
	return 0;
}

static int
move_files(struct ledger *l, const char *next, const char *archive, struct error *err)
{
	/* link(2) and not rename(2): an archive is never overwritten. */
	if (link(l->path, archive) < 0 && !is_same_file(l->path, archive))
		return error_set_sys(err, ERR_CREATE, errno, "%s", archive);
	if (unlink(l->path) < 0)
		return error_set_sys(err, ERR_IO, errno, "%s", l->path);
	if (rename(next, l->path) < 0 && errno != ENOENT)
		return error_set_sys(err, ERR_IO, errno, "%s", next);
	ledgerfile_sync_folder(l->path);
	ledgerfile_sync_folder(archive);
	return 0;
}

/* *lock is let go of only when the connection is closed. */
static int
rotate(struct ledger *l, const char *run, const char *wanted, char **moved, bool may_close,
    int *lock, struct error *err)
{
	auto_free char *archive = NULL, *next = ledgerfile_next_path(l->path);
	struct ledger_head head;

	if (take_alone(l, lock, err) < 0 || ledger_head(l, &head, err) < 0)
		return -1;
	/* Somebody else has finished it while we waited. */
	if (!head.is_closed && !may_close)
		return 0;
	if (wanted && check_archive(l, wanted, err) < 0)
		return -1;
	if (!head.is_closed && (append_closing(l, run, err) < 0 || ledger_head(l, &head, err) < 0))
		return -1;
	archive = wanted ? strdup(wanted) : archive_path(l, head.sequence);
	if (!archive || !next)
		return error_memory(err);
	if (ledgerfile_create(next, l->station, head.sequence + 1, head.hash, err) < 0 ||
	    move_files(l, next, archive, err) < 0)
		return -1;
	if (moved)
		*moved = steal_pointer(&archive);
	return 0;
}

int
ledger_rotate(struct ledger *l, const char *run, const char *archive, char **moved,
    struct error *err)
{
	auto_fd int lock = -1;
	int rc;

	if (l->mode != LEDGER_WRITE)
		rc = error_set(err, ERR_SOFTWARE, "this ledger was not opened for writing");
	else
		rc = rotate(l, run, archive, moved, true, &lock, err);
	ledger_close(l);
	return rc;
}

int
ledgerhandle_finish_rotation(struct ledger *l, struct error *err)
{
	auto_fd int lock = -1;
	int rc = rotate(l, NULL, NULL, NULL, false, &lock, err);

	ledger_close(l);
	return rc;
}
