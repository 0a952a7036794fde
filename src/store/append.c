/* append: events wait in memory, and go to the disk together */
#include "store/ledger.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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
		"SELECT sequence, hash FROM events ORDER BY sequence DESC LIMIT 1",
		&l->last, err) < 0)
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
		e->monotonic_ms, e->boot, e->run, e->device, e->kind, e->body,
		e->previous, e->hash))
		return write_error(l, err);
	rc = sqlite3_step(l->insert);
	if (rc != SQLITE_DONE)
		write_error(l, err);
	sqlite3_reset(l->insert);
	return rc == SQLITE_DONE ? 0 : -1;
}

/* ---- what waits to be written -------------------------------------------------- */

/* An event with everything but its place in the chain. Texts are its own. */
struct waiting {
	struct event	 event;
	char		*run, *body;
	char		 device[EVENT_TEXT_MAX];
};

static void
waiting_clear(struct waiting *w)
{
	free(w->run);
	free(w->body);
	*w = (struct waiting){ .run = NULL };
}

void
ledgerhandle_forget(struct ledger *l)
{
	size_t i;

	for (i = 0; i < l->n_waiting; i++)
		waiting_clear(&l->waiting[i]);
	free(l->waiting);
	l->waiting = NULL;
	l->n_waiting = l->room = 0;
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

static int
make_room(struct ledger *l, struct error *err)
{
	size_t room = l->room ? 2 * l->room : 8;
	struct waiting *grown;

	if (l->n_waiting < l->room)
		return 0;
	grown = reallocarray(l->waiting, room, sizeof(*grown));
	if (!grown)
		return error_memory(err);
	l->waiting = grown;
	l->room = room;
	return 0;
}

/* Fills *w, which was zero and is the caller's, also on failure. */
static int
fill(struct ledger *l, const struct ledger_entry *entry, struct waiting *w, struct error *err)
{
	struct event *e = &w->event;
	struct timespec now;

	w->run = strdup(entry->run ? entry->run : "");
	w->body = canonical_text(entry->body, err);
	if (!w->body)
		return -1;
	if (!w->run)
		return error_memory(err);
	clock_gettime(CLOCK_REALTIME, &now);
	*e = (struct event){
		.station = l->station, .boot = l->boot, .run = w->run, .body = w->body,
		.kind = event_kind_word(entry->kind), .previous = EVENT_NO_PREVIOUS,
		.wall_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
		.monotonic_ms = now_monotonic_ms(),
	};
	if (entry->device) {
		text_canonical_udid(entry->device, w->device, sizeof(w->device));
		e->device = w->device;
	}
	if (!event_is_sound(e))
		return error_set(err, ERR_USAGE,
		    "this event cannot be recorded: a text is too long, or no single line");
	return 0;
}

int
ledger_add(struct ledger *l, const struct ledger_entry *entry, struct error *err)
{
	struct waiting *w;

	if (l->mode != LEDGER_WRITE || l->owner != getpid() || !l->db)
		return error_set(err, ERR_SOFTWARE, "this ledger was not opened here for writing");
	if (make_room(l, err) < 0)
		return -1;
	w = &l->waiting[l->n_waiting];
	*w = (struct waiting){ .run = NULL };
	if (fill(l, entry, w, err) < 0) {
		waiting_clear(w);
		return -1;
	}
	l->n_waiting++;
	return 0;
}

void
ledger_withdraw(struct ledger *l, enum event_kind kind)
{
	size_t kept = 0, i;

	for (i = 0; i < l->n_waiting; i++) {
		if (strcmp(l->waiting[i].event.kind, event_kind_word(kind)) == 0)
			waiting_clear(&l->waiting[i]);
		else
			l->waiting[kept++] = l->waiting[i];
	}
	l->n_waiting = kept;
}

/* ---- writing it ------------------------------------------------------------------ */

/* The array may have moved since the event was filled in. */
static struct event
event_of(const struct waiting *w)
{
	struct event e = w->event;

	if (e.device)
		e.device = w->device;
	return e;
}

/* SQLite says that it is done also when something in the file had the rows ignored. */
static int
check_kept(struct ledger *l, int64_t last, const char *hash, struct error *err)
{
	char kept[EVENT_HASH_MAX];
	int64_t sequence;

	if (ledgerhandle_last(l, &sequence, kept, err) < 0)
		return -1;
	if (sequence == last && strcmp(kept, hash) == 0)
		return 0;
	error_set(err, ERR_IO, "%s: the ledger did not keep what was written to it", l->path);
	return error_hint(err, "something in the file was added to prevent it: "
	    "chaperone ledger verify");
}

static int
append_within(struct ledger *l, int64_t *sequence, struct error *err)
{
	char previous[EVENT_HASH_MAX], hash[EVENT_HASH_MAX];
	int64_t last = 0;
	size_t i;

	if (ledgerhandle_last(l, &last, previous, err) < 0)
		return -1;
	for (i = 0; i < l->n_waiting; i++) {
		struct event e = event_of(&l->waiting[i]);

		if (last >= EVENT_SEQUENCE_MAX)
			return error_set(err, ERR_IO,
			    "%s: it has no number left for another event", l->path);
		e.sequence = ++last;
		e.previous = previous;
		if (event_hash(&e, hash, err) < 0)
			return -1;
		e.hash = hash;
		if (insert(l, &e, err) < 0)
			return -1;
		memcpy(previous, hash, sizeof(previous));
	}
	*sequence = last;
	return check_kept(l, last, previous, err);
}

/* All or nothing; the write lock is taken before the last event is read. */
static int
append_once(struct ledger *l, int64_t *sequence, struct error *err)
{
	if (sqlite3_exec(l->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return write_error(l, err);
	if (append_within(l, sequence, err) == 0) {
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

/* Another file lies there now, or none: what is written to this one nobody will find. */
static bool
was_taken_away(const struct ledger *l)
{
	struct stat st;

	return stat(l->path, &st) < 0 || st.st_dev != l->device || st.st_ino != l->inode;
}

/* *sequence becomes that of the last event. */
static int
commit(struct ledger *l, int64_t *sequence, struct error *err)
{
	struct error why = { 0 };
	int try;

	if (l->owner != getpid() || !l->db)
		return error_set(err, ERR_SOFTWARE, "this ledger was not opened here for writing");
	for (try = 0; try < APPEND_TRIES; try++) {
		if (was_taken_away(l) && !ledgerhandle_is_closed(l)) {
			error_set(err, ERR_IO,
			    "%s: the ledger was moved or deleted while it was in use", l->path);
			return error_hint(err,
			    "put it back, or start again: then a new one begins");
		}
		if (append_once(l, sequence, &why) == 0) {
			while (l->n_waiting > 0)
				waiting_clear(&l->waiting[--l->n_waiting]);
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

int
ledger_commit(struct ledger *l, struct error *err)
{
	int64_t sequence;

	return l->n_waiting > 0 ? commit(l, &sequence, err) : 0;
}

int
ledger_append(struct ledger *l, const struct ledger_entry *entry, int64_t *sequence,
    struct error *err)
{
	int64_t last = 0;

	if (ledger_add(l, entry, err) < 0)
		return -1;
	if (commit(l, &last, err) < 0) {
		waiting_clear(&l->waiting[--l->n_waiting]);
		return -1;
	}
	if (sequence)
		*sequence = last;
	return 0;
}
