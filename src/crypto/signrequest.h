/* signrequest: what may be asked of a signer and of an agent, and the answers, as bytes */
#ifndef CRYPTO_SIGNREQUEST_H
#define CRYPTO_SIGNREQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/signer.h"

/*
 * One packet each way, numbers big-endian. Request: magic, version (16 bits),
 * purpose (16 bits), length, that many bytes of challenge (or 32 of a document's
 * SHA-256), and nothing after them. Answer: magic, version, status (16 bits; 0, or
 * an enum error_kind), length, that many bytes: the CMS, the certificate in DER, or
 * one line of text.
 */
enum {
	SIGNREQUEST_HEADER = 12,
	SIGNREQUEST_MAX = SIGNREQUEST_HEADER + SIGNER_CHALLENGE_MAX,
	SIGNANSWER_MAX = SIGNREQUEST_HEADER + SIGNER_ANSWER_MAX,
};

/* A purpose beside enum signer_purpose: not to sign, but to say whose key it is. */
enum { SIGNREQUEST_CERTIFICATE = 16 };

/* The bytes are borrowed from the packet. */
struct signrequest {
	int			 purpose;	/* enum signer_purpose or SIGNREQUEST_CERTIFICATE */
	const uint8_t		*challenge;
	/* 1 to SIGNER_CHALLENGE_MAX; of a document SIGNER_DIGEST; else 0. */
	size_t			 len;
};

struct signanswer {
	int			 status;
	const uint8_t		*body;
	size_t			 len;
};

/* Pure. false: not a request of exactly this shape, and *out is untouched. */
bool	signrequest_parse(const void *packet, size_t len, struct signrequest *out);
bool	signanswer_parse(const void *packet, size_t len, struct signanswer *out);

/* The length of what was written; the bounds above are the caller's to keep. */
size_t	signrequest_write(const struct signrequest *r, uint8_t out[SIGNREQUEST_MAX]);
size_t	signanswer_write(const struct signanswer *a, uint8_t out[SIGNANSWER_MAX]);

/*
 * What a command asks of an agent (crypto/agentclient.h) differs in its magic,
 * and says which device it is for: AGENTREQUEST_DEVICE bytes between header and
 * challenge, NUL-padded; all NUL for a document and for the certificate, which
 * has no challenge either. The answer is the same, but its status is one of
 * these numbers, whatever the version of either side.
 */
enum {
	AGENTREQUEST_DEVICE = 64,
	AGENTREQUEST_MAX = SIGNREQUEST_MAX + AGENTREQUEST_DEVICE,
};

enum agent_status {
	AGENT_DONE = 0,
	AGENT_REFUSES = 1,	/* not you, not this, not so often */
	AGENT_CANNOT = 2,	/* its token or its signer is gone */
	AGENT_BAD_IDENTITY = 3,
	AGENT_FAILED = 4,
};

struct agentrequest {
	int		 purpose;	/* as of a signrequest */
	char		 device[AGENTREQUEST_DEVICE];
	const uint8_t	*challenge;	/* borrowed from the packet */
	size_t		 len;
};

/* Pure, as signrequest_parse(). A device is 1 to 63 letters, digits and dashes. */
bool	agentrequest_parse(const void *packet, size_t len, struct agentrequest *out);
size_t	agentrequest_write(const struct agentrequest *r, uint8_t out[AGENTREQUEST_MAX]);

/*
 * Does this challenge look like a document rather than like random bytes? A
 * worker in the wrong hands could otherwise have a profile signed by asking
 * for the answer to a challenge. Random bytes look so once in 2^40.
 */
bool	signrequest_is_document(const void *challenge, size_t len);

#endif
