/* central: libpq's conventions translated; the rules are in central.sql */
#include "store/central.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "store/centralschema.h"
#include "store/json.h"
#include "store/pq.h"

struct central {
	PGconn	*db;
};

static void
clean_result(PGresult **r)
{
	pq.clear(*r);
}

static void
clean_conninfo(PQconninfoOption **o)
{
	pq.conninfoFree(*o);
}

#define auto_result	auto_with(clean_result)
#define auto_conninfo	auto_with(clean_conninfo)

/* libpq's text has several lines; the first says it. */
static int
failed(struct central *c, PGresult *r, const char *what, struct error *err)
{
	const char *state = r ? pq.resultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
	const char *text = r && *pq.resultErrorMessage(r) ? pq.resultErrorMessage(r) :
	    pq.errorMessage(c->db);
	char clean[200];
	enum error_kind kind = ERR_UNAVAILABLE;

	text_printable(text, strcspn(text, "\n"), clean, sizeof(clean));
	/* 42501: insufficient privilege; row security reports that too. */
	if (state && strcmp(state, "42501") == 0)
		kind = ERR_PERM;
	else if (state && pq.status(c->db) == CONNECTION_OK)
		kind = ERR_DATA;
	return error_set(err, kind, "%s: %s", what, clean);
}

static PGresult *
query(struct central *c, const char *sql, int n, const char *const *values)
{
	return pq.execParams(c->db, sql, n, NULL, values, NULL, NULL, 0);
}

/* A statement whose rows do not matter. */
static int
run(struct central *c, const char *sql, int n, const char *const *values, struct error *err)
{
	auto_result PGresult *r = n ? query(c, sql, n, values) : pq.exec(c->db, sql);
	ExecStatusType status = pq.resultStatus(r);

	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return 0;
	return failed(c, r, "the database", err);
}

/* ---- opening ---------------------------------------------------------------------- */

static const char *
option(const PQconninfoOption *o, const char *name)
{
	for (; o->keyword; o++)
		if (strcmp(o->keyword, name) == 0)
			return o->val && *o->val ? o->val : NULL;
	return NULL;
}

static int
check_url(const char *url, bool *is_local, bool *has_mode, struct error *err)
{
	static const char *const strong[] = { "require", "verify-ca", "verify-full" };
	char *why = NULL;
	auto_conninfo PQconninfoOption *o = pq.conninfoParse(url, &why);
	const char *host, *mode;
	size_t i;

	if (!o) {
		error_set(err, ERR_USAGE, "%.*s", why ? (int)strcspn(why, "\n") : 0,
		    why ? why : "");
		pq.freemem(why);
		return -1;
	}
	if (option(o, "password")) {
		error_set(err, ERR_USAGE, "a password does not belong on the command line");
		return error_hint(err,
		    "put it into ~/.pgpass (mode 0600), or use a client certificate");
	}
	host = option(o, "host");
	mode = option(o, "sslmode");
	/* Without a host libpq takes PGHOST, which is judged when it is connected. */
	*is_local = host && host[0] == '/' && !strchr(host, ',') && !option(o, "hostaddr");
	*has_mode = mode != NULL;
	for (i = 0; mode && !*is_local && i < countof(strong); i++)
		if (strcmp(mode, strong[i]) == 0)
			return 0;
	if (mode && !*is_local)
		return error_set(err, ERR_USAGE,
		    "sslmode=%s sends the record in the clear; use verify-full", mode);
	return 0;
}

int
central_open(const char *url, struct central **out, struct error *err)
{
	auto_central struct central *c = calloc(1, sizeof(*c));
	const char *keys[] = { "dbname", "connect_timeout", "tcp_user_timeout",
	    "application_name", "options", "sslmode", NULL };
	const char *values[] = { url, "10", "30000", "chaperone",
	    "-c statement_timeout=60000 -c client_min_messages=warning -c synchronous_commit=on",
	    "verify-full", NULL };
	bool is_local = false, has_mode = false;

	if (!c)
		return error_memory(err);
	if (pq_load(err) < 0 || check_url(url, &is_local, &has_mode, err) < 0)
		return -1;
	/* What stands behind url in the list overrides it; a local socket has no TLS. */
	if (is_local || has_mode)
		keys[5] = NULL;
	c->db = pq.connectdbParams(keys, values, 1);
	if (pq.status(c->db) != CONNECTION_OK)
		return failed(c, NULL, "the database cannot be reached", err);
	if (!pq.sslInUse(c->db) && (!pq.host(c->db) || pq.host(c->db)[0] != '/'))
		return error_set(err, ERR_PERM, "the connection to the database is not encrypted");
	*out = steal_pointer(&c);
	return 0;
}

void
central_close(struct central *c)
{
	if (!c)
		return;
	if (c->db)
		pq.finish(c->db);
	free(c);
}

/* ---- setting up --------------------------------------------------------------------- */

int
central_init(struct central *c, struct error *err)
{
	if (run(c, "BEGIN", 0, NULL, err) < 0)
		return -1;
	if (run(c, central_schema, 0, NULL, err) == 0 && run(c, "COMMIT", 0, NULL, err) == 0)
		return 0;
	pq.clear(pq.exec(c->db, "ROLLBACK"));
	return -1;
}

int
central_add_station(struct central *c, const char *station, const char *client,
    const char *login, struct error *err)
{
	const char *who[] = { login, "chaperone_station" }, *row[] = { station, client, login };

	if (run(c, "SELECT chaperone.add_login($1, $2)", 2, who, err) < 0)
		return -1;
	return run(c, "INSERT INTO chaperone.stations (station, client, login) VALUES ($1, $2, $3)"
	    " ON CONFLICT (station) DO UPDATE SET client = $2, login = $3", 3, row, err);
}

int
central_add_reader(struct central *c, const char *client, const char *login, struct error *err)
{
	const char *who[] = { login, "chaperone_reader" }, *row[] = { login, client };

	if (run(c, "SELECT chaperone.add_login($1, $2)", 2, who, err) < 0)
		return -1;
	return run(c, "INSERT INTO chaperone.readers (login, client) VALUES ($1, $2)"
	    " ON CONFLICT DO NOTHING", 2, row, err);
}

/* ---- pushing ------------------------------------------------------------------------- */

/* A hash of ours, by sequence. */
struct wanted {
	char	hash[EVENT_HASH_MAX];
};

static int
take_hash(void *ctx, const struct event *e, struct error *err)
{
	struct wanted *w = ctx;

	(void)err;
	snprintf(w->hash, sizeof(w->hash), "%s", e->hash);
	return 0;
}

static int
sound_alarm(struct central *c, const char *station, const char *sequence, const char *kept,
    const char *offered, struct error *err)
{
	const char *values[] = { station, sequence, kept, offered };
	struct error ignored = { 0 };

	/* Best effort: the database noticed by itself where it could. */
	(void)run(c, "INSERT INTO chaperone.alarms (station, sequence, kept, offered, what)"
	    " VALUES ($1, $2, $3, $4, 'the station does not have what it sent')",
	    4, values, &ignored);
	error_set(err, ERR_DATA, "event %s of station %s is another one in the database: "
	    "the station was cloned, or its ledger rolled back", sequence, station);
	return error_hint(err, "find out which ledger is the true one; "
	    "each station needs an id of its own");
}

static int
begins_later(const struct ledger_head *head, int64_t start, int64_t *lacks, struct error *err)
{
	*lacks = start + 1;
	error_set(err, ERR_DATA, "the database ends at event %lld, this file begins at %lld",
	    (long long)start, (long long)head->first);
	return error_hint(err, "push the archive before it first: ledger push --ledger ARCHIVE");
}

/* Where the database stands, and that it stands on the same chain. */
static int
find_start(struct central *c, struct ledger *l, const struct ledger_head *head, int64_t *start,
    int64_t *lacks, struct error *err)
{
	const char *values[] = { head->station, NULL };
	auto_result PGresult *r = NULL;
	struct wanted ours = { { 0 } };
	struct ledger_filter only = { .limit = 1 };
	char last[24];

	/* After an archive others may follow there; after a file in use nothing can. */
	snprintf(last, sizeof(last), "%lld",
	    (long long)(head->is_closed ? head->sequence : INT64_MAX));
	values[1] = last;
	r = query(c, "SELECT sequence, hash FROM chaperone.chain WHERE station = $1"
	    " AND sequence <= $2::bigint ORDER BY sequence DESC LIMIT 1", 2, values);
	if (pq.resultStatus(r) != PGRES_TUPLES_OK)
		return failed(c, r, "the database", err);
	if (pq.ntuples(r) == 0) {
		*start = head->first - 1;
		return 0;
	}
	*start = strtoll(pq.getvalue(r, 0, 0), NULL, 10);
	only.after = *start - 1;
	if (*start == head->first - 1)
		memcpy(ours.hash, head->carried, sizeof(ours.hash));
	else if (*start >= head->first && ledger_each(l, &only, take_hash, &ours, err) < 0)
		return -1;
	if (*start < head->first - 1)
		return begins_later(head, *start, lacks, err);
	if (*start <= head->sequence && strcmp(ours.hash, pq.getvalue(r, 0, 1)) == 0)
		return 0;
	return sound_alarm(c, head->station, pq.getvalue(r, 0, 0), pq.getvalue(r, 0, 1),
	    ours.hash[0] ? ours.hash : NULL, err);
}

/* What is sent, one event after the other; it has to be the chain. */
struct batch {
	json_t	*rows;
	int64_t	 last;				/* sequence and hash of the event before */
	char	 previous[EVENT_HASH_MAX];	/* "": not known */
};

static int
check_next(const struct batch *b, const struct event *e, struct error *err)
{
	char hash[EVENT_HASH_MAX];

	if (event_hash(e, hash, err) < 0)
		return -1;
	if (e->sequence == b->last + 1 && e->hash && strcmp(hash, e->hash) == 0 &&
	    event_is_sound(e) && (!b->previous[0] || strcmp(e->previous, b->previous) == 0))
		return 0;
	error_set(err, ERR_DATA, "the ledger does not hold at event %lld: nothing more is sent",
	    (long long)b->last + 1);
	return error_hint(err, "chaperone ledger verify names what is wrong with it");
}

static int
add_to_batch(void *ctx, const struct event *e, struct error *err)
{
	struct batch *b = ctx;
	json_t *row;

	if (check_next(b, e, err) < 0)
		return -1;
	b->last = e->sequence;
	memcpy(b->previous, e->hash, sizeof(b->previous));
	row = json_pack("{s:s, s:I, s:I, s:I, s:s, s:s, s:s?, s:s, s:s, s:s, s:s}",
	    "station", e->station, "sequence", (json_int_t)e->sequence,
	    "wall_ms", (json_int_t)e->wall_ms, "monotonic_ms", (json_int_t)e->monotonic_ms,
	    "boot", e->boot, "run", e->run, "device", e->device, "kind", e->kind, "body", e->body,
	    "previous", e->previous, "hash", e->hash);

	return row && json_array_append_new(b->rows, row) == 0 ? 0 : error_memory(err);
}

#define ROWS                                                                  \
	" FROM json_to_recordset($1::json) AS e (station text, sequence bigint, wall_ms bigint," \
	" monotonic_ms bigint, boot text, run text, device text, kind text, body text,"          \
	" previous text, hash text)"

/* One transaction; how many were new there. */
static int
send_batch(struct central *c, const char *json, int64_t *added, struct error *err)
{
	const char *values[] = { json };
	auto_result PGresult *r = NULL;

	if (run(c, "BEGIN", 0, NULL, err) < 0)
		return -1;
	r = query(c, "INSERT INTO chaperone.chain (station, sequence, hash)"
	    " SELECT station, sequence, hash" ROWS " ORDER BY sequence ON CONFLICT DO NOTHING",
	    1, values);
	if (pq.resultStatus(r) != PGRES_COMMAND_OK) {
		failed(c, r, "the database", err);
	} else if (run(c, "INSERT INTO chaperone.events (station, sequence, at, wall_ms,"
		" monotonic_ms, boot, run, device, kind, body, previous, hash)"
		" SELECT station, sequence, to_timestamp(wall_ms / 1000.0), wall_ms,"
		" monotonic_ms, boot, run, device, kind, body, previous, hash" ROWS
		" WHERE EXISTS (SELECT FROM chaperone.chain k WHERE"
		" k.station = e.station AND k.sequence = e.sequence AND k.hash = e.hash)"
		" ON CONFLICT DO NOTHING", 1, values, err) == 0 &&
	    run(c, "COMMIT", 0, NULL, err) == 0) {
		*added = strtoll(pq.cmdTuples(r), NULL, 10);
		return 0;
	}
	pq.clear(pq.exec(c->db, "ROLLBACK"));
	return -1;
}

/* Not all were new: were the others the same? */
static int
check_batch(struct central *c, const char *station, const char *json, struct error *err)
{
	const char *values[] = { json };
	auto_result PGresult *r = query(c, "SELECT e.sequence, k.hash, e.hash" ROWS
	    " JOIN chaperone.chain k USING (station, sequence) WHERE k.hash <> e.hash"
	    " ORDER BY sequence LIMIT 1", 1, values);

	if (pq.resultStatus(r) != PGRES_TUPLES_OK)
		return failed(c, r, "the database", err);
	if (pq.ntuples(r) == 0)
		return 0;
	return sound_alarm(c, station, pq.getvalue(r, 0, 0), pq.getvalue(r, 0, 1),
	    pq.getvalue(r, 0, 2), err);
}

int
central_push(struct central *c, struct ledger *l, struct central_pushed *out, struct error *err)
{
	struct ledger_filter next = { .limit = CENTRAL_BATCH };
	struct batch batch = { .rows = NULL };
	struct ledger_head head;

	*out = (struct central_pushed){ 0 };
	if (ledger_head(l, &head, err) < 0 ||
	    find_start(c, l, &head, &next.after, &out->lacks, err) < 0)
		return -1;
	out->sequence = batch.last = next.after;
	for (;;) {
		auto_json json_t *rows = json_array();
		auto_free char *text = NULL;
		int64_t added = 0, n;

		batch.rows = rows;
		if (!rows || ledger_each(l, &next, add_to_batch, &batch, err) < 0)
			return rows ? -1 : error_memory(err);
		n = (int64_t)json_array_size(rows);
		if (n == 0)
			return 0;
		text = json_dumps(rows, JSON_COMPACT);
		if (!text)
			return error_memory(err);
		if (send_batch(c, text, &added, err) < 0 ||
		    (added < n && check_batch(c, head.station, text, err) < 0))
			return -1;
		out->events += added;
		out->sequence = next.after += n;
	}
}

/* ---- reading --------------------------------------------------------------------------- */

static void
row_to_event(const PGresult *r, struct event *out)
{
	const char *v[11];
	int i;

	for (i = 0; i < 11; i++)
		v[i] = pq.getisnull(r, 0, i) ? NULL : pq.getvalue(r, 0, i);
	*out = (struct event){
		.station = v[0], .sequence = v[1] ? strtoll(v[1], NULL, 10) : 0,
		.wall_ms = v[2] ? strtoll(v[2], NULL, 10) : 0,
		.monotonic_ms = v[3] ? strtoll(v[3], NULL, 10) : 0, .boot = v[4], .run = v[5],
		.device = v[6], .kind = v[7], .body = v[8], .previous = v[9], .hash = v[10],
	};
}

/* Reads what is still to come, so that the connection is of use again. */
static int
each_row(struct central *c, ledger_event_fn *fn, void *ctx, struct error *err)
{
	struct event e;
	PGresult *r;
	int rc = 0;

	while ((r = pq.getResult(c->db))) {
		ExecStatusType status = pq.resultStatus(r);

		if (rc == 0 && status == PGRES_SINGLE_TUPLE) {
			row_to_event(r, &e);
			rc = fn(ctx, &e, err);
		} else if (rc == 0 && status != PGRES_TUPLES_OK) {
			rc = failed(c, r, "the database", err);
		}
		pq.clear(r);
	}
	return rc;
}

int
central_each(struct central *c, const struct ledger_filter *f, ledger_event_fn *fn,
    void *ctx, struct error *err)
{
	char since[24], until[24];
	const char *values[] = { f->kind, f->policy, f->verdict, since, until };

	snprintf(since, sizeof(since), "%lld", (long long)f->since_ms);
	snprintf(until, sizeof(until), "%lld", (long long)(f->until_ms ? f->until_ms : INT64_MAX));
	/* The statement lasts until the last row is taken: years of many stations are a minute. */
	if (run(c, "SET statement_timeout = 0", 0, NULL, err) < 0)
		return -1;
	if (!pq.sendQueryParams(c->db, "SELECT station, sequence, wall_ms, monotonic_ms, boot,"
		" run, device, kind, body, previous, hash FROM chaperone.events"
		" WHERE ($1::text IS NULL OR kind = $1)"
		" AND ($2::text IS NULL OR body::jsonb ->> 'policy' = $2)"
		" AND ($3::text IS NULL OR body::jsonb ->> 'verdict' = $3)"
		" AND wall_ms >= $4::bigint AND wall_ms < $5::bigint"
		" ORDER BY wall_ms, station, sequence",
		5, NULL, values, NULL, NULL, 0) || !pq.setSingleRowMode(c->db))
		return failed(c, NULL, "the database", err);
	return each_row(c, fn, ctx, err);
}
