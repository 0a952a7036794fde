/* screen: the board of a station as a table on the terminal, drawn over itself */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <stdbool.h>

struct board;
struct error;
struct screen;

/* Draws on standard output, which is a terminal. *out: screen_close(). */
int	screen_open(bool has_color, struct screen **out, struct error *err);
/*
 * As many lines as the terminal has; what does not fit is counted. Does not wait
 * for a terminal that is stopped: what it does not take now it gets the next time.
 */
void	screen_show(struct screen *s, const struct board *board);
/* Leaves the last table where it is. *s may be NULL. */
void	screen_close(struct screen **s);

#endif
