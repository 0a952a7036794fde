/* timestamp: RFC 3161: what is asked of a time-stamping authority, and what it answered */
#ifndef CRYPTO_TIMESTAMP_H
#define CRYPTO_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "crypto/cert.h"

struct error;

enum { TIMESTAMP_MAX = 1 << 20, TIMESTAMP_DIGEST = 32 };

/*
 * A TimeStampReq over the SHA-256 of data, with a random nonce, that asks for
 * the authority's certificate. It is a file's content: nothing is sent.
 * *out is replaced.
 */
int	timestamp_request(const void *data, size_t len, struct blob *out, struct error *err);

/* Zero-initialise; release with timestamp_clear(). */
struct timestamp {
	uint8_t		digest[TIMESTAMP_DIGEST];	/* SHA-256 of what was stamped */
	int64_t		at;		/* seconds since 1970, by the authority's clock */
	struct cert	authority;	/* who stamped it */
};

/*
 * A TimeStampResp (DER) that was granted. Its signature is right, and its
 * signer is one of anchors (PEM or DER certificates) or descends from one, is
 * valid now and was at the time that it names, and may stamp times. Whoever
 * has a certificate that has expired since may have stamped any time with it.
 * Else ERR_DATA, which says what of it does not hold. *out is replaced.
 */
int	timestamp_open(const void *data, size_t len, const struct blob *anchors,
	    struct timestamp *out, struct error *err);
bool	timestamp_is_of(const struct timestamp *t, const void *data, size_t len);
void	timestamp_clear(struct timestamp *t);

#define auto_timestamp	auto_with(timestamp_clear)

#endif
