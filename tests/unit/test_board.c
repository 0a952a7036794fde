/* board: what people see after what has happened, in a table of stories */
#include "tests/unit/table.h"

#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "core/verdict.h"
#include "station/board.h"
#include "station/slots.h"
#include "store/json.h"

static void
clean_board(struct board **b)
{
	board_free(*b);
}

static json_t *
result_of(const char *name)
{
	return json_pack("{s:{s:s, s:s, s:s}, s:s}", "device", "class", "iPad", "name", name, "os",
	    "18.1", "policy", "plain");
}

static void
a_result_has_its_word_and_colour(void **state)
{
	static const struct {
		const char *name;
		enum reason reason;
		enum schedule_next next;
		enum tile_state state;
		const char *word, *detail;
	} rows[] = {
		{ "compliant", REASON_NONE, NEXT_FINAL,
		    TILE_READY, "ready to unplug", "" },
		{ "locked", REASON_LOCKED, NEXT_PERSON,
		    TILE_PERSON, "needs you", "unlock the iPad" },
		{ "the Trust box", REASON_TRUST_PENDING, NEXT_PERSON,
		    TILE_PERSON, "needs you", "tap Trust on the iPad" },
		{ "no policy", REASON_NO_POLICY, NEXT_FINAL,
		    TILE_PERSON, "left alone", "no policy is for this iPad" },
		{ "a refusal", REASON_REFUSED, NEXT_FINAL,
		    TILE_FAILED, "failed", "the iPad refused" },
		{ "missing all the same", REASON_PROFILE_MISSING, NEXT_FINAL,
		    TILE_FAILED, "not as it should be", "a profile is missing" },
		{ "tried again", REASON_TIMEOUT, NEXT_RETRY,
		    TILE_WORKING, "trying again", "no answer: plug it in again" },
		{ "not on record", REASON_UNRECORDED, NEXT_FINAL,
		    TILE_FAILED, "failed", "the record cannot be written" },
	};
	size_t i, n;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_with(clean_board) struct board *b = NULL;
		auto_json json_t *result = result_of("Reception");
		struct error err = { 0 };
		const struct tile *t;

		row_named(rows[i].name);
		assert_int_equal(board_new("here", NULL, 0, &b, &err), 0);
		assert_int_equal(board_attached(b, "u1", NULL, 1000, &err), 0);
		board_started(b, "u1", 2000);
		board_result(b, "u1", result, rows[i].reason, rows[i].next, 3000);
		t = board_tiles(b, &n);
		assert_int_equal(n, 1);
		assert_int_equal(t->state, rows[i].state);
		assert_string_equal(t->word, rows[i].word);
		assert_string_equal(t->detail, rows[i].detail);
		assert_int_equal(t->since_ms, 3000);
	}
}

/* An office that sees it must not look for a policy that is missing. */
static void
rivals_are_not_a_lack(void **state)
{
	static const struct {
		const char *name, *message, *detail;
	} rows[] = {
		{ "none at all", NULL, "no policy is for this iPad" },
		{ "none, in the usual words", "", "no policy is for this iPad" },
		{ "two",
		    "the policies one and two are both for this device, "
		    "and neither is more specific",
		    "two policies are for this iPad" },
	};
	size_t i, n;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_with(clean_board) struct board *b = NULL;
		auto_json json_t *result = result_of("x");
		const char *message = rows[i].message;
		struct error err = { 0 };

		row_named(rows[i].name);
		if (message)
			json_object_set_new(result, "error", json_pack("{s:s}", "message",
			    *message ? message : reason_message(REASON_NO_POLICY)));
		assert_int_equal(board_new("here", NULL, 0, &b, &err), 0);
		assert_int_equal(board_attached(b, "u1", NULL, 0, &err), 0);
		board_result(b, "u1", result, REASON_NO_POLICY, NEXT_FINAL, 0);
		assert_string_equal(board_tiles(b, &n)->detail, rows[i].detail);
	}
}

/* Every reason has words for somebody who knows nothing of profiles. */
static void
every_reason_has_words(void **state)
{
	size_t n;
	int r;

	(void)state;
	for (r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		auto_with(clean_board) struct board *b = NULL;
		auto_json json_t *result = result_of("x");
		struct error err = { 0 };
		const struct tile *t;

		row_named(reason_word((enum reason)r));
		assert_int_equal(board_new("here", NULL, 0, &b, &err), 0);
		assert_int_equal(board_attached(b, "u1", NULL, 0, &err), 0);
		board_result(b, "u1", result, (enum reason)r, NEXT_FINAL, 0);
		t = board_tiles(b, &n);
		assert_true(strlen(t->detail) > 5);
		assert_null(strchr(t->detail, '@'));
		assert_true(t->state == TILE_PERSON || t->state == TILE_FAILED);
	}
}

static void
slots_stay_and_devices_go(void **state)
{
	auto_slots struct slots slots = { 0 };
	auto_with(clean_board) struct board *b = NULL;
	auto_json json_t *result = result_of("Kiosk");
	struct error err = { 0 };
	const struct tile *t;
	size_t n;

	(void)state;
	assert_int_equal(slots_add(&slots, "7", "1-4", &err), 0);
	assert_int_equal(board_new("here", &slots, 0, &b, &err), 0);
	t = board_tiles(b, &n);
	assert_int_equal(n, 1);
	assert_int_equal(t->state, TILE_EMPTY);
	assert_int_equal(board_attached(b, "u1", "7", 0, &err), 0);
	assert_int_equal(board_attached(b, "u2", NULL, 0, &err), 0);
	/* A second device in the same slot has a tile of its own. */
	assert_int_equal(board_attached(b, "u3", "7", 0, &err), 0);
	board_result(b, "u1", result, REASON_REFUSED, NEXT_FINAL, 0);
	t = board_tiles(b, &n);
	assert_int_equal(n, 3);
	assert_string_equal(t[0].udid, "u1");
	assert_string_equal(t[0].id, "slot-7");
	assert_string_equal(t[2].id, "u3");
	board_detached(b, "u1", 0);
	board_detached(b, "u2", 0);
	board_detached(b, "u3", 0);
	t = board_tiles(b, &n);
	assert_int_equal(n, 1);
	assert_int_equal(t->state, TILE_EMPTY);
	assert_string_equal(t->name, "");
	assert_int_equal(t->failures_today, 1);
	board_new_day(b);
	assert_int_equal(board_tiles(b, &n)->failures_today, 0);
}

/* A locked device that is asked again and again is one that needs somebody. */
static void
the_day_is_counted(void **state)
{
	auto_with(clean_board) struct board *b = NULL;
	auto_json json_t *result = result_of("x");
	struct error err = { 0 };
	struct board_counts c;
	int i;

	(void)state;
	assert_int_equal(board_new("here", NULL, 0, &b, &err), 0);
	assert_int_equal(board_attached(b, "u1", NULL, 0, &err), 0);
	for (i = 0; i < 3; i++) {
		board_started(b, "u1", 0);
		board_result(b, "u1", result, REASON_LOCKED, NEXT_PERSON, 0);
	}
	board_result(b, "u1", result, REASON_TIMEOUT, NEXT_RETRY, 0);
	board_result(b, "u1", result, REASON_NONE, NEXT_FINAL, 0);
	/* It left during its job: there is no tile, but a verdict. */
	board_detached(b, "u1", 0);
	board_result(b, "u1", result, REASON_UNPLUGGED, NEXT_FINAL, 0);
	c = board_count(b);
	assert_int_equal(c.today[VERDICT_BLOCKED], 1);
	assert_int_equal(c.today[VERDICT_COMPLIANT], 1);
	assert_int_equal(c.today[VERDICT_FAILED], 1);
	assert_int_equal(c.attached, 0);
	board_new_day(b);
	assert_int_equal(board_count(b).today[VERDICT_COMPLIANT], 0);
}

static void
a_loose_contact_stays_one(void **state)
{
	auto_slots struct slots slots = { 0 };
	auto_with(clean_board) struct board *b = NULL;
	auto_json json_t *json = NULL;
	struct error err = { 0 };
	const struct tile *t;
	size_t n;

	(void)state;
	assert_int_equal(slots_add(&slots, "7", "1-4", &err), 0);
	assert_int_equal(board_new("here", &slots, 0, &b, &err), 0);
	row_named("set aside while nothing hangs on it");
	board_set_aside(b, NULL, "7", true, 0);
	t = board_tiles(b, &n);
	assert_int_equal(t->state, TILE_FAILED);
	assert_string_equal(t->word, "loose contact");
	assert_int_equal(t->failures_today, 1);
	row_named("whoever comes there finds it so");
	assert_int_equal(board_attached(b, "u1", "7", 0, &err), 0);
	board_still_aside(b, "u1", 0);
	assert_string_equal(t->word, "loose contact");
	assert_int_equal(t->failures_today, 1);
	row_named("and waits for its turn when it is calm");
	board_set_aside(b, "u1", "7", false, 0);
	assert_int_equal(t->state, TILE_WORKING);
	board_detached(b, "u1", 0);
	row_named("an empty slot that is calm is empty");
	board_set_aside(b, NULL, "7", true, 0);
	board_set_aside(b, NULL, "7", false, 0);
	assert_int_equal(t->state, TILE_EMPTY);
	row_named("a port without a name and without a device has no tile");
	board_set_aside(b, NULL, "1-9", true, 0);
	t = board_tiles(b, &n);
	assert_int_equal(n, 1);
	json = board_json(b, 0);
	assert_string_equal(
	    json_text(json_array_get(json_object_get(json, "events"), 0), "text", NULL),
	    "port 1-9 comes and goes: check the cable");
}

static void
events_are_the_last_thirty(void **state)
{
	auto_with(clean_board) struct board *b = NULL;
	auto_json json_t *json = NULL;
	struct error err = { 0 };
	const json_t *events;
	char text[32];
	int i;

	(void)state;
	assert_int_equal(board_new("here", NULL, 0, &b, &err), 0);
	for (i = 0; i < 45; i++) {
		snprintf(text, sizeof(text), "event %d", i);
		board_event(b, NULL, TONE_PLAIN, text, i);
	}
	board_set_notice(b, "a\033[31mnotice");
	json = board_json(b, 0);
	events = json_object_get(json, "events");
	assert_int_equal(json_array_size(events), BOARD_EVENTS_MAX);
	assert_string_equal(json_text(json_array_get(events, 0), "text", NULL), "event 44");
	assert_string_equal(json_text(json_array_get(events, 29), "text", NULL), "event 15");
	assert_null(strchr(json_text(json, "notice", NULL), '\033'));
	assert_string_equal(json_text(json, "schema", NULL), "chaperone.board/1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_result_has_its_word_and_colour),
		cmocka_unit_test(every_reason_has_words),
		cmocka_unit_test(rivals_are_not_a_lack),
		cmocka_unit_test(slots_stay_and_devices_go),
		cmocka_unit_test(the_day_is_counted),
		cmocka_unit_test(a_loose_contact_stays_one),
		cmocka_unit_test(events_are_the_last_thirty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
