/* launcher: forks signers for a process that must not do it itself any more */
#include "crypto/launcher.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/passfd.h"
#include "crypto/identity.h"
#include "crypto/secret.h"
#include "crypto/signer.h"
#include "crypto/signserver.h"

enum { ANSWER_MS = 10000, REF_MAX = 8192 };

struct launcher {
	pid_t	pid;
	int	control;
};

/* One packet, with the signer's end of its control socket beside it. */
struct order {
	char	ref[REF_MAX];
	char	passphrase_file[PATH_MAX];
	bool	has_passphrase_file, allow_loose_files;
};

/* The answer; beside it a pidfd, unless the signer has ended already. */
struct answer {
	int	sys;		/* errno when there is no signer */
};

/* ---- the launcher's process ---------------------------------------------------- */

/* Ctrl-C is the station's, which seals its ledger with the signers' help after it. */
static void
set_signals(void (*handler)(int))
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP };
	sigset_t none;
	size_t i;

	for (i = 0; i < countof(signals); i++)
		signal(signals[i], handler);
	/* Nobody asks how a signer ended: its control socket says that it has. */
	signal(SIGCHLD, handler);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int
close_others(int kept)
{
	if (kept > STDERR_FILENO + 1 && close_range(STDERR_FILENO + 1, (unsigned)kept - 1, 0) < 0)
		return -1;
	return close_range((unsigned)kept + 1, ~0U, 0);
}

static _Noreturn void
become_signer(int control, const struct order *o, pid_t parent)
{
	struct secret_source secret = {
		.file = o->has_passphrase_file ? o->passphrase_file : NULL,
		.allow_loose_files = o->allow_loose_files, .asks_nobody = true,
	};
	const struct identity_source source = {
		.ref = o->ref, .allow_loose_files = o->allow_loose_files,
		.passphrase = secret_passphrase, .passphrase_ctx = &secret,
		.asks_nobody = secret.file != NULL,
	};

	set_signals(SIG_DFL);
	_exit(signserver_run(control, &source, parent));
}

static bool
is_ended(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

/* -1: the parent is gone, or says something that only a bug can say. */
static int
serve_one(int control)
{
	auto_fd int theirs = -1, pidfd = -1;
	pid_t launcher = getpid(), pid;
	struct answer a = { 0 };
	struct order o;
	ssize_t n = passfd_receive(control, &o, sizeof(o), 0, &theirs);

	if (n < 0 && errno == EINTR)
		return 0;
	if (n != sizeof(o) || theirs < 0 || !is_ended(o.ref, sizeof(o.ref)) ||
	    !is_ended(o.passphrase_file, sizeof(o.passphrase_file)))
		return -1;
	pid = fork();
	if (pid == 0)
		become_signer(theirs, &o, launcher);
	if (pid < 0)
		a.sys = errno;
	else
		pidfd = pidfd_open(pid, 0);
	return passfd_send(control, &a, sizeof(a), pidfd, 0) < 0 ? -1 : 0;
}

static _Noreturn void
run(int control, pid_t parent)
{
	set_signals(SIG_IGN);
	(void)prctl(PR_SET_NAME, "launcher");
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent ||
	    close_others(control) < 0)
		_exit(1);
	while (serve_one(control) == 0)
		continue;
	_exit(0);
}

/* ---- its parent ------------------------------------------------------------------ */

int
launcher_start(struct launcher **out, struct error *err)
{
	struct launcher *l = calloc(1, sizeof(*l));
	pid_t parent = getpid();
	int ends[2];

	if (!l)
		return error_memory(err);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		free(l);
		return error_set_sys(err, ERR_SOFTWARE, errno, "a socket for the launcher");
	}
	*l = (struct launcher){ .pid = fork(), .control = ends[0] };
	if (l->pid == 0)
		run(ends[1], parent);
	close(ends[1]);
	if (l->pid < 0) {
		error_set_sys(err, ERR_SOFTWARE, errno, "starting the launcher");
		close(l->control);
		free(l);
		return -1;
	}
	*out = l;
	return 0;
}

void
launcher_stop(struct launcher *l)
{
	if (!l)
		return;
	/* It waits for orders and for nothing else: without a parent's end it ends. */
	close(l->control);
	while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	free(l);
}

static int
fill_order(const struct launcher_order *order, struct order *out, struct error *err)
{
	const char *file = order->passphrase_file;

	*out = (struct order){ .allow_loose_files = order->allow_loose_files,
		.has_passphrase_file = file != NULL };
	if (strlen(order->ref) >= sizeof(out->ref) ||
	    (file && strlen(file) >= sizeof(out->passphrase_file)))
		return error_set(err, ERR_USAGE,
		    "the name of an identity or of its passphrase's file is too long");
	memcpy(out->ref, order->ref, strlen(order->ref));
	if (file)
		memcpy(out->passphrase_file, file, strlen(file));
	return 0;
}

/* *pidfd is the caller's, also on failure. */
static int
ask(struct launcher *l, const struct order *o, int theirs, int *pidfd, struct error *err)
{
	struct answer a = { 0 };
	ssize_t n = passfd_send(l->control, o, sizeof(*o), theirs, 0);

	if (n == sizeof(*o) && deadline_wait(l->control, POLLIN, deadline_in(ANSWER_MS), err) < 0) {
		/* A late answer would be taken for that of the next order: there is none. */
		(void)shutdown(l->control, SHUT_RDWR);
		return error_context(err, "waiting for the launcher of signers");
	}
	if (n == sizeof(*o))
		n = passfd_receive(l->control, &a, sizeof(a), 0, pidfd);
	if (n != sizeof(a))
		return error_set(err, ERR_UNAVAILABLE, "the launcher of signers is gone");
	return a.sys ? error_set_sys(err, ERR_SOFTWARE, a.sys, "starting the signer") : 0;
}

int
launcher_signer(struct launcher *l, const struct launcher_order *order, struct signer **out,
    struct cert *cert, struct error *err)
{
	auto_fd int control = -1, theirs = -1, pidfd = -1;
	struct signer *s = NULL;
	struct order o;
	int ends[2];

	if (fill_order(order, &o, err) < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set_sys(err, ERR_SOFTWARE, errno, "a socket for the signer");
	control = ends[0];
	theirs = ends[1];
	if (ask(l, &o, theirs, &pidfd, err) < 0 || signer_adopt(control, pidfd, &s, err) < 0)
		return -1;
	control = pidfd = -1;
	/* Who hears the signer end must not hold its end. */
	clean_fd(&theirs);
	if (signer_await(s, cert, err) < 0) {
		signer_stop(s);
		return -1;
	}
	*out = s;
	return 0;
}
