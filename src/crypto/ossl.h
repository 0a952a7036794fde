/* ossl: OpenSSL's conventions translated, for the modules of crypto/ only */
#ifndef CRYPTO_OSSL_H
#define CRYPTO_OSSL_H

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/clean.h"
#include "base/error.h"

struct blob;

/* Release by attribute for the types that OpenSSL hands out. NULL is fine. */
#define OSSL_CLEANER(name, type, release)                                     \
	static inline void clean_##name(type **p) { release(*p); }

static inline void
ossl_free_certs(STACK_OF(X509) *certs)
{
	sk_X509_pop_free(certs, X509_free);
}

OSSL_CLEANER(bio, BIO, BIO_free_all)
OSSL_CLEANER(bignum, BIGNUM, BN_free)
OSSL_CLEANER(cms, CMS_ContentInfo, CMS_ContentInfo_free)
OSSL_CLEANER(certs, STACK_OF(X509), ossl_free_certs)
OSSL_CLEANER(key, EVP_PKEY, EVP_PKEY_free)
OSSL_CLEANER(key_info, PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free)
OSSL_CLEANER(p12, PKCS12, PKCS12_free)
OSSL_CLEANER(x509, X509, X509_free)
OSSL_CLEANER(x509_sig, X509_SIG, X509_SIG_free)

#define auto_bio	auto_with(clean_bio)
#define auto_bignum	auto_with(clean_bignum)
#define auto_cms	auto_with(clean_cms)
#define auto_certs	auto_with(clean_certs)
#define auto_key	auto_with(clean_key)
#define auto_key_info	auto_with(clean_key_info)
#define auto_p12	auto_with(clean_p12)
#define auto_x509	auto_with(clean_x509)
#define auto_x509_sig	auto_with(clean_x509_sig)

/*
 * Sets OpenSSL up with its configuration file. Optional, but whoever forks or is
 * confined later does it before; again is free. false: it cannot be used.
 */
bool	ossl_start(void);

/*
 * Sets *err with the root of OpenSSL's error queue appended, and empties the
 * queue. Running out of memory is said as such. Returns -1.
 */
int	ossl_error(struct error *err, enum error_kind kind, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/*
 * Empties the queue. true when what failed was an algorithm that no loaded
 * provider has, rather than the data or the passphrase.
 */
bool	ossl_was_unsupported(void);

/* Replaces *out by what was written to a memory BIO. 0, or -1 ERR_SOFTWARE. */
int	ossl_take_bytes(BIO *bio, struct blob *out, struct error *err);

/* A private key as PKCS#8 PEM in clear. *out is replaced. */
int	ossl_key_to_pem(EVP_PKEY *key, struct blob *out, struct error *err);
int	ossl_cert_to_pem(X509 *cert, struct blob *out, struct error *err);

/* Adds all certificates of a PEM, or the one of a DER. ERR_DATA when there is none. */
int	ossl_add_anchors(X509_STORE *store, const struct blob *anchors, struct error *err);

/*
 * Old algorithms (RC2, single DES, MD4) live in OpenSSL's legacy provider. It
 * is loaded into a library context of its own, so that nothing else of this
 * process accepts them. context is NULL when this machine has no such provider.
 */
struct ossl_legacy {
	OSSL_LIB_CTX	*context;
	OSSL_PROVIDER	*standard, *legacy;
};
void	ossl_legacy_open(struct ossl_legacy *l);
void	ossl_legacy_close(struct ossl_legacy *l);

#define auto_legacy	auto_with(ossl_legacy_close)

#endif
