/* standard: a process that has no more business with stdin, stdout or stderr leaves them */
#include "base/standard.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clean.h"

int
standard_leave(bool keeps_stderr)
{
	auto_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fd, last = keeps_stderr ? STDOUT_FILENO : STDERR_FILENO;

	if (null < 0)
		return -1;
	for (fd = STDIN_FILENO; fd <= last; fd++)
		if (dup2(null, fd) < 0)
			return -1;
	return 0;
}
