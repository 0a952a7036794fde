/* signer: forks the signer's process; talks to it for the parent and for workers */
#include "crypto/signer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/passfd.h"
#include "base/text.h"
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "crypto/ossl.h"
#include "crypto/signed.h"
#include "crypto/signrequest.h"
#include "crypto/signserver.h"

enum {
	GOODBYE_MS = 2000,
	ORDER_MS = 10000,
	DOCUMENT_MS = 60000,	/* a token may be slow, an agent busy */
};

struct signer {
	pid_t	pid;		/* of our own child; 0: a launcher's */
	int	pidfd;		/* then; -1: it had ended by itself */
	int	control;
};

static const char gone[] = "the signer is gone";

void
signer_dismiss(struct signer *s)
{
	if (s)
		(void)shutdown(s->control, SHUT_WR);
}

static void
send_signal(const struct signer *s, int number)
{
	if (s->pid > 0)
		(void)kill(s->pid, number);
	else if (s->pidfd >= 0)
		(void)pidfd_send_signal(s->pidfd, number, NULL, 0);
}

/* Closing is what ends it; a child that hangs is not waited for. */
void
signer_stop(struct signer *s)
{
	struct pollfd pfd;

	if (!s)
		return;
	pfd = (struct pollfd){ .fd = s->control, .events = POLLIN };
	signer_dismiss(s);
	/* Only while it loads, perhaps at a prompt, does it listen to this. */
	send_signal(s, SIGTERM);
	if (poll(&pfd, 1, GOODBYE_MS) <= 0 || !(pfd.revents & POLLHUP))
		send_signal(s, SIGKILL);
	while (s->pid > 0 && waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	signer_forget(s);
}

void
signer_forget(struct signer *s)
{
	if (!s)
		return;
	close(s->control);
	clean_fd(&s->pidfd);
	free(s);
}

int
signer_descriptor(const struct signer *s)
{
	return s->control;
}

static void
clean_signer(struct signer **s)
{
	signer_stop(*s);
}

/* With hundreds of channels at once its socket may be full for a moment. */
static int
order(struct signer *s, const void *packet, size_t len, int fd, struct error *err)
{
	struct deadline deadline = deadline_in(ORDER_MS);

	while (passfd_send(s->control, packet, len, fd, MSG_DONTWAIT) < 0) {
		if (errno != EINTR && errno != EAGAIN)
			return error_set_sys(err, ERR_UNAVAILABLE, errno, gone);
		if (deadline_wait(s->control, POLLOUT, deadline, err) < 0)
			return error_context(err, "waiting for the signer");
	}
	return 0;
}

/* One packet of at most len bytes. 0 or less: there will be none. */
static ssize_t
receive(int fd, void *data, size_t len, struct error *err)
{
	ssize_t n;

	for (;;) {
		n = recv(fd, data, len, MSG_DONTWAIT);
		if (n >= 0 || (errno != EINTR && errno != EAGAIN))
			return n;
		/* A person may be typing a passphrase: no deadline. */
		if (deadline_wait(fd, POLLIN, deadline_never(), err) < 0)
			return -1;
	}
}

static int
ended_early(struct error *err)
{
	return error_set(err, ERR_UNAVAILABLE,
	    "the signer ended before it had loaded the identity");
}

/* The child's verdict on the identity, then its certificate. */
static int
hear(struct signer *s, struct cert *cert, struct error *err)
{
	struct error said = { 0 }, waited = { 0 };
	uint8_t der[SIGNSERVER_CERT_MAX];
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): begun; error_set() is -1 */
	ssize_t n = receive(s->control, &said, sizeof(said), &waited);

	if (n == sizeof(said) && said.kind != ERR_NONE) {
		*err = said;
		return -1;
	}
	n = n == sizeof(said) ? receive(s->control, der, sizeof(der), &waited) : 0;
	if (waited.kind != ERR_NONE) {
		*err = waited;
		return -1;
	}
	if (n <= 0)
		return ended_early(err);
	return cert_parse(der, (size_t)n, cert, err);
}

int
signer_begin(const struct identity_source *source, struct signer **out, struct error *err)
{
	struct signer *fresh;
	int ends[2];
	pid_t parent = getpid(), pid;

	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return error_memory(err);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		free(fresh);
		return error_set_sys(err, ERR_SOFTWARE, errno, "a socket for the signer");
	}
	/* Once for both; if it fails, so does what needs it. */
	(void)ossl_start();
	pid = fork();
	if (pid == 0)
		_exit(signserver_run(ends[1], source, parent));
	close(ends[1]);
	*fresh = (struct signer){ .pid = pid, .pidfd = -1, .control = ends[0] };
	if (pid < 0) {
		signer_forget(fresh);
		return error_set_sys(err, ERR_SOFTWARE, errno, "starting the signer");
	}
	*out = fresh;
	return 0;
}

int
signer_adopt(int control, int pidfd, struct signer **out, struct error *err)
{
	struct signer *fresh = calloc(1, sizeof(*fresh));

	if (!fresh)
		return error_memory(err);
	*fresh = (struct signer){ .pidfd = pidfd, .control = control };
	*out = fresh;
	return 0;
}

int
signer_await(struct signer *s, struct cert *cert, struct error *err)
{
	static const char load = SIGNSERVER_LOAD;

	if (order(s, &load, sizeof(load), -1, err) < 0)
		return err->kind == ERR_UNAVAILABLE ? ended_early(err) : -1;
	return hear(s, cert, err);
}

int
signer_start(const struct identity_source *source, struct signer **out, struct cert *cert,
    struct error *err)
{
	auto_with(clean_signer) struct signer *s = NULL;

	if (signer_begin(source, &s, err) < 0 || signer_await(s, cert, err) < 0)
		return -1;
	*out = steal_pointer(&s);
	return 0;
}

int
signer_channel(struct signer *s, const char *udid, int *fd, struct error *err)
{
	auto_fd int ours = -1, theirs = -1;
	struct signserver_grant g = { { 0 } };
	int ends[2];

	if (strlen(udid) >= sizeof(g.udid))
		return error_set(err, ERR_SOFTWARE, "a UDID of %zu characters", strlen(udid));
	memcpy(g.udid, udid, strlen(udid));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set_sys(err, ERR_SOFTWARE, errno, "a channel to the signer");
	ours = ends[0];
	theirs = ends[1];
	if (order(s, &g, sizeof(g), theirs, err) < 0)
		return -1;
	*fd = steal_fd(&ours);
	return 0;
}

static int
ask(int fd, const struct signrequest *r, struct error *err)
{
	uint8_t packet[SIGNREQUEST_MAX];
	size_t len = signrequest_write(r, packet);
	ssize_t n;

	do
		n = send(fd, packet, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? error_set_sys(err, ERR_UNAVAILABLE, errno, gone) : 0;
}

/* Only kinds that are about the command, never one about a device. */
static enum error_kind
kind_of(int status)
{
	return status == ERR_SOFTWARE || status == ERR_DATA || status == ERR_UNAVAILABLE ?
	    (enum error_kind)status : ERR_PERM;
}

static int
take_answer(const uint8_t *packet, size_t len, struct blob *out, struct error *err)
{
	struct signanswer a;

	if (!signanswer_parse(packet, len, &a))
		return error_set(err, ERR_SOFTWARE, "the signer's answer makes no sense");
	if (a.status != 0) {
		char why[160];

		/* Who answers is not who we started, once that was taken over. */
		text_printable((const char *)a.body, a.len, why, sizeof(why));
		return error_set(err, kind_of(a.status), "the signer refuses: %s", why);
	}
	return blob_set(out, a.body, a.len) < 0 ? error_memory(err) : 0;
}

static int
exchange(int fd, const struct signrequest *r, struct deadline deadline, struct blob *out,
    struct error *err)
{
	uint8_t packet[SIGNANSWER_MAX];
	ssize_t n;

	if (ask(fd, r, err) < 0)
		return -1;
	do {
		if (deadline_wait(fd, POLLIN, deadline, err) < 0)
			return error_context(err, "waiting for the signer");
		n = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n <= 0)
		return error_set(err, ERR_UNAVAILABLE, gone);
	return take_answer(packet, (size_t)n, out, err);
}

int
signer_sign(int fd, enum signer_purpose purpose, const void *challenge, size_t len,
    struct deadline deadline, struct blob *out, struct error *err)
{
	const struct signrequest r = {
		.purpose = (int)purpose, .challenge = challenge, .len = len,
	};

	if (len == 0 || len > SIGNER_CHALLENGE_MAX)
		return error_set(err, ERR_PROTOCOL, "the device's challenge has %zu bytes", len);
	return exchange(fd, &r, deadline, out, err);
}

int
signer_certificate(int fd, struct deadline deadline, struct blob *out, struct error *err)
{
	const struct signrequest r = { .purpose = SIGNREQUEST_CERTIFICATE };

	return exchange(fd, &r, deadline, out, err);
}

/* ---- documents ------------------------------------------------------------- */

int
signer_sign_digest(struct signer *s, enum signer_purpose purpose,
    const uint8_t digest[SIGNER_DIGEST], struct blob *out, struct error *err)
{
	auto_fd int fd = -1;

	/* No device: that makes it a channel for documents. */
	if (signer_channel(s, "", &fd, err) < 0)
		return -1;
	return signer_sign(fd, purpose, digest, SIGNER_DIGEST, deadline_in(DOCUMENT_MS), out, err);
}

int
signer_sign_document(struct signer *s, enum signer_purpose purpose, const void *content,
    size_t len, struct blob *out, struct error *err)
{
	auto_blob struct blob detached = { 0 };
	uint8_t digest[SIGNER_DIGEST];

	digest_sha256(content, len, digest);
	if (signer_sign_digest(s, purpose, digest, &detached, err) < 0)
		return -1;
	return signed_attach(&detached, content, len, out, err);
}
