/* audit: every kind of edit on a copy of the file is found, and named */
#include "tests/unit/table.h"

#include <jansson.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/error.h"
#include "crypto/identity.h"
#include "store/seal.h"
#include "tests/unit/fixture.h"
#include "tests/unit/ledgertest.h"

static struct identity *ours, *theirs;

static int
sign(void *ctx, const void *content, size_t len, struct blob *out, struct error *err)
{
	return identity_sign(ctx, content, len, false, out, err);
}

static void
seal(const char *path, const struct identity *by, struct blob *cms)
{
	auto_ledger struct ledger *l = ledgertest_open(path, LEDGER_WRITE);
	struct error err = { 0 };

	if (seal_make(l, "RUN", sign, (void *)(uintptr_t)by, cms, &err) < 0)
		fail_msg("%s", err.message);
}

static void
an_untouched_ledger_holds(void **state)
{
	struct ledgertest_audit a;

	(void)state;
	ledgertest_make("ledger.db", 30);
	ledgertest_audit("ledger.db", NULL, &a);
	assert_int_equal(a.result.findings, 0);
	assert_int_equal(a.result.events, 30);
	assert_int_equal(a.result.last, 30);

	row_named("nor is anything wrong with one that goes on from another, and has no event yet");
	{
		struct ledger *l = ledgertest_open("ledger.db", LEDGER_WRITE);
		struct error err = { 0 };

		assert_int_equal(ledger_rotate(l, NULL, "old.db", NULL, &err), 0);
	}
	ledgertest_audit("ledger.db", NULL, &a);
	assert_int_equal(a.result.findings, 0);
}

/* Events 1 to 30 of "bench"; somebody with sqlite3(1) was there. */
static void
every_edit_is_found_and_named(void **state)
{
	static const struct {
		const char *name, *sql;
		enum audit_kind want;
		int64_t first, last;
	} rows[] = {
		{ "a changed body",
		  "UPDATE events SET body = '{\"note\":\"other\"}' WHERE sequence = 7",
		  AUDIT_CHANGED, 7, 7 },
		{ "a blank in a body",
		  "UPDATE events SET body = '{ \"note\":\"event 7\"}' WHERE sequence = 7",
		  AUDIT_CHANGED, 7, 7 },
		{ "a changed time", "UPDATE events SET wall_ms = wall_ms - 1 WHERE sequence = 30",
		  AUDIT_CHANGED, 30, 30 },
		{ "a changed boot time", "UPDATE events SET monotonic_ms = 1 WHERE sequence = 30",
		  AUDIT_CHANGED, 30, 30 },
		{ "a changed kind", "UPDATE events SET kind = 'attach' WHERE sequence = 1",
		  AUDIT_CHANGED, 1, 1 },
		{ "a changed device", "UPDATE events SET device = 'other' WHERE sequence = 2",
		  AUDIT_CHANGED, 2, 2 },
		{ "a device taken away", "UPDATE events SET device = NULL WHERE sequence = 2",
		  AUDIT_CHANGED, 2, 2 },
		{ "a changed run", "UPDATE events SET run = 'other' WHERE sequence = 2",
		  AUDIT_CHANGED, 2, 2 },
		{ "a changed boot id", "UPDATE events SET boot = 'other' WHERE sequence = 2",
		  AUDIT_CHANGED, 2, 2 },
		{ "a changed station", "UPDATE events SET station = 'other' WHERE sequence = 2",
		  AUDIT_CHANGED, 2, 2 },
		{ "a changed hash",
		  "UPDATE events SET hash = replace(hash, 'a', 'b') WHERE sequence = 12",
		  AUDIT_CHANGED, 12, 12 },
		{ "a changed link", "UPDATE events SET previous = replace(previous, 'a', 'b')"
		  " WHERE sequence = 12", AUDIT_CHANGED, 12, 12 },
		{ "text moved from one field into the next",
		  "UPDATE events SET run = 'RU', device = 'N' || device WHERE sequence = 3",
		  AUDIT_CHANGED, 3, 3 },
		{ "a removed event", "DELETE FROM events WHERE sequence = 9", AUDIT_MISSING, 9, 9 },
		{ "five removed events", "DELETE FROM events WHERE sequence BETWEEN 9 AND 13",
		  AUDIT_MISSING, 9, 13 },
		{ "the first one removed", "DELETE FROM events WHERE sequence = 1",
		  AUDIT_MISSING, 1, 1 },
		{ "one removed and the others moved up", "DELETE FROM events WHERE sequence = 9;"
		  "UPDATE events SET sequence = sequence - 1 WHERE sequence > 9",
		  AUDIT_MISPLACED, 9, 9 },
		{ "two swapped", "UPDATE events SET sequence = 99 WHERE sequence = 9;"
		  "UPDATE events SET sequence = 9 WHERE sequence = 10;"
		  "UPDATE events SET sequence = 10 WHERE sequence = 99", AUDIT_MISPLACED, 9, 9 },
		{ "a copy at the end",
		  "INSERT INTO events SELECT 31, station, wall_ms, monotonic_ms, boot,"
		  " run, device, kind, body, previous, hash FROM events WHERE sequence = 30",
		  AUDIT_MISPLACED, 31, 31 },
		{ "the tail cut off", "DELETE FROM events WHERE sequence > 20",
		  AUDIT_CUT_OFF, 21, 30 },
		{ "everything cut off", "DELETE FROM events", AUDIT_CUT_OFF, 1, 30 },
		{ "a head that begins later", "DELETE FROM events WHERE sequence < 5;"
		  "UPDATE ledger SET first = 5", AUDIT_NOT_LINKED, 5, 5 },
		{ "another station on the head", "UPDATE ledger SET station = 'other'",
		  AUDIT_FOREIGN, 1, 1 },
		{ "a guard taken away", "DROP INDEX events_by_run", AUDIT_SCHEMA, 0, 0 },
		{ "a guard made harmless",
		  "CREATE TRIGGER x BEFORE INSERT ON events BEGIN SELECT 1; END",
		  AUDIT_SCHEMA, 0, 0 },
		{ "an event put in between",
		  "UPDATE events SET sequence = -sequence - 1 WHERE sequence > 9;"
		  "UPDATE events SET sequence = -sequence WHERE sequence < 0;"
		  "INSERT INTO events SELECT 10, station, wall_ms, monotonic_ms, boot, run,"
		  " device, kind, '{\"note\":\"new\"}', hash, replace(hash, 'a', 'b')"
		  " FROM events WHERE sequence = 9", AUDIT_CHANGED, 10, 10 },
		{ "an event put at the end",
		  "INSERT INTO events SELECT 31, station, wall_ms, monotonic_ms, boot, run,"
		  " device, kind, '{\"note\":\"new\"}', hash, replace(hash, 'a', 'b')"
		  " FROM events WHERE sequence = 30", AUDIT_CHANGED, 31, 31 },
		{ "an event put before the first",
		  "INSERT INTO events SELECT 0, station, wall_ms, monotonic_ms, boot, run,"
		  " device, kind, body, previous, hash FROM events WHERE sequence = 1;"
		  "UPDATE ledger SET first = 1", AUDIT_FOREIGN, 0, 0 },
		{ "the order of all of them turned round", "UPDATE events SET sequence = -sequence;"
		  "UPDATE events SET sequence = sequence + 31", AUDIT_MISPLACED, 1, 1 },
		{ "a head that follows something else",
		  "UPDATE ledger SET previous = replace(previous, '0', '1')",
		  AUDIT_NOT_LINKED, 1, 1 },
		{ "a head that hides the first", "UPDATE ledger SET first = 2",
		  AUDIT_FOREIGN, 1, 1 },
		{ "the tail cut off, and the counter set back too far",
		  "DELETE FROM events WHERE sequence > 20;"
		  "UPDATE sqlite_sequence SET seq = 10", AUDIT_SCHEMA, 0, 0 },
		{ "the counter taken away", "DELETE FROM sqlite_sequence", AUDIT_SCHEMA, 0, 0 },
		{ "an event without end",
		  "UPDATE events SET body = '{\"n\":\"' || char(10) || '\"}'"
		  " WHERE sequence = 7 AND 0;"
		  " UPDATE events SET body = '{\"n\":7}' WHERE sequence = 7",
		  AUDIT_CHANGED, 7, 7 },
	};
	size_t i;

	(void)state;
	ledgertest_make("ledger.db", 30);
	for (i = 0; i < countof(rows); i++) {
		struct ledgertest_audit a;

		row_named(rows[i].name);
		unlink("copy.db-wal");
		unlink("copy.db-shm");
		ledgertest_copy("ledger.db", "copy.db");
		ledgertest_damage("copy.db", rows[i].sql);
		ledgertest_audit("copy.db", NULL, &a);
		assert_true(a.result.findings > 0);
		assert_int_equal(a.first.kind, rows[i].want);
		assert_int_equal(a.first.first, rows[i].first);
		assert_int_equal(a.first.last, rows[i].last);
	}
}

static void
run_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	sqlite3_close(db);
}

static void
copy_and_run(const char *sql)
{
	row_named(sql);
	unlink("copy.db-wal");
	unlink("copy.db-shm");
	ledgertest_copy("ledger.db", "copy.db");
	run_sql("copy.db", sql);
}

/* Each trigger, index and view in turn is taken away, or put there anew with the same name. */
static void
every_guard_is_missed(void **state)
{
	static const char listed[] =
	    "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
	    " AND type <> 'table' ORDER BY name";
	sqlite3_stmt *s = NULL;
	sqlite3 *db = NULL;
	unsigned guards = 0;

	(void)state;
	ledgertest_make("ledger.db", 10);
	assert_int_equal(sqlite3_open_v2("ledger.db", &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, listed, -1, &s, NULL), SQLITE_OK);
	while (sqlite3_step(s) == SQLITE_ROW) {
		const char *type = (const char *)sqlite3_column_text(s, 0);
		const char *name = (const char *)sqlite3_column_text(s, 1);
		struct ledgertest_audit a;
		char sql[256];

		snprintf(sql, sizeof(sql), "DROP %s %s", type, name);
		copy_and_run(sql);
		ledgertest_audit("copy.db", NULL, &a);
		assert_int_equal(a.result.findings, 1);
		assert_int_equal(a.first.kind, AUDIT_SCHEMA);
		assert_non_null(strstr(a.first.text, name));
		guards++;
		if (strcmp(type, "trigger") != 0)
			continue;
		snprintf(sql, sizeof(sql),
		    "DROP TRIGGER %s; CREATE TRIGGER %s BEFORE UPDATE ON events"
		    " BEGIN SELECT 1; END", name, name);
		copy_and_run(sql);
		ledgertest_audit("copy.db", NULL, &a);
		assert_int_equal(a.first.kind, AUDIT_SCHEMA);
		assert_non_null(strstr(a.first.text, name));
	}
	sqlite3_finalize(s);
	sqlite3_close(db);
	assert_true(guards >= 11);
}

/* What takes care of a file is no edit: nobody is to be alarmed by it. */
static void
care_is_no_edit(void **state)
{
	static const char *const care[] = { "VACUUM", "REINDEX", "ANALYZE",
		"PRAGMA journal_mode = DELETE", "PRAGMA wal_checkpoint(TRUNCATE)",
		"PRAGMA page_size = 8192; PRAGMA journal_mode = DELETE; VACUUM",
		"PRAGMA incremental_vacuum", "PRAGMA optimize" };
	size_t i;

	(void)state;
	ledgertest_make("ledger.db", 40);
	for (i = 0; i < countof(care); i++) {
		struct ledgertest_audit a;
		auto_ledger struct ledger *l = NULL;

		copy_and_run(care[i]);
		ledgertest_audit("copy.db", NULL, &a);
		assert_int_equal(a.result.findings, 0);
		assert_int_equal(a.result.events, 40);
		l = ledgertest_open("copy.db", LEDGER_WRITE);
		ledgertest_add(l, EVENT_SENT, "D", "and it goes on");
	}
}

/* Made by hand, with hashes that fit: only who signed, and for which station, can tell. */
static void
an_edited_seal_is_found(void **state)
{
	struct blob anchors = identity_cert(ours)->der;
	struct audit_known known = { .anchors = &anchors };
	auto_blob struct blob outside = { 0 };
	struct ledgertest_audit a;

	(void)state;
	ledgertest_make("ledger.db", 5);
	seal("ledger.db", ours, &outside);

	row_named("a letter of its signature, hashed anew");
	ledgertest_copy("ledger.db", "copy.db");
	ledgertest_damage("copy.db", "UPDATE events SET body = json_set(body, '$.cms',"
	    " replace(json_extract(body, '$.cms'), 'A', 'B')) WHERE sequence = 6");
	ledgertest_rehash("copy.db", 6);
	ledgertest_audit("copy.db", &known, &a);
	assert_int_equal(a.result.findings, 1);
	assert_int_equal(a.first.kind, AUDIT_SEAL);
	assert_int_equal(a.first.first, 6);

	row_named("taken out, hashed anew: the one that is kept outside is still for event 5");
	ledgertest_copy("ledger.db", "copy.db");
	ledgertest_damage("copy.db", "UPDATE events SET body = '{}' WHERE sequence = 6");
	ledgertest_rehash("copy.db", 6);
	known.heads = &(struct audit_head){ .cms = outside };
	known.n_heads = 1;
	ledgertest_audit("copy.db", &known, &a);
	assert_int_equal(a.result.findings, 0);
	assert_int_equal(a.result.sealed, 5);

	row_named("the station swapped in every event and the head, all hashed anew");
	ledgertest_copy("ledger.db", "copy.db");
	ledgertest_damage("copy.db",
	    "UPDATE events SET station = 'other'; UPDATE ledger SET station = 'other'");
	{
		int64_t i;

		for (i = 1; i <= 6; i++)
			ledgertest_rehash("copy.db", i);
	}
	ledgertest_audit("copy.db", &known, &a);
	assert_int_equal(a.first.kind, AUDIT_SEAL);
	assert_non_null(strstr(a.first.text, "for station"));

	row_named("an older copy of the file put in its place");
	ledgertest_copy("ledger.db", "copy.db");
	ledgertest_make("ledger.db", 5);
	seal("ledger.db", ours, &outside);
	*known.heads = (struct audit_head){ .cms = outside };
	ledgertest_audit("copy.db", &known, &a);
	assert_int_equal(a.first.kind, AUDIT_SEAL);
	assert_int_equal(a.first.first, 11);
	assert_non_null(strstr(a.first.text, "not there any more"));
}

static void
a_replaced_event_is_found_by_the_next(void **state)
{
	struct ledgertest_audit a;
	char sql[128];

	(void)state;
	ledgertest_make("ledger.db", 10);
	snprintf(sql, sizeof(sql), "UPDATE events SET body = '{}' WHERE sequence = 5");
	ledgertest_damage("ledger.db", sql);
	ledgertest_rehash("ledger.db", 5);
	ledgertest_damage("ledger.db", "UPDATE events SET previous = replace(previous, 'a', 'b')"
	    " WHERE sequence = 6 AND 0");
	/* Event 6 now names the new hash, which is not what event 6 was hashed with. */
	ledgertest_audit("ledger.db", NULL, &a);
	assert_int_equal(a.first.kind, AUDIT_CHANGED);
	assert_int_equal(a.first.first, 6);
}

static void
rewrite_from(const char *path, int64_t from, int64_t to)
{
	char sql[128];
	int64_t i;

	snprintf(sql, sizeof(sql), "UPDATE events SET body = '{}' WHERE sequence = %lld",
	    (long long)from);
	ledgertest_damage(path, sql);
	for (i = from; i <= to; i++)
		ledgertest_rehash(path, i);
}

/* Who knows how hashes are made can make a tail anew: only a seal shows that. */
static void
a_tail_hashed_anew_is_found_by_a_seal(void **state)
{
	struct blob anchors = identity_cert(ours)->der;
	auto_blob struct blob outside = { 0 };
	struct audit_known known = { .anchors = &anchors };
	struct ledgertest_audit a;

	(void)state;
	ledgertest_make("ledger.db", 10);
	seal("ledger.db", ours, &outside);
	ledgertest_make("ledger.db", 5);
	ledgertest_audit("ledger.db", &known, &a);
	assert_int_equal(a.result.findings, 0);
	assert_int_equal(a.result.seals, 1);
	assert_int_equal(a.result.sealed, 10);

	row_named("after the last seal it is not found: seal often, and push");
	ledgertest_copy("ledger.db", "copy.db");
	rewrite_from("copy.db", 13, 16);
	ledgertest_audit("copy.db", &known, &a);
	assert_int_equal(a.result.findings, 0);

	row_named("before it, it is");
	ledgertest_copy("ledger.db", "copy.db");
	rewrite_from("copy.db", 4, 16);
	ledgertest_audit("copy.db", &known, &a);
	assert_int_equal(a.result.findings, 1);
	assert_int_equal(a.first.kind, AUDIT_SEAL);
	assert_int_equal(a.first.first, 10);

	row_named("with the seal cut off too, one that was kept outside shows it");
	ledgertest_copy("ledger.db", "copy.db");
	ledgertest_damage("copy.db", "DELETE FROM events WHERE sequence > 10;"
	    "UPDATE sqlite_sequence SET seq = 10");
	rewrite_from("copy.db", 4, 10);
	ledgertest_audit("copy.db", &known, &a);
	assert_int_equal(a.result.findings, 0);
	known.heads = &(struct audit_head){ .cms = outside };
	known.n_heads = 1;
	ledgertest_audit("copy.db", &known, &a);
	assert_int_equal(a.first.kind, AUDIT_SEAL);

	row_named("and likewise that events were cut off");
	ledgertest_copy("ledger.db", "copy.db");
	ledgertest_damage("copy.db", "DELETE FROM events WHERE sequence > 8;"
	    "UPDATE sqlite_sequence SET seq = 8");
	known.heads->is_judged = false;
	ledgertest_audit("copy.db", &known, &a);
	assert_int_equal(a.first.kind, AUDIT_SEAL);
	assert_int_equal(a.first.first, 10);
}

static void
a_seal_counts_only_from_who_may_seal(void **state)
{
	struct blob anchors = identity_cert(ours)->der;
	struct audit_known known = { 0 };
	struct ledgertest_audit a;

	(void)state;
	ledgertest_make("ledger.db", 3);
	seal("ledger.db", theirs, NULL);
	ledgertest_audit("ledger.db", &known, &a);
	assert_int_equal(a.result.findings, 0);
	assert_int_equal(a.result.seals, 1);
	known.anchors = &anchors;
	ledgertest_audit("ledger.db", &known, &a);
	assert_int_equal(a.first.kind, AUDIT_SEAL);
	assert_int_equal(a.first.first, 4);
}

static int
make_identities(void **state)
{
	const struct identity_spec a = { "Acme", 2048, 10 }, b = { "Mallory", 2048, 10 };
	struct error err = { 0 };

	(void)state;
	return identity_create(&a, &ours, &err) || identity_create(&b, &theirs, &err);
}

static int
free_identities(void **state)
{
	(void)state;
	identity_free(ours);
	identity_free(theirs);
	return 0;
}

#define audit_test(f)	cmocka_unit_test_setup_teardown(f, fixture_make, fixture_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		audit_test(an_untouched_ledger_holds),
		audit_test(every_edit_is_found_and_named),
		audit_test(every_guard_is_missed),
		audit_test(care_is_no_edit),
		audit_test(an_edited_seal_is_found),
		audit_test(a_replaced_event_is_found_by_the_next),
		audit_test(a_tail_hashed_anew_is_found_by_a_seal),
		audit_test(a_seal_counts_only_from_who_may_seal),
	};

	return cmocka_run_group_tests_name("audit", tests, make_identities, free_identities);
}
