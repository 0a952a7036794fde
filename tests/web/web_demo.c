/* web-demo: the page without a station: what it shows is told on stdin, line by line */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "web/web.h"

static void
usage(void)
{
	fputs("usage: web-demo [-p PATIENCE_MS] [-b BEAT_MS] [-s STALE_MS] [-n HOST_NAME]... "
	    "ADDRESS\n\n"
	    "Prints the address, then reads lines and answers each with ok or failed:\n"
	    "  {...}          the board to publish\n"
	    "  metrics TEXT   the metrics; \\n in it is a line break\n"
	    "  healthy        or: unhealthy WHY\n"
	    "  descriptors N  the limit of this process\n"
	    "It ends with its input.\n", stderr);
	exit(64);
}

/* "a\nb" with the two characters \n as a line break, in place. */
static void
unescape(char *text)
{
	char *at;

	while ((at = strstr(text, "\\n"))) {
		*at = '\n';
		memmove(at + 1, at + 2, strlen(at + 2) + 1);
	}
}

static int
obey(struct web *web, char *line)
{
	struct rlimit limit;

	if (line[0] == '{')
		return web_publish(web, line, strlen(line));
	if (strncmp(line, "metrics ", 8) == 0) {
		unescape(line + 8);
		return web_set_metrics(web, line + 8, strlen(line + 8));
	}
	if (strcmp(line, "healthy") == 0) {
		web_set_health(web, true, NULL);
		return 0;
	}
	if (strncmp(line, "unhealthy ", 10) == 0) {
		web_set_health(web, false, line + 10);
		return 0;
	}
	if (strncmp(line, "descriptors ", 12) == 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = (rlim_t)strtoul(line + 12, NULL, 10);
		return setrlimit(RLIMIT_NOFILE, &limit);
	}
	return -1;
}

/* Whole lines out of what has been read so far. */
static void
obey_lines(struct web *web, struct blob *input)
{
	char *end;

	while (input->len > 0 && (end = memchr(input->data, '\n', input->len))) {
		*end = '\0';
		puts(obey(web, (char *)input->data) == 0 ? "ok" : "failed");
		fflush(stdout);
		blob_drop_front(input, (size_t)(end - (char *)input->data) + 1);
	}
}

/* false: the input has ended. */
static bool
read_input(struct blob *input)
{
	char bytes[65536];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	return n > 0 && blob_append(input, bytes, (size_t)n) == 0;
}

static void
serve(struct web *web)
{
	struct pollfd fds[2] = {
		{ .fd = web_descriptor(web), .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};
	auto_blob struct blob input = { 0 };

	for (;;) {
		if (poll(fds, countof(fds), web_timeout_ms(web)) < 0 && errno != EINTR)
			return;
		if (fds[1].revents && !read_input(&input))
			return;
		obey_lines(web, &input);
		web_run(web);
	}
}

int
main(int argc, char **argv)
{
	static const char *names[8];
	struct web_options options = { .host_names = names };
	struct error err = { 0 };
	struct web *web;
	int c;

	while ((c = getopt(argc, argv, "p:b:s:n:")) != -1) {
		if (c == 'p')
			options.patience_ms = atoi(optarg);
		else if (c == 'b')
			options.beat_ms = atoi(optarg);
		else if (c == 's')
			options.stale_ms = atoi(optarg);
		else if (c == 'n' && options.n_host_names < countof(names))
			names[options.n_host_names++] = optarg;
		else
			usage();
	}
	if (optind != argc - 1)
		usage();
	options.address = argv[optind];
	if (web_open(&options, &web, &err) < 0) {
		fprintf(stderr, "web-demo: %s\n", err.message);
		return err.kind == ERR_USAGE ? 64 : 69;
	}
	printf("%s%s\n", web_address(web), web_is_exposed(web) ? " exposed" : "");
	fflush(stdout);
	serve(web);
	web_close(web);
	return 0;
}
