/* ledgertest: ledgers made, copied, damaged and audited */
#include "tests/unit/table.h"
#include "tests/unit/ledgertest.h"

#include <jansson.h>
#include <sqlite3.h>
#include <string.h>

#include "base/blob.h"
#include "base/error.h"
#include "base/file.h"
#include "tests/unit/fixture.h"

struct ledger *
ledgertest_open(const char *path, enum ledger_mode mode)
{
	const struct ledger_place place = { .path = path,
		.station = mode == LEDGER_WRITE ? "bench" : NULL };
	struct ledger *l = NULL;
	struct error err = { 0 };

	if (ledger_open(&place, mode, &l, &err) < 0)
		fail_msg("%s: %s", path, err.message);
	return l;
}

void
ledgertest_add(struct ledger *l, enum event_kind kind, const char *device, const char *note)
{
	json_t *body = json_pack("{s:s}", "note", note);
	const struct ledger_entry entry = { .kind = kind, .run = "RUN", .device = device,
		.body = body };
	struct error err = { 0 };

	if (ledger_append(l, &entry, NULL, &err) < 0)
		fail_msg("%s", err.message);
	json_decref(body);
}

void
ledgertest_make(const char *path, unsigned n)
{
	auto_ledger struct ledger *l = ledgertest_open(path, LEDGER_WRITE);
	unsigned i;

	for (i = 1; i <= n; i++) {
		char note[32];

		snprintf(note, sizeof(note), "event %u", i);
		ledgertest_add(l, i % 2 ? EVENT_SENT : EVENT_ACKNOWLEDGED,
		    "00008030-001C2D3E4F50002E", note);
	}
}

void
ledgertest_copy(const char *from, const char *to)
{
	auto_blob struct blob bytes = { 0 };

	fixture_read(from, &bytes);
	fixture_write(to, bytes.data, bytes.len, 0600);
}

static void
run(sqlite3 *db, const char *sql)
{
	char *message = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
}

void
ledgertest_damage(const char *path, const char *sql)
{
	auto_blob struct blob triggers = { 0 };
	sqlite3_stmt *s = NULL;
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_prepare_v2(db, "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
	    -1, &s, NULL);
	while (sqlite3_step(s) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(s, 1);

		assert_int_equal(blob_append(&triggers, text, strlen(text)), 0);
		assert_int_equal(blob_append(&triggers, ";\n", 2), 0);
	}
	sqlite3_finalize(s);
	assert_int_equal(blob_append(&triggers, "", 1), 0);
	run(db, "DROP TRIGGER events_are_not_changed; DROP TRIGGER events_are_not_deleted;"
	    "DROP TRIGGER events_follow_one_another; DROP TRIGGER a_closed_ledger_ends;"
	    "DROP TRIGGER the_head_is_not_changed; DROP TRIGGER the_head_is_not_deleted;");
	run(db, sql);
	if (!strstr(sql, "DROP"))
		run(db, (const char *)triggers.data);
	sqlite3_close(db);
}

/* What an attacker writes who knows how hashes are made. */
struct rehash {
	char	hash[EVENT_HASH_MAX];
};

static int
hash_of(void *ctx, const struct event *e, struct error *err)
{
	return event_hash(e, ((struct rehash *)ctx)->hash, err);
}

void
ledgertest_rehash(const char *path, int64_t sequence)
{
	struct ledger_filter only = { .after = sequence - 1, .limit = 1 };
	auto_ledger struct ledger *l = ledgertest_open(path, LEDGER_READ);
	struct rehash r = { { 0 } };
	struct error err = { 0 };
	char sql[256];

	assert_int_equal(ledger_each(l, &only, hash_of, &r, &err), 0);
	ledger_close(l);
	l = NULL;
	snprintf(sql, sizeof(sql), "UPDATE events SET hash = '%s' WHERE sequence = %lld;"
	    "UPDATE events SET previous = '%s' WHERE sequence = %lld + 1",
	    r.hash, (long long)sequence, r.hash, (long long)sequence);
	ledgertest_damage(path, sql);
}

static void
note(void *ctx, const struct audit_finding *f)
{
	struct ledgertest_audit *a = ctx;

	print_message("             found %s: %s\n", audit_kind_word(f->kind), f->text);
	if (!a->first.text[0])
		a->first = *f;
}

void
ledgertest_audit(const char *path, const struct audit_known *known, struct ledgertest_audit *out)
{
	auto_ledger struct ledger *l = ledgertest_open(path, LEDGER_READ);
	struct error err = { 0 };

	memset(out, 0, sizeof(*out));
	if (audit_run(l, known, note, out, &out->result, &err) < 0)
		fail_msg("%s: %s", path, err.message);
}
