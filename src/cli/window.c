/* window: how much of a terminal there is to draw on */
#include "cli/window.h"

#include <sys/ioctl.h>

enum { ROWS = 24, COLUMNS = 80, ROWS_LEAST = 6, COLUMNS_LEAST = 20 };

struct window
window_of(int fd)
{
	struct winsize size = { 0 };

	(void)ioctl(fd, TIOCGWINSZ, &size);
	return (struct window){
		.rows = size.ws_row < ROWS_LEAST ? ROWS : size.ws_row,
		.columns = size.ws_col < COLUMNS_LEAST ? COLUMNS : size.ws_col,
	};
}
