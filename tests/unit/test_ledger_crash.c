/* ledger: kill -9 at any moment, a full disk at any write, many writers at once */
#include "tests/unit/table.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/error.h"
#include "tests/unit/fixture.h"
#include "tests/unit/ledgertest.h"

/* A writer that says of each event that it is on record, as a worker would be told. */
static void
write_forever(int tell, unsigned who)
{
	const struct ledger_place place = { .path = "ledger.db", .station = "bench" };
	struct ledger *l = NULL;
	struct error err = { 0 };
	unsigned i;

	if (ledger_open(&place, LEDGER_WRITE, &l, &err) < 0)
		_exit(1);
	for (i = 0;; i++) {
		json_t *body = json_pack("{s:i, s:i}", "who", (int)who, "n", (int)i);
		const struct ledger_entry entry = { EVENT_SENT, "RUN", NULL, body };
		int64_t sequence = 0;

		/* Every other one with two that wait: they are on record together. */
		if (i % 2 && (ledger_add(l, &entry, &err) < 0 || ledger_add(l, &entry, &err) < 0))
			_exit(2);
		if (ledger_append(l, &entry, &sequence, &err) < 0)
			_exit(2);
		json_decref(body);
		if (write(tell, &sequence, sizeof(sequence)) != sizeof(sequence))
			_exit(3);
	}
}

static pid_t
start_writer(unsigned who, int *from)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(ends[0]);
		write_forever(ends[1], who);
	}
	close(ends[1]);
	*from = ends[0];
	return pid;
}

/* The highest sequence that a writer was told is on record. */
static int64_t
drain(int from)
{
	int64_t sequence, last = 0;

	while (read(from, &sequence, sizeof(sequence)) == sizeof(sequence))
		last = sequence > last ? sequence : last;
	close(from);
	return last;
}

static void
nothing_acknowledged_is_lost_by_kill(void **state)
{
	enum { ROUNDS = 125, WRITERS = 4 };
	unsigned seed = 20261124, round, kills = 0;
	int64_t promised = 0;
	struct ledgertest_audit a;

	(void)state;
	for (round = 0; round < ROUNDS; round++) {
		struct error err = { 0 };
		pid_t pids[WRITERS];
		int from[WRITERS];
		unsigned i;

		for (i = 0; i < WRITERS; i++)
			pids[i] = start_writer(i, &from[i]);
		/* From before the file is open to the middle of a commit. */
		deadline_pause(deadline_in(rand_r(&seed) % 60), &err);
		for (i = 0; i < WRITERS; i++) {
			int64_t last;
			int status;

			kill(pids[i], SIGKILL);
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_true(WIFSIGNALED(status));
			kills++;
			last = drain(from[i]);
			promised = last > promised ? last : promised;
		}
		if (round % 5 == 0) {
			auto_ledger struct ledger *l = ledgertest_open("ledger.db", LEDGER_WRITE);
			struct audit_result result;
			int64_t sequence = 0;
			const struct ledger_entry entry = { .kind = EVENT_OPERATOR };

			assert_int_equal(audit_run(l, NULL, NULL, NULL, &result, &err), 0);
			assert_int_equal(result.findings, 0);
			assert_true(result.last >= promised);
			assert_int_equal(ledger_append(l, &entry, &sequence, &err), 0);
			assert_int_equal(sequence, result.last + 1);
			promised = sequence;
		}
	}
	ledgertest_audit("ledger.db", NULL, &a);
	assert_int_equal(a.result.findings, 0);
	assert_true(a.result.last >= promised);
	print_message("           %u kills, %lld events, none promised and missing\n", kills,
	    (long long)a.result.last);
	assert_true(a.result.last > 100);
}

static void
many_writers_make_one_chain(void **state)
{
	enum { WRITERS = 16, EACH = 50 };
	struct ledgertest_audit a;
	pid_t pids[WRITERS];
	int64_t began = now_monotonic_ms();
	unsigned i, j;
	int status;

	(void)state;
	for (i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			const struct ledger_place place = { .path = "ledger.db", .station = "bench",
				.busy_ms = 60000 };
			const struct ledger_entry entry = { .kind = EVENT_SENT, .run = "RUN" };
			struct ledger *l = NULL;
			struct error err = { 0 };

			if (ledger_open(&place, LEDGER_WRITE, &l, &err) < 0)
				_exit(1);
			for (j = 0; j < EACH; j++)
				if (ledger_append(l, &entry, NULL, &err) < 0)
					_exit(2);
			ledger_close(l);
			_exit(0);
		}
	}
	for (i = 0; i < WRITERS; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	print_message("           %d events by %d processes in %lld ms\n", WRITERS * EACH, WRITERS,
	    (long long)(now_monotonic_ms() - began));
	ledgertest_audit("ledger.db", NULL, &a);
	assert_int_equal(a.result.findings, 0);
	assert_int_equal(a.result.events, WRITERS * EACH);
}

/* The disk gets full at each size in turn; what was promised stays, and it goes on. */
static void
a_full_disk_stops_before_the_change(void **state)
{
	struct rlimit was, limit;
	unsigned stopped = 0, tried = 0;
	rlim_t size;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	signal(SIGXFSZ, SIG_IGN);
	for (size = 0; size <= 1600 * 1024; size += size < 96 * 1024 ? 1511 : 65537) {
		const struct ledger_place place = { .path = "ledger.db", .station = "bench" };
		const struct ledger_entry entry = { .kind = EVENT_SENT, .run = "RUN" };
		struct ledger *l = NULL;
		struct audit_result result;
		struct error err = { 0 };
		int64_t promised = 0;
		int i;

		unlink("ledger.db");
		unlink("ledger.db-wal");
		unlink("ledger.db-shm");
		limit = (struct rlimit){ size, was.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		tried++;
		if (ledger_open(&place, LEDGER_WRITE, &l, &err) == 0) {
			for (i = 0; i < 60 && ledger_append(l, &entry, &promised, &err) == 0; i++)
				;
		}
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
		if (err.kind) {
			assert_int_equal(err.kind, ERR_IO);
			stopped++;
		}
		ledger_close(l);
		l = ledgertest_open("ledger.db", LEDGER_WRITE);
		assert_int_equal(audit_run(l, NULL, NULL, NULL, &result, &err), 0);
		assert_int_equal(result.findings, 0);
		assert_true(result.last >= promised);
		assert_int_equal(ledger_append(l, &entry, NULL, &err), 0);
		ledger_close(l);
	}
	signal(SIGXFSZ, SIG_DFL);
	print_message("           %u sizes of disk, %u of them too small\n", tried, stopped);
	assert_true(stopped > 50 && stopped < tried);
}

/* Writers go on while the file under them is exchanged. */
static void
a_rotation_loses_nothing(void **state)
{
	enum { ROUNDS = 12 };
	unsigned round, rotated = 0;
	int64_t expected_first = 1;
	char carried[EVENT_HASH_MAX];

	(void)state;
	memcpy(carried, EVENT_NO_PREVIOUS, sizeof(carried));
	for (round = 0; round < ROUNDS; round++) {
		const struct ledger_place place = { .path = "ledger.db", .station = "bench" };
		auto_free char *moved = NULL;
		struct audit_known known = { .carried = carried, .first = expected_first };
		struct ledgertest_audit a;
		struct ledger *l = NULL;
		struct error err = { 0 };
		pid_t pids[3];
		int status;
		size_t i;

		for (i = 0; i < countof(pids); i++) {
			pids[i] = fork();
			if (pids[i] == 0) {
				const struct ledger_entry entry = { .kind = EVENT_SENT };
				int j;

				for (j = 0; j < 10; j++) {
					if (ledger_open(&place, LEDGER_WRITE, &l, &err) < 0 ||
					    ledger_append(l, &entry, NULL, &err) < 0) {
						fprintf(stderr, "%s\n", err.message);
						_exit(1);
					}
					ledger_close(l);
				}
				_exit(0);
			}
		}
		assert_int_equal(ledger_open(&place, LEDGER_WRITE, &l, &err), 0);
		if (ledger_rotate(l, NULL, NULL, &moved, &err) == 0)
			rotated++;
		else
			assert_int_equal(err.kind, ERR_UNAVAILABLE);
		for (i = 0; i < countof(pids); i++) {
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_int_equal(status, 0);
		}
		if (!moved)
			continue;
		ledgertest_audit(moved, &known, &a);
		assert_int_equal(a.result.findings, 0);
		memcpy(carried, a.result.hash, sizeof(carried));
		expected_first = a.result.last + 1;
	}
	{
		struct audit_known known = { .carried = carried, .first = expected_first };
		struct ledgertest_audit a;

		ledgertest_audit("ledger.db", &known, &a);
		assert_int_equal(a.result.findings, 0);
		/* Every append of every writer, and one closing event for each file. */
		assert_int_equal(a.result.last, ROUNDS * 30 + rotated);
	}
	print_message("           %u of %u rotations went through\n", rotated, ROUNDS);
	assert_true(rotated > 0);
}

#define crash_test(f)	cmocka_unit_test_setup_teardown(f, fixture_make, fixture_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		crash_test(nothing_acknowledged_is_lost_by_kill),
		crash_test(many_writers_make_one_chain),
		crash_test(a_full_disk_stops_before_the_change),
		crash_test(a_rotation_loses_nothing),
	};

	return cmocka_run_group_tests_name("ledger crash", tests, NULL, NULL);
}
