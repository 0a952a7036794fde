/* board_json: a board as the page and programs read it */
#include "station/board_table.h"

#include <time.h>

#include "base/text.h"
#include "station/slots.h"

static json_t *
moment(int64_t ms)
{
	char text[TEXT_TIME_MAX];

	text_time_utc((struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 },
	    text);
	return json_string(text);
}

static const char *
or_null(const char *s)
{
	return *s ? s : NULL;
}

static json_t *
tile_object(const struct tile *t)
{
	return json_pack("{s:s, s:s?, s:s, s:s, s:s?, s:s?, s:s?, "
	    "s:s?, s:s?, s:s?, s:s?, s:s?, s:o, s:i}",
	    "id", t->id, "slot", or_null(t->slot), "state", tile_state_word(t->state),
	    "word", t->word, "detail", or_null(t->detail), "name", or_null(t->name),
	    "model", or_null(t->model), "os", or_null(t->os),
	    "policy", or_null(t->policy), "verdict", t->verdict,
	    "reason", t->reason, "step", or_null(t->step), "since", moment(t->since_ms),
	    "failures_today", (int)t->failures_today);
}

static json_t *
event_object(const struct line *line)
{
	static const char *const tones[] = { "good", "person", "bad", "plain" };

	return json_pack("{s:o, s:s, s:s?, s:s}", "at", moment(line->at_ms), "text", line->text,
	    "tile", or_null(line->tile), "tone", tones[line->tone]);
}

static json_t *
worst_array(const struct board *b)
{
	const struct slot *worst[BOARD_WORST_MAX];
	size_t n = b->slots ? slots_worst(b->slots, worst, BOARD_WORST_MAX) : 0, i;
	json_t *array = json_array();

	for (i = 0; i < n; i++)
		json_array_append_new(array, json_pack("{s:s, s:i}", "slot", worst[i]->name,
		    "failures", (int)worst[i]->failures));
	return array;
}

static json_t *
counts_object(const struct board *b)
{
	const struct board_counts c = board_count(b);

	return json_pack("{s:{s:i, s:i, s:i, s:i}, s:I, s:I, s:I}", "today",
	    "compliant", (int)c.today[VERDICT_COMPLIANT],
	    "noncompliant", (int)c.today[VERDICT_NONCOMPLIANT],
	    "blocked", (int)c.today[VERDICT_BLOCKED], "failed", (int)c.today[VERDICT_FAILED],
	    "attached", (json_int_t)c.attached, "working", (json_int_t)c.working,
	    "waiting", (json_int_t)c.waiting);
}

json_t *
board_json(const struct board *b, int64_t now_ms)
{
	json_t *tiles = json_array(), *events = json_array();
	size_t i;

	for (i = 0; i < b->n; i++)
		json_array_append_new(tiles, tile_object(&b->tiles[i]));
	for (i = 0; i < b->n_lines; i++)
		json_array_append_new(events,
		    event_object(&b->lines[(b->newest + BOARD_EVENTS_MAX - i) % BOARD_EVENTS_MAX]));
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:O, s:s?}",
	    "schema", "chaperone.board/1", "station", b->station, "at", moment(now_ms),
	    "since", moment(b->since_ms), "counts", counts_object(b), "tiles", tiles,
	    "events", events, "worst_slots", worst_array(b), "policies", b->policies,
	    "notice", or_null(b->notice));
}
