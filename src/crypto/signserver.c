/* signserver: holds the key, reads requests of one shape, answers, nothing else */
#include "crypto/signserver.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/log.h"
#include "base/passfd.h"
#include "base/standard.h"
#include "base/text.h"
#include "crypto/cert.h"
#include "crypto/signkey.h"
#include "crypto/signrequest.h"

enum {
	/* OpenSSL's heap for private keys; RSA-8192 takes 8 KiB of it. */
	SECURE_HEAP = 1 << 18,
	SECURE_LEAST = 32,
};

struct channel {
	int		fd;
	int64_t		opened_ms;
	int64_t		signatures;	/* given so far */
	char		udid[SIGNSERVER_UDID_MAX];
};

struct server {
	int			 control;
	struct signkey		*key;
	struct channel		*channels;
	struct pollfd		*polled;	/* control, then the channels in order */
	size_t			 n, room;
	bool			 must_load;
};

static void
server_clear(struct server *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		close(s->channels[i].fd);
	free(s->channels);
	free(s->polled);
	signkey_free(s->key);
	*s = (struct server){ .control = -1 };
}

/* ---- the process ----------------------------------------------------------- */

/* The parent's handlers act on the parent's state; ignored ones stay so. */
static void
reset_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD, SIGALRM };
	sigset_t none;
	size_t i;

	for (i = 0; i < countof(signals); i++) {
		struct sigaction was;

		if (sigaction(signals[i], NULL, &was) == 0 && was.sa_handler != SIG_IGN)
			signal(signals[i], SIG_DFL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* From here on the parent decides when it is over: by closing control. */
static void
ignore_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP };
	size_t i;

	for (i = 0; i < countof(signals); i++)
		signal(signals[i], SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Locking everything fails later, in malloc(), when there is a limit. */
static bool
may_lock_all(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
}

/* Each of these is one wall more; none of them is missed when it is not there. */
static void
harden(void)
{
	static const struct rlimit nothing = { 0, 0 };

	(void)prctl(PR_SET_NAME, "signer");
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &nothing);
	/* OpenSSL keeps the numbers of private keys there: locked, not dumped. */
	if (CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_LEAST) != 1)
		log_debug("the signer's memory for keys cannot be locked");
	if (may_lock_all() && mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		log_debug("the signer's memory cannot be locked as a whole");
}

static int
close_others(int control)
{
	int kept = fcntl(control, F_DUPFD_CLOEXEC, 3);

	if (kept < 0)
		return -1;
	if (kept > 3 && close_range(3, (unsigned)kept - 1, 0) < 0)
		return -1;
	return close_range((unsigned)kept + 1, ~0U, 0) < 0 ? -1 : kept;
}

/* ---- the channels ---------------------------------------------------------- */

static bool
make_room(struct server *s)
{
	size_t room = s->room ? 2 * s->room : 16;
	struct channel *channels;
	struct pollfd *polled;

	if (s->n < s->room)
		return true;
	if (s->n >= SIGNSERVER_CHANNELS_MAX)
		return false;
	channels = reallocarray(s->channels, room, sizeof(*channels));
	if (channels)
		s->channels = channels;
	polled = reallocarray(s->polled, room + 1, sizeof(*polled));
	if (polled)
		s->polled = polled;
	if (!channels || !polled)
		return false;
	s->room = room;
	return true;
}

static void
add_channel(struct server *s, const struct signserver_grant *grant, int *fd)
{
	if (!make_room(s)) {
		log_verbose("signer: too many channels");
		return;
	}
	s->channels[s->n] = (struct channel){
		.fd = steal_fd(fd), .opened_ms = now_monotonic_ms(),
	};
	memcpy(s->channels[s->n].udid, grant->udid, sizeof(grant->udid));
	s->n++;
}

/* -1: the parent is gone, or says something that only a bug can say. */
static int
obey(struct server *s)
{
	struct signserver_grant grant;
	auto_fd int fd = -1;
	ssize_t n = passfd_receive(s->control, &grant, sizeof(grant), MSG_DONTWAIT, &fd);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n == 1 && grant.udid[0] == SIGNSERVER_LOAD) {
		s->must_load = true;
		return 0;
	}
	if (n != sizeof(grant) || fd < 0 || !memchr(grant.udid, '\0', sizeof(grant.udid)))
		return -1;
	add_channel(s, &grant, &fd);
	return 0;
}

/* Without a device it is the parent's own; a worker's has one, and signs no document. */
static bool
is_for_documents(const struct channel *c)
{
	return c->udid[0] == '\0';
}

static void
log_request(const struct channel *c, const struct signrequest *r, const char *outcome)
{
	const char *word = signer_purpose_word(r->purpose);
	char id[SIGNSERVER_UDID_MAX];

	text_shorten_id(c->udid, id, sizeof(id));
	if (is_for_documents(c))
		log_verbose("signer: a %s: %s", word, outcome);
	else
		log_verbose("signer: %s challenge of %zu bytes for %s: %s", word, r->len, id,
		    outcome);
}

static int
answer(const struct channel *c, const struct signanswer *a)
{
	uint8_t packet[SIGNANSWER_MAX];
	size_t len = signanswer_write(a, packet);

	/* Who does not take the answer loses the channel: nobody waits here. */
	return send(c->fd, packet, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static int
refuse(const struct channel *c, const struct signrequest *r, enum error_kind kind, const char *why)
{
	log_request(c, r, why);
	return answer(c, &(struct signanswer){ .status = (int)kind,
	    .body = (const uint8_t *)why, .len = strlen(why) });
}

/* A worker may wait for a person for hours, and ask all the while; a flood is none of that. */
static bool
has_had_all(const struct channel *c)
{
	return c->signatures >= SIGNER_SIGNATURES_MAX +
	    (now_monotonic_ms() - c->opened_ms) / SIGNER_MORE_MS;
}

static int
sign(const struct server *s, struct channel *c, const struct signrequest *r)
{
	auto_blob struct blob cms = { 0 };
	struct error err = { 0 };

	if (has_had_all(c))
		return refuse(c, r, ERR_PERM, "this channel has had all its signatures");
	if (signer_is_document(r->purpose) != is_for_documents(c))
		return refuse(c, r, ERR_PERM, "this channel is not for that");
	if (!is_for_documents(c) && signrequest_is_document(r->challenge, r->len))
		return refuse(c, r, ERR_PERM, "this is a document and no challenge");
	if (signkey_sign(s->key, c->udid, r, &cms, &err) < 0)
		return refuse(c, r, err.kind, err.message);
	if (cms.len > SIGNER_ANSWER_MAX)
		return refuse(c, r, ERR_DATA, "the identity's certificate is too large");
	c->signatures++;
	log_request(c, r, "signed");
	return answer(c, &(struct signanswer){ .body = cms.data, .len = cms.len });
}

/* Whose key it is everybody may know; it is told once more for every worker that asks. */
static int
tell_certificate(const struct server *s, const struct channel *c)
{
	const struct blob *der = &signkey_cert(s->key)->der;

	return answer(c, &(struct signanswer){ .body = der->data, .len = der->len });
}

/* -1: this channel is over. */
static int
serve(const struct server *s, struct channel *c)
{
	uint8_t packet[SIGNREQUEST_MAX + 1];
	struct signrequest r;
	ssize_t n = recv(c->fd, packet, sizeof(packet), MSG_DONTWAIT);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0)
		return -1;
	if (!signrequest_parse(packet, (size_t)n, &r)) {
		log_verbose("signer: a malformed request ends its channel");
		return -1;
	}
	return r.purpose == SIGNREQUEST_CERTIFICATE ? tell_certificate(s, c) : sign(s, c, &r);
}

static void
serve_ready(struct server *s)
{
	size_t i, kept = 0, n = s->n;

	for (i = 0; i < n; i++) {
		struct channel *c = &s->channels[i];

		if (s->polled[i + 1].revents && serve(s, c) < 0)
			close(c->fd);
		else
			s->channels[kept++] = *c;
	}
	s->n = kept;
}

static int
wait_for_requests(struct server *s)
{
	size_t i;

	s->polled[0] = (struct pollfd){ .fd = s->control, .events = POLLIN };
	for (i = 0; i < s->n; i++)
		s->polled[i + 1] = (struct pollfd){ .fd = s->channels[i].fd, .events = POLLIN };
	return poll(s->polled, (nfds_t)s->n + 1, -1);
}

static int
serve_all(struct server *s)
{
	if (!make_room(s))
		return -1;
	for (;;) {
		int ready = wait_for_requests(s);

		if (ready < 0 && errno != EINTR)
			return -1;
		if (ready <= 0)
			continue;
		serve_ready(s);
		if (s->polled[0].revents && obey(s) < 0)
			return 0;
	}
}

/* The parent may have things to do first; channels that it grants meanwhile are heard later. */
static int
await_order(struct server *s)
{
	struct pollfd pfd = { .fd = s->control, .events = POLLIN };

	while (!s->must_load)
		if ((poll(&pfd, 1, -1) < 0 && errno != EINTR) || obey(s) < 0)
			return -1;
	return 0;
}

static int
tell_loaded(const struct server *s, struct error *err)
{
	const struct cert *cert = signkey_cert(s->key);
	struct error none = { 0 };

	if (cert->der.len > SIGNSERVER_CERT_MAX)
		return error_set(err, ERR_DATA, "the identity's certificate is too large");
	if (send(s->control, &none, sizeof(none), MSG_NOSIGNAL) < 0 ||
	    send(s->control, cert->der.data, cert->der.len, MSG_NOSIGNAL) < 0)
		return error_set_sys(err, ERR_UNAVAILABLE, errno, "the signer's socket");
	return 0;
}

int
signserver_run(int control, const struct identity_source *source, pid_t parent)
{
	auto_with(server_clear) struct server s = { .control = control };
	struct error err = { 0 };

	reset_signals();
	/* SIGTERM, so that a prompt can put the terminal right before it ends. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
		return 1;
	harden();
	s.control = close_others(control);
	if (s.control < 0 || await_order(&s) < 0)
		return 1;
	if (signkey_open(source, &s.key, &err) < 0 || tell_loaded(&s, &err) < 0) {
		(void)send(s.control, &err, sizeof(err), MSG_NOSIGNAL);
		return 1;
	}
	ignore_signals();
	/* The passphrase has been read; stderr stays, for the log. */
	(void)standard_leave(true);
	return serve_all(&s) < 0;
}
