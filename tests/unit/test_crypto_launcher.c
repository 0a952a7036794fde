/* crypto: signers that another process forks, and how all of them end */
#include "tests/unit/table.h"
#include "tests/unit/fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "crypto/cert.h"
#include "crypto/launcher.h"
#include "crypto/signer.h"

static const char udid[] = "00008030-001122334455667E";
static const struct launcher_order acme = { .ref = "acme.p12", .passphrase_file = "pass" };

static int
make_files(void **state)
{
	(void)state;
	fixture_enter();
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_true(
	    fixture_openssl("req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem "
	    "-days 30 -subj /O=Acme"));
	assert_true(
	    fixture_openssl("pkcs12 -export -inkey key.pem -in cert.pem -passout pass:secret "
	    "-out acme.p12"));
	fixture_write("pass", "secret\n", 7, 0600);
	fixture_write("wrong", "Secret\n", 7, 0600);
	fixture_write("loose", "secret\n", 7, 0644);
	return 0;
}

static void
clean_launcher(struct launcher **l)
{
	launcher_stop(*l);
}

static void
clean_signer(struct signer **s)
{
	signer_stop(*s);
}

#define auto_launcher	auto_with(clean_launcher)
#define auto_signer	auto_with(clean_signer)

/* The first child of a process; 0: it has none, or too many for a line. */
static pid_t
only_child(pid_t pid)
{
	char path[64], line[256] = "";
	int child = 0, more = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fgets(line, sizeof(line), f) && sscanf(line, "%d %d", &child, &more) == 2)
		child = 0;
	fclose(f);
	return child;
}

static void
signs(struct signer *s)
{
	auto_blob struct blob cms = { 0 };
	struct error err = { 0 };
	auto_fd int fd = -1;

	assert_int_equal(signer_channel(s, udid, &fd, &err), 0);
	assert_int_equal(signer_sign(fd, SIGNER_PAIR, "challenge", 9, deadline_in(30000),
	    &cms, &err), 0);
	assert_true(cms.len > 256);
}

static void
its_signers_are_as_any_other_but_not_our_children(void **state)
{
	auto_launcher struct launcher *l = NULL;
	auto_signer struct signer *s = NULL;
	auto_cert struct cert cert = { 0 };
	struct error err = { 0 };
	pid_t launcher, signer;

	(void)state;
	assert_int_equal(launcher_start(&l, &err), 0);
	assert_int_equal(launcher_signer(l, &acme, &s, &cert, &err), 0);
	assert_string_equal(cert.organization, "Acme");
	launcher = only_child(getpid());
	assert_true(launcher > 0);
	signer = only_child(launcher);
	assert_true(signer > 0);
	signs(s);
	row_named("one that is stopped is gone");
	signer_stop(steal_pointer(&s));
	for (; kill(signer, 0) == 0; deadline_pause(deadline_in(5), &err))
		continue;
	row_named("and the next is begun");
	cert_clear(&cert);
	assert_int_equal(launcher_signer(l, &acme, &s, &cert, &err), 0);
	signs(s);
}

static void
what_is_wrong_is_said(void **state)
{
	static const struct {
		const char		*name;
		struct launcher_order	 order;
		enum error_kind		 want;
	} rows[] = {
		{ "a file that is not there", { "none.p12", "pass", false }, ERR_NOINPUT },
		{ "a wrong passphrase", { "acme.p12", "wrong", false }, ERR_PERM },
		{ "nobody is asked", { "acme.p12", NULL, false }, ERR_PERM },
		{ "a passphrase that others can read", { "acme.p12", "loose", false }, ERR_PERM },
		{ "which is fine when it is said", { "acme.p12", "loose", true }, ERR_NONE },
	};
	auto_launcher struct launcher *l = NULL;
	struct error err = { 0 };
	char *longest = calloc(1, 10000);
	size_t i;

	(void)state;
	assert_int_equal(launcher_start(&l, &err), 0);
	for (i = 0; i < countof(rows); i++) {
		auto_signer struct signer *s = NULL;
		auto_cert struct cert cert = { 0 };

		row_named(rows[i].name);
		err = (struct error){ 0 };
		assert_int_equal(launcher_signer(l, &rows[i].order, &s, &cert, &err),
		    rows[i].want == ERR_NONE ? 0 : -1);
		assert_int_equal(err.kind, rows[i].want);
	}
	row_named("a name that is too long");
	assert_non_null(longest);
	memset(longest, 'a', 9999);
	assert_int_equal(launcher_signer(l, &(struct launcher_order){ .ref = longest },
	    NULL, NULL, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	free(longest);
}

static void
a_launcher_that_is_gone_is_said(void **state)
{
	auto_launcher struct launcher *l = NULL;
	auto_signer struct signer *s = NULL, *none = NULL;
	auto_cert struct cert cert = { 0 };
	struct error err = { 0 };
	struct pollfd gone;

	(void)state;
	assert_int_equal(launcher_start(&l, &err), 0);
	assert_int_equal(launcher_signer(l, &acme, &s, &cert, &err), 0);
	assert_int_equal(kill(only_child(getpid()), SIGKILL), 0);
	gone = (struct pollfd){ .fd = signer_descriptor(s) };
	row_named("its signers end with it");
	assert_int_equal(deadline_poll(&gone, 1, deadline_in(30000), false), 1);
	assert_int_equal(launcher_signer(l, &acme, &none, &cert, &err), -1);
	assert_int_equal(err.kind, ERR_UNAVAILABLE);
}

/* The parent dies without a word; the pipe tells when both others, too, are gone. */
static void
all_end_with_their_parent(void **state)
{
	auto_fd int ours = -1;
	struct error err = { 0 };
	int ends[2];
	pid_t pid;
	char byte;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		auto_cert struct cert cert = { 0 };
		struct launcher *l = NULL;
		struct signer *s = NULL;

		dup2(ends[1], STDERR_FILENO);	/* the one descriptor that they keep */
		if (launcher_start(&l, &err) < 0 || launcher_signer(l, &acme, &s, &cert, &err) < 0)
			_exit(1);
		raise(SIGKILL);
	}
	ours = ends[0];
	close(ends[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	do
		assert_int_equal(deadline_wait(ours, POLLIN, deadline_in(30000), &err), 0);
	while (read(ours, &byte, 1) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_signers_are_as_any_other_but_not_our_children),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(a_launcher_that_is_gone_is_said),
		cmocka_unit_test(all_end_with_their_parent),
	};

	return cmocka_run_group_tests(tests, make_files, fixture_remove);
}
