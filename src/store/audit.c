/* audit: one walk along the chain, then the file around it */
#include "store/audit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/text.h"
#include "store/ledgerhandle.h"
#include "store/schema.h"
#include "store/seal.h"
#include "store/sql.h"

enum {
	MISPLACED_WITHIN = 256,		/* how far a swapped row is looked for */
	UNREADABLE_MAX = 1 << 20,	/* damaged rows in a row, then it is given up */
};

/* A walk under way. */
struct audit {
	struct ledger			*l;
	const struct audit_known	*known;
	audit_fn			*tell;
	void				*ctx;
	struct audit_result		*result;
	sqlite3_stmt			*one, *after;
	int64_t				 last;		/* the highest that may be there */
	char				 previous[EVENT_HASH_MAX];
	bool				 is_link_known;	/* previous is what the next must follow */
};

const char *
audit_kind_word(enum audit_kind kind)
{
	static const char *const words[] = {
		"changed", "misplaced", "not-linked", "missing", "cut-off", "unreadable", "foreign",
		"carried", "schema", "damaged", "seal", "timestamp",
	};

	return kind < countof(words) ? words[kind] : NULL;
}

static void
found(struct audit *a, enum audit_kind kind, int64_t first, int64_t last, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

static void
found(struct audit *a, enum audit_kind kind, int64_t first, int64_t last, const char *fmt, ...)
{
	struct audit_finding f = { .kind = kind, .first = first, .last = last };
	char text[sizeof(f.text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_printable(text, strlen(text), f.text, sizeof(f.text));
	a->result->findings++;
	if (a->tell)
		a->tell(a->ctx, &f);
}

/* ---- one event ---------------------------------------------------------------------- */

/* The sequence under which e gives its hash, or 0. */
static int64_t
true_sequence(const struct event *e, struct error *err)
{
	struct event other = *e;
	char hash[EVENT_HASH_MAX];
	int64_t d;

	for (d = -MISPLACED_WITHIN; d <= MISPLACED_WITHIN; d++) {
		other.sequence = e->sequence + d;
		if (event_hash(&other, hash, err) == 0 && strcmp(hash, e->hash) == 0)
			return other.sequence;
	}
	return 0;
}

/* The content against the hash beside it. true: it fits. */
static bool
check_content(struct audit *a, const struct event *e)
{
	struct error err = { 0 };
	char hash[EVENT_HASH_MAX];
	int64_t other;

	if (!e->hash || strlen(e->hash) != EVENT_HASH_MAX - 1 || event_hash(e, hash, &err) < 0) {
		found(a, AUDIT_CHANGED, e->sequence, e->sequence, "event %lld has no hash",
		    (long long)e->sequence);
		return false;
	}
	if (strcmp(hash, e->hash) == 0 && event_is_sound(e))
		return true;
	if (strcmp(hash, e->hash) == 0) {
		found(a, AUDIT_CHANGED, e->sequence, e->sequence,
		    "event %lld (%s) was changed: it holds what is no text, "
		    "beside what gives its hash",
		    (long long)e->sequence, e->kind ? e->kind : "no kind");
		return false;
	}
	other = true_sequence(e, &err);
	if (other)
		found(a, AUDIT_MISPLACED, e->sequence, e->sequence,
		    "event %lld is event %lld, put in its place",
		    (long long)e->sequence, (long long)other);
	else
		found(a, AUDIT_CHANGED, e->sequence, e->sequence,
		    "event %lld (%s) was changed: its content does not give its hash",
		    (long long)e->sequence, e->kind ? e->kind : "no kind");
	return false;
}

static void
check_link(struct audit *a, const struct event *e)
{
	bool is_first = e->sequence == a->l->first;

	if (!a->is_link_known || (e->previous && strcmp(e->previous, a->previous) == 0))
		return;
	if (is_first)
		found(a, AUDIT_NOT_LINKED, e->sequence, e->sequence,
		    "event %lld, the first, does not follow what the file says it continues",
		    (long long)e->sequence);
	else
		found(a, AUDIT_NOT_LINKED, e->sequence - 1, e->sequence,
		    "event %lld follows another event %lld than the one that is there: "
		    "that one was replaced and its hash made anew", (long long)e->sequence,
		    (long long)e->sequence - 1);
}

static void
match_stamps(struct audit *a, const struct seal *s)
{
	size_t i;

	for (i = 0; i < a->known->n_stamps; i++)
		if (memcmp(a->known->stamps[i].digest, s->sha256, sizeof(s->sha256)) == 0)
			a->known->stamps[i].sealed = s->sequence;
}

static void
count_seal(struct audit *a, const struct seal *s)
{
	a->result->seals++;
	if (s->sequence > a->result->sealed)
		a->result->sealed = s->sequence;
	match_stamps(a, s);
}

/* Of an event that this file has, or that its first one follows. */
static void
check_against(struct audit *a, const struct seal *s, const char *where)
{
	auto_statement sqlite3_stmt *row = NULL;
	struct error err = { 0 };
	char at[TEXT_TIME_MAX];

	text_time_utc((struct timespec){ .tv_sec = s->signed_at }, at);
	if (strcmp(s->station, a->l->station) != 0) {
		found(a, AUDIT_SEAL, 0, 0, "%s is for station %s", where, s->station);
		return;
	}
	if (s->sequence == a->l->first - 1 && strcmp(s->hash, a->l->carried) != 0) {
		found(a, AUDIT_SEAL, s->sequence, s->sequence,
		    "%s: the file does not continue the event that was sealed", where);
		return;
	}
	if (s->sequence == a->l->first - 1) {
		count_seal(a, s);
		return;
	}
	if (sql_prepare(a->l->db, "SELECT hash FROM events WHERE sequence = ?1", &row, &err) < 0 ||
	    !sql_bind(row, "i", s->sequence) || sqlite3_step(row) != SQLITE_ROW) {
		found(a, AUDIT_SEAL, s->sequence, s->sequence,
		    "event %lld was sealed at %.19s and is not there any more",
		    (long long)s->sequence, at);
	} else if (!sql_text(row, 0) || strcmp(sql_text(row, 0), s->hash) != 0) {
		found(a, AUDIT_SEAL, s->sequence, s->sequence,
		    "event %lld is not the one that %s sealed at %.19s: it, or one before it, was "
		    "rewritten", (long long)s->sequence, s->signer.organization, at);
	} else {
		count_seal(a, s);
	}
}

static void
check_seal_in(struct audit *a, const struct event *e)
{
	auto_seal struct seal s = { 0 };
	struct error err = { 0 };
	char where[64];
	int rc = seal_of_event(e, a->known->anchors, &s, &err);

	snprintf(where, sizeof(where), "the seal in event %lld", (long long)e->sequence);
	if (rc < 0)
		found(a, AUDIT_SEAL, e->sequence, e->sequence, "%s: %s", where, err.message);
	else if (rc == 0 && s.sequence >= e->sequence)
		found(a, AUDIT_SEAL, e->sequence, e->sequence, "%s is for a later event", where);
	else if (rc == 0 && s.sequence >= a->l->first - 1)
		check_against(a, &s, where);
	/* One of an event before this file an archive shows. */
}

static void
check_event(struct audit *a, const struct event *e)
{
	bool fits = check_content(a, e);
	size_t before = a->result->findings;

	if (!e->station || strcmp(e->station, a->l->station) != 0)
		found(a, AUDIT_FOREIGN, e->sequence, e->sequence,
		    "event %lld is of another station", (long long)e->sequence);
	if (fits)
		check_link(a, e);
	check_seal_in(a, e);
	if (fits && a->result->findings == before)
		a->result->events++;
	/* A changed event keeps its place by its hash; a misplaced one has none. */
	a->is_link_known = fits || (e->previous && strcmp(e->previous, a->previous) == 0);
	snprintf(a->previous, sizeof(a->previous), "%s", e->hash ? e->hash : "");
}

/* ---- the walk ------------------------------------------------------------------------- */

/* 1: there is such an event, 0: none, -1: it cannot be read. */
static int
read_event(struct audit *a, int64_t sequence)
{
	struct event e;
	int rc;

	sqlite3_reset(a->one);
	sql_bind(a->one, "i", sequence);
	rc = sqlite3_step(a->one);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? 0 : -1;
	ledgerhandle_event(a->one, &e);
	/* A damaged overflow page shows only now, as a missing text. */
	if (!e.body && (sqlite3_errcode(a->l->db) & 0xff) == SQLITE_CORRUPT)
		return -1;
	check_event(a, &e);
	if (sequence > a->result->last)
		a->result->last = sequence;
	return 1;
}

/* The next sequence that is there, or last + 1. */
static int64_t
next_after(struct audit *a, int64_t sequence)
{
	int64_t next = a->last + 1;

	sqlite3_reset(a->after);
	sql_bind(a->after, "i", sequence);
	if (sqlite3_step(a->after) == SQLITE_ROW)
		next = sqlite3_column_int64(a->after, 0);
	else if (sqlite3_errcode(a->l->db) != SQLITE_DONE)
		next = sequence + 1;
	sqlite3_reset(a->after);
	return next;
}

static void
tell_gap(struct audit *a, int state, int64_t first, int64_t last)
{
	const char *many = first == last ? "" : "s";
	const char *is = first == last ? "is" : "are";
	char range[64];

	if (first == last)
		snprintf(range, sizeof(range), "%lld", (long long)first);
	else
		snprintf(range, sizeof(range), "%lld to %lld", (long long)first, (long long)last);
	if (state < 0)
		found(a, AUDIT_UNREADABLE, first, last,
		    "event%s %s cannot be read: the file is damaged there", many, range);
	else
		found(a, AUDIT_MISSING, first, last, "event%s %s %s missing", many, range, is);
	a->is_link_known = false;
}

/* From sequence on, what is in the same state: a gap. Returns where it ends. */
static int64_t
skip_gap(struct audit *a, int state, int64_t sequence)
{
	int64_t end = sequence, limit = sequence + UNREADABLE_MAX;

	if (state == 0) {
		end = next_after(a, sequence);
		tell_gap(a, 0, sequence, end - 1);
		return end;
	}
	for (end = sequence + 1; end <= a->last && end < limit; end++) {
		sqlite3_reset(a->one);
		sql_bind(a->one, "i", end);
		if (sqlite3_step(a->one) == SQLITE_ROW && sqlite3_column_text(a->one, 8))
			break;
	}
	tell_gap(a, -1, sequence, end - 1);
	return end < limit ? end : a->last + 1;
}

static int
walk(struct audit *a, struct error *err)
{
	int64_t sequence = a->l->first;

	if (sql_prepare(a->l->db, "SELECT " EVENT_COLUMNS " FROM events WHERE sequence = ?1",
		&a->one, err) < 0 ||
	    sql_prepare(a->l->db, "SELECT sequence FROM events WHERE sequence > ?1"
		" ORDER BY sequence LIMIT 1", &a->after, err) < 0)
		return -1;
	while (sequence <= a->last) {
		int state = read_event(a, sequence);

		if (state > 0)
			sequence++;
		else
			sequence = skip_gap(a, state, sequence);
	}
	return 0;
}

/* How far to look, and whether there once was more. */
static int64_t
find_end(struct audit *a)
{
	struct error ignored = { 0 };
	int64_t last = -1, counter = -1;

	if (sql_number(a->l->db, "SELECT coalesce(max(sequence), 0) FROM events",
		&last, &ignored) < 0)
		last = -1;
	if (sql_number(a->l->db,
		"SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'",
		&counter, &ignored) < 0)
		counter = -1;
	a->last = last >= 0 ? last : counter;
	return counter;
}

/* A number that no ledger reaches would make the walk endless. */
static void
check_end(struct audit *a)
{
	struct error ignored = { 0 };
	int64_t last = 0;

	if (a->last <= EVENT_SEQUENCE_MAX)
		return;
	found(a, AUDIT_FOREIGN, a->last, a->last, "event %lld does not belong in this file: "
	    "no ledger goes so far", (long long)a->last);
	if (sql_number(a->l->db,
		"SELECT coalesce(max(sequence), 0) FROM events WHERE sequence <= 1 << 53",
		&last, &ignored) < 0)
		last = 0;
	a->last = last;
}

/* Rows under sequences that the walk does not come by. */
static void
check_beginning(struct audit *a)
{
	auto_statement sqlite3_stmt *s = NULL;
	struct error ignored = { 0 };

	if (sql_prepare(a->l->db,
		"SELECT min(sequence), max(sequence) FROM events WHERE sequence < ?1",
		&s, &ignored) < 0 ||
	    !sql_bind(s, "i", a->l->first) || sqlite3_step(s) != SQLITE_ROW ||
	    sqlite3_column_type(s, 0) == SQLITE_NULL)
		return;
	found(a, AUDIT_FOREIGN, sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1),
	    "event %lld does not belong in this file, which begins with event %lld",
	    (long long)sqlite3_column_int64(s, 0), (long long)a->l->first);
}

/* ---- the file around it ------------------------------------------------------------------ */

#define SCHEMA_ROWS                                                           \
	"SELECT type, name, sql FROM sqlite_master WHERE NOT (type = 'table' AND"  \
	" name IN ('sqlite_stat1', 'sqlite_stat4')) ORDER BY name"

static bool
same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static void
compare_schemas(struct audit *a, sqlite3_stmt *want, sqlite3_stmt *have)
{
	int w = sqlite3_step(want), h = sqlite3_step(have);

	while (w == SQLITE_ROW || h == SQLITE_ROW) {
		int order = w != SQLITE_ROW ? 1 : h != SQLITE_ROW ? -1 :
		    strcmp(sql_text(want, 1), sql_text(have, 1));

		if (order < 0)
			found(a, AUDIT_SCHEMA, 0, 0, "the %s %s was removed from the file",
			    sql_text(want, 0), sql_text(want, 1));
		else if (order > 0)
			found(a, AUDIT_SCHEMA, 0, 0, "the %s %s does not belong in the file",
			    sql_text(have, 0), sql_text(have, 1));
		else if (!same_text(sql_text(want, 2), sql_text(have, 2)))
			found(a, AUDIT_SCHEMA, 0, 0, "the %s %s is not as it was made",
			    sql_text(have, 0), sql_text(have, 1));
		if (order <= 0)
			w = sqlite3_step(want);
		if (order >= 0)
			h = sqlite3_step(have);
	}
}

/* The schema of a file made just now, beside the schema of this one. */
static int
check_schema(struct audit *a, struct error *err)
{
	auto_sqlite sqlite3 *fresh = NULL;
	auto_statement sqlite3_stmt *want = NULL, *have = NULL;
	int64_t version, v;

	if (sql_number(a->l->db, "PRAGMA user_version", &version, err) < 0)
		return -1;
	if (sqlite3_open(":memory:", &fresh) != SQLITE_OK)
		return sql_error(fresh, ERR_SOFTWARE, "a database in memory", err);
	for (v = 0; v < version; v++)
		if (sql_run(fresh, schema_versions[v], ERR_SOFTWARE, err) < 0)
			return -1;
	if (sql_prepare(fresh, SCHEMA_ROWS, &want, err) < 0 ||
	    sql_prepare(a->l->db, SCHEMA_ROWS, &have, err) < 0)
		return -1;
	compare_schemas(a, want, have);
	return 0;
}

static void
check_structure(struct audit *a)
{
	auto_statement sqlite3_stmt *s = NULL;
	struct error err = { 0 };
	int rc;

	if (sql_prepare(a->l->db, "PRAGMA integrity_check(20)", &s, &err) < 0) {
		found(a, AUDIT_DAMAGED, 0, 0, "%s", err.message);
		return;
	}
	while ((rc = sqlite3_step(s)) == SQLITE_ROW)
		if (!same_text(sql_text(s, 0), "ok"))
			found(a, AUDIT_DAMAGED, 0, 0, "the file is damaged: %s", sql_text(s, 0));
	if (rc != SQLITE_DONE)
		found(a, AUDIT_DAMAGED, 0, 0, "the file is damaged: %s", sqlite3_errmsg(a->l->db));
}

static void
check_carried(struct audit *a)
{
	const struct audit_known *k = a->known;

	if (k->carried && strcmp(k->carried, a->l->carried) != 0)
		found(a, AUDIT_CARRIED, a->l->first, a->l->first,
		    "the file does not continue the one before it");
	if (k->first && k->first != a->l->first)
		found(a, AUDIT_CARRIED, a->l->first, a->l->first,
		    "the file begins with event %lld, not %lld", (long long)a->l->first,
		    (long long)k->first);
}

static void
check_heads(struct audit *a)
{
	size_t i;

	for (i = 0; i < a->known->n_heads; i++) {
		auto_seal struct seal s = { 0 };
		struct error err = { 0 };
		struct audit_head *head = &a->known->heads[i];

		if (head->is_judged)
			continue;
		if (seal_read(head->cms.data, head->cms.len, a->known->anchors, &s, &err) < 0) {
			found(a, AUDIT_SEAL, 0, 0, "the seal given: %s", err.message);
			head->is_judged = true;
			continue;
		}
		head->sequence = s.sequence;
		/* Before this file, or behind it where others follow: it is theirs to show. */
		if (s.sequence < a->l->first - 1 ||
		    (a->known->has_more && s.sequence > a->result->last))
			continue;
		head->is_judged = true;
		check_against(a, &s, "the seal given");
	}
}

int
audit_run(struct ledger *l, const struct audit_known *known, audit_fn *tell, void *ctx,
    struct audit_result *out, struct error *err)
{
	static const struct audit_known nothing;
	struct audit_result result = { .first = l->first, .last = l->first - 1 };
	struct audit a = {
		.l = l, .known = known ? known : &nothing, .tell = tell, .ctx = ctx,
		.result = &result, .is_link_known = true,
	};
	int64_t counter;
	int rc;

	memcpy(a.previous, l->carried, sizeof(a.previous));
	/* One snapshot for the whole walk, whoever writes meanwhile. */
	sqlite3_exec(l->db, "BEGIN", NULL, NULL, NULL);
	check_carried(&a);
	counter = find_end(&a);
	check_end(&a);
	check_beginning(&a);
	rc = walk(&a, err);
	if (rc == 0 && counter >= 0 && result.last >= result.first && counter < result.last)
		found(&a, AUDIT_SCHEMA, 0, 0,
		    "the counter of events stands at %lld and not at %lld: it was set back, "
		    "or taken away", (long long)counter, (long long)result.last);
	if (rc == 0 && counter > a.last)
		found(&a, AUDIT_CUT_OFF, a.last + 1, counter,
		    "the ledger once went on to event %lld; from %lld on it was cut off",
		    (long long)counter, (long long)(a.last >= l->first ? a.last + 1 : l->first));
	if (rc == 0) {
		check_heads(&a);
		rc = check_schema(&a, err);
		check_structure(&a);
	}
	sqlite3_finalize(a.one);
	sqlite3_finalize(a.after);
	sqlite3_exec(l->db, "COMMIT", NULL, NULL, NULL);
	memcpy(result.hash, a.previous, sizeof(result.hash));
	if (rc == 0)
		*out = result;
	return rc;
}
