/* certmake: X.509 version 3 certificates in the shapes that devices know */
#ifndef CRYPTO_CERTMAKE_H
#define CRYPTO_CERTMAKE_H

#include <openssl/types.h>
#include <stdbool.h>
#include <time.h>

struct error;

/* Everything is borrowed. Issuer and subject have the same name, or none. */
struct certmake {
	EVP_PKEY	*subject;	/* its public half is certified */
	EVP_PKEY	*signer;	/* signs, with SHA-256 */
	const char	*organization;	/* O and CN; NULL: the name is empty */
	const char	*basic_constraints;	/* in OpenSSL's words; NULL: none */
	const char	*key_usage;
	const char	*extended_key_usage;
	bool		 has_key_id;
	bool		 has_random_serial;	/* else 0 */
	time_t		 from;
	unsigned	 days;
};

/* *out is the caller's: X509_free(). */
int	certmake(const struct certmake *how, X509 **out, struct error *err);

/* A new RSA key: some 100 milliseconds for 2048 bits. *out: EVP_PKEY_free(). */
int	certmake_key(unsigned bits, EVP_PKEY **out, struct error *err);

#endif
