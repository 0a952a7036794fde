/* p12: PKCS#12 files, of today and of the 1990s, read and written */
#ifndef CRYPTO_P12_H
#define CRYPTO_P12_H

#include <openssl/types.h>

struct blob;
struct error;
struct keyfile;
struct unlock;

/*
 * Adds the private key and every certificate to *into. 1: done. 0: these bytes
 * are no PKCS#12. -1: it is one, but the passphrase is wrong (ERR_PERM), or its
 * algorithms are unknown or its content is damaged (ERR_DATA). The empty
 * passphrase is tried first, so that nobody is asked where none is needed;
 * where that asks nobody, last, for each try costs thousands of hashes.
 */
int	p12_read(const struct blob *bytes, struct unlock *u, struct keyfile *into,
	    struct error *err);

/*
 * AES-256-CBC under PBKDF2 with SHA-256, and a SHA-256 MAC. passphrase is a C
 * string, not empty. cert and key are borrowed. *out is replaced.
 */
int	p12_write(const struct keyfile *from, X509 *cert, const char *passphrase,
	    struct blob *out, struct error *err);

#endif
