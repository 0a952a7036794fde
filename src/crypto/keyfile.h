/* keyfile: certificates and a private key out of PEM, DER and PKCS#12 bytes */
#ifndef CRYPTO_KEYFILE_H
#define CRYPTO_KEYFILE_H

#include <openssl/types.h>
#include <stdbool.h>

#include "base/blob.h"
#include "crypto/identity.h"
#include "crypto/ossl.h"

/* What was found so far. Zero-initialise; release with keyfile_clear(). */
struct keyfile {
	EVP_PKEY	*key;
	STACK_OF(X509)	*certs;		/* in the order of the file */
};

/* The passphrase of one load: asked for when first needed, and only once. */
struct unlock {
	identity_passphrase_fn	*ask;
	void			*ask_ctx;
	const char		*what;		/* the file, for the question */
	bool			 asks_nobody;
	bool			 is_asked;
	struct blob		 passphrase;	/* with a NUL behind it */
};

/* Borrowed C string, or NULL with *err set. */
const char *unlock_passphrase(struct unlock *u, struct error *err);
void	unlock_clear(struct unlock *u);

/*
 * Adds what bytes hold to *into; the content decides what it is, not the name.
 * Nothing usable, or a second private key: ERR_DATA. Wrong passphrase: ERR_PERM.
 */
int	keyfile_read(const struct blob *bytes, struct unlock *u, struct keyfile *into,
	    struct error *err);
/* Certificates only, PEM or DER; a key that is there too is passed over. */
int	keyfile_read_certs(const struct blob *bytes, struct keyfile *into, struct error *err);
void	keyfile_clear(struct keyfile *k);

/* Take what they are given, also on failure. */
int	keyfile_add_cert(struct keyfile *k, X509 *cert, struct error *err);
int	keyfile_add_key(struct keyfile *k, EVP_PKEY *key, struct error *err);

#define auto_keyfile	auto_with(keyfile_clear)
#define auto_unlock	auto_with(unlock_clear)

#endif
