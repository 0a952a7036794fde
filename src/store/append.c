/* append: one event after the other, each on the disk before it is told so */
#include "store/ledger.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/deadline.h"
#include "base/error.h"
#include "base/text.h"
#include "store/ledgerhandle.h"
#include "store/sql.h"

enum { APPEND_TRIES = 3 };

static int
write_error(struct ledger *l, struct error *err)
{
	sql_error(l->db, ERR_IO, "the ledger cannot be written", err);
	return error_context(err, "%s", l->path);
}

int
ledgerhandle_last(struct ledger *l, int64_t *sequence, char previous[EVENT_HASH_MAX],
    struct error *err)
{
	int rc;

	if (!l->last && sql_prepare(l->db,
		"SELECT sequence, hash FROM events ORDER BY sequence DESC LIMIT 1", &l->last, err) < 0)
		return -1;
	rc = sqlite3_step(l->last);
	if (rc == SQLITE_ROW) {
		*sequence = sqlite3_column_int64(l->last, 0);
		snprintf(previous, EVENT_HASH_MAX, "%s", sql_text(l->last, 1));
	} else if (rc == SQLITE_DONE) {
		*sequence = l->first - 1;
		memcpy(previous, l->carried, EVENT_HASH_MAX);
	}
	sqlite3_reset(l->last);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : write_error(l, err);
}

static int
insert(struct ledger *l, const struct event *e, struct error *err)
{
	int rc;

	if (!l->insert && sql_prepare(l->db, "INSERT INTO events (" EVENT_COLUMNS ")"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)", &l->insert, err) < 0)
		return -1;
	if (!sql_bind(l->insert, "tiiittttttt", e->station, e->sequence, e->wall_ms,
		e->monotonic_ms, e->boot, e->run, e->device, e->kind, e->body, e->previous, e->hash))
		return write_error(l, err);
	rc = sqlite3_step(l->insert);
	if (rc != SQLITE_DONE)
		write_error(l, err);
	sqlite3_reset(l->insert);
	return rc == SQLITE_DONE ? 0 : -1;
}

static int
append_within(struct ledger *l, struct event *e, struct error *err)
{
	char previous[EVENT_HASH_MAX], hash[EVENT_HASH_MAX];
	struct timespec now;
	int64_t last = 0;

	if (ledgerhandle_last(l, &last, previous, err) < 0)
		return -1;
	clock_gettime(CLOCK_REALTIME, &now);
	e->sequence = last + 1;
	e->wall_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	e->monotonic_ms = now_monotonic_ms();
	e->previous = previous;
	if (!event_is_sound(e))
		return error_set(err, ERR_USAGE, "this event cannot be recorded: a text is too long, "
		    "or no single line");
	if (event_hash(e, hash, err) < 0)
		return -1;
	e->hash = hash;
	return insert(l, e, err);
}

/* All or nothing; the write lock is taken before the last event is read. */
static int
append_once(struct ledger *l, struct event *e, struct error *err)
{
	if (sqlite3_exec(l->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return write_error(l, err);
	if (append_within(l, e, err) == 0) {
		if (sqlite3_exec(l->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
			return 0;
		write_error(l, err);
	}
	sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

bool
ledgerhandle_is_closed(struct ledger *l)
{
	int64_t closed = 0;
	struct error ignored = { 0 };

	return sql_number(l->db, "SELECT coalesce((SELECT kind FROM events ORDER BY sequence DESC"
	    " LIMIT 1) = 'closed', 0)", &closed, &ignored) == 0 && closed;
}

/* Sorted keys, no blanks: equal bodies are equal bytes. The caller's: free(). */
static char *
canonical_text(const json_t *body, struct error *err)
{
	char *text = body ? json_dumps(body, JSON_SORT_KEYS | JSON_COMPACT) : strdup("{}");

	if (body && !json_is_object(body)) {
		free(text);
		error_set(err, ERR_USAGE, "the body of an event is an object");
		return NULL;
	}
	if (!text)
		error_memory(err);
	return text;
}

int
ledger_append(struct ledger *l, const struct ledger_entry *entry, int64_t *sequence,
    struct error *err)
{
	struct error why = { 0 };
	auto_free char *body = canonical_text(entry->body, err);
	char device[EVENT_TEXT_MAX];
	struct event e = {
		.station = l->station, .boot = l->boot, .run = entry->run ? entry->run : "",
		.kind = event_kind_word(entry->kind), .body = body,
	};
	int try;

	if (!body)
		return -1;
	if (l->mode != LEDGER_WRITE || l->owner != getpid() || !l->db)
		return error_set(err, ERR_SOFTWARE, "this ledger was not opened here for writing");
	if (entry->device) {
		text_canonical_udid(entry->device, device, sizeof(device));
		e.device = device;
	}
	for (try = 0; try < APPEND_TRIES; try++) {
		if (append_once(l, &e, &why) == 0) {
			if (sequence)
				*sequence = e.sequence;
			return 0;
		}
		/* Closed by another process in the meantime: go on in the next file. */
		if (!ledgerhandle_is_closed(l))
			break;
		if (ledgerhandle_reopen(l, &why) < 0)
			break;
	}
	*err = why;
	return -1;
}
