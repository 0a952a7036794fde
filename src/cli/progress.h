/* progress: a live line per device on a terminal, while workers work */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct error;
struct progress;

/* Whether stderr is a terminal on which lines can be drawn again. */
bool	progress_is_welcome(void);

/*
 * Lines are drawn on stderr. is_live false (no terminal, --quiet, -v): nothing
 * is drawn, but waiting for a person is still said in a line of its own.
 */
int	progress_new(size_t devices, bool is_live, bool is_quiet, struct progress **out,
	    struct error *err);
/* An event of a worker, about the device with this UDID. */
void	progress_event(struct progress *p, const char *udid, const json_t *event);
/* The device has its result: its line goes. */
void	progress_done(struct progress *p, const char *udid);
/* Takes the lines off the screen, so that something can be printed there. */
void	progress_clear(struct progress *p);
void	progress_draw(struct progress *p);
void	progress_free(struct progress *p);	/* NULL is fine; clears */

#endif
