/* board_table: a board, as the board_ files share it; nobody else's */
#ifndef STATION_BOARD_TABLE_H
#define STATION_BOARD_TABLE_H

#include "station/board.h"

enum { LINE_MAX_BYTES = 256 };

struct line {
	int64_t		at_ms;
	char		text[LINE_MAX_BYTES];
	char		tile[BOARD_TEXT_MAX];	/* "": the station */
	enum tone	tone;
};

struct board {
	char			 station[BOARD_TEXT_MAX];
	const struct slots	*slots;
	struct tile		*tiles;
	size_t			 n, room;
	struct line		 lines[BOARD_EVENTS_MAX];	/* a ring */
	size_t			 n_lines, newest;
	unsigned		 today[4];
	char			 notice[LINE_MAX_BYTES];
	json_t			*policies;
	int64_t			 since_ms;
	uint64_t		 version;
};

#endif
