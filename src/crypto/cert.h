/* cert: what a certificate says, read once */
#ifndef CRYPTO_CERT_H
#define CRYPTO_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"

struct error;
struct x509_st;

enum {
	CERT_TEXT_MAX = 256,
	CERT_FINGERPRINT_MAX = 65,
	CERT_KEY_MAX = 32,
	CERT_FILE_MAX = 1 << 20,	/* bytes; beyond it nothing is even parsed */
};

/* Zero-initialise; release with cert_clear(). Texts are printable UTF-8. */
struct cert {
	struct blob	der;		/* the exact bytes a device compares */
	char		organization[CERT_TEXT_MAX];	/* O, else CN, else "" */
	char		common_name[CERT_TEXT_MAX];
	char		issuer[CERT_TEXT_MAX];		/* CN or O of the issuer */
	char		serial[CERT_TEXT_MAX];		/* lower-case hexadecimal */
	char		sha256[CERT_FINGERPRINT_MAX];	/* of der, lower-case hex */
	char		key[CERT_KEY_MAX];		/* "RSA 2048", "EC P-256" */
	int64_t		not_before, not_after;		/* seconds since 1970, UTC */
};

/*
 * DER or PEM (the first certificate, other PEM blocks are passed over).
 * ERR_DATA when it is neither. *out is replaced, also by cert_copy().
 */
int	cert_parse(const void *data, size_t len, struct cert *out, struct error *err);
int	cert_copy(const struct cert *from, struct cert *to, struct error *err);
void	cert_clear(struct cert *c);

/* For crypto/ itself: the same from OpenSSL's X509, which stays the caller's. */
int	cert_from_x509(struct x509_st *x, struct cert *out, struct error *err);

#define auto_cert	auto_with(cert_clear)

#endif
