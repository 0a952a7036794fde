/* agentserver: an agent at work: who may ask, how often, and the signer behind it */
#include "crypto/agentserver.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "crypto/cert.h"
#include "crypto/signer.h"
#include "crypto/signrequest.h"

enum {
	SIGN_MS = 30000,	/* for a token that is slow */
	MINUTE_MS = 60000,
};

struct client {
	int			fd;
	struct agent_peer	peer;
	struct deadline		deadline;
};

struct serving {
	const struct agentserver *a;
	struct client	 clients[AGENT_CLIENTS_MAX];
	size_t		 n;
	int64_t		*signed_at;	/* the last max_rate of them, a ring; 0: none yet */
	unsigned	 oldest;
	int64_t		 asked_at;	/* the last request that made sense */
	int64_t		 beat_at;	/* when it is due; INT64_MAX: never */
};

static void
serving_clear(struct serving *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		close(s->clients[i].fd);
	free(s->signed_at);
}

/* Between two requests too: a slow token takes half a minute for each. */
static void
beat(struct serving *s)
{
	int64_t now = now_monotonic_ms();

	if (now < s->beat_at)
		return;
	s->a->beat(s->a->ctx);
	s->beat_at = now + s->a->beat_ms;
}

/* ---- how often ------------------------------------------------------------------- */

static bool
is_too_often(const struct serving *s)
{
	int64_t oldest = s->signed_at[s->oldest];

	return oldest != 0 && now_monotonic_ms() - oldest < MINUTE_MS;
}

static void
count_signature(struct serving *s)
{
	s->signed_at[s->oldest] = now_monotonic_ms();
	s->oldest = (s->oldest + 1) % s->a->rules.max_rate;
}

/* ---- one request ------------------------------------------------------------------- */

struct answering {
	struct serving			*s;
	const struct client		*client;
	const struct agentrequest	*request;	/* NULL: it makes no sense */
};

static void
tell(const struct answering *x, enum agent_event_kind kind, const char *why)
{
	const struct agentrequest *r = x->request;
	const struct agent_event e = {
		.kind = kind, .why = why, .peer = x->client->peer,
		.purpose = r ? signer_purpose_word(r->purpose) : NULL,
		.device = r && *r->device ? r->device : NULL,
	};

	x->s->a->tell(x->s->a->ctx, &e);
}

static void
answer(const struct answering *x, enum agent_status status, const void *body, size_t len)
{
	const struct signanswer a = { .status = (int)status, .body = body, .len = len };
	uint8_t packet[SIGNANSWER_MAX];
	size_t n = signanswer_write(&a, packet);

	/* Who is gone, or does not read, has asked for nothing. */
	(void)!send(x->client->fd, packet, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
refuse(const struct answering *x, enum agent_event_kind kind, enum agent_status status,
    const char *why)
{
	tell(x, kind, why);
	answer(x, status, why, strlen(why));
}

static enum agent_status
status_of(const struct error *err)
{
	switch (err->kind) {
	case ERR_PERM:
	case ERR_PROTOCOL:
		return AGENT_REFUSES;
	case ERR_UNAVAILABLE:
	case ERR_TIMEOUT:
		return AGENT_CANNOT;
	case ERR_DATA:
		return AGENT_BAD_IDENTITY;
	default:
		return AGENT_FAILED;
	}
}

static int
ask_signer(const struct serving *s, const struct agentrequest *r, struct blob *cms,
    struct error *err)
{
	auto_fd int fd = -1;

	/* A channel for each: what one request did cannot count against another. */
	if (signer_channel(s->a->signer, r->device, &fd, err) < 0)
		return -1;
	return signer_sign(fd, (enum signer_purpose)r->purpose, r->challenge, r->len,
	    deadline_in(SIGN_MS), cms, err);
}

static void
sign(const struct answering *x)
{
	auto_blob struct blob cms = { 0 };
	struct error err = { 0 };
	char why[96];

	if (is_too_often(x->s)) {
		snprintf(why, sizeof(why), "more than %u signatures in a minute; ask again later "
		    "(its --max-rate)", x->s->a->rules.max_rate);
		refuse(x, AGENT_REFUSED, AGENT_REFUSES, why);
		return;
	}
	if (ask_signer(x->s, x->request, &cms, &err) < 0) {
		refuse(x, AGENT_REFUSED, status_of(&err), err.message);
		return;
	}
	count_signature(x->s);
	tell(x, AGENT_SIGNED, NULL);
	answer(x, AGENT_DONE, cms.data, cms.len);
}

static bool
may_ask(const struct serving *s, const struct client *c)
{
	const struct agent_rules *rules = &s->a->rules;

	return c->peer.uid == geteuid() || c->peer.uid == 0 ||
	    (rules->has_group && agentsocket_peer_has_group(c->fd, &c->peer, rules->group));
}

static void
serve(struct serving *s, const struct client *c)
{
	uint8_t packet[AGENTREQUEST_MAX + 1];
	ssize_t n = recv(c->fd, packet, sizeof(packet), MSG_DONTWAIT);
	struct answering x = { .s = s, .client = c };
	const struct blob *der = &s->a->cert->der;
	struct agentrequest r;

	if (n <= 0) {
		tell(&x, AGENT_DROPPED, "it asked nothing");
		return;
	}
	if (!may_ask(s, c)) {
		refuse(&x, AGENT_REFUSED, AGENT_REFUSES, "this user may not use the agent");
		return;
	}
	if (!agentrequest_parse(packet, (size_t)n, &r)) {
		refuse(&x, AGENT_DROPPED, AGENT_REFUSES, n > AGENTREQUEST_MAX ?
		    "a challenge that is too long" : "this is no request");
		return;
	}
	x.request = &r;
	s->asked_at = now_monotonic_ms();
	if (r.purpose != SIGNREQUEST_CERTIFICATE) {
		sign(&x);
	} else if (der->len > SIGNER_ANSWER_MAX) {
		refuse(&x, AGENT_REFUSED, AGENT_BAD_IDENTITY,
		    "the identity's certificate is too large");
	} else {
		tell(&x, AGENT_TOLD, NULL);
		answer(&x, AGENT_DONE, der->data, der->len);
	}
}

/* ---- the clients ------------------------------------------------------------------- */

static void
let_in(struct serving *s)
{
	struct client *c = &s->clients[s->n];
	int fd = accept4(s->a->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	*c = (struct client){ .fd = fd, .deadline = deadline_in(AGENT_CLIENT_MS) };
	if (agentsocket_peer(fd, &c->peer) < 0)
		close(fd);
	else
		s->n++;
}

/* polls[i] goes with clients[i]; each that asked, or took too long, is over. */
static void
serve_ready(struct serving *s, const struct pollfd *polls)
{
	size_t i, kept = 0;

	for (i = 0; i < s->n; i++) {
		struct client *c = &s->clients[i];

		if (polls[i].revents) {
			beat(s);
			serve(s, c);
			close(c->fd);
		} else if (deadline_passed(c->deadline)) {
			tell(&(struct answering){ .s = s, .client = c }, AGENT_DROPPED,
			    "it was too slow");
			close(c->fd);
		} else {
			s->clients[kept++] = *c;
		}
	}
	s->n = kept;
}

static struct deadline
next_deadline(const struct serving *s)
{
	struct deadline next = { .at_ms = s->beat_at };
	size_t i;

	if (s->a->rules.idle_ms)
		next = deadline_sooner(next,
		    (struct deadline){ s->asked_at + s->a->rules.idle_ms });
	for (i = 0; i < s->n; i++)
		next = deadline_sooner(next, s->clients[i].deadline);
	return next;
}

static bool
is_idle(const struct serving *s)
{
	return s->a->rules.idle_ms && now_monotonic_ms() - s->asked_at >= s->a->rules.idle_ms;
}

/* The clients, then who comes new (when there is room), then the signer's end. */
static size_t
fill_polls(const struct serving *s, struct pollfd *polls)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		polls[i] = (struct pollfd){ .fd = s->clients[i].fd, .events = POLLIN };
	polls[i] = (struct pollfd){ .fd = s->n < AGENT_CLIENTS_MAX ? s->a->listener : -1,
		.events = POLLIN };
	polls[i + 1] = (struct pollfd){ .fd = signer_descriptor(s->a->signer) };
	return i + 2;
}

int
agentserver_run(const struct agentserver *a, enum agent_end *end, struct error *err)
{
	auto_with(serving_clear) struct serving s = { .a = a, .asked_at = now_monotonic_ms(),
		.beat_at = a->beat_ms ? 0 : INT64_MAX };
	struct pollfd polls[AGENT_CLIENTS_MAX + 2];

	s.signed_at = calloc(a->rules.max_rate, sizeof(*s.signed_at));
	if (!s.signed_at)
		return error_memory(err);
	for (;;) {
		size_t n = fill_polls(&s, polls);
		int ready;

		beat(&s);
		ready = deadline_poll(polls, n, next_deadline(&s), true);

		if (ready < 0 && errno != EINTR)
			return error_set_sys(err, ERR_SOFTWARE, errno, "poll");
		if (deadline_interrupted() || (ready == 0 && is_idle(&s))) {
			*end = deadline_interrupted() ? AGENT_STOPPED : AGENT_IDLE;
			return 0;
		}
		if (ready < 0)
			continue;
		if (polls[n - 1].revents)
			return error_set(err, ERR_UNAVAILABLE,
			    "the process that holds the key has ended");
		serve_ready(&s, polls);
		if (polls[n - 2].revents)
			let_in(&s);
	}
}
