/* sql: SQLite's positive codes into errors, its rows into texts */
#include "store/sql.h"

#include <stdarg.h>
#include <string.h>

#include "base/deadline.h"

enum { RETRY_MS = 20 };

static const char *
hint_for(int code)
{
	switch (code & 0xff) {
	case SQLITE_FULL:
		return "the disk is full: make room, then run it again";
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return "another process holds the ledger; run it again when that has ended";
	case SQLITE_CORRUPT:
		return "chaperone ledger verify names what can still be read; "
		    "keep a copy of the file";
	case SQLITE_NOTADB:
		return "this is no ledger: name another file with --ledger";
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return "check the permissions of the file and its folder, or use --ledger FILE";
	default:
		return NULL;
	}
}

int
sql_error(sqlite3 *db, enum error_kind kind, const char *what, struct error *err)
{
	int code = db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;
	int primary = code & 0xff;

	if (primary == SQLITE_NOMEM)
		return error_memory(err);
	if (kind == ERR_NOINPUT && (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB))
		kind = ERR_DATA;
	error_set(err, kind, "%s: %s", what, sqlite3_errmsg(db));
	err->sys = sqlite3_system_errno(db);
	return error_hint(err, hint_for(code));
}

int
sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **out, struct error *err)
{
	if (sqlite3_prepare_v2(db, text, -1, out, NULL) != SQLITE_OK)
		return sql_error(db, ERR_NOINPUT, "the ledger cannot be read", err);
	return 0;
}

int
sql_run(sqlite3 *db, const char *text, enum error_kind kind, struct error *err)
{
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		return sql_error(db, kind, kind == ERR_IO ? "the ledger cannot be written" :
		    "the ledger cannot be read", err);
	return 0;
}

int
sql_insist(sqlite3 *db, const char *text, int64_t busy_ms, struct error *err)
{
	struct deadline deadline = deadline_in(busy_ms);
	int rc;

	for (;;) {
		rc = sqlite3_exec(db, text, NULL, NULL, NULL);
		if (rc == SQLITE_OK)
			return 0;
		if ((rc & 0xff) != SQLITE_BUSY || deadline_passed(deadline))
			return sql_error(db, ERR_IO, "the ledger cannot be written", err);
		if (deadline_pause(deadline_sooner(deadline, deadline_in(RETRY_MS)), err) < 0)
			return -1;
	}
}

bool
sql_bind(sqlite3_stmt *s, const char *letters, ...)
{
	int rc = SQLITE_OK, i;
	va_list ap;

	va_start(ap, letters);
	for (i = 0; letters[i] && rc == SQLITE_OK; i++) {
		if (letters[i] == 'i')
			rc = sqlite3_bind_int64(s, i + 1, va_arg(ap, int64_t));
		else
			rc = sqlite3_bind_text(s, i + 1, va_arg(ap, const char *), -1,
			    SQLITE_STATIC);
	}
	va_end(ap);
	return rc == SQLITE_OK;
}

const char *
sql_text(sqlite3_stmt *s, int column)
{
	return (const char *)sqlite3_column_text(s, column);
}

bool
sql_is_cut(sqlite3_stmt *s, int column)
{
	const char *text = sql_text(s, column);

	return text && strlen(text) != (size_t)sqlite3_column_bytes(s, column);
}

int
sql_number(sqlite3 *db, const char *text, int64_t *out, struct error *err)
{
	auto_statement sqlite3_stmt *s = NULL;

	if (sql_prepare(db, text, &s, err) < 0)
		return -1;
	if (sqlite3_step(s) != SQLITE_ROW)
		return sql_error(db, ERR_NOINPUT, "the ledger cannot be read", err);
	*out = sqlite3_column_int64(s, 0);
	return 0;
}
