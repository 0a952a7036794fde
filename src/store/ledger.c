/* ledger: opening and reading */
#include "store/ledger.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "store/ledgerhandle.h"
#include "store/sql.h"

#define SYSTEM_FOLDER	"/var/lib/chaperone"

enum { DEFAULT_BUSY_MS = 10000, FULL_RUN = 36 };

/* ---- opening -------------------------------------------------------------------- */

/* Root's, and that of the user whose folder it was made: a service. */
static bool
is_system_wide(void)
{
	struct stat st;

	return geteuid() == 0 || (stat(SYSTEM_FOLDER, &st) == 0 && st.st_uid == geteuid());
}

int
ledger_default_path(char **out, struct error *err)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int n;

	if (state && state[0] == '/')
		n = asprintf(&path, "%s/chaperone/ledger.db", state);
	else if (is_system_wide())
		n = asprintf(&path, SYSTEM_FOLDER "/ledger.db");
	else if (home && home[0] == '/')
		n = asprintf(&path, "%s/.local/state/chaperone/ledger.db", home);
	else
		return error_hint((error_set(err, ERR_IO, "there is no place for the ledger"), err),
		    "set HOME or XDG_STATE_HOME, or name one with --ledger FILE");
	if (n < 0)
		return error_memory(err);
	*out = path;
	return 0;
}

static void
read_boot_id(char out[EVENT_TEXT_MAX])
{
	auto_blob struct blob id = { 0 };
	struct error ignored = { 0 };

	memcpy(out, "unknown", sizeof("unknown"));
	if (file_read("/proc/sys/kernel/random/boot_id", 128, FILE_ANY, &id, &ignored) == 0 &&
	    id.len >= 36) {
		memcpy(out, id.data, 36);
		out[36] = '\0';
	}
}

static int
read_identity(struct ledger *l, struct error *err)
{
	auto_statement sqlite3_stmt *s = NULL;

	if (sql_prepare(l->db, "SELECT station, first, previous FROM ledger", &s, err) < 0)
		return -1;
	if (sqlite3_step(s) != SQLITE_ROW || !sql_text(s, 0) || !sql_text(s, 2) ||
	    sql_is_cut(s, 0) || sql_is_cut(s, 2))
		return error_set(err, ERR_DATA, "%s does not say whose ledger it is", l->path);
	snprintf(l->station, sizeof(l->station), "%s", sql_text(s, 0));
	l->first = sqlite3_column_int64(s, 1);
	snprintf(l->carried, sizeof(l->carried), "%s", sql_text(s, 2));
	return 0;
}

static void
close_connection(struct ledger *l)
{
	sqlite3_finalize(steal_pointer(&l->last));
	sqlite3_finalize(steal_pointer(&l->insert));
	sqlite3_close_v2(steal_pointer(&l->db));
}

static int
open_connection(struct ledger *l, const char *station, struct error *err)
{
	struct stat st;
	int rc;

	if (l->mode == LEDGER_READ)
		rc = ledgerfile_open_read(l->path, l->busy_ms, &l->db, err);
	else
		rc = ledgerfile_open_write(l->path, station, l->busy_ms, &l->db, err);
	if (rc < 0 || read_identity(l, err) < 0)
		return -1;
	if (stat(l->path, &st) < 0)
		return error_set_sys(err, ERR_IO, errno, "%s", l->path);
	l->device = st.st_dev;
	l->inode = st.st_ino;
	return 0;
}

int
ledgerhandle_reopen(struct ledger *l, struct error *err)
{
	close_connection(l);
	return open_connection(l, l->station, err);
}

/* A file that ends in EVENT_CLOSED and still lies here: its rotation was cut short. */
static int
finish_rotation(struct ledger *l, struct error *err)
{
	struct ledger *again = calloc(1, sizeof(*again));

	if (!again)
		return error_memory(err);
	*again = *l;
	again->last = again->insert = NULL;
	again->waiting = NULL;
	again->n_waiting = again->room = 0;
	again->path = strdup(l->path);
	l->db = NULL;
	if (!again->path) {
		ledger_close(again);
		return error_memory(err);
	}
	if (ledgerhandle_finish_rotation(again, err) < 0) {
		err->kind = ERR_IO;
		return -1;
	}
	return open_connection(l, l->station, err);
}

int
ledger_open(const struct ledger_place *place, enum ledger_mode mode, struct ledger **out,
    struct error *err)
{
	auto_ledger struct ledger *l = calloc(1, sizeof(*l));
	char fresh[STATION_MAX];

	if (!l)
		return error_memory(err);
	l->mode = mode;
	l->busy_ms = place->busy_ms > 0 ? place->busy_ms : DEFAULT_BUSY_MS;
	l->owner = getpid();
	read_boot_id(l->boot);
	ledgerfile_new_station(fresh);
	if (place->station && !ledgerfile_is_station(place->station))
		return error_set(err, ERR_USAGE,
		    "a station's id is letters, digits, dots and dashes, not %s", place->station);
	if (place->path)
		l->path = strdup(place->path);
	else if (ledger_default_path(&l->path, err) < 0)
		return -1;
	if (!l->path)
		return error_memory(err);
	if (open_connection(l, place->station ? place->station : fresh, err) < 0)
		return -1;
	if (place->station && strcmp(place->station, l->station) != 0)
		return error_set(err, ERR_USAGE, "%s is the ledger of station %s, not of %s",
		    l->path, l->station, place->station);
	if (mode == LEDGER_WRITE && ledgerhandle_is_closed(l) && finish_rotation(l, err) < 0)
		return -1;
	*out = steal_pointer(&l);
	return 0;
}

void
ledger_set_busy(struct ledger *l, int64_t busy_ms)
{
	l->busy_ms = busy_ms;
	sqlite3_busy_timeout(l->db, (int)busy_ms);
}

void
ledger_close(struct ledger *l)
{
	if (!l)
		return;
	/* In a forked child the connection is the parent's: leave it alone. */
	if (l->owner == getpid())
		close_connection(l);
	ledgerhandle_forget(l);
	free(l->path);
	free(l);
}

const char *
ledger_path(const struct ledger *l)
{
	return l->path;
}

/* ---- reading ------------------------------------------------------------------------ */

int
ledger_head(struct ledger *l, struct ledger_head *out, struct error *err)
{
	struct ledger_head head = { .station = l->station, .first = l->first };

	memcpy(head.carried, l->carried, sizeof(head.carried));
	if (ledgerhandle_last(l, &head.sequence, head.hash, err) < 0) {
		if (l->mode == LEDGER_READ && err->kind == ERR_IO)
			err->kind = ERR_DATA;
		return -1;
	}
	head.is_closed = ledgerhandle_is_closed(l);
	*out = head;
	return 0;
}

void
ledgerhandle_event(sqlite3_stmt *s, struct event *out)
{
	int i;

	*out = (struct event){
		.station = sql_text(s, 0), .sequence = sqlite3_column_int64(s, 1),
		.wall_ms = sqlite3_column_int64(s, 2), .monotonic_ms = sqlite3_column_int64(s, 3),
		.boot = sql_text(s, 4), .run = sql_text(s, 5), .device = sql_text(s, 6),
		.kind = sql_text(s, 7), .body = sql_text(s, 8), .previous = sql_text(s, 9),
		.hash = sql_text(s, 10),
	};
	for (i = 0; i <= 10; i++)
		out->is_cut = out->is_cut ||
		    (sqlite3_column_type(s, i) == SQLITE_TEXT && sql_is_cut(s, i));
}

/* A condition that is asked for, and what its ? stands for. */
struct condition {
	const char	*sql;
	const char	*text;
	int64_t		 number;
};

/*
 * Two places for what is wanted: as it is, and as it is under a key. A UDID is
 * told by its form; anything else is looked up in what verdicts say.
 */
static const char *
device_condition(const char *device)
{
	bool is_token = strncmp(device, "hmac:", 5) == 0;

	if (text_is_udid(device) && !is_token)
		return "device IN (?, ?)";
	return "device IN (WITH wanted (name) AS (VALUES (?), (?)) SELECT name FROM wanted UNION"
	    " SELECT e.device FROM events e, wanted WHERE e.kind = 'verdict' AND name IN"
	    " (json_extract(e.body, '$.device.serial'), json_extract(e.body, '$.device.ecid'),"
	    " json_extract(e.body, '$.device.name')))";
}

static int
prepare_each(struct ledger *l, const struct ledger_filter *f, sqlite3_stmt **out,
    struct error *err)
{
	char udid[EVENT_TEXT_MAX] = "";
	const struct condition conditions[] = {
		{ "sequence > ?", NULL, f->after },
		{ f->device ? device_condition(f->device) : NULL, f->device ? udid : NULL, 0 },
		{ f->run && strlen(f->run) < FULL_RUN ? "run LIKE ? || '%'" : "run = ?",
		    f->run, 0 },
		{ "kind = ?", f->kind, 0 },
		{ "kind = 'verdict' AND json_extract(body, '$.verdict') = ?", f->verdict, 0 },
		{ "json_extract(body, '$.policy') = ?", f->policy, 0 },
		{ "wall_ms >= ?", NULL, f->since_ms },
		{ "wall_ms < ?", NULL, f->until_ms },
	};
	char sql[2048] = "SELECT " EVENT_COLUMNS " FROM events WHERE 1";
	size_t used = strlen(sql), i;
	int n = 0;

	if (f->device)
		text_canonical_udid(f->device, udid, sizeof(udid));
	for (i = 0; i < countof(conditions); i++)
		if (conditions[i].text || conditions[i].number)
			used += (size_t)snprintf(sql + used, sizeof(sql) - used, " AND %s",
			    conditions[i].sql);
	snprintf(sql + used, sizeof(sql) - used, " ORDER BY sequence LIMIT %lld",
	    f->limit ? (long long)f->limit : -1LL);
	if (sql_prepare(l->db, sql, out, err) < 0)
		return -1;
	for (i = 0; i < countof(conditions); i++) {
		if (conditions[i].text)
			sqlite3_bind_text(*out, ++n, conditions[i].text, -1, SQLITE_TRANSIENT);
		if (conditions[i].text == udid)
			sqlite3_bind_text(*out, ++n, *f->token ? f->token : udid, -1,
			    SQLITE_TRANSIENT);
		if (!conditions[i].text && conditions[i].number)
			sqlite3_bind_int64(*out, ++n, conditions[i].number);
	}
	return 0;
}

int
ledger_each(struct ledger *l, const struct ledger_filter *filter, ledger_event_fn *fn,
    void *ctx, struct error *err)
{
	static const struct ledger_filter everything;
	auto_statement sqlite3_stmt *s = NULL;
	struct event e;
	int rc;

	if (prepare_each(l, filter ? filter : &everything, &s, err) < 0)
		return -1;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		ledgerhandle_event(s, &e);
		if (fn(ctx, &e, err) < 0)
			return -1;
	}
	if (rc != SQLITE_DONE)
		return sql_error(l->db, ERR_NOINPUT, "the ledger cannot be read", err);
	return 0;
}
