/* hooks: programs that are told what happens to devices */
#include "station/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/folder.h"
#include "base/text.h"
#include "store/json.h"

enum {
	NAME_MAX_BYTES = 128, LAST_WORDS_MAX = 160, VARIABLES_MAX = 16, DESCRIPTORS = 3,
	CHUNKS = 16,	/* read in one turn: who prints without end does not stop the loop */
};

struct hook {
	char	*program;
	char	 event[16];
	char	 udid[NAME_MAX_BYTES];
	char	*input;			/* what is written to it */
	size_t	 len, sent;
	char	*variables[VARIABLES_MAX];	/* its environment; the last one is NULL */

	/* while it runs */
	pid_t	 pid;
	int	 pidfd, in, out;	/* -1: closed */
	int64_t	 ends_ms;
	bool	 was_killed;
	char	 said[LAST_WORDS_MAX];	/* the end of what it printed */
	size_t	 said_len;
};

struct hooks {
	struct hooks_settings	 settings;
	struct hook		**items;	/* those that run come first */
	size_t			 n, running;
};

/* ---- what it is told ----------------------------------------------------------------- */

static void
hook_free(struct hook *k)
{
	size_t i;

	if (!k)
		return;
	for (i = 0; i < VARIABLES_MAX; i++)
		free(k->variables[i]);
	free(k->program);
	free(k->input);
	clean_fd(&k->pidfd);
	clean_fd(&k->in);
	clean_fd(&k->out);
	free(k);
}

static void
clean_hook(struct hook **k)
{
	hook_free(*k);
}

static int
add_variable(struct hook *k, size_t *n, const char *name, const char *value)
{
	if (!value)
		return 0;
	if (asprintf(&k->variables[*n], "%s=%s", name, value) < 0) {
		k->variables[*n] = NULL;
		return -1;
	}
	++*n;
	return 0;
}

/* The names are those of cfgutil exec, which bench scripts know. */
static int
set_variables(struct hook *k, const json_t *about)
{
	static const struct {
		const char *name, *key;
	} rows[] = {
		{ "ECID", "ecid" }, { "UDID", "udid" }, { "deviceName", "name" },
		{ "deviceType", "product" }, { "buildVersion", "build" },
		{ "firmwareVersion", "os" },
		{ "locationID", "location" }, { "CHAPERONE_SLOT", "slot" },
	};
	const char *verdict = json_text(about, "verdict", NULL);
	size_t n = 0, i;

	if (add_variable(k, &n, "PATH", "/usr/local/bin:/usr/bin:/bin") < 0 ||
	    add_variable(k, &n, "LANG", "C.UTF-8") < 0 ||
	    add_variable(k, &n, "CHAPERONE_EVENT", k->event) < 0 ||
	    add_variable(k, &n, "CHAPERONE_VERDICT", verdict) < 0 ||
	    add_variable(k, &n, "CHAPERONE_REASON", json_text(about, "reason", NULL)) < 0)
		return -1;
	for (i = 0; i < countof(rows); i++)
		if (add_variable(k, &n, rows[i].name, json_text(about, "device", rows[i].key)) < 0)
			return -1;
	return 0;
}

static struct hook *
hook_new(const char *program, const char *event, const char *udid, json_t *about)
{
	auto_with(clean_hook) struct hook *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->pidfd = k->in = k->out = -1;
	k->program = strdup(program);
	k->input = json_dumps(about, JSON_COMPACT);
	snprintf(k->event, sizeof(k->event), "%s", event);
	snprintf(k->udid, sizeof(k->udid), "%s", udid);
	if (!k->program || !k->input || set_variables(k, about) < 0)
		return NULL;
	k->len = strlen(k->input);
	return steal_pointer(&k);
}

/* ---- starting -------------------------------------------------------------------------- */

/* We have raised it for ourselves; select(2) in a hook would trip over that. */
static void
lower_limit(void)
{
	enum { CUSTOMARY = 1024 };
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > CUSTOMARY) {
		limit.rlim_cur = CUSTOMARY;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Between fork and exec: what is ours stays here. */
static void
become(const struct hook *k, int in, int out)
{
	char *argv[] = { k->program, NULL };
	sigset_t none;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	lower_limit();
	if (setpgid(0, 0) < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(out, STDERR_FILENO) < 0 || close_range(3, ~0u, 0) < 0 || chdir("/") < 0)
		_exit(126);
	execve(k->program, argv, k->variables);
	dprintf(STDERR_FILENO, "%s\n", strerror(errno));
	_exit(127);
}

/* Whoever can change the program can do what we can. */
static int
check_program(const char *program, struct error *err)
{
	struct stat st;

	if (stat(program, &st) < 0)
		return error_set_sys(err, ERR_NOINPUT, errno, "it cannot be started");
	if (st.st_mode & S_IWOTH)
		return error_set(err, ERR_PERM, "everybody can change it, so it is not started");
	return folder_check_open(program, err);
}

static int
launch(struct hook *k, struct error *err)
{
	auto_fd int child_in = -1, child_out = -1;
	int in[2], out[2];

	if (check_program(k->program, err) < 0)
		return -1;
	if (pipe2(in, O_CLOEXEC) < 0)
		return error_set_sys(err, ERR_SOFTWARE, errno, "a pipe");
	child_in = in[0];
	k->in = in[1];
	if (pipe2(out, O_CLOEXEC) < 0)
		return error_set_sys(err, ERR_SOFTWARE, errno, "a pipe");
	child_out = out[1];
	k->out = out[0];
	(void)fcntl(k->in, F_SETFL, O_NONBLOCK);
	(void)fcntl(k->out, F_SETFL, O_NONBLOCK);
	k->pid = fork();
	if (k->pid == 0)
		become(k, child_in, child_out);
	if (k->pid < 0)
		return error_set_sys(err, ERR_SOFTWARE, errno, "fork");
	/* Here too: whoever comes first, it is done before anybody is killed. */
	(void)setpgid(k->pid, k->pid);
	k->pidfd = pidfd_open(k->pid, 0);
	if (k->pidfd >= 0)
		return 0;
	error_set_sys(err, ERR_SOFTWARE, errno, "pidfd_open");
	kill(-k->pid, SIGKILL);
	(void)waitpid(k->pid, NULL, 0);
	return -1;
}

static void
tell_failure(const struct hooks *h, const struct hook *k, const char *message)
{
	h->settings.failed(h->settings.ctx, k->event, k->program, k->udid, message);
}

static void
drop(struct hooks *h, size_t i)
{
	hook_free(h->items[i]);
	memmove(&h->items[i], &h->items[i + 1], (--h->n - i) * sizeof(struct hook *));
}

static void
start_waiting(struct hooks *h, int64_t now_ms)
{
	while (h->running < h->settings.at_once && h->running < h->n) {
		struct hook *k = h->items[h->running];
		struct error err = { 0 };

		if (launch(k, &err) == 0) {
			k->ends_ms = now_ms + h->settings.limit_ms;
			h->running++;
			continue;
		}
		tell_failure(h, k, err.message);
		drop(h, h->running);
	}
}

void
hooks_add(struct hooks *h, const char *program, const char *event, const char *udid, json_t *about)
{
	struct hook *k = program ? hook_new(program, event, udid, about) : NULL;
	struct hook **grown;

	if (!program)
		return;
	grown = k && h->n < h->settings.queue_max ?
	    reallocarray(h->items, h->n + 1, sizeof(struct hook *)) : NULL;
	if (!grown) {
		h->settings.failed(h->settings.ctx, event, program, udid,
		    "too many hooks are waiting already");
		hook_free(k);
		return;
	}
	h->items = grown;
	h->items[h->n++] = k;
}

/* ---- running ----------------------------------------------------------------------------- */

static void
write_input(struct hook *k)
{
	ssize_t n;

	while (k->sent < k->len) {
		n = write(k->in, k->input + k->sent, k->len - k->sent);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		/* It does not want to hear it all: its exit status says whether that is wrong. */
		if (n < 0)
			break;
		k->sent += (size_t)n;
	}
	clean_fd(&k->in);
	k->in = -1;
}

/* Keeps the end: it is the last line that says what went wrong. */
static void
read_output(struct hook *k)
{
	char chunk[4096];
	ssize_t n = 0;
	int i;

	for (i = 0; i < CHUNKS; i++) {
		n = read(k->out, chunk, sizeof(chunk));
		if (n == 0 || (n < 0 && errno != EINTR))
			break;
		size_t len = n > 0 ? (size_t)n : 0, keep, room = sizeof(k->said);

		if (len > room)
			memmove(chunk, chunk + len - room, room);
		len = len < room ? len : room;
		keep = k->said_len + len <= room ? k->said_len : room - len;
		memmove(k->said, k->said + k->said_len - keep, keep);
		memcpy(k->said + keep, chunk, len);
		k->said_len = keep + len;
	}
	if (i == CHUNKS || (n < 0 && errno == EAGAIN))
		return;
	clean_fd(&k->out);
	k->out = -1;
}

/* The last line that it printed, or "". */
static void
last_words(const struct hook *k, char *out, size_t size)
{
	size_t end = k->said_len, begin;

	while (end > 0 && strchr("\r\n \t", k->said[end - 1]))
		end--;
	for (begin = end; begin > 0 && k->said[begin - 1] != '\n'; begin--)
		continue;
	text_printable(k->said + begin, end - begin, out, size);
}

static void
judge_end(const struct hooks *h, const struct hook *k, int status)
{
	char words[LAST_WORDS_MAX], message[LAST_WORDS_MAX + 80];
	const char *colon;

	last_words(k, words, sizeof(words));
	colon = *words ? ": " : "";
	if (k->was_killed)
		snprintf(message, sizeof(message), "killed after %lld seconds%s%s",
		    (long long)h->settings.limit_ms / 1000, colon, words);
	else if (WIFSIGNALED(status))
		snprintf(message, sizeof(message), "ended by signal %d%s%s",
		    WTERMSIG(status), colon, words);
	else if (WEXITSTATUS(status) != 0)
		snprintf(message, sizeof(message), "exit status %d%s%s",
		    WEXITSTATUS(status), colon, words);
	else
		return;
	tell_failure(h, k, message);
}

/* It is waited for in the loop: one that hangs in the kernel does not die at once. */
static void
kill_overdue(struct hook *k)
{
	k->was_killed = true;
	kill(-k->pid, SIGKILL);
	/* It may have left its group. */
	kill(k->pid, SIGKILL);
}

/* Its process has ended. */
static void
end(struct hooks *h, size_t i)
{
	struct hook *k = h->items[i];
	int status = 0;

	while (waitpid(k->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (k->out >= 0)
		read_output(k);
	judge_end(h, k, status);
	h->running--;
	drop(h, i);
}

size_t
hooks_descriptors(const struct hooks *h)
{
	return DESCRIPTORS * h->running;
}

size_t
hooks_count(const struct hooks *h)
{
	return h->n;
}

size_t
hooks_poll(const struct hooks *h, struct pollfd *fds)
{
	size_t i;

	for (i = 0; i < h->running; i++) {
		const struct hook *k = h->items[i];

		fds[DESCRIPTORS * i] = (struct pollfd){ .fd = k->pidfd, .events = POLLIN };
		fds[DESCRIPTORS * i + 1] = (struct pollfd){ .fd = k->in, .events = POLLOUT };
		fds[DESCRIPTORS * i + 2] = (struct pollfd){ .fd = k->out, .events = POLLIN };
	}
	return hooks_descriptors(h);
}

void
hooks_run(struct hooks *h, const struct pollfd *fds, int64_t now_ms)
{
	size_t i;

	/* From behind: what ends goes, and its place with it. */
	for (i = h->running; i-- > 0;) {
		struct hook *k = h->items[i];
		const struct pollfd *own = &fds[DESCRIPTORS * i];

		if (own[1].revents && k->in >= 0)
			write_input(k);
		if (own[2].revents && k->out >= 0)
			read_output(k);
		if (own[0].revents)
			end(h, i);
		else if (now_ms >= k->ends_ms && !k->was_killed)
			kill_overdue(k);
	}
	start_waiting(h, now_ms);
}

int64_t
hooks_wait_ms(const struct hooks *h, int64_t now_ms)
{
	int64_t least = -1;
	size_t i;

	if (h->running < h->settings.at_once && h->running < h->n)
		return 0;
	for (i = 0; i < h->running; i++) {
		int64_t left = h->items[i]->ends_ms > now_ms ? h->items[i]->ends_ms - now_ms : 0;

		if (h->items[i]->was_killed)
			continue;
		least = least < 0 || left < least ? left : least;
	}
	return least;
}

/* ---- life ---------------------------------------------------------------------------------- */

int
hooks_new(const struct hooks_settings *settings, struct hooks **out, struct error *err)
{
	struct hooks *h = calloc(1, sizeof(*h));

	if (!h)
		return error_memory(err);
	h->settings = *settings;
	*out = h;
	return 0;
}

void
hooks_free(struct hooks *h)
{
	if (!h)
		return;
	for (; h->n > 0; h->n--) {
		struct hook *k = h->items[h->n - 1];

		if (k->pid > 0 && h->n <= h->running) {
			kill_overdue(k);
			while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR)
				continue;
		}
		hook_free(k);
	}
	free(h->items);
	free(h);
}
