/* envelope: the CMS wrapper around a signed profile, opened and judged */
#ifndef CRYPTO_ENVELOPE_H
#define CRYPTO_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/blob.h"
#include "crypto/cert.h"

struct error;

enum envelope_kind {
	ENVELOPE_NONE,		/* not CMS: content is the input as it was */
	ENVELOPE_SIGNED,	/* every signature and digest is right */
	ENVELOPE_ALTERED,	/* SignedData with a wrong signature or digest, one whose
				 * certificate is not there, or none at all */
	ENVELOPE_DETACHED,	/* SignedData without content, or content that is no data */
	ENVELOPE_ENCRYPTED,	/* EnvelopedData, EncryptedData and their like */
	ENVELOPE_TEXT,		/* PEM or S/MIME text: not accepted by a device */
	ENVELOPE_BROKEN,	/* begins like CMS and is none, or bytes follow it */
};

/* Zero-initialise; release with envelope_clear(). */
struct envelope {
	enum envelope_kind	kind;
	struct blob		content;	/* the profile inside, when there is one */
	struct cert		signer;		/* of the first signature, when it is there */
	size_t			certificates;	/* how many are in the bag */
	bool			is_chain_complete;	/* up to a self-signed one, in the bag */
	bool			is_self_signed;	/* the signer's certificate */
	bool			is_weak;	/* SHA-1 or MD5 digest, or RSA below 2048 */
	bool			has_trailing_bytes;	/* then it is BROKEN */
	char			digest[24];	/* "SHA-256", of the first signature */
};

enum {
	ENVELOPE_CONTENT_MAX = 16 << 20,	/* bytes, the envelope included */
	ENVELOPE_SIGNERS_MAX = 8,		/* more is BROKEN: each costs a hash of it all */
	ENVELOPE_CERTS_MAX = 32,		/* more is BROKEN */
};

/*
 * Never fails on what a stranger wrote: the kind says what it is. -1 only
 * when memory runs out (ERR_SOFTWARE) or len is beyond ENVELOPE_CONTENT_MAX
 * (ERR_DATA). Bounded in memory and time: the structure is counted before
 * OpenSSL sees it, and nothing is decompressed or decrypted. DER and BER.
 * A signature is checked against the certificate that came with it; whether
 * anybody trusts that one is not asked here. *out is replaced.
 */
int	envelope_open(const void *data, size_t len, struct envelope *out, struct error *err);
void	envelope_clear(struct envelope *e);

#define auto_envelope	auto_with(envelope_clear)

#endif
