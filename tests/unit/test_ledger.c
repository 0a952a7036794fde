/* ledger: events are chained, kept, filtered, migrated and carried over */
#include "tests/unit/table.h"

#include <jansson.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/error.h"
#include "store/schema.h"
#include "tests/unit/fixture.h"
#include "tests/unit/ledgertest.h"

#define UDID "00008030-001C2D3E4F50002E"

struct seen {
	int64_t	n, last;
	char	previous[EVENT_HASH_MAX];
	char	body[256];
};

static int
see(void *ctx, const struct event *e, struct error *err)
{
	struct seen *s = ctx;
	char hash[EVENT_HASH_MAX];

	assert_int_equal(event_hash(e, hash, err), 0);
	assert_string_equal(hash, e->hash);
	if (s->n)
		assert_string_equal(e->previous, s->previous);
	snprintf(s->previous, sizeof(s->previous), "%s", e->hash);
	snprintf(s->body, sizeof(s->body), "%s", e->body);
	s->last = e->sequence;
	s->n++;
	return 0;
}

static void
the_hash_is_over_documented_bytes(void **state)
{
	/* printf 'chaperone.ledger/1\nbench\n1\n2\n3\nboot\nrun\n\nsent\nprev\n{}\n' | sha256sum */
	static const char want[] =
	    "41b29a7b89350c537c54b7efeddd103b2432ece25d00536563d5c2f262fd3815";
	struct event e = { .station = "bench", .sequence = 1, .wall_ms = 2, .monotonic_ms = 3,
		.boot = "boot", .run = "run", .kind = "sent", .previous = "prev", .body = "{}" };
	char hash[EVENT_HASH_MAX], again[EVENT_HASH_MAX];
	struct error err = { 0 };

	(void)state;
	assert_int_equal(event_hash(&e, hash, &err), 0);
	assert_string_equal(hash, want);
	e.device = "";
	assert_int_equal(event_hash(&e, again, &err), 0);
	assert_string_equal(again, want);
}

static void
nothing_is_written_to_a_file_that_is_gone(void **state)
{
	auto_ledger struct ledger *l = ledgertest_open("ledger.db", LEDGER_WRITE);
	const struct ledger_entry entry = { .kind = EVENT_SENT };
	struct error err = { 0 };
	int64_t sequence = 0;

	(void)state;
	assert_int_equal(ledger_append(l, &entry, &sequence, &err), 0);
	assert_int_equal(rename("ledger.db", "elsewhere.db"), 0);
	assert_int_equal(ledger_append(l, &entry, &sequence, &err), -1);
	assert_int_equal(err.kind, ERR_IO);
	assert_non_null(strstr(err.message, "moved or deleted"));
	assert_int_equal(rename("elsewhere.db", "ledger.db"), 0);
	assert_int_equal(ledger_append(l, &entry, &sequence, &err), 0);
	assert_int_equal(sequence, 2);
}

static void
an_event_that_is_swallowed_was_not_written(void **state)
{
	auto_ledger struct ledger *l = ledgertest_open("ledger.db", LEDGER_WRITE);
	const struct ledger_entry entry = { .kind = EVENT_SENT };
	struct error err = { 0 };
	int64_t sequence = 0;

	(void)state;
	ledgertest_damage("ledger.db", "CREATE TRIGGER sqlitexstat_x BEFORE INSERT ON events"
	    " BEGIN SELECT RAISE(IGNORE); END");
	assert_int_equal(ledger_append(l, &entry, &sequence, &err), -1);
	assert_int_equal(err.kind, ERR_IO);
	assert_non_null(strstr(err.message, "did not keep"));
}

static void
events_are_chained(void **state)
{
	auto_ledger struct ledger *l = ledgertest_open("new/folder/ledger.db", LEDGER_WRITE);
	struct seen s = { 0 };
	struct ledger_head head;
	struct error err = { 0 };
	struct stat st;
	int i;

	(void)state;
	for (i = 0; i < 20; i++)
		ledgertest_add(l, EVENT_SENT, UDID, "b\xC3\xBCro \" \\ \n line");
	assert_int_equal(ledger_each(l, NULL, see, &s, &err), 0);
	assert_int_equal(s.n, 20);
	assert_string_equal(s.body, "{\"note\":\"b\xC3\xBCro \\\" \\\\ \\n line\"}");
	assert_int_equal(ledger_head(l, &head, &err), 0);
	assert_int_equal(head.sequence, 20);
	assert_string_equal(head.hash, s.previous);
	assert_string_equal(head.station, "bench");
	assert_int_equal(stat("new/folder/ledger.db", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat("new/folder/ledger.db-wal", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat("new/folder", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	ledger_close(l);
	l = NULL;
	unlink("new/folder/ledger.db");
	unlink("new/folder/ledger.db.lock");
	rmdir("new/folder");
	rmdir("new");
}

/* What a second connection sees: events on the disk, and a chain that holds. */
static int64_t
on_disk(void)
{
	struct ledgertest_audit a;

	ledgertest_audit("ledger.db", NULL, &a);
	assert_int_equal(a.result.findings, 0);
	return a.result.last;
}

static void
what_waits_is_written_together(void **state)
{
	auto_ledger struct ledger *l = ledgertest_open("ledger.db", LEDGER_WRITE);
	auto_ledger struct ledger *other = ledgertest_open("ledger.db", LEDGER_WRITE);
	const struct ledger_entry sent = { .kind = EVENT_SENT, .device = UDID }, bad = {
		.kind = EVENT_SENT, .run = "two\nlines" }, note = { .kind = EVENT_NOTE };
	struct error err = { 0 };
	struct seen seen = { 0 };
	int64_t sequence = 0;
	int i;

	(void)state;
	assert_int_equal(ledger_commit(l, &err), 0);
	assert_int_equal(on_disk(), 0);
	for (i = 0; i < 20; i++)
		assert_int_equal(ledger_add(l, &sent, &err), 0);
	assert_int_equal(on_disk(), 0);
	/* One that cannot be recorded does not take the others with it. */
	assert_int_equal(ledger_add(l, &bad, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	/* Another process was quicker: what waits gets its place when it is written. */
	ledgertest_add(other, EVENT_OPERATOR, NULL, "in between");
	assert_int_equal(ledger_commit(l, &err), 0);
	assert_int_equal(on_disk(), 21);
	assert_int_equal(ledger_commit(l, &err), 0);
	assert_int_equal(on_disk(), 21);
	/* An append takes along what waits, in its order. */
	assert_int_equal(ledger_add(l, &sent, &err), 0);
	assert_int_equal(ledger_append(l, &sent, &sequence, &err), 0);
	assert_int_equal(sequence, 23);
	assert_int_equal(ledger_each(l, NULL, see, &seen, &err), 0);
	assert_int_equal(seen.n, 23);
	/* What is withdrawn is not written, and what stood between it is. */
	assert_int_equal(ledger_add(l, &sent, &err), 0);
	assert_int_equal(ledger_add(l, &note, &err), 0);
	assert_int_equal(ledger_add(l, &sent, &err), 0);
	ledger_withdraw(l, EVENT_SENT);
	assert_int_equal(ledger_commit(l, &err), 0);
	assert_int_equal(on_disk(), 24);
	/* What was never committed is not there. */
	assert_int_equal(ledger_add(other, &sent, &err), 0);
	ledger_close(steal_pointer(&other));
	assert_int_equal(on_disk(), 24);
}

static void
what_could_not_be_written_waits_on(void **state)
{
	const struct ledger_place place = { .path = "ledger.db", .station = "bench", .busy_ms = 1 };
	const struct ledger_entry sent = { .kind = EVENT_SENT };
	auto_ledger struct ledger *l = NULL;
	struct error err = { 0 };
	sqlite3 *holder;

	(void)state;
	assert_int_equal(ledger_open(&place, LEDGER_WRITE, &l, &err), 0);
	assert_int_equal(sqlite3_open("ledger.db", &holder), SQLITE_OK);
	assert_int_equal(sqlite3_exec(holder, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(ledger_add(l, &sent, &err), 0);
	assert_int_equal(ledger_commit(l, &err), -1);
	assert_int_equal(err.kind, ERR_IO);
	/* An append that fails says so and is over. */
	assert_int_equal(ledger_append(l, &sent, NULL, &err), -1);
	assert_int_equal(sqlite3_exec(holder, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(holder);
	assert_int_equal(ledger_commit(l, &err), 0);
	assert_int_equal(on_disk(), 1);
}

static void
events_cannot_be_changed(void **state)
{
	static const struct {
		const char *name, *sql, *message;
	} rows[] = {
		{ "no UPDATE", "UPDATE events SET body = '{}'", "append-only" },
		{ "no DELETE", "DELETE FROM events WHERE sequence = 5", "append-only" },
		{ "no REPLACE",
		  "INSERT OR REPLACE INTO events SELECT * FROM events WHERE sequence = 5",
		  "not the next" },
		{ "no other station's event",
		  "INSERT INTO events SELECT 6, 'other', 1, 1, 'b', 'r', NULL,"
		  " 'sent', '{}', hash, hash FROM events WHERE sequence = 5", "not the next" },
		{ "no second of the same sequence",
		  "INSERT INTO events SELECT * FROM events"
		  " WHERE sequence = 5", "not the next" },
		{ "no gap",
		  "INSERT INTO events SELECT 9, station, 1, 1, 'b', 'r', NULL, 'sent', '{}',"
		  " hash, hash FROM events WHERE sequence = 5", "not the next" },
		{ "no body that is no JSON",
		  "INSERT INTO events SELECT 6, station, 1, 1, 'b', 'r', NULL,"
		  " 'sent', '{', hash, hash FROM events WHERE sequence = 5", "CHECK" },
		{ "no other head", "UPDATE ledger SET station = 'x'", "append-only" },
		{ "no missing head", "DELETE FROM ledger", "append-only" },
		{ "no second head",
		  "INSERT INTO ledger SELECT 2, station, 0, 1, previous FROM ledger", "CHECK" },
	};
	sqlite3 *db = NULL;
	size_t i;

	(void)state;
	ledgertest_make("ledger.db", 5);
	assert_int_equal(sqlite3_open("ledger.db", &db), SQLITE_OK);
	for (i = 0; i < countof(rows); i++) {
		char *message = NULL;

		row_named(rows[i].name);
		assert_int_equal(sqlite3_exec(db, rows[i].sql, NULL, NULL, &message),
		    SQLITE_CONSTRAINT);
		assert_non_null(strstr(message, rows[i].message));
		sqlite3_free(message);
	}
	sqlite3_close(db);
}

/* What cannot be written stops a change before it is made: always 74. */
static void
what_cannot_be_written_is_an_io_error(void **state)
{
	static const struct {
		const char *name, *path;
		enum ledger_mode mode;
		enum error_kind want;
	} rows[] = {
		{ "a missing file is made", "fresh.db", LEDGER_WRITE, ERR_NONE },
		{ "a missing file cannot be read", "none.db", LEDGER_READ, ERR_NOINPUT },
		{ "a file in a file", "ledger.db/x.db", LEDGER_WRITE, ERR_IO },
		{ "a folder", ".", LEDGER_WRITE, ERR_IO },
		{ "a file that others may write", "loose.db", LEDGER_WRITE, ERR_IO },
		{ "a symbolic link", "link.db", LEDGER_WRITE, ERR_IO },
		{ "a text", "text.db", LEDGER_WRITE, ERR_IO },
		{ "a text cannot be read", "text.db", LEDGER_READ, ERR_DATA },
		{ "another program's database", "other.db", LEDGER_WRITE, ERR_IO },
		{ "another program's database cannot be read", "other.db", LEDGER_READ, ERR_DATA },
		{ "a ledger from the future", "future.db", LEDGER_WRITE, ERR_IO },
		{ "a ledger from the future cannot be read", "future.db", LEDGER_READ, ERR_DATA },
		{ "a device without room", "/dev/full", LEDGER_WRITE, ERR_IO },
	};
	sqlite3 *db = NULL;
	size_t i;

	(void)state;
	ledgertest_make("ledger.db", 3);
	ledgertest_copy("ledger.db", "loose.db");
	assert_int_equal(chmod("loose.db", 0666), 0);
	assert_int_equal(symlink("ledger.db", "link.db"), 0);
	fixture_write("text.db", "It was a dark and stormy night.", 31, 0600);
	assert_int_equal(sqlite3_open("other.db", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (a)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	chmod("other.db", 0600);
	ledgertest_copy("ledger.db", "future.db");
	ledgertest_damage("future.db", "PRAGMA user_version = 99");
	for (i = 0; i < countof(rows); i++) {
		const struct ledger_place place = { .path = rows[i].path };
		auto_ledger struct ledger *l = NULL;
		struct error err = { 0 };

		row_named(rows[i].name);
		assert_int_equal(ledger_open(&place, rows[i].mode, &l, &err),
		    rows[i].want ? -1 : 0);
		assert_int_equal(err.kind, rows[i].want);
	}
}

static void
a_ledger_has_one_station(void **state)
{
	const struct ledger_place other = { .path = "ledger.db", .station = "other" };
	const struct ledger_place odd = { .path = "ledger.db", .station = "a b" };
	const struct ledger_place new = { .path = "new.db" };
	auto_ledger struct ledger *l = NULL;
	struct ledger_head head;
	struct error err = { 0 };

	(void)state;
	ledgertest_make("ledger.db", 1);
	assert_int_equal(ledger_open(&other, LEDGER_WRITE, &l, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_int_equal(ledger_open(&odd, LEDGER_WRITE, &l, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_int_equal(ledger_open(&new, LEDGER_WRITE, &l, &err), 0);
	assert_int_equal(ledger_head(l, &head, &err), 0);
	assert_true(strlen(head.station) > 8);
}

static void
a_forked_child_cannot_append(void **state)
{
	auto_ledger struct ledger *l = ledgertest_open("ledger.db", LEDGER_WRITE);
	const struct ledger_entry entry = { .kind = EVENT_SENT };
	struct error err = { 0 };
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0)
		_exit(ledger_append(l, &entry, NULL, &err) < 0 && err.kind == ERR_SOFTWARE ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(ledger_append(l, &entry, NULL, &err), 0);
}

static void
add_verdict(struct ledger *l, const char *device, const char *serial, const char *verdict,
    const char *policy)
{
	json_t *body = json_pack("{s:{s:s, s:s}, s:s, s:s}", "device", "udid", device, "serial",
	    serial, "verdict", verdict, "policy", policy);
	const struct ledger_entry entry = { EVENT_VERDICT, "R2", device, body };
	struct error err = { 0 };

	assert_int_equal(ledger_append(l, &entry, NULL, &err), 0);
	json_decref(body);
}

static int
count(void *ctx, const struct event *e, struct error *err)
{
	(void)e;
	(void)err;
	++*(int64_t *)ctx;
	return 0;
}

static void
events_are_filtered(void **state)
{
	static const struct {
		const char *name;
		struct ledger_filter f;
		int64_t want;
	} rows[] = {
		{ "nothing asked: everything", { 0 }, 7 },
		{ "by UDID", { .device = UDID }, 5 },
		{ "by UDID without its dash", { .device = "00008030001c2d3e4f50002e" }, 5 },
		{ "by serial number", { .device = "SERIAL2" }, 2 },
		{ "by a serial number nobody has", { .device = "SERIAL9" }, 0 },
		{ "by run", { .run = "RUN" }, 4 },
		{ "by kind", { .kind = "sent" }, 2 },
		{ "by verdict", { .verdict = "blocked" }, 2 },
		{ "by policy", { .policy = "shop" }, 2 },
		{ "by verdict and policy", { .verdict = "blocked", .policy = "shop" }, 1 },
		{ "after a sequence", { .after = 5 }, 2 },
		{ "at most", { .limit = 3 }, 3 },
		{ "since long ago", { .since_ms = 1000 }, 7 },
		{ "until long ago", { .until_ms = 1000 }, 0 },
	};
	auto_ledger struct ledger *l = NULL;
	size_t i;

	(void)state;
	ledgertest_make("ledger.db", 4);
	l = ledgertest_open("ledger.db", LEDGER_WRITE);
	add_verdict(l, UDID, "SERIAL1", "blocked", "shop");
	add_verdict(l, "00008030-000000000000000A", "SERIAL2", "compliant", "shop");
	add_verdict(l, "00008030-000000000000000A", "SERIAL2", "blocked", "school");
	for (i = 0; i < countof(rows); i++) {
		struct error err = { 0 };
		int64_t n = 0;

		row_named(rows[i].name);
		assert_int_equal(ledger_each(l, &rows[i].f, count, &n, &err), 0);
		assert_int_equal(n, rows[i].want);
	}
}

/* ---- migration and rotation ---------------------------------------------------------- */

static void
an_old_file_is_migrated(void **state)
{
	struct ledgertest_audit a;
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;

	(void)state;
	/* As the first version would have left it: its tables, and no view. */
	assert_int_equal(sqlite3_open("old.db", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, schema_versions[0], NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "INSERT INTO ledger VALUES (1, 'bench', 0, 1, '"
	    "0000000000000000000000000000000000000000000000000000000000000000');"
	    "PRAGMA user_version = 1", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	chmod("old.db", 0600);
	ledgertest_audit("old.db", NULL, &a);
	assert_int_equal(a.result.findings, 0);
	ledgertest_make("old.db", 3);
	ledgertest_audit("old.db", NULL, &a);
	assert_int_equal(a.result.findings, 0);
	assert_int_equal(a.result.events, 3);
	assert_int_equal(sqlite3_open("old.db", &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT hash FROM hashed", -1, &s, NULL),
	    SQLITE_OK);
	sqlite3_finalize(s);
	sqlite3_close(db);
}

static void
a_full_file_is_followed_by_the_next(void **state)
{
	auto_free char *moved = NULL;
	struct ledgertest_audit archive, a;
	struct ledger_head head;
	struct audit_known known = { 0 };
	struct error err = { 0 };
	struct ledger *l;

	(void)state;
	ledgertest_make("ledger.db", 4);
	l = ledgertest_open("ledger.db", LEDGER_WRITE);
	assert_int_equal(ledger_rotate(l, "RUN", NULL, &moved, &err), 0);
	assert_string_equal(moved, "ledger-1-5.db");
	ledgertest_make("ledger.db", 2);
	l = ledgertest_open("ledger.db", LEDGER_READ);
	assert_int_equal(ledger_head(l, &head, &err), 0);
	assert_int_equal(head.first, 6);
	assert_int_equal(head.sequence, 7);
	ledger_close(l);
	ledgertest_audit(moved, NULL, &archive);
	assert_int_equal(archive.result.findings, 0);
	assert_int_equal(archive.result.last, 5);
	known.carried = archive.result.hash;
	known.first = 6;
	ledgertest_audit("ledger.db", &known, &a);
	assert_int_equal(a.result.findings, 0);
	known.carried = EVENT_NO_PREVIOUS;
	ledgertest_audit("ledger.db", &known, &a);
	assert_int_equal(a.first.kind, AUDIT_CARRIED);
}

static void
a_rotation_waits_for_nobody(void **state)
{
	const struct ledger_place place = { .path = "ledger.db", .busy_ms = 50 };
	auto_ledger struct ledger *other = ledgertest_open("ledger.db", LEDGER_WRITE);
	struct ledger *l = NULL;
	struct error err = { 0 };

	(void)state;
	ledgertest_add(other, EVENT_SENT, NULL, "still here");
	assert_int_equal(ledger_open(&place, LEDGER_WRITE, &l, &err), 0);
	assert_int_equal(ledger_rotate(l, NULL, NULL, NULL, &err), -1);
	assert_int_equal(err.kind, ERR_UNAVAILABLE);
	ledgertest_add(other, EVENT_SENT, NULL, "and goes on");
}

/* Each state in which a rotation can be cut short: the next open finishes it. */
static void
a_rotation_cut_short_is_finished(void **state)
{
	static const struct {
		const char *name;
		bool has_next, is_next_torn, is_linked, is_gone;
	} rows[] = {
		{ "closed, and nothing else", false, false, false, false },
		{ "the next file half written", true, true, false, false },
		{ "the next file complete", true, false, false, false },
		{ "the archive beside the file", true, false, true, false },
		{ "only the last rename missing", true, false, true, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		struct ledgertest_audit a;
		struct ledger_head head;
		struct error err = { 0 };
		struct ledger *l;

		row_named(rows[i].name);
		unlink("ledger-1-4.db");
		unlink("ledger.db");
		ledgertest_make("ledger.db", 3);
		l = ledgertest_open("ledger.db", LEDGER_WRITE);
		assert_int_equal(ledger_rotate(l, NULL, "ledger-1-4.db", NULL, &err), 0);
		/* Everything is there now; put it back to where it was cut. */
		if (rows[i].has_next)
			ledgertest_copy("ledger.db", "ledger.db.next");
		if (rows[i].is_next_torn)
			assert_int_equal(truncate("ledger.db.next", 5000), 0);
		unlink("ledger.db");
		if (!rows[i].is_gone)
			assert_int_equal(link("ledger-1-4.db", "ledger.db"), 0);
		if (!rows[i].is_linked)
			unlink("ledger-1-4.db");

		ledgertest_make("ledger.db", 1);
		l = ledgertest_open("ledger.db", LEDGER_READ);
		assert_int_equal(ledger_head(l, &head, &err), 0);
		assert_int_equal(head.first, 5);
		assert_int_equal(head.sequence, 5);
		ledger_close(l);
		ledgertest_audit("ledger-1-4.db", NULL, &a);
		assert_int_equal(a.result.findings, 0);
		assert_int_not_equal(access("ledger.db.next", F_OK), 0);
	}
}

#define ledger_test(f)	cmocka_unit_test_setup_teardown(f, fixture_make, fixture_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ledger_test(the_hash_is_over_documented_bytes),
		ledger_test(nothing_is_written_to_a_file_that_is_gone),
		ledger_test(an_event_that_is_swallowed_was_not_written),
		ledger_test(events_are_chained),
		ledger_test(what_waits_is_written_together),
		ledger_test(what_could_not_be_written_waits_on),
		ledger_test(events_cannot_be_changed),
		ledger_test(what_cannot_be_written_is_an_io_error),
		ledger_test(a_ledger_has_one_station),
		ledger_test(a_forked_child_cannot_append),
		ledger_test(events_are_filtered),
		ledger_test(an_old_file_is_migrated),
		ledger_test(a_full_file_is_followed_by_the_next),
		ledger_test(a_rotation_waits_for_nobody),
		ledger_test(a_rotation_cut_short_is_finished),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
