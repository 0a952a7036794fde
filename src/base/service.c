/* service: what systemd hands over when it started us (sd_listen_fds(3)) */
#include "base/service.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

enum { FIRST_FD = 3 };

/* How many there are for this process; the variables may be another's, then none. */
static int64_t
count_handed_over(void)
{
	const char *whose = getenv("LISTEN_PID"), *many = getenv("LISTEN_FDS");
	int64_t pid, n;

	if (!whose || text_number(whose, 1, INT32_MAX, &pid) < 0 || pid != getpid())
		return 0;
	return many && text_number(many, 1, INT32_MAX, &n) == 0 ? n : 0;
}

int
service_socket(int *fd, struct error *err)
{
	int64_t n = count_handed_over();

	/* They are for us, not for whom we start. */
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (n > 1)
		return error_set(err, ERR_USAGE,
		    "systemd hands over %lld sockets, and one is enough", (long long)n);
	if (n == 1 && fcntl(FIRST_FD, F_SETFD, FD_CLOEXEC) < 0)
		return error_set(err, ERR_USAGE, "the socket from systemd is not there");
	*fd = n == 1 ? FIRST_FD : -1;
	return 0;
}
