/* ledgerfile: permissions, pragmas and migrations of a ledger's file */
#include "store/ledgerfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "base/deadline.h"
#include "base/error.h"
#include "store/event.h"
#include "store/schema.h"
#include "store/sql.h"

enum { LOCK_RETRY_MS = 10 };

/* ---- station ids ------------------------------------------------------------------ */

static bool
is_station_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '.' || c == '-' || c == '_';
}

bool
ledgerfile_is_station(const char *id)
{
	size_t n = 0;

	while (n < STATION_MAX && id[n] && is_station_char(id[n]))
		n++;
	return n > 0 && n < STATION_MAX && !id[n];
}

void
ledgerfile_new_station(char out[STATION_MAX])
{
	char host[48] = "";
	uint32_t number = 0;
	size_t i;

	if (gethostname(host, sizeof(host) - 1) < 0 || !host[0])
		memcpy(host, "station", sizeof("station"));
	for (i = 0; host[i]; i++)
		if (!is_station_char(host[i]))
			host[i] = '-';
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = (uint32_t)now_monotonic_ms() ^ (uint32_t)getpid();
	snprintf(out, STATION_MAX, "%s-%08x", host, number);
}

/* ---- the file ----------------------------------------------------------------------- */

char *
ledgerfile_next_path(const char *path)
{
	char *next = NULL;

	return asprintf(&next, "%s.next", path) < 0 ? NULL : next;
}

static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

void
ledgerfile_sync_folder(const char *path)
{
	auto_free char *folder = folder_of(path);
	auto_fd int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0)
		(void)fsync(fd);
}

/* As mkdir -p, what is new being ours alone. */
static int
make_folders(const char *path, struct error *err)
{
	auto_free char *folder = folder_of(path);
	char *p;

	if (!folder)
		return error_memory(err);
	for (p = folder + 1; *folder; p++) {
		char was = *p;

		if (was && was != '/')
			continue;
		*p = '\0';
		if (mkdir(folder, 0700) < 0 && errno != EEXIST && (!was || errno != EROFS))
			return error_set_sys(err, ERR_IO, errno, "the ledger's folder %s", folder);
		*p = was;
		if (!was)
			break;
	}
	return 0;
}

/*
 * SQLite gives its journal and shared memory the mode of the file. Who can
 * write the file can rewrite history: nobody but the owner may. The file is
 * looked at and not opened: closing a descriptor drops every lock that this
 * process has on the file, those of another connection too (fcntl(2)).
 */
static int
check_file(const char *path, struct error *err)
{
	struct stat st;

	if (lstat(path, &st) < 0 && errno == ENOENT)
		return 0;
	if (lstat(path, &st) < 0)
		error_set_sys(err, ERR_IO, errno, "the ledger %s cannot be written", path);
	else if (!S_ISREG(st.st_mode))
		error_set(err, ERR_IO, "the ledger %s is no regular file", path);
	else if (st.st_uid != geteuid() || (st.st_mode & 022))
		error_set(err, ERR_IO,
		    "the ledger %s belongs to, or can be written by, others", path);
	else
		return 0;
	return error_hint(err, "nothing is sent that cannot be recorded; "
	    "name another file with --ledger");
}

static int
make_file(const char *path, struct error *err)
{
	auto_fd int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);

	if (fd < 0 && errno != EEXIST)
		return error_set_sys(err, ERR_IO, errno, "the ledger %s cannot be written", path);
	return check_file(path, err);
}

int
ledgerfile_lock(const char *path, bool is_alone, bool is_reader, int64_t busy_ms, int *fd,
    struct error *err)
{
	struct deadline deadline = deadline_in(busy_ms);
	auto_free char *name = NULL;
	auto_fd int lock = -1;

	if (asprintf(&name, "%s.lock", path) < 0) {
		name = NULL;
		return error_memory(err);
	}
	lock = open(name, (is_reader ? O_RDONLY : O_RDWR | O_CREAT) |
	    O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	if (lock < 0 && is_reader)
		return 0;
	if (lock < 0)
		return error_set_sys(err, ERR_IO, errno, "%s", name);
	while (flock(lock, (is_alone ? LOCK_EX : LOCK_SH) | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK || deadline_passed(deadline))
			return error_set_sys(err,
			    errno == EWOULDBLOCK ? ERR_UNAVAILABLE : ERR_IO, errno,
			    "the ledger %s is being opened or closed by others", path);
		if (deadline_pause(deadline_sooner(deadline, deadline_in(LOCK_RETRY_MS)), err) < 0)
			return -1;
	}
	*fd = steal_fd(&lock);
	return 0;
}

/* A rotation ends by two renames; between them only the new file is missing. */
static int
finish_renaming(const char *path, struct error *err)
{
	auto_free char *next = ledgerfile_next_path(path);

	if (!next)
		return error_memory(err);
	if (access(path, F_OK) == 0 || access(next, F_OK) != 0)
		return 0;
	if (rename(next, path) < 0 && errno != ENOENT)
		return error_set_sys(err, ERR_IO, errno, "%s", next);
	ledgerfile_sync_folder(path);
	return 0;
}

/* ---- the connection --------------------------------------------------------------------- */

static int
connect_file(const char *path, int flags, int64_t busy_ms, enum error_kind kind, sqlite3 **out,
    struct error *err)
{
	auto_sqlite sqlite3 *db = NULL;
	static const char pragmas[] =
	    "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA synchronous = FULL;";

	if (sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_EXRESCODE, NULL) != SQLITE_OK)
		return sql_error(db, kind, path, err);
	sqlite3_busy_timeout(db, (int)busy_ms);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	if (sql_run(db, pragmas, kind, err) < 0)
		return error_context(err, "%s", path);
	*out = steal_pointer(&db);
	return 0;
}

static int
check_version(sqlite3 *db, int64_t *version, struct error *err)
{
	if (sql_number(db, "PRAGMA user_version", version, err) < 0)
		return -1;
	if (*version <= schema_latest)
		return 0;
	error_set(err, ERR_DATA, "the ledger has schema %lld, this program knows up to %d",
	    (long long)*version, schema_latest);
	return error_hint(err, "a newer chaperone wrote it: use that one");
}

static int
set_head(sqlite3 *db, const char *station, int64_t first, const char *previous,
    struct error *err)
{
	auto_statement sqlite3_stmt *s = NULL;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (sql_prepare(db, "INSERT INTO ledger (one, station, created_ms, first, previous)"
		" VALUES (1, ?1, ?2, ?3, ?4)", &s, err) < 0)
		return -1;
	if (!sql_bind(s, "tiit", station, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, first,
		previous) || sqlite3_step(s) != SQLITE_DONE)
		return sql_error(db, ERR_IO, "the ledger cannot be written", err);
	return 0;
}

/* Inside a transaction: the missing versions, and the head of a new file. */
static int
migrate_within(sqlite3 *db, const char *station, int64_t first, const char *previous,
    struct error *err)
{
	char pragma[64];
	int64_t version;

	if (check_version(db, &version, err) < 0)
		return -1;
	if (version == schema_latest)
		return 0;
	if (version == 0) {
		int64_t tables;

		if (sql_number(db, "SELECT count(*) FROM sqlite_master", &tables, err) < 0)
			return -1;
		if (tables)
			return error_set(err, ERR_IO, "this database is no ledger");
	}
	for (int64_t v = version; v < schema_latest; v++) {
		if (sql_run(db, schema_versions[v], ERR_IO, err) < 0)
			return -1;
		if (v == 0 && set_head(db, station, first, previous, err) < 0)
			return -1;
	}
	snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", schema_latest);
	return sql_run(db, pragma, ERR_IO, err);
}

static int
migrate(sqlite3 *db, const char *station, int64_t first, const char *previous,
    struct error *err)
{
	int64_t version;

	if (check_version(db, &version, err) < 0)
		return -1;
	if (version == schema_latest)
		return 0;
	/* Somebody else may be doing the same: the version is read again, alone. */
	if (sql_run(db, "BEGIN IMMEDIATE", ERR_IO, err) < 0)
		return -1;
	if (migrate_within(db, station, first, previous, err) < 0 ||
	    sql_run(db, "COMMIT", ERR_IO, err) < 0) {
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
		return -1;
	}
	return 0;
}

int
ledgerfile_open_write(const char *path, const char *station, int64_t busy_ms, sqlite3 **out,
    struct error *err)
{
	auto_sqlite sqlite3 *db = NULL;
	auto_fd int lock = -1;

	if (make_folders(path, err) < 0 || check_file(path, err) < 0 ||
	    ledgerfile_lock(path, false, false, busy_ms, &lock, err) < 0 ||
	    finish_renaming(path, err) < 0 || make_file(path, err) < 0 ||
	    connect_file(path, SQLITE_OPEN_READWRITE, busy_ms, ERR_IO, &db, err) < 0) {
		err->kind = ERR_IO;
		return -1;
	}
	if (sqlite3_db_readonly(db, "main") == 1)
		return error_set(err, ERR_IO, "the ledger %s is read-only", path);
	if (sql_insist(db, "PRAGMA journal_mode = WAL", busy_ms, err) < 0 ||
	    migrate(db, station, 1, EVENT_NO_PREVIOUS, err) < 0) {
		/* Whatever is wrong with it: it cannot be written. */
		err->kind = ERR_IO;
		return error_context(err, "%s", path);
	}
	*out = steal_pointer(&db);
	return 0;
}

int
ledgerfile_leave_wal(const char *path, int64_t busy_ms, sqlite3 **out, struct error *err)
{
	auto_sqlite sqlite3 *db = NULL;
	int rc;

	if (connect_file(path, SQLITE_OPEN_READWRITE, busy_ms, ERR_IO, &db, err) < 0)
		return -1;
	rc = sql_insist(db, "PRAGMA journal_mode = DELETE", busy_ms, err);
	if (rc < 0 && (sqlite3_errcode(db) & 0xff) == SQLITE_BUSY)
		err->kind = ERR_UNAVAILABLE;
	if (rc < 0)
		return -1;
	/*
	 * What this connection has cached may be older than what others wrote:
	 * leaving WAL mode, SQLite (3.40) asks only whether the first page changed.
	 * Seen as a last event that was put in place of those before it.
	 */
	sqlite3_close_v2(steal_pointer(&db));
	return connect_file(path, SQLITE_OPEN_READWRITE, busy_ms, ERR_IO, out, err);
}

int
ledgerfile_create(const char *path, const char *station, int64_t first, const char *previous,
    struct error *err)
{
	auto_sqlite sqlite3 *db = NULL;

	if (unlink(path) < 0 && errno != ENOENT)
		return error_set_sys(err, ERR_IO, errno, "%s", path);
	if (make_file(path, err) < 0 ||
	    connect_file(path, SQLITE_OPEN_READWRITE, 0, ERR_IO, &db, err) < 0 ||
	    migrate(db, station, first, previous, err) < 0)
		return -1;
	/* A reader of a WAL file keeps its lock between reads, which a rotation sees. */
	return sql_run(db, "PRAGMA journal_mode = WAL", ERR_IO, err);
}

/* ---- reading ------------------------------------------------------------------------------ */

/* A path as the file: URI that SQLite takes options in. */
static char *
immutable_uri(const char *path)
{
	size_t len = strlen(path), i, n;
	char *uri = malloc(3 * len + 32);

	if (!uri)
		return NULL;
	memcpy(uri, "file:", 5);
	n = 5;
	for (i = 0; i < len; i++) {
		if (strchr("%?#", path[i]))
			n += (size_t)snprintf(uri + n, 4, "%%%02x", (unsigned char)path[i]);
		else
			uri[n++] = path[i];
	}
	memcpy(uri + n, "?immutable=1", sizeof("?immutable=1"));
	return uri;
}

/* Whether the file is complete without its journal. */
static bool
has_no_journal(const char *path)
{
	auto_free char *wal = NULL;
	struct stat st;

	if (asprintf(&wal, "%s-wal", path) < 0) {
		wal = NULL;
		return false;
	}
	return stat(wal, &st) < 0 ? errno == ENOENT : st.st_size == 0;
}

static int
check_is_ledger(sqlite3 *db, const char *path, struct error *err)
{
	int64_t version, tables;

	if (check_version(db, &version, err) < 0 ||
	    sql_number(db, "SELECT count(*) FROM sqlite_master WHERE name IN ('events', 'ledger')",
		&tables, err) < 0)
		return error_context(err, "%s", path);
	if (version == 0 || tables != 2)
		return error_set(err, ERR_DATA, "%s is no ledger", path);
	return 0;
}

int
ledgerfile_open_read(const char *path, int64_t busy_ms, sqlite3 **out, struct error *err)
{
	auto_sqlite sqlite3 *db = NULL;
	auto_free char *uri = NULL;
	struct error first = { 0 };
	auto_fd int lock = -1;

	if (ledgerfile_lock(path, false, true, busy_ms, &lock, err) < 0)
		return -1;
	if (access(path, R_OK) < 0) {
		error_set_sys(err, ERR_NOINPUT, errno, "the ledger %s", path);
		return access(path, F_OK) == 0 ? -1 :
		    error_hint(err, "nothing was recorded there yet; "
			"--ledger FILE names another ledger");
	}
	if (connect_file(path, SQLITE_OPEN_READONLY, busy_ms, ERR_NOINPUT, &db, &first) == 0 &&
	    check_is_ledger(db, path, &first) == 0) {
		*out = steal_pointer(&db);
		return 0;
	}
	/* Reading takes shared memory beside the file; a read-only medium has no place for it. */
	if (first.kind != ERR_NOINPUT || !has_no_journal(path)) {
		*err = first;
		return -1;
	}
	sqlite3_close_v2(steal_pointer(&db));
	uri = immutable_uri(path);
	if (!uri)
		return error_memory(err);
	if (connect_file(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, busy_ms, ERR_NOINPUT, &db,
		err) < 0 || check_is_ledger(db, path, err) < 0)
		return -1;
	*out = steal_pointer(&db);
	return 0;
}
