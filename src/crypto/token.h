/* token: an identity whose key stays in a token: a pkcs11: URI (RFC 7512) */
#ifndef CRYPTO_TOKEN_H
#define CRYPTO_TOKEN_H

#include <stdbool.h>

struct error;
struct identity_source;
struct keyfile;
struct unlock;

/* Whether ref is "pkcs11:...". */
bool	token_is_ref(const char *ref);

/*
 * "pkcs11:token=acme;object=ipads?module-path=/usr/lib/x.so,acme.crt": the path
 * attributes name the key, what follows a comma is its certificate's file (a
 * comma within an attribute is %2C), else the token has it under the same name.
 * Of the query, module-path and pin-source are heeded; without a module it is
 * p11-kit's proxy. A pin-value is ERR_USAGE: arguments are no place for secrets.
 *
 * The PIN is that of pin-source, else source's passphrase. It is tried once:
 * ERR_PERM when it is wrong, and never a second time, which could lock the
 * token. ERR_UNAVAILABLE: no engine, no module, no token, or no such key on it;
 * ERR_NOINPUT: a module or certificate that is named is not there.
 *
 * Loads foreign code into this process: the signer's, and no other.
 */
int	token_load(const struct identity_source *source, const char *ref, struct unlock *u,
	    struct keyfile *into, struct error *err);

#endif
