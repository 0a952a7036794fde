/* screen: the board of a station as a table on the terminal */
#include "cli/screen.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/window.h"
#include "core/verdict.h"
#include "station/board.h"

enum { AROUND = 4 };				/* head and foot */
enum { NAME_COLUMNS = 24 };			/* what is to be done stands behind it */

struct screen {
	int		terminal;	/* never waits; stdout's descriptor is others' too */
	struct blob	unsent;		/* of the last table, which the terminal did not take */
	unsigned	drawn;		/* its lines, below which the cursor stands */
	bool		has_color;
};

/* A table as it is put together. */
struct sheet {
	FILE		*to;
	unsigned	 columns, lines;
	bool		 has_color;
};

int
screen_open(bool has_color, struct screen **out, struct error *err)
{
	struct screen *s = calloc(1, sizeof(*s));

	if (!s)
		return error_memory(err);
	s->terminal = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	/* Another user's terminal, as after su(1): one that is stopped then stops us. */
	if (s->terminal < 0)
		s->terminal = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	s->has_color = has_color;
	*out = s;
	return 0;
}

void
screen_close(struct screen **s)
{
	if (!*s)
		return;
	clean_fd(&(*s)->terminal);
	blob_clear(&(*s)->unsent);
	free(*s);
	*s = NULL;
}

/* One line of less than so many columns: a longer one would wrap, and be drawn over wrongly. */
static void
put_line(struct sheet *s, const char *color, const char *text)
{
	int bytes = (int)text_fitting(text, s->columns - 1);

	if (s->has_color && color)
		fprintf(s->to, "\033[2K\033[%sm%.*s\033[0m\n", color, bytes, text);
	else
		fprintf(s->to, "\033[2K%.*s\n", bytes, text);
	s->lines++;
}

/* Colour is never all that tells states apart. */
static const char *
mark_of(enum tile_state state)
{
	static const char *const marks[] = { "·", "…", "✓", "!", "✗" };

	return marks[state];
}

static const char *
color_of(enum tile_state state)
{
	static const char *const colors[] = { "2", NULL, "32", "1;33", "1;31" };

	return colors[state];
}

static void
put_tile(struct sheet *s, const struct tile *t)
{
	char who[BOARD_TEXT_MAX], line[512];
	const char *name = *t->name ? t->name : *t->udid ? who : "";
	int bytes = (int)text_fitting(name, NAME_COLUMNS), pad;

	text_shorten_id(t->udid, who, sizeof(who));
	pad = 8 - (int)text_columns(t->slot);
	snprintf(line, sizeof(line), "%s %s%*s %-18s %.*s%s%s%s%s%s", mark_of(t->state), t->slot,
	    pad > 0 ? pad : 0, "", t->word, bytes, name, name[bytes] ? "…" : "",
	    *t->detail ? ": " : "", t->detail, *t->step ? ", " : "", t->step);
	put_line(s, color_of(t->state), line);
}

static void
put_head(struct sheet *s, const struct board *board)
{
	const struct board_counts c = board_count(board);
	char line[256];

	snprintf(line, sizeof(line), "%zu plugged in, %zu at work, %zu need somebody.  "
	    "Today: %u ready, %u failed", c.attached, c.working, c.waiting,
	    c.today[VERDICT_COMPLIANT],
	    c.today[VERDICT_FAILED] + c.today[VERDICT_NONCOMPLIANT]);
	put_line(s, "1", line);
	if (board_notice(board))
		put_line(s, "1;31", board_notice(board));
}

/* Those that need somebody are never among the ones that do not fit. */
static bool
is_shown(const struct tile *t, bool is_urgent)
{
	return (t->state == TILE_PERSON || t->state == TILE_FAILED) == is_urgent;
}

static void
put_board(struct sheet *s, const struct board *board, size_t room)
{
	size_t n, i, shown = 0;
	const struct tile *tiles = board_tiles(board, &n);
	char line[64];
	int urgent;

	put_head(s, board);
	for (urgent = n > room; urgent >= 0; urgent--)
		for (i = 0; i < n && shown < room; i++) {
			if (n > room && !is_shown(&tiles[i], urgent))
				continue;
			put_tile(s, &tiles[i]);
			shown++;
		}
	if (shown < n) {
		snprintf(line, sizeof(line), "and %zu more", n - shown);
		put_line(s, "2", line);
	}
}

/* As much as the terminal takes now. True: all of it. */
static bool
send_rest(struct screen *s)
{
	ssize_t n = s->unsent.len ? write(s->terminal, s->unsent.data, s->unsent.len) : 0;

	if (n > 0)
		blob_drop_front(&s->unsent, (size_t)n);
	return s->unsent.len == 0;
}

/* Ctrl-S stops a terminal, and must not stop the station: then it is drawn the next time. */
void
screen_show(struct screen *s, const struct board *board)
{
	const struct window size = window_of(STDOUT_FILENO);
	struct sheet sheet = { .columns = size.columns, .has_color = s->has_color };
	auto_free char *text = NULL;
	size_t len = 0;

	if (!send_rest(s))
		return;
	sheet.to = open_memstream(&text, &len);
	if (!sheet.to)
		return;
	if (s->drawn > 0)
		fprintf(sheet.to, "\033[%uA\033[J", s->drawn);
	put_board(&sheet, board, (size_t)(size.rows - AROUND));
	if (fclose(sheet.to) != 0 || blob_set(&s->unsent, text, len) < 0)
		return;
	s->drawn = sheet.lines;
	(void)send_rest(s);
}
