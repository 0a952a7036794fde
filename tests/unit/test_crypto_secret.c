/* crypto: passphrases from files, from systemd, and from a terminal */
#include "tests/unit/table.h"
#include "tests/unit/fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "crypto/secret.h"

static int
enter(void **state)
{
	(void)state;
	fixture_enter();
	unsetenv("CREDENTIALS_DIRECTORY");
	return 0;
}

static void
the_first_line_of_a_file_is_it(void **state)
{
	static const struct {
		const char	*name, *bytes;
		unsigned	 mode;
		bool		 is_loose_fine;
		enum error_kind	 want;
		const char	*passphrase;
	} rows[] = {
		{ "a line", "secret\n", 0600, false, 0, "secret" },
		{ "without a newline", "secret", 0600, false, 0, "secret" },
		{ "from Windows", "secret\r\n", 0600, false, 0, "secret" },
		{ "a carriage return of its own", "secret\r", 0600, false, 0, "secret\r" },
		{ "blanks are part of it", " se cret \nmore\n", 0400, false, 0, " se cret " },
		{ "empty", "", 0600, false, ERR_DATA, NULL },
		{ "an empty first line", "\nsecret\n", 0600, false, ERR_DATA, NULL },
		{ "an empty first line from Windows", "\r\nsecret\r\n",
		    0600, false, ERR_DATA, NULL },
		{ "others can read it", "secret\n", 0644, false, ERR_PERM, NULL },
		{ "the group can read it", "secret\n", 0640, false, ERR_PERM, NULL },
		{ "others can read it, and that is wanted", "secret\n", 0644, true, 0, "secret" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		struct secret_source source = { .file = "pass",
			.allow_loose_files = rows[i].is_loose_fine };
		auto_blob struct blob out = { 0 };
		struct error err = { 0 };

		row_named(rows[i].name);
		fixture_write("pass", rows[i].bytes, strlen(rows[i].bytes), rows[i].mode);
		secret_passphrase(&source, "acme.p12", &out, &err);
		assert_int_equal(err.kind, rows[i].want);
		assert_null(strstr(err.message, "secret"));
		if (rows[i].want)
			continue;
		assert_int_equal(out.len, strlen(rows[i].passphrase));
		assert_memory_equal(out.data, rows[i].passphrase, out.len);
	}
}

static void
a_file_that_is_named_must_be_there(void **state)
{
	struct secret_source source = { .file = "none" };
	auto_blob struct blob out = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(secret_passphrase(&source, "acme.p12", &out, &err), -1);
	assert_int_equal(err.kind, ERR_NOINPUT);
}

static void
a_long_line_is_refused(void **state)
{
	struct secret_source source = { .file = "pass" };
	char line[SECRET_MAX + 1];
	auto_blob struct blob out = { 0 };
	struct error err = { 0 };

	(void)state;
	memset(line, 'x', sizeof(line));
	fixture_write("pass", line, SECRET_MAX, 0600);
	assert_int_equal(secret_passphrase(&source, "acme.p12", &out, &err), 0);
	fixture_write("pass", line, SECRET_MAX + 1, 0600);
	assert_int_equal(secret_passphrase(&source, "acme.p12", &out, &err), -1);
	assert_int_equal(err.kind, ERR_DATA);
}

static void
systemd_hands_over_a_credential(void **state)
{
	struct secret_source source = { .file = NULL }, named = { .file = "pass" };
	auto_blob struct blob out = { 0 };
	struct error err = { 0 };

	(void)state;
	fixture_write("chaperone-passphrase", "from systemd\n", 13, 0440);
	fixture_write("pass", "from a file\n", 12, 0600);
	setenv("CREDENTIALS_DIRECTORY", ".", 1);
	assert_int_equal(secret_passphrase(&source, "acme.p12", &out, &err), 0);
	assert_int_equal(out.len, 12);
	assert_memory_equal(out.data, "from systemd", 12);
	row_named("a file that is named comes first");
	assert_int_equal(secret_passphrase(&named, "acme.p12", &out, &err), 0);
	assert_memory_equal(out.data, "from a file", 11);
	row_named("which may be a credential too, however its mode looks");
	named.file = "./chaperone-passphrase";
	assert_int_equal(secret_passphrase(&named, "acme.p12", &out, &err), 0);
	assert_memory_equal(out.data, "from systemd", 12);
	row_named("but not one in a folder of it");
	setenv("CREDENTIALS_DIRECTORY", "..", 1);
	assert_int_equal(secret_passphrase(&named, "acme.p12", &out, &err), -1);
	assert_int_equal(err.kind, ERR_PERM);
	unsetenv("CREDENTIALS_DIRECTORY");
}

/* In a session without a terminal; the exit code is the error's kind. */
static void
nobody_is_there_to_ask(void **state)
{
	int status = 0;
	pid_t pid;

	(void)state;
	/* As good as none. */
	fixture_write("chaperone-passphrase", "\n", 1, 0400);
	setenv("CREDENTIALS_DIRECTORY", ".", 1);
	pid = fork();
	if (pid == 0) {
		struct secret_source source = { .file = NULL };
		struct blob out = { 0 };
		struct error err = { 0 };

		setsid();
		secret_passphrase(&source, "acme.p12", &out, &err);
		_exit((int)err.kind);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), ERR_PERM);
}

/* ---- a terminal ------------------------------------------------------------ */

/* The child's part: 100 when what was typed is "secret", else the error's kind. */
static int
ask_there(int terminal, bool confirm)
{
	struct secret_source source = { .confirm = confirm };
	struct blob out = { 0 };
	struct error err = { 0 };

	/* Whoever runs tests in the background may have them ignored. */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	alarm(30);
	setsid();
	if (ioctl(terminal, TIOCSCTTY, 0) < 0)
		return 99;
	if (secret_passphrase(&source, "ac\033me.p12", &out, &err) < 0)
		return (int)err.kind;
	return out.len == 6 && memcmp(out.data, "secret", 6) == 0 ? 100 : 98;
}

static bool
has_echo(int terminal)
{
	struct termios t;

	assert_int_equal(tcgetattr(terminal, &t), 0);
	return t.c_lflag & ECHO;
}

/* What the terminal shows, up to and with the text. */
static void
await(int master, const char *text, char *shown, size_t size)
{
	struct error err = { 0 };
	size_t n = strlen(shown);

	while (!strstr(shown, text)) {
		ssize_t got;

		assert_int_equal(deadline_wait(master, POLLIN, deadline_in(10000), &err), 0);
		got = read(master, shown + n, size - n - 1);
		assert_true(got > 0);
		n += (size_t)got;
		shown[n] = '\0';
	}
}

static void
a_terminal_is_asked_without_echo(void **state)
{
	static const struct {
		/* typed; NULL: there is no second question */
		const char	*name, *first, *second;
		int		 code, signal;
	} rows[] = {
		{ "typed", "secret\n", NULL, 100, 0 },
		{ "nothing typed", "\n", NULL, ERR_PERM, 0 },
		{ "end of file", "\004", NULL, ERR_PERM, 0 },
		{ "interrupted", "\003", NULL, 0, SIGINT },
		{ "quit", "\034", NULL, 0, SIGQUIT },
		{ "the same twice", "secret\n", "secret\n", 100, 0 },
		{ "not the same", "secret\n", "Secret\n", ERR_PERM, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		char shown[1024] = "";
		int master, terminal, status = 0;
		pid_t pid;

		row_named(rows[i].name);
		assert_int_equal(openpty(&master, &terminal, NULL, NULL, NULL), 0);
		pid = fork();
		if (pid == 0)
			_exit(ask_there(terminal, rows[i].second != NULL));
		await(master, ".p12: ", shown, sizeof(shown));
		assert_false(has_echo(terminal));
		assert_null(strchr(shown, '\033'));
		assert_true(write(master, rows[i].first, strlen(rows[i].first)) > 0);
		if (rows[i].second) {
			shown[0] = '\0';
			await(master, ".p12: ", shown, sizeof(shown));
			assert_true(write(master, rows[i].second, strlen(rows[i].second)) > 0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (rows[i].signal)
			assert_true(WIFSIGNALED(status) && WTERMSIG(status) == rows[i].signal);
		else
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) == rows[i].code);
		assert_true(has_echo(terminal));
		assert_null(strstr(shown, "ecret"));
		close(master);
		close(terminal);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_line_of_a_file_is_it),
		cmocka_unit_test(a_file_that_is_named_must_be_there),
		cmocka_unit_test(a_long_line_is_refused),
		cmocka_unit_test(systemd_hands_over_a_credential),
		cmocka_unit_test(nobody_is_there_to_ask),
		cmocka_unit_test(a_terminal_is_asked_without_echo),
	};

	return cmocka_run_group_tests(tests, enter, fixture_remove);
}
