/* window: how much of a terminal there is to draw on */
#ifndef CLI_WINDOW_H
#define CLI_WINDOW_H

/* By value, nothing to release. */
struct window {
	unsigned	rows, columns;
};

/* Of the terminal at fd; 24 and 80 where it does not tell. It may have been changed since. */
struct window	window_of(int fd);

#endif
