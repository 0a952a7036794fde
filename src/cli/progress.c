/* progress: a live line per device on a terminal, while workers work */
#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/window.h"

enum { LINES_MAX = 20, AROUND = 4, NAME_COLUMNS = 24 };

struct line {
	char		 udid[64];	/* "": free */
	char		 name[4 * NAME_COLUMNS + 1];	/* "": not known yet */
	const char	*doing;
};

struct progress {
	struct line	*lines;
	size_t		 n;		/* devices in all */
	size_t		 done;
	size_t		 drawn;		/* lines on the screen now */
	bool		 is_live, is_quiet;
};

bool
progress_is_welcome(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0);
}

int
progress_new(size_t devices, bool is_live, bool is_quiet, struct progress **out,
    struct error *err)
{
	struct progress *p = calloc(1, sizeof(*p));

	if (p)
		p->lines = calloc(devices + 1, sizeof(*p->lines));
	if (!p || !p->lines) {
		free(p);
		return error_memory(err);
	}
	p->n = devices;
	p->is_live = is_live;
	p->is_quiet = is_quiet;
	*out = p;
	return 0;
}

void
progress_free(struct progress *p)
{
	if (!p)
		return;
	progress_clear(p);
	free(p->lines);
	free(p);
}

static struct line *
line_of(struct progress *p, const char *udid)
{
	struct line *unused = NULL;
	size_t i;

	for (i = 0; i < p->n; i++) {
		if (strcmp(p->lines[i].udid, udid) == 0)
			return &p->lines[i];
		if (!unused && !p->lines[i].udid[0])
			unused = &p->lines[i];
	}
	if (unused)
		snprintf(unused->udid, sizeof(unused->udid), "%s", udid);
	return unused;
}

void
progress_clear(struct progress *p)
{
	for (; p->drawn > 0; p->drawn--)
		fputs("\033[1A\033[2K", stderr);
	fflush(stderr);
}

/* A longer one than the terminal would wrap, and not be taken away again as a whole. */
static void
put_line(struct progress *p, unsigned columns, const char *text)
{
	fprintf(stderr, "%.*s\n", (int)text_fitting(text, columns - 1), text);
	p->drawn++;
}

static void
put_device(struct progress *p, unsigned columns, const struct line *line)
{
	char id[32], text[256];

	text_shorten_id(line->udid, id, sizeof(id));
	snprintf(text, sizeof(text), "  · %s  %s%s%s", id, line->name, *line->name ? "  " : "",
	    line->doing);
	put_line(p, columns, text);
}

static void
put_count(struct progress *p, unsigned columns, size_t hidden)
{
	char text[96];
	int len = snprintf(text, sizeof(text), "  %zu of %zu done", p->done, p->n);

	if (hidden)
		snprintf(text + len, sizeof(text) - (size_t)len, ", %zu more at work", hidden);
	put_line(p, columns, text);
}

void
progress_draw(struct progress *p)
{
	const struct window w = window_of(STDERR_FILENO);
	size_t most = w.rows - AROUND < LINES_MAX ? w.rows - AROUND : LINES_MAX, i, hidden = 0;

	if (!p->is_live)
		return;
	progress_clear(p);
	for (i = 0; i < p->n; i++) {
		if (!p->lines[i].udid[0])
			continue;
		if (p->drawn < most)
			put_device(p, w.columns, &p->lines[i]);
		else
			hidden++;
	}
	if (p->n > 1)
		put_count(p, w.columns, hidden);
	fflush(stderr);
}

static const char *
step_phrase(const char *step)
{
	static const struct {
		const char *step, *phrase;
	} phrases[] = {
		{ "connect", "connecting" }, { "service", "opening the profile service" },
		{ "facts", "reading what is there" }, { "escalate", "proving the identity" },
		{ "install", "installing" }, { "remove", "removing" }, { "pair", "pairing" },
		{ "unpair", "unpairing" }, { "confirm", "reading it back" },
	};
	size_t i;

	for (i = 0; step && i < countof(phrases); i++)
		if (strcmp(phrases[i].step, step) == 0)
			return phrases[i].phrase;
	return "working";
}

/* What the device does, or a person has to; NULL: an event that says nothing of that. */
static const char *
phrase_of(const json_t *event)
{
	const char *what = json_string_value(json_object_get(event, "event"));
	const char *who = json_string_value(json_object_get(event, "for"));

	if (!what || strcmp(what, "signed") == 0)
		return NULL;
	if (strcmp(what, "waiting") != 0)
		return step_phrase(json_string_value(json_object_get(event, "step")));
	return who && strcmp(who, "trust") == 0 ? "needs you: tap Trust on the device" :
	    "needs you: unlock the device";
}

static void
learn_name(struct line *line, const json_t *event)
{
	const json_t *device = json_object_get(event, "device");
	const char *name = json_string_value(json_object_get(device, "name"));

	if (name)
		text_printable(name, text_fitting(name, NAME_COLUMNS), line->name,
		    sizeof(line->name));
}

static void
say_in_a_line_of_its_own(const struct line *line)
{
	char id[32];

	text_shorten_id(line->udid, id, sizeof(id));
	fprintf(stderr, "chaperone: %s%s%s: %s\n", id, *line->name ? ", " : "", line->name,
	    line->doing);
}

void
progress_event(struct progress *p, const char *udid, const json_t *event)
{
	const char *what = json_string_value(json_object_get(event, "event"));
	const char *doing = phrase_of(event);
	struct line *line = doing ? line_of(p, udid) : NULL;

	if (!line)
		return;
	line->doing = doing;
	learn_name(line, event);
	if (strcmp(what, "waiting") == 0 && !p->is_live && !p->is_quiet)
		say_in_a_line_of_its_own(line);
	progress_draw(p);
}

void
progress_done(struct progress *p, const char *udid)
{
	struct line *line = line_of(p, udid);

	if (line)
		*line = (struct line){ 0 };
	p->done++;
}
