/* signed: a CMS SignedData that says something, checked and taken apart */
#ifndef CRYPTO_SIGNED_H
#define CRYPTO_SIGNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "crypto/cert.h"

struct error;

enum { SIGNED_MAX = 16 << 20 };

/* Zero-initialise; release with signed_clear(). */
struct signed_content {
	struct blob	content;
	struct cert	signer;
	int64_t		signed_at;	/* seconds since 1970, by the signer's clock; 0: not said */
	bool		is_trusted;	/* the signer descends from anchors */
};

/*
 * DER or PEM, one signer whose certificate is inside, content inside, SHA-2.
 * ERR_DATA: it is no such thing, or was altered. anchors, when not NULL: PEM or
 * DER certificates; the signer must be one of them or descend from one, at the
 * time of signing (an expired certificate does not undo what it signed), else
 * ERR_DATA. *out is replaced.
 */
int	signed_open(const void *data, size_t len, const struct blob *anchors,
	    struct signed_content *out, struct error *err);
void	signed_clear(struct signed_content *s);

/* Whether the one who says to have signed it, attached or not, is cert. */
bool	signed_is_by(const struct blob *cms, const struct cert *cert);

/*
 * Puts the content into a SignedData that was made without it. *out is replaced.
 * ERR_SOFTWARE when the signature is not one of this content.
 */
int	signed_attach(const struct blob *detached, const void *content, size_t len,
	    struct blob *out, struct error *err);

#define auto_signed	auto_with(signed_clear)

/* Base64 without line breaks. *text is the caller's: free(). */
int	signed_encode(const struct blob *bytes, char **text, struct error *err);
/* ERR_DATA when text is no base64. *out is replaced. */
int	signed_decode(const char *text, struct blob *out, struct error *err);

#endif
