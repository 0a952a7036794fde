/* board: tiles, counts and the last events */
#include "station/board_table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/text.h"
#include "core/policy.h"
#include "station/slots.h"
#include "store/json.h"

/* ---- tiles ------------------------------------------------------------------------ */

static void
copy(char *out, size_t size, const char *text)
{
	text_printable(text ? text : "", text ? strlen(text) : 0, out, size);
}

static struct tile *
find_udid(const struct board *b, const char *udid)
{
	size_t i;

	for (i = 0; udid && *udid && i < b->n; i++)
		if (strcmp(b->tiles[i].udid, udid) == 0)
			return &b->tiles[i];
	return NULL;
}

static struct tile *
find_slot(const struct board *b, const char *slot)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		if (*b->tiles[i].slot && strcmp(b->tiles[i].slot, slot) == 0)
			return &b->tiles[i];
	return NULL;
}

static struct tile *
add_tile(struct board *b, struct error *err)
{
	size_t room = b->room ? 2 * b->room : 16;
	struct tile *grown;

	if (b->n == b->room) {
		grown = reallocarray(b->tiles, room, sizeof(*grown));
		if (!grown) {
			error_memory(err);
			return NULL;
		}
		b->tiles = grown;
		b->room = room;
	}
	b->tiles[b->n] = (struct tile){ 0 };
	return &b->tiles[b->n++];
}

static void
remove_tile(struct board *b, struct tile *t)
{
	size_t i = (size_t)(t - b->tiles);

	memmove(t, t + 1, (--b->n - i) * sizeof(*t));
}

static void
set_state(struct board *b, struct tile *t, enum tile_state state, const char *word,
    const char *detail, int64_t now_ms)
{
	if (t->state != state || strcmp(t->word, word) != 0)
		t->since_ms = now_ms;
	t->state = state;
	copy(t->word, sizeof(t->word), word);
	copy(t->detail, sizeof(t->detail), detail);
	t->step[0] = '\0';
	b->version++;
}

static int
add_slots(struct board *b, int64_t now_ms, struct error *err)
{
	size_t i;

	for (i = 0; b->slots && i < b->slots->n; i++) {
		struct tile *t;

		if (!b->slots->items[i].is_named)
			continue;
		t = add_tile(b, err);
		if (!t)
			return -1;
		copy(t->slot, sizeof(t->slot), b->slots->items[i].name);
		snprintf(t->id, sizeof(t->id), "slot-%.*s", BOARD_TEXT_MAX - 8, t->slot);
		set_state(b, t, TILE_EMPTY, "empty", NULL, now_ms);
	}
	return 0;
}

static void
clean_board(struct board **b)
{
	board_free(*b);
}

int
board_new(const char *station, const struct slots *slots, int64_t now_ms, struct board **out,
    struct error *err)
{
	auto_with(clean_board) struct board *b = calloc(1, sizeof(*b));

	if (!b)
		return error_memory(err);
	copy(b->station, sizeof(b->station), station);
	b->slots = slots;
	b->since_ms = now_ms;
	b->policies = json_array();
	if (!b->policies)
		return error_memory(err);
	if (add_slots(b, now_ms, err) < 0)
		return -1;
	*out = steal_pointer(&b);
	return 0;
}

void
board_free(struct board *b)
{
	if (!b)
		return;
	json_decref(b->policies);
	free(b->tiles);
	free(b);
}

/* ---- events ------------------------------------------------------------------------- */

void
board_event(struct board *b, const char *udid, enum tone tone, const char *text, int64_t now_ms)
{
	const struct tile *t = find_udid(b, udid);
	struct line *line;

	b->newest = (b->newest + 1) % BOARD_EVENTS_MAX;
	line = &b->lines[b->newest];
	*line = (struct line){ .at_ms = now_ms, .tone = tone };
	copy(line->text, sizeof(line->text), text);
	if (t)
		memcpy(line->tile, t->id, sizeof(line->tile));
	if (b->n_lines < BOARD_EVENTS_MAX)
		b->n_lines++;
	b->version++;
}

/* "slot 7", or "Reception", or the end of the UDID: what people call it. */
static void
call(const struct tile *t, char *out, size_t size)
{
	if (*t->slot)
		snprintf(out, size, "slot %s", t->slot);
	else if (*t->name)
		snprintf(out, size, "%s", t->name);
	else
		text_shorten_id(t->udid, out, size);
}

static void tell(struct board *b, const struct tile *t, enum tone tone, int64_t now_ms,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void
tell(struct board *b, const struct tile *t, enum tone tone, int64_t now_ms, const char *fmt, ...)
{
	char who[BOARD_TEXT_MAX + 8], what[128], text[LINE_MAX_BYTES];
	va_list args;

	call(t, who, sizeof(who));
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	snprintf(text, sizeof(text), "%s: %s", who, what);
	board_event(b, t->udid, tone, text, now_ms);
}

/* ---- coming and going ------------------------------------------------------------------ */

int
board_attached(struct board *b, const char *udid, const char *slot, int64_t now_ms,
    struct error *err)
{
	struct tile *t = find_udid(b, udid);

	if (t && strcmp(t->slot, slot ? slot : "") != 0) {
		board_detached(b, udid, now_ms);
		t = NULL;
	}
	if (!t && slot) {
		t = find_slot(b, slot);
		/* Two devices in one slot: a hub hangs on it. The second has its own tile. */
		t = t && !*t->udid ? t : NULL;
	}
	if (!t) {
		t = add_tile(b, err);
		if (!t)
			return -1;
		copy(t->id, sizeof(t->id), udid);
	}
	copy(t->udid, sizeof(t->udid), udid);
	snprintf(t->noun, sizeof(t->noun), "device");
	set_state(b, t, TILE_WORKING, "waits for its turn", NULL, now_ms);
	tell(b, t, TONE_PLAIN, now_ms, "plugged in");
	return 0;
}

void
board_detached(struct board *b, const char *udid, int64_t now_ms)
{
	struct tile *t = find_udid(b, udid);
	struct tile empty = { 0 };

	if (!t)
		return;
	tell(b, t, TONE_PLAIN, now_ms, t->state == TILE_READY ? "unplugged, all is well" :
	    "unplugged");
	b->version++;
	if (!*t->slot || strncmp(t->id, "slot-", 5) != 0) {
		remove_tile(b, t);
		return;
	}
	memcpy(empty.id, t->id, sizeof(empty.id));
	memcpy(empty.slot, t->slot, sizeof(empty.slot));
	empty.failures_today = t->failures_today;
	*t = empty;
	t->since_ms = now_ms;
	set_state(b, t, TILE_EMPTY, "empty", NULL, now_ms);
}

void
board_started(struct board *b, const char *udid, int64_t now_ms)
{
	struct tile *t = find_udid(b, udid);

	if (t)
		set_state(b, t, TILE_WORKING, "working", NULL, now_ms);
}

void
board_step(struct board *b, const char *udid, const char *step)
{
	struct tile *t = find_udid(b, udid);

	if (!t || t->state != TILE_WORKING)
		return;
	copy(t->step, sizeof(t->step), step);
	b->version++;
}

/* ---- results ------------------------------------------------------------------------------- */

/*
 * What somebody who knows nothing of profiles is to do, or is to know; @ is
 * "iPad" or what else it is.
 */
static const char *const DETAILS[REASON_COUNT] = {
	[REASON_PROFILE_MISSING] = "a profile is missing",
	[REASON_PROFILE_DIFFERS] = "a profile is another than it should be",
	[REASON_PROFILE_INACTIVE] = "a profile is not active",
	[REASON_PROFILE_UNWANTED] = "a profile is there that should not be",
	[REASON_PROFILE_UNSUITABLE] = "what is wanted does not fit this @",
	[REASON_NOT_EFFECTIVE] = "the @ does not do what its profile says",
	[REASON_UNSUPERVISED] = "the @ is not supervised",
	[REASON_FOREIGN_SUPERVISION] = "the @ belongs to another organization",
	[REASON_UNTRUSTED] = "the @ does not trust this computer",
	[REASON_TRUST_PENDING] = "tap Trust on the @",
	[REASON_TRUST_DENIED] = "unplug it, plug it in again, tap Trust",
	[REASON_PAIRING_FORBIDDEN] = "the @ lets only its own organization in",
	[REASON_LOCKED] = "unlock the @",
	[REASON_NOT_ACTIVATED] = "finish setting up the @ first",
	[REASON_OS_TOO_OLD] = "update the @ first",
	[REASON_NO_POLICY] = "no policy is for this @",
	[REASON_UNPLUGGED] = "lost on the way: check the cable, plug it in again",
	[REASON_TIMEOUT] = "no answer: plug it in again",
	[REASON_REFUSED] = "the @ refused",
	[REASON_PROTOCOL] = "answers make no sense: restart the @",
	[REASON_NOT_STORED] = "nothing was stored: restart the @",
	[REASON_NOT_REMOVED] = "not removed: restart the @",
	[REASON_USBMUXD_LOST] = "the computer lost it: plug it in again",
	[REASON_CRASHED] = "something broke here: plug it in again",
	[REASON_INTERRUPTED] = "stopped: plug it in again",
	[REASON_UNRECORDED] = "the record cannot be written",
	[REASON_UNSIGNED] = "the key cannot be used: check the agent or the token",
};

/* Not for want of a policy, but of one that is more specific; both are named in the message. */
static bool
has_rivals(enum reason reason, const json_t *result)
{
	const char *message = json_text(result, "error", "message");

	return reason == REASON_NO_POLICY && message &&
	    strcmp(message, reason_message(reason)) != 0;
}

static void
put_detail(char out[BOARD_TEXT_MAX], enum reason reason, const json_t *result, const char *noun)
{
	const char *text = has_rivals(reason, result) ? "two policies are for this @" :
	    DETAILS[reason] ? DETAILS[reason] : "";
	const char *at = strchr(text, '@');

	if (at)
		snprintf(out, BOARD_TEXT_MAX, "%.*s%s%s", (int)(at - text), text, noun, at + 1);
	else
		snprintf(out, BOARD_TEXT_MAX, "%s", text);
}

static void
take_facts(struct tile *t, const json_t *result, enum reason reason)
{
	const char *class = json_text(result, "device", "class");
	const char *name = json_text(result, "device", "name");
	const char *model = json_text(result, "device", "model");
	const char *os = json_text(result, "device", "os");
	const char *policy = json_text(result, "policy", NULL);

	/* A job that did not come far knows less than the one before. */
	if (class)
		copy(t->noun, sizeof(t->noun), class);
	if (name)
		copy(t->name, sizeof(t->name), name);
	if (model || json_text(result, "device", "product"))
		copy(t->model, sizeof(t->model),
		    model ? model : json_text(result, "device", "product"));
	if (os)
		copy(t->os, sizeof(t->os), os);
	if (policy || reason == REASON_NO_POLICY)
		copy(t->policy, sizeof(t->policy), policy ? policy : "");
}

static void
show_verdict(struct board *b, struct tile *t, enum reason reason, const json_t *result,
    int64_t now_ms)
{
	char detail[BOARD_TEXT_MAX];

	put_detail(detail, reason, result, t->noun);
	switch (reason_verdict(reason)) {
	case VERDICT_COMPLIANT:
		set_state(b, t, TILE_READY, "ready to unplug", NULL, now_ms);
		tell(b, t, TONE_GOOD, now_ms, "ready to unplug");
		return;
	case VERDICT_BLOCKED:
		set_state(b, t, TILE_PERSON,
		    reason == REASON_NO_POLICY ? "left alone" : "needs you", detail, now_ms);
		tell(b, t, TONE_PERSON, now_ms, "%s", detail);
		return;
	case VERDICT_NONCOMPLIANT:
		set_state(b, t, TILE_FAILED, "not as it should be", detail, now_ms);
		break;
	default:
		set_state(b, t, TILE_FAILED, "failed", detail, now_ms);
		break;
	}
	t->failures_today++;
	tell(b, t, TONE_BAD, now_ms, "%s", detail);
}

void
board_result(struct board *b, const char *udid, const json_t *result, enum reason reason,
    enum schedule_next next, int64_t now_ms)
{
	struct tile *t = find_udid(b, udid);
	bool was_told;

	/* Who left during his job is counted, but has no tile. */
	if (next == NEXT_FINAL || !t)
		b->today[reason_verdict(reason)]++;
	b->version++;
	if (!t)
		return;
	was_told = next == NEXT_PERSON && t->reason && strcmp(t->reason, reason_word(reason)) == 0;
	take_facts(t, result, reason);
	t->verdict = verdict_word(reason_verdict(reason));
	t->reason = reason_word(reason);
	if (next == NEXT_RETRY) {
		char detail[BOARD_TEXT_MAX];

		put_detail(detail, reason, result, t->noun);
		set_state(b, t, TILE_WORKING, "trying again", detail, now_ms);
		t->failures_today++;
		tell(b, t, TONE_PLAIN, now_ms, "trying again (%s)", t->reason);
		return;
	}
	if (next == NEXT_PERSON && !was_told)
		b->today[VERDICT_BLOCKED]++;
	show_verdict(b, t, reason, result, now_ms);
}

static void
show_aside(struct board *b, struct tile *t, int64_t now_ms)
{
	set_state(b, t, TILE_FAILED, "loose contact", "comes and goes: check the cable", now_ms);
}

/* udid NULL, or gone already: the slot may be empty at the moment. */
void
board_set_aside(struct board *b, const char *udid, const char *port, bool is_aside, int64_t now_ms)
{
	struct tile *t = find_udid(b, udid);
	char text[LINE_MAX_BYTES];

	t = t ? t : find_slot(b, port);
	snprintf(text, sizeof(text), is_aside ? "port %s comes and goes: check the cable" :
	    "port %s is calm again", port);
	board_event(b, t && *t->udid ? t->udid : NULL,
	    is_aside ? TONE_BAD : TONE_PLAIN, text, now_ms);
	if (!t)
		return;
	t->failures_today += is_aside;
	if (is_aside)
		show_aside(b, t, now_ms);
	else if (*t->udid)
		set_state(b, t, TILE_WORKING, "waits for its turn", NULL, now_ms);
	else
		set_state(b, t, TILE_EMPTY, "empty", NULL, now_ms);
}

void
board_still_aside(struct board *b, const char *udid, int64_t now_ms)
{
	struct tile *t = find_udid(b, udid);

	if (t)
		show_aside(b, t, now_ms);
}

/* ---- the station as a whole ---------------------------------------------------------------- */

void
board_set_notice(struct board *b, const char *text)
{
	char clean[LINE_MAX_BYTES] = "";

	copy(clean, sizeof(clean), text);
	if (strcmp(clean, b->notice) == 0)
		return;
	memcpy(b->notice, clean, sizeof(clean));
	b->version++;
}

const char *
board_notice(const struct board *b)
{
	return *b->notice ? b->notice : NULL;
}

void
board_set_policies(struct board *b, const struct policies *policies)
{
	size_t i;

	json_array_clear(b->policies);
	for (i = 0; i < policies->n; i++) {
		const struct policy *p = policies->items[i];

		json_array_append_new(b->policies, json_pack("{s:s, s:s?}", "name", p->name,
		    "organization", p->organization));
	}
	b->version++;
}

void
board_new_day(struct board *b)
{
	size_t i;

	memset(b->today, 0, sizeof(b->today));
	for (i = 0; i < b->n; i++)
		b->tiles[i].failures_today = 0;
	b->version++;
}

/* ---- what is seen ---------------------------------------------------------------------------- */

struct board_counts
board_count(const struct board *b)
{
	struct board_counts c = { 0 };
	size_t i;

	memcpy(c.today, b->today, sizeof(c.today));
	for (i = 0; i < b->n; i++) {
		c.attached += *b->tiles[i].udid != '\0';
		c.working += b->tiles[i].state == TILE_WORKING;
		c.waiting += b->tiles[i].state == TILE_PERSON;
	}
	return c;
}

const struct tile *
board_tiles(const struct board *b, size_t *n)
{
	*n = b->n;
	return b->tiles;
}

uint64_t
board_version(const struct board *b)
{
	return b->version;
}

const char *
tile_state_word(enum tile_state state)
{
	static const char *const words[] = { "empty", "working", "ready", "person", "failed" };

	return words[state];
}
