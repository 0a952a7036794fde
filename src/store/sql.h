/* sql: SQLite's conventions translated, for the modules of store/ only */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clean.h"
#include "base/error.h"

static inline void
clean_statement(sqlite3_stmt **s)
{
	sqlite3_finalize(*s);
}

#define auto_statement	auto_with(clean_statement)

/*
 * Sets *err from the connection's last failure; kind is what it means for the
 * caller (ERR_IO where something was to be written). A file that is damaged
 * or no ledger is ERR_DATA when kind is ERR_NOINPUT. Returns -1.
 */
int	sql_error(sqlite3 *db, enum error_kind kind, const char *what, struct error *err);

int	sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **out, struct error *err);
/* Statements without results. */
int	sql_run(sqlite3 *db, const char *text, enum error_kind kind, struct error *err);
/*
 * A change of the journal's mode: SQLite says BUSY at once where its timeout
 * would wait elsewhere, so this waits.
 */
int	sql_insist(sqlite3 *db, const char *text, int64_t busy_ms, struct error *err);
/*
 * Binds from ?1 on, by letters: 'i' int64_t, 't' text or NULL, borrowed until
 * the statement is reset. false when SQLite refuses.
 */
bool	sql_bind(sqlite3_stmt *s, const char *letters, ...);
/* NULL for NULL; lives until the next step. */
const char *sql_text(sqlite3_stmt *s, int column);
/* It holds a NUL: SQLite compares and keeps what lies behind it, C does not see it. */
bool	sql_is_cut(sqlite3_stmt *s, int column);

/* One number. */
int	sql_number(sqlite3 *db, const char *text, int64_t *out, struct error *err);

#endif
