/* fuzz_sign: any bytes as a request to the signer, and as its answer */
#include "tests/fuzz/harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "crypto/signrequest.h"
#include "tests/fuzz/talk.h"

/* What is read is what was written: one shape, and no second way to say it. */
static void
read_request(const uint8_t *data, size_t len)
{
	uint8_t again[SIGNREQUEST_MAX];
	struct signrequest r;

	if (!signrequest_parse(data, len, &r))
		return;
	if ((r.len == 0) != (r.purpose == SIGNREQUEST_CERTIFICATE) ||
	    r.len > SIGNER_CHALLENGE_MAX || r.challenge + r.len != data + len ||
	    signrequest_write(&r, again) != len || memcmp(again, data, len) != 0)
		abort();
	if (signrequest_is_document(r.challenge, r.len) !=
	    signrequest_is_document(again + SIGNREQUEST_HEADER, r.len))
		abort();
}

static void
read_answer(const uint8_t *data, size_t len)
{
	static uint8_t again[SIGNANSWER_MAX];
	struct signanswer a;

	if (!signanswer_parse(data, len, &a))
		return;
	if (a.len == 0 || a.len > SIGNER_ANSWER_MAX || signanswer_write(&a, again) != len ||
	    memcmp(again, data, len) != 0)
		abort();
}

/* The worker's side, with a signer that was taken over. */
static void
be_answered(const uint8_t *data, size_t len)
{
	const struct blob packet = { .data = (uint8_t *)(uintptr_t)data, .len = len };
	auto_blob struct blob cms = { 0 };
	struct error err = { 0 };
	int other, fd = talk_socket(SOCK_SEQPACKET, &packet, &other);

	if (signer_sign(fd, SIGNER_ESCALATE, "challenge", 9, deadline_in(1000), &cms, &err) == 0) {
		if (cms.len == 0 || cms.len > SIGNER_ANSWER_MAX)
			abort();
	} else if (err.kind == ERR_NONE || !err.message[0] || strpbrk(err.message, "\n\r\033")) {
		abort();
	}
	close(fd);
	close(other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	read_request(data, len);
	read_answer(data, len);
	be_answered(data, len);
	return 0;
}
