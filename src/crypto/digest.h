/* digest: SHA-256, in the shape that core/ takes it */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/* Cannot fail: an OpenSSL without SHA-256 ends the process. Not thread-safe. */
void	digest_sha256(const void *data, size_t len, uint8_t out[32]);

#endif
