/* secret: one passphrase, from a file, from systemd, or from the terminal */
#include "crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

enum { FILE_LIMIT = 65536 };

/* ---- a file ---------------------------------------------------------------- */

/* The first line, without its LF or CRLF. */
static int
first_line(const struct blob *bytes, const char *path, struct blob *out, struct error *err)
{
	const uint8_t *end = bytes->len ? memchr(bytes->data, '\n', bytes->len) : NULL;
	size_t len = end ? (size_t)(end - bytes->data) : bytes->len;

	if (len && end && bytes->data[len - 1] == '\r')
		len--;
	if (len == 0)
		return error_set(err, ERR_DATA, "%s: its first line is empty", path);
	if (len > SECRET_MAX)
		return error_set(err, ERR_DATA, "%s: a passphrase has at most %d bytes", path,
		    SECRET_MAX);
	return blob_set(out, bytes->data, len) < 0 ? error_memory(err) : 0;
}

static int
from_file(const char *path, int flags, struct blob *out, struct error *err)
{
	auto_blob struct blob bytes = { 0 };

	if (file_read(path, FILE_LIMIT, flags, &bytes, err) < 0)
		return -1;
	return first_line(&bytes, path, out, err);
}

/*
 * 1: there was one. systemd guards the folder itself, whatever the mode says. An
 * empty one is what a unit sets for who has none.
 */
static int
from_credential(struct blob *out, struct error *err)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	auto_blob struct blob bytes = { 0 };
	auto_free char *path = NULL;

	if (!folder || !*folder)
		return 0;
	if (asprintf(&path, "%s/chaperone-passphrase", folder) < 0) {
		path = NULL;
		return error_memory(err);
	}
	if (access(path, F_OK) < 0)
		return 0;
	if (file_read(path, FILE_LIMIT, FILE_ANY, &bytes, err) < 0)
		return -1;
	if (bytes.len == 0 || bytes.data[0] == '\n')
		return 0;
	return first_line(&bytes, path, out, err) < 0 ? -1 : 1;
}

/* ---- the terminal ---------------------------------------------------------- */

static const int fatal[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGALRM };
static volatile sig_atomic_t caught;

static void
catch(int number)
{
	caught = number;
}

/* A terminal without echo, and all that must be put back. */
struct prompt {
	int			fd;
	struct termios		was;
	struct sigaction	actions[countof(fatal)];
	sigset_t		mask;
};

/*
 * The signals stay blocked but for the moments of waiting, in ppoll(2): so none
 * of them can come between a look at caught and the wait.
 */
static void
hold_signals(struct prompt *p)
{
	struct sigaction action = { .sa_handler = catch };
	sigset_t blocked;
	size_t i;

	sigemptyset(&blocked);
	for (i = 0; i < countof(fatal); i++)
		sigaddset(&blocked, fatal[i]);
	sigprocmask(SIG_BLOCK, &blocked, &p->mask);
	caught = 0;
	for (i = 0; i < countof(fatal); i++) {
		sigaction(fatal[i], NULL, &p->actions[i]);
		if (p->actions[i].sa_handler != SIG_IGN)
			sigaction(fatal[i], &action, NULL);
	}
}

static void
release_signals(struct prompt *p)
{
	size_t i;

	for (i = 0; i < countof(fatal); i++)
		sigaction(fatal[i], &p->actions[i], NULL);
	sigprocmask(SIG_SETMASK, &p->mask, NULL);
}

static int
prompt_open(struct prompt *p)
{
	struct termios silent;

	p->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (p->fd < 0 || tcgetattr(p->fd, &p->was) < 0)
		return -1;
	hold_signals(p);
	silent = p->was;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	silent.c_lflag |= ICANON | ISIG;
	(void)tcsetattr(p->fd, TCSAFLUSH, &silent);
	return 0;
}

static void
prompt_close(struct prompt *p)
{
	if (p->fd < 0)
		return;
	(void)tcsetattr(p->fd, TCSAFLUSH, &p->was);
	close(p->fd);
	p->fd = -1;
	release_signals(p);
}

static void
say(const struct prompt *p, const char *text)
{
	/* A terminal that does not take the question is closed: then read() says so. */
	if (write(p->fd, text, strlen(text)) < 0)
		return;
}

/* A line as the terminal gives it, at once when it ends in a newline. */
static int
read_line(const struct prompt *p, struct blob *out, struct error *err)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };
	char line[SECRET_MAX + 2];
	ssize_t n;
	int rc = 0;

	do
		n = ppoll(&pfd, 1, NULL, &p->mask);
	while (n < 0 && errno == EINTR && !caught);
	if (caught)
		return error_set(err, ERR_INTERRUPTED, "interrupted");
	n = read(p->fd, line, sizeof(line));
	if (n > 0 && line[n - 1] == '\n')
		n--;
	if (n <= 0)
		rc = error_set(err, ERR_PERM, "no passphrase was given");
	else if (n > SECRET_MAX)
		rc = error_set(err, ERR_PERM, "a passphrase has at most %d bytes", SECRET_MAX);
	else if (blob_set(out, line, (size_t)n) < 0)
		rc = error_memory(err);
	explicit_bzero(line, sizeof(line));
	return rc;
}

static int
ask(const struct prompt *p, const char *prefix, const char *what, struct blob *out,
    struct error *err)
{
	char name[200], question[256];
	int rc;

	text_printable(what, strlen(what), name, sizeof(name));
	snprintf(question, sizeof(question), "%s %s: ", prefix, name);
	say(p, question);
	rc = read_line(p, out, err);
	say(p, "\n");
	return rc;
}

static int
ask_twice(const struct prompt *p, const char *what, struct blob *out, struct error *err)
{
	auto_blob struct blob again = { 0 };

	if (ask(p, "New passphrase of", what, out, err) < 0 ||
	    ask(p, "The same again for", what, &again, err) < 0)
		return -1;
	if (!blob_equal(out, &again))
		return error_set(err, ERR_PERM, "the two passphrases are not the same");
	return 0;
}

static int
no_terminal(const struct secret_source *source, const char *what, struct error *err)
{
	error_set(err, ERR_PERM, "there is no terminal to ask for the passphrase of %s on", what);
	return error_hint(err, source->confirm ?
	    "give the passphrase of the new file with --out-passphrase-file" :
	    "give it with --passphrase-file, or as the systemd credential chaperone-passphrase");
}

static int
from_terminal(const struct secret_source *source, const char *what, struct blob *out,
    struct error *err)
{
	struct prompt p = { .fd = -1 };
	auto_blob struct blob typed = { 0 };
	int rc, number;

	if (source->asks_nobody) {
		error_set(err, ERR_PERM, "%s needs a passphrase, and nobody is asked here", what);
		return error_hint(err,
		    "name a --passphrase-file, or a passphrase-file in the policy");
	}
	do {
		blob_clear(&typed);
		if (prompt_open(&p) < 0) {
			clean_fd(&p.fd);
			return no_terminal(source, what, err);
		}
		rc = source->confirm ? ask_twice(&p, what, &typed, err) :
		    ask(&p, "Passphrase of", what, &typed, err);
		number = caught;
		prompt_close(&p);
		/* With the terminal as it was: what the signal would have done. */
		if (number)
			raise(number);
	} while (number == SIGTSTP);	/* stopped, and now in front again */
	if (rc < 0)
		return -1;
	blob_clear(out);
	*out = blob_steal(&typed);
	return 0;
}

int
secret_passphrase(void *ctx, const char *what, struct blob *out, struct error *err)
{
	const struct secret_source *source = ctx;
	int found;

	if (source->file)
		return from_file(source->file,
		    source->allow_loose_files ? FILE_ANY : FILE_PRIVATE, out, err);
	found = from_credential(out, err);
	if (found != 0)
		return found < 0 ? -1 : 0;
	return from_terminal(source, what, out, err);
}
