/* controlclient: one command, one answer */
#include "sim/controlclient.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/error.h"

static void
add_word(json_t *line, const char *word)
{
	const char *equals = strchr(word, '=');
	auto_free char *key = equals ? strndup(word, (size_t)(equals - word)) : NULL;

	if (key) {
		json_object_set_new(line, key, json_string(equals + 1));
	} else if (strcmp(word, "trust") == 0 || strcmp(word, "deny") == 0) {
		json_object_set_new(line, "answer", json_string(word));
	} else {
		json_object_set_new(line, "device", json_string(word));
	}
}

static json_t *
make_line(char *const *words, size_t n)
{
	json_t *line = json_object();
	size_t i;

	json_object_set_new(line, "command", json_string(words[0]));
	if (strcmp(words[0], "clock") == 0 && n == 3) {
		json_object_set_new(line, words[1], json_string(words[2]));
		return line;
	}
	for (i = 1; i < n; i++)
		add_word(line, words[i]);
	return line;
}

static FILE *
reach(const char *path, struct error *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *file;

	if (strlen(path) >= sizeof(at.sun_path)) {
		error_set(err, ERR_USAGE, "%s: too long", path);
		return NULL;
	}
	memcpy(at.sun_path, path, strlen(path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		error_set_sys(err, ERR_UNAVAILABLE, errno, "%s", path);
		return NULL;
	}
	file = fdopen(fd, "r+");
	if (file)
		steal_fd(&fd);
	else
		error_memory(err);
	return file;
}

int
controlclient_run(const char *path, char *const *words, size_t n, struct error *err)
{
	auto_file FILE *bench = reach(path, err);
	json_t *line, *answer;
	int rc;

	if (!bench)
		return -1;
	line = make_line(words, n);
	json_dumpf(line, bench, JSON_COMPACT);
	json_decref(line);
	fputc('\n', bench);
	fflush(bench);
	answer = json_loadf(bench, JSON_DISABLE_EOF_CHECK, NULL);
	if (!answer)
		return error_set(err, ERR_UNAVAILABLE, "the bench did not answer");
	json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	rc = json_is_true(json_object_get(answer, "ok")) ? 0 : 1;
	json_decref(answer);
	return rc;
}
