/* measure: runs a command to its end and writes down what it and its children took */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * A program of its own because the peak of a process counts from before its
 * exec: under an interpreter every command would seem to need as much as that.
 */

static long long
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

static long long
in_us(struct timeval tv)
{
	return tv.tv_sec * 1000000LL + tv.tv_usec;
}

/* Until everything that the command started is gone too; their time counts. */
static int
await(pid_t pid, long long *ended)
{
	int status = 0, code = EXIT_FAILURE;
	pid_t gone;

	while ((gone = waitpid(-1, &status, 0)) > 0 || errno == EINTR) {
		if (gone != pid)
			continue;
		*ended = now_us();
		code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	return code;
}

int
main(int argc, char **argv)
{
	long long began, ended = 0;
	struct rusage usage;
	FILE *out;
	pid_t pid;
	int code;

	out = argc > 2 ? fopen(argv[1], "we") : NULL;
	if (!out) {
		fputs("usage: measure FILE COMMAND...\n", stderr);
		return EXIT_FAILURE;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	began = now_us();
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	code = await(pid, &ended);
	getrusage(RUSAGE_CHILDREN, &usage);
	fprintf(out, "{\"exit\": %d, \"wall_us\": %lld, \"user_us\": %lld, \"sys_us\": %lld, "
	    "\"largest_kib\": %ld}\n", code, ended - began, in_us(usage.ru_utime),
	    in_us(usage.ru_stime), usage.ru_maxrss);
	return fclose(out) == 0 ? code : EXIT_FAILURE;
}
