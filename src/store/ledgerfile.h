/* ledgerfile: a ledger's file: where it lies, made, opened and migrated */
#ifndef STORE_LEDGERFILE_H
#define STORE_LEDGERFILE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clean.h"

struct error;

static inline void
clean_sqlite(sqlite3 **db)
{
	sqlite3_close_v2(*db);
}

#define auto_sqlite	auto_with(clean_sqlite)

enum { STATION_MAX = 64 };

/* Letters, digits, dot, dash and underscore; 1 to STATION_MAX - 1 of them. */
bool	ledgerfile_is_station(const char *id);
/* "bench-3fa94c01": the host's name and a random number. */
void	ledgerfile_new_station(char out[STATION_MAX]);

/*
 * Creates a file that continues another: first is the sequence of its first
 * event, previous the hash that it follows. An existing file is replaced.
 */
int	ledgerfile_create(const char *path, const char *station, int64_t first,
	    const char *previous, struct error *err);

/* As ledger_open(); *out is the caller's. is_new: station is given to a new file. */
int	ledgerfile_open_write(const char *path, const char *station, int64_t busy_ms,
	    sqlite3 **out, struct error *err);
int	ledgerfile_open_read(const char *path, int64_t busy_ms, sqlite3 **out, struct error *err);

/*
 * SQLite finds a journal by the file's name, not by the file. Who opened a file
 * just before a rotation gave its name to another, and reads it just after,
 * would take the journal of the new file for that of the old one, and ruin
 * both. So whoever opens holds PATH.lock shared until the connection has its
 * own lock on the file, and a rotation holds it alone. *fd is the caller's:
 * close(2). It stays -1 for a reader where nobody ever wrote.
 */
int	ledgerfile_lock(const char *path, bool is_alone, bool is_reader, int64_t busy_ms, int *fd,
	    struct error *err);

/*
 * Makes it one file that holds everything, and proves that nobody has it open
 * (else ERR_UNAVAILABLE). To be called while it is locked alone, with no
 * connection to it in this process. *out is a new connection.
 */
int	ledgerfile_leave_wal(const char *path, int64_t busy_ms, sqlite3 **out, struct error *err);

/* "ledger.db.next": where a rotation prepares the file to come. */
char	*ledgerfile_next_path(const char *path);
/* Makes renames in the folder of path durable. */
void	ledgerfile_sync_folder(const char *path);

#endif
