/* damage: what a dying disk does to a ledger is found, and named exactly */
#include "tests/unit/table.h"

#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/error.h"
#include "tests/unit/fixture.h"
#include "tests/unit/ledgertest.h"

enum { DAMAGED_EVENTS = 300 };

/* Which events of a damaged copy were named, and which are as they were. */
struct naming {
	bool	named[DAMAGED_EVENTS + 1];
};

static void
note_name(void *ctx, const struct audit_finding *f)
{
	struct naming *n = ctx;
	bool is_row = f->kind == AUDIT_CHANGED || f->kind == AUDIT_MISPLACED ||
	    f->kind == AUDIT_MISSING || f->kind == AUDIT_CUT_OFF || f->kind == AUDIT_UNREADABLE;
	int64_t i;

	for (i = f->first; is_row && i > 0 && i <= f->last && i <= DAMAGED_EVENTS; i++)
		n->named[i] = true;
}

/* What sqlite3(1) would read of an event, or "" where it reads nothing. */
static void
read_text(sqlite3 *db, int64_t sequence, char *out, size_t size)
{
	sqlite3_stmt *s = NULL;
	const unsigned char *text;

	out[0] = '\0';
	if (sqlite3_prepare_v2(db,
	    "SELECT station || sequence || wall_ms || run || coalesce(device, '')"
	    " || kind || body || previous || hash FROM events WHERE sequence = ?1",
	    -1, &s, NULL) != SQLITE_OK)
		return;
	sqlite3_bind_int64(s, 1, sequence);
	if (sqlite3_step(s) == SQLITE_ROW && (text = sqlite3_column_text(s, 0)))
		snprintf(out, size, "%s", (const char *)text);
	sqlite3_finalize(s);
}

/* Named is what is no longer as it was, and nothing else. How many were named. */
static unsigned
assert_named_exactly(const char *whole, const char *copy, const struct naming *n)
{
	sqlite3 *a = NULL, *b = NULL;
	unsigned named = 0;
	int64_t i;

	assert_int_equal(sqlite3_open_v2(whole, &a, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_open_v2(copy, &b, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	for (i = 1; i <= DAMAGED_EVENTS; i++) {
		char was[2048], is[2048];

		read_text(a, i, was, sizeof(was));
		read_text(b, i, is, sizeof(is));
		if (n->named[i] != (strcmp(was, is) != 0))
			fail_msg("event %lld is %s and %snamed", (long long)i,
			    strcmp(was, is) ? "not as it was" : "as it was",
			    n->named[i] ? "" : "not ");
		named += n->named[i];
	}
	sqlite3_close(a);
	sqlite3_close(b);
	return named;
}

/* Each page of a copy in turn is overwritten, as a dying disk would. */
static void
a_damaged_page_is_found(void **state)
{
	enum { PAGE = 4096 };
	auto_blob struct blob whole = { 0 };
	unsigned pages = 0, refused = 0, named = 0, unused = 0, events = 0;
	size_t at;

	(void)state;
	ledgertest_make("ledger.db", DAMAGED_EVENTS);
	fixture_read("ledger.db", &whole);
	for (at = 0; at < whole.len; at += PAGE) {
		struct naming naming = { .named = { false } };
		const struct ledger_place place = { .path = "copy.db" };
		struct audit_result result = { 0 };
		auto_ledger struct ledger *l = NULL;
		auto_blob struct blob copy = { 0 };
		struct error err = { 0 };
		size_t i;

		assert_int_equal(blob_set(&copy, whole.data, whole.len), 0);
		for (i = 0; i < PAGE; i++)
			copy.data[at + i] = (uint8_t)(i * 31 + at / PAGE);
		fixture_write("copy.db", copy.data, copy.len, 0600);
		unlink("copy.db-wal");
		unlink("copy.db-shm");
		pages++;
		if (ledger_open(&place, LEDGER_READ, &l, &err) < 0 ||
		    audit_run(l, NULL, note_name, &naming, &result, &err) < 0) {
			assert_int_equal(err.kind, ERR_DATA);
			refused++;
		} else if (result.findings) {
			named++;
			events += assert_named_exactly("ledger.db", "copy.db", &naming);
		} else {
			unused++;
		}
	}
	print_message("           %u pages: %u found (%u events named, each exactly), "
	    "%u refused as damaged, %u not found\n", pages, named, events, refused, unused);
	/* Each event lies on one page, or goes on on another. */
	assert_true(events >= DAMAGED_EVENTS);
	assert_int_equal(unused, 0);
	assert_true(pages > 20 && named > pages / 2);
}

/* One bit anywhere in what was recorded. */
static void
a_flipped_bit_is_found(void **state)
{
	auto_blob struct blob whole = { 0 };
	unsigned tried = 0, missed = 0;
	size_t at;

	(void)state;
	ledgertest_make("ledger.db", 40);
	fixture_read("ledger.db", &whole);
	for (at = 0; at + 9 < whole.len; at++) {
		const struct ledger_place place = { .path = "copy.db" };
		struct audit_result result = { 0 };
		auto_ledger struct ledger *l = NULL;
		struct error err = { 0 };

		if (memcmp(whole.data + at, "\"event ", 7) != 0)
			continue;
		whole.data[at + 7] ^= 1;
		fixture_write("copy.db", whole.data, whole.len, 0600);
		whole.data[at + 7] ^= 1;
		tried++;
		if (ledger_open(&place, LEDGER_READ, &l, &err) == 0 &&
		    audit_run(l, NULL, NULL, NULL, &result, &err) == 0 && !result.findings)
			missed++;
	}
	assert_true(tried >= 40);
	assert_int_equal(missed, 0);
}

#define damage_test(f)	cmocka_unit_test_setup_teardown(f, fixture_make, fixture_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		damage_test(a_damaged_page_is_found),
		damage_test(a_flipped_bit_is_found),
	};

	return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
