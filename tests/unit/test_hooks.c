/* hooks: programs that behave badly, and a loop that goes on */
#include "tests/unit/table.h"

#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/text.h"
#include "station/hooks.h"

enum { LIMIT_MS = 1000, LONG_MS = 60000, FDS = 64, TURNS_MAX = 1000000 };

struct heard {
	unsigned	failures, killed;
	char		event[16], udid[64], message[256];
};

static char folder[] = "/tmp/hooks-XXXXXX";

static void
note_failure(void *ctx, const char *event, const char *program, const char *udid,
    const char *message)
{
	struct heard *heard = ctx;

	assert_non_null(program);
	heard->failures++;
	heard->killed += strncmp(message, "killed after 1 seconds", 22) == 0;
	snprintf(heard->event, sizeof(heard->event), "%s", event);
	snprintf(heard->udid, sizeof(heard->udid), "%s", udid);
	snprintf(heard->message, sizeof(heard->message), "%s", message);
}

static struct hooks *
new_hooks(struct heard *heard, int64_t limit_ms, unsigned at_once, size_t queue_max)
{
	const struct hooks_settings settings = {
		.limit_ms = limit_ms, .at_once = at_once, .queue_max = queue_max,
		.failed = note_failure, .ctx = heard,
	};
	struct error err = { 0 };
	struct hooks *h = NULL;

	assert_int_equal(hooks_new(&settings, &h, &err), 0);
	return h;
}

static void
write_program(const char *name, const char *script, mode_t mode, char *path, size_t size)
{
	FILE *f;

	snprintf(path, size, "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", script);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* The loop of a station, until no hook is left. Returns the most that ran at once. */
static size_t
run_all(struct hooks *h)
{
	struct pollfd fds[FDS];
	size_t most = 0, turns;

	for (turns = 0; hooks_count(h) > 0; turns++) {
		int64_t wait_ms = hooks_wait_ms(h, now_monotonic_ms());
		size_t n = hooks_poll(h, fds);

		assert_true(turns < TURNS_MAX);
		assert_true(n <= FDS);
		most = n / 3 > most ? n / 3 : most;
		(void)poll(fds, n, (int)wait_ms);
		hooks_run(h, fds, now_monotonic_ms());
	}
	assert_int_equal(hooks_descriptors(h), 0);
	return most;
}

static json_t *
about_device(size_t padding)
{
	auto_free char *text = calloc(1, padding + 1);

	assert_non_null(text);
	memset(text, 'x', padding);
	return json_pack("{s:{s:s}, s:s}", "device", "udid", "u1", "padding", text);
}

/* Runs one hook to its end; what was told of it is in heard. */
static void
run_one(const char *program, size_t padding, int64_t limit_ms, struct heard *heard)
{
	struct hooks *h = new_hooks(heard, limit_ms, 1, 8);
	json_t *about = about_device(padding);

	hooks_add(h, program, "verdict", "u1", about);
	json_decref(about);
	run_all(h);
	hooks_free(h);
}

static void
what_is_told_of_them(void **state)
{
	static const struct {
		const char	*name, *script;
		mode_t		 mode;
		size_t		 padding;
		const char	*wants;		/* "": no failure */
	} rows[] = {
		{ "it reads all and ends well",
		    "cat >/dev/null", 0755, 10, "" },
		{ "it reads a megabyte",
		    "[ $(wc -c) -gt 1000000 ]", 0755, 1000000, "" },
		{ "it reads nothing of a megabyte",
		    "exit 0", 0755, 1000000, "" },
		{ "it prints while nobody reads all of it",
		    "head -c 3000000 /dev/zero; exit 0", 0755, 10, "" },
		{ "its last line says why",
		    "echo first; echo why >&2; exit 3", 0755, 10, "exit status 3: why" },
		{ "behind three megabytes too",
		    "head -c 3000000 /dev/zero | tr '\\0' a; echo; echo why; exit 4",
		    0755, 10, "exit status 4: why" },
		{ "what it says is no escape sequence",
		    "printf 'a\\033[31mb'; exit 5", 0755, 10, "exit status 5: a\xef\xbf\xbd[31mb" },
		{ "a signal",
		    "kill -SEGV $$", 0755, 10, "ended by signal 11" },
		{ "nobody may execute it",
		    "exit 0", 0644, 10, "exit status 127: Permission denied" },
		{ "everybody may change it",
		    "exit 0", 0757, 10, "everybody can change it, so it is not started" },
		{ "it leaves somebody behind, who holds its output",
		    "sleep 60 & exit 0", 0755, 10, "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		struct heard heard = { 0 };
		char path[64];

		row_named(rows[i].name);
		write_program("hook", rows[i].script, rows[i].mode, path, sizeof(path));
		run_one(path, rows[i].padding, LONG_MS, &heard);
		assert_string_equal(heard.message, rows[i].wants);
		assert_int_equal(heard.failures, *rows[i].wants ? 1 : 0);
		if (heard.failures) {
			assert_string_equal(heard.event, "verdict");
			assert_string_equal(heard.udid, "u1");
		}
	}
}

static void
a_program_that_is_not_there(void **state)
{
	struct heard heard = { 0 };

	(void)state;
	run_one("/nonexistent/hook", 10, LONG_MS, &heard);
	assert_int_equal(heard.failures, 1);
	assert_non_null(strstr(heard.message, "it cannot be started"));
}

static pid_t
read_pid(const char *path)
{
	FILE *f = fopen(path, "r");
	int pid = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	fclose(f);
	return pid;
}

/* Gone, or dead and not reaped yet by whoever inherited it. */
static bool
is_dead(pid_t pid)
{
	char path[64];
	FILE *f;
	bool is_empty;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	f = fopen(path, "r");
	if (!f)
		return true;
	is_empty = fgetc(f) == EOF;
	fclose(f);
	return is_empty;
}

/* Whoever was killed may still be on its way out. */
static bool
dies(pid_t pid)
{
	const struct timespec moment = { .tv_nsec = 10000000 };
	int n;

	for (n = 0; n < 1000 && !is_dead(pid); n++)
		nanosleep(&moment, NULL);
	return is_dead(pid);
}

static void
who_does_not_end_is_killed(void **state)
{
	static const struct {
		const char *name, *script;
	} rows[] = {
		{ "it sleeps", "sleep 1000" },
		{ "it ignores what can be ignored",
		    "trap '' TERM INT HUP; while :; do sleep 1; done" },
		{ "it prints without end", "yes 'and so on'" },
		{ "its child sleeps", "sleep 1000 & echo $! >child; wait" },
	};
	struct heard heard = { 0 };
	struct hooks *h = new_hooks(&heard, LIMIT_MS, countof(rows), 8);
	json_t *about = about_device(10);
	char path[64], name[16], script[256];
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		row_named(rows[i].name);
		snprintf(name, sizeof(name), "hook%zu", i);
		snprintf(script, sizeof(script), "cd %s\n%s", folder, rows[i].script);
		write_program(name, script, 0755, path, sizeof(path));
		hooks_add(h, path, "attach", "u1", about);
	}
	run_all(h);
	assert_int_equal(heard.failures, countof(rows));
	assert_int_equal(heard.killed, countof(rows));
	snprintf(path, sizeof(path), "%s/child", folder);
	row_named("what it started is killed with it");
	assert_true(dies(read_pid(path)));
	json_decref(about);
	hooks_free(h);
}

static void
more_than_may_run_wait(void **state)
{
	struct heard heard = { 0 };
	struct hooks *h = new_hooks(&heard, LONG_MS, 3, 20);
	json_t *about = about_device(10);
	char path[64];
	int i;

	(void)state;
	write_program("hook", "exit 1", 0755, path, sizeof(path));
	for (i = 0; i < 25; i++)
		hooks_add(h, path, "attach", "u1", about);
	row_named("beyond the queue the newest fail at once");
	assert_int_equal(heard.failures, 5);
	assert_string_equal(heard.message, "too many hooks are waiting already");
	row_named("three at once, and each has its turn");
	assert_int_equal(run_all(h), 3);
	assert_int_equal(heard.failures, 25);
	assert_string_equal(heard.message, "exit status 1");
	row_named("no hook, nothing to do");
	hooks_add(h, NULL, "attach", "u1", about);
	assert_int_equal(hooks_count(h), 0);
	json_decref(about);
	hooks_free(h);
}

static void
who_runs_at_the_end_is_killed(void **state)
{
	struct heard heard = { 0 };
	struct hooks *h = new_hooks(&heard, LONG_MS, 2, 8);
	json_t *about = about_device(10);
	struct pollfd fds[FDS];
	char path[64];

	(void)state;
	write_program("hook", "sleep 1000", 0755, path, sizeof(path));
	hooks_add(h, path, "attach", "u1", about);
	hooks_add(h, path, "attach", "u1", about);
	hooks_add(h, path, "attach", "u1", about);
	hooks_run(h, fds, now_monotonic_ms());
	assert_int_equal(hooks_descriptors(h), 6);
	json_decref(about);
	/* It would wait for ever for one that lives. */
	hooks_free(h);
	assert_int_equal(heard.failures, 0);
}

static int
make_folder(void **state)
{
	(void)state;
	/* As in a station. */
	(void)signal(SIGPIPE, SIG_IGN);
	return mkdtemp(folder) ? 0 : -1;
}

static int
remove_folder(void **state)
{
	static const char *const names[] = { "hook", "hook0", "hook1", "hook2", "hook3", "child" };
	char path[64];
	size_t i;

	(void)state;
	for (i = 0; i < countof(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_of_them),
		cmocka_unit_test(a_program_that_is_not_there),
		cmocka_unit_test(who_does_not_end_is_killed),
		cmocka_unit_test(more_than_may_run_wait),
		cmocka_unit_test(who_runs_at_the_end_is_killed),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
