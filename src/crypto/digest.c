/* digest: SHA-256 from OpenSSL, fetched once */
#include "crypto/digest.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

void
digest_sha256(const void *data, size_t len, uint8_t out[32])
{
	static EVP_MD *sha256;
	static const char nothing[1];

	if (!sha256)
		sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	/* No digest means no identity, no profile and no ledger: nothing to do here. */
	if (!sha256 || EVP_Digest(len ? data : nothing, len, out, NULL, sha256, NULL) != 1)
		abort();
}

void
digest_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
    uint8_t out[32])
{
	unsigned int n = 32;

	if (key_len > INT_MAX || !HMAC(EVP_sha256(), key, (int)key_len, data, len, out, &n))
		abort();
}
