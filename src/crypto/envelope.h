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
	ENVELOPE_SIGNED,	/* signature and digest are right */
	ENVELOPE_ALTERED,	/* SignedData whose signature or digest is wrong */
	ENVELOPE_DETACHED,	/* SignedData without content, or content that is no data */
	ENVELOPE_ENCRYPTED,	/* EnvelopedData */
	ENVELOPE_TEXT,		/* PEM or S/MIME text: not accepted by a device */
	ENVELOPE_BROKEN,	/* DER that begins like CMS and is none, or bytes after it */
};

/* Zero-initialise; release with envelope_clear(). */
struct envelope {
	enum envelope_kind	kind;
	struct blob		content;	/* the profile inside, when there is one */
	struct cert		signer;		/* when SIGNED or ALTERED */
	size_t			certificates;	/* how many are in the bag */
	bool			is_chain_complete;	/* up to a self-signed one, within the bag */
	bool			is_self_signed;
	bool			is_weak;	/* SHA-1 or MD5 digest, or RSA below 2048 */
	bool			has_trailing_bytes;
	char			digest[24];	/* "SHA-256" */
};

enum { ENVELOPE_CONTENT_MAX = 16 << 20 };

/*
 * Never fails on what a stranger wrote: the kind says what it is. -1 only
 * when memory runs out or len is beyond ENVELOPE_CONTENT_MAX. Bounded memory:
 * nothing is decompressed or decrypted.
 */
int	envelope_open(const void *data, size_t len, struct envelope *out, struct error *err);
void	envelope_clear(struct envelope *e);

#define auto_envelope	auto_with(envelope_clear)

#endif
