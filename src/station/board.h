/* board: what people see of a station, as one value; pure */
#ifndef STATION_BOARD_H
#define STATION_BOARD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/verdict.h"
#include "station/schedule.h"

struct board;
struct error;
struct policies;
struct slots;

/* Three colours and a word, and two states without one. */
enum tile_state {
	TILE_EMPTY,	/* a slot that nothing hangs on */
	TILE_WORKING,
	TILE_READY,	/* green: it may be unplugged */
	TILE_PERSON,	/* yellow: somebody has to do something */
	TILE_FAILED,	/* red */
};

enum { BOARD_TEXT_MAX = 96, BOARD_EVENTS_MAX = 30, BOARD_WORST_MAX = 5 };

/* One slot, or one device on a port without a name. "": unknown. */
struct tile {
	char		id[BOARD_TEXT_MAX];	/* "slot-7", or the UDID */
	char		slot[BOARD_TEXT_MAX];
	char		udid[BOARD_TEXT_MAX];	/* "": empty */
	enum tile_state	state;
	char		word[BOARD_TEXT_MAX];	/* "ready to unplug" */
	char		detail[BOARD_TEXT_MAX];	/* "unlock the iPad" */
	char		name[BOARD_TEXT_MAX], model[BOARD_TEXT_MAX], os[BOARD_TEXT_MAX];
	char		noun[16];		/* "iPad", "iPhone", "device" */
	char		policy[BOARD_TEXT_MAX];
	char		step[32];
	const char	*verdict, *reason;	/* words; NULL: none yet */
	int64_t		since_ms;		/* wall clock, of the state */
	unsigned	failures_today;
};

/*
 * slots (borrowed, may be NULL) are the tiles that are always there. *out is the
 * caller's: board_free(). Times are of the wall clock, in ms since 1970.
 */
int	board_new(const char *station, const struct slots *slots, int64_t now_ms,
	    struct board **out, struct error *err);
void	board_free(struct board *b);	/* NULL is fine */

/* ---- what happens -------------------------------------------------------------- */

/* slot NULL: its port has no name. -1: no memory for one more tile. */
int	board_attached(struct board *b, const char *udid, const char *slot, int64_t now_ms,
	    struct error *err);
void	board_detached(struct board *b, const char *udid, int64_t now_ms);
void	board_started(struct board *b, const char *udid, int64_t now_ms);
void	board_step(struct board *b, const char *udid, const char *step);
/* result is chaperone.result/1; next says what the station does about it. */
void	board_result(struct board *b, const char *udid, const json_t *result, enum reason reason,
	    enum schedule_next next, int64_t now_ms);
/* A slot, or a port without a name, flaps, and nothing is begun on it; or no longer. */
void	board_set_aside(struct board *b, const char *udid, const char *port, bool is_aside,
	    int64_t now_ms);
/* One has come, and its port flaps still. */
void	board_still_aside(struct board *b, const char *udid, int64_t now_ms);

enum tone { TONE_GOOD, TONE_PERSON, TONE_BAD, TONE_PLAIN };

/* Any event, in words. udid NULL: of the station as a whole. */
void	board_event(struct board *b, const char *udid, enum tone tone, const char *text,
	    int64_t now_ms);
/* What everybody should know, until it is NULL again. */
void	board_set_notice(struct board *b, const char *text);
void	board_set_policies(struct board *b, const struct policies *policies);
/* Midnight where the station stands: the counts of the day begin anew. */
void	board_new_day(struct board *b);

/* ---- what is seen --------------------------------------------------------------- */

struct board_counts {
	unsigned	today[4];	/* by enum verdict */
	size_t		attached, working, waiting;
};

struct board_counts board_count(const struct board *b);
/* In the order in which they are shown. Borrowed until the next call that is no look. */
const struct tile *board_tiles(const struct board *b, size_t *n);
const char *board_notice(const struct board *b);	/* NULL: none */
const char *tile_state_word(enum tile_state state);
/* Goes up whenever something has changed. */
uint64_t board_version(const struct board *b);

/* chaperone.board/1. A new reference; NULL when memory runs out. */
json_t	*board_json(const struct board *b, int64_t now_ms);

#endif
