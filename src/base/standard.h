/* standard: a process that has no more business with stdin, stdout or stderr leaves them */
#ifndef BASE_STANDARD_H
#define BASE_STANDARD_H

#include <stdbool.h>

/*
 * /dev/null takes the place of stdin and stdout, and of stderr too unless that is
 * kept for a log. Who has them could read what is typed, and write as if it were
 * the command itself. -1, with errno: they are as they were, or some of them.
 */
int	standard_leave(bool keeps_stderr);

#endif
