/* fuzz_agent: any bytes as a request to the agent, and as its answer to a command */
#include "tests/fuzz/harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "crypto/agentclient.h"
#include "crypto/agentsocket.h"
#include "crypto/signrequest.h"
#include "tests/fuzz/talk.h"

/* ---- the agent's side --------------------------------------------------------- */

/* What the agent relies on when it asks its signer, and prints to its log. */
static void
expect_shape(const struct agentrequest *r)
{
	size_t named = strnlen(r->device, sizeof(r->device));

	if (named == sizeof(r->device) || r->len > SIGNER_CHALLENGE_MAX)
		abort();
	if (strspn(r->device, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-") !=
	    named)
		abort();
	if (r->purpose == SIGNREQUEST_CERTIFICATE) {
		if (r->len != 0 || named != 0)
			abort();
		return;
	}
	if (!signer_purpose_word(r->purpose) || r->len == 0)
		abort();
	/* A document is a digest of no device; a challenge is always some device's. */
	if (signer_is_document(r->purpose) ?
	    (r->len != SIGNER_DIGEST || named != 0) : named == 0)
		abort();
}

/* What is read is what was written: one shape, and no second way to say it. */
static void
be_asked(const uint8_t *data, size_t len)
{
	uint8_t again[AGENTREQUEST_MAX];
	struct agentrequest r;
	struct signrequest plain;

	if (!agentrequest_parse(data, len, &r))
		return;
	expect_shape(&r);
	if (r.challenge + r.len != data + len || agentrequest_write(&r, again) != len ||
	    memcmp(again, data, len) != 0)
		abort();
	/* An agent's request is none to the signer behind it. */
	if (signrequest_parse(data, len, &plain))
		abort();
}

/* ---- the command's side ---------------------------------------------------------- */

static struct blob packet;
static int other;

int	__wrap_agentsocket_connect(const char *path, struct deadline deadline, int *fd,
	    struct error *err);

/* The linker puts it in the place of agentsocket_connect(): an agent that was taken over. */
int
__wrap_agentsocket_connect(const char *path, struct deadline deadline, int *fd,
    struct error *err)
{
	(void)path;
	(void)deadline;
	(void)err;
	*fd = talk_socket(SOCK_SEQPACKET, &packet, &other);
	return 0;
}

static void
be_answered(const uint8_t *data, size_t len)
{
	static const uint8_t challenge[] = "challenge";
	const struct agentrequest r = { .purpose = SIGNER_PAIR, .device = "00008101-1",
		.challenge = challenge, .len = sizeof(challenge) };
	auto_blob struct blob cms = { 0 };
	struct error err = { 0 };

	packet = (struct blob){ .data = (uint8_t *)(uintptr_t)data, .len = len };
	if (agentclient_ask("/nowhere", &r, &cms, &err) == 0) {
		if (cms.len == 0 || cms.len > SIGNER_ANSWER_MAX)
			abort();
	} else if (err.kind == ERR_NONE || !err.message[0] || strpbrk(err.message, "\n\r\033")) {
		abort();
	}
	close(other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	be_asked(data, len);
	be_answered(data, len);
	return 0;
}
