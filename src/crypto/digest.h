/* digest: SHA-256, in the shape that core/ takes it */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/* Cannot fail: an OpenSSL without SHA-256 ends the process. Not thread-safe. */
void	digest_sha256(const void *data, size_t len, uint8_t out[32]);

/* HMAC-SHA-256 (RFC 2104). */
void	digest_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
	    uint8_t out[32]);

#endif
