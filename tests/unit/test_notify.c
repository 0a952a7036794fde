/* notify: what a service manager hears that has no time to listen */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/notify.h"

struct manager {
	char folder[64], path[100];
	int fd;
};

static int
set_up(void **state)
{
	static struct manager m;
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	snprintf(m.folder, sizeof(m.folder), "/tmp/chaperone-notify-XXXXXX");
	assert_non_null(mkdtemp(m.folder));
	snprintf(m.path, sizeof(m.path), "%s/s", m.folder);
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", m.path);
	m.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(m.fd >= 0);
	assert_int_equal(bind(m.fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", m.path, 1), 0);
	*state = &m;
	return 0;
}

static int
tear_down(void **state)
{
	struct manager *m = *state;

	close(m->fd);
	unlink(m->path);
	rmdir(m->folder);
	return 0;
}

static void
hears(const struct manager *m, const char *want)
{
	char heard[200];
	ssize_t n = recv(m->fd, heard, sizeof(heard) - 1, 0);

	assert_true(n > 0);
	heard[n] = '\0';
	assert_string_equal(heard, want);
}

/* How many hints there was room for. */
static int
fill(void)
{
	int n = 0;

	while (notify_hint("WATCHDOG=1") == 0)
		assert_true(++n < 100000);
	return n;
}

static void
what_is_said_is_heard(void **state)
{
	struct manager *m = *state;

	notify_state("READY=1");
	assert_int_equal(notify_hint("STATUS=well"), 0);
	hears(m, "READY=1");
	hears(m, "STATUS=well");
}

static void
a_hint_without_room_is_dropped(void **state)
{
	struct manager *m = *state;
	int n = fill();

	assert_true(n > 0);
	assert_int_equal(notify_hint("STATUS=well"), -1);
	while (n-- > 0)
		hears(m, "WATCHDOG=1");
	assert_int_equal(recv(m->fd, (char [8]){ 0 }, 8, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
a_state_waits_for_room(void **state)
{
	struct manager *m = *state;
	int n = fill(), status;
	pid_t teller = fork();

	assert_true(teller >= 0);
	if (teller == 0) {
		notify_state("READY=1");
		_exit(0);
	}
	/* Whether it comes before or after the first is read, it has to come. */
	while (n-- > 0)
		hears(m, "WATCHDOG=1");
	hears(m, "READY=1");
	assert_int_equal(waitpid(teller, &status, 0), teller);
	assert_int_equal(status, 0);
}

static void
a_reload_says_since_when(void **state)
{
	struct manager *m = *state;
	char heard[200] = "";

	notify_reloading();
	assert_true(recv(m->fd, heard, sizeof(heard) - 1, 0) > 0);
	assert_memory_equal(heard, "RELOADING=1\nMONOTONIC_USEC=", 27);
	assert_true(strtoll(heard + 27, NULL, 10) > 0);
}

static void
nobody_listening_is_no_trouble(void **state)
{
	struct manager *m = *state;

	close(m->fd);
	m->fd = -1;
	notify_state("READY=1");
	assert_int_equal(notify_hint("STATUS=well"), 0);
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	notify_state("READY=1");
	assert_int_equal(notify_hint("STATUS=well"), 0);
}

static void
the_watchdog_is_fed_twice_as_often(void **state)
{
	(void)state;
	assert_int_equal(unsetenv("WATCHDOG_USEC"), 0);
	assert_int_equal(unsetenv("WATCHDOG_PID"), 0);
	assert_int_equal(notify_watchdog_ms(), 0);
	assert_int_equal(setenv("WATCHDOG_USEC", "180000000", 1), 0);
	assert_int_equal(notify_watchdog_ms(), 90000);
	/* It is another process's. */
	assert_int_equal(setenv("WATCHDOG_PID", "1", 1), 0);
	assert_int_equal(notify_watchdog_ms(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_said_is_heard, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_hint_without_room_is_dropped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_state_waits_for_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_reload_says_since_when, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_listening_is_no_trouble, set_up, tear_down),
		cmocka_unit_test(the_watchdog_is_fed_twice_as_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
