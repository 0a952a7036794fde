/* ossl: OpenSSL's error queue into words, its bytes into blobs */
#include "crypto/ossl.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/blob.h"

/*
 * Its own clean-up at exit only takes time: what is secret is wiped where it
 * lies. Heeded when this is the first that OpenSSL hears of us.
 */
bool
ossl_start(void)
{
	return OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL) == 1;
}

int
ossl_error(struct error *err, enum error_kind kind, const char *fmt, ...)
{
	unsigned long code = ERR_peek_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;
	char what[ERROR_MESSAGE_MAX];
	va_list ap;

	ERR_clear_error();
	if (code && ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
		return error_memory(err);
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (reason)
		return error_set(err, kind, "%s: %s", what, reason);
	return error_set(err, kind, "%s", what);
}

/* Only what EVP says: the decoders call any garbage "unsupported". */
static bool
says_unsupported(unsigned long code)
{
	if (ERR_GET_LIB(code) != ERR_LIB_EVP)
		return false;
	switch (ERR_GET_REASON(code)) {
	case ERR_R_UNSUPPORTED:
	case EVP_R_UNKNOWN_PBE_ALGORITHM:
	case EVP_R_UNKNOWN_CIPHER:
	case EVP_R_UNKNOWN_DIGEST:
	case EVP_R_UNSUPPORTED_ALGORITHM:
	case EVP_R_UNSUPPORTED_CIPHER:
	case EVP_R_UNSUPPORTED_KEY_DERIVATION_FUNCTION:
	case EVP_R_UNSUPPORTED_PRF:
		return true;
	default:
		return false;
	}
}

bool
ossl_was_unsupported(void)
{
	bool is_unsupported = false;
	unsigned long code;

	while ((code = ERR_get_error()) != 0)
		if (says_unsupported(code))
			is_unsupported = true;
	return is_unsupported;
}

int
ossl_take_bytes(BIO *bio, struct blob *out, struct error *err)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);

	if (len < 0 || blob_set(out, data, (size_t)len) < 0)
		return error_memory(err);
	return 0;
}

int
ossl_key_to_pem(EVP_PKEY *key, struct blob *out, struct error *err)
{
	auto_bio BIO *bio = BIO_new(BIO_s_secmem());

	if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
		return ossl_error(err, ERR_SOFTWARE, "writing a private key");
	return ossl_take_bytes(bio, out, err);
}

int
ossl_cert_to_pem(X509 *cert, struct blob *out, struct error *err)
{
	auto_bio BIO *bio = BIO_new(BIO_s_mem());

	if (!bio || PEM_write_bio_X509(bio, cert) != 1)
		return ossl_error(err, ERR_SOFTWARE, "writing a certificate");
	return ossl_take_bytes(bio, out, err);
}

int
ossl_add_anchors(X509_STORE *store, const struct blob *anchors, struct error *err)
{
	auto_bio BIO *bio = BIO_new_mem_buf(anchors->data, (int)anchors->len);
	int n = 0;

	while (bio) {
		auto_x509 X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

		if (!x)
			break;
		X509_STORE_add_cert(store, x);
		n++;
	}
	if (n == 0) {
		const unsigned char *p = anchors->data;
		auto_x509 X509 *x = d2i_X509(NULL, &p, (long)anchors->len);

		if (x && X509_STORE_add_cert(store, x) == 1)
			n++;
	}
	return n ? 0 : ossl_error(err, ERR_DATA, "there is no certificate to check against");
}

void
ossl_legacy_open(struct ossl_legacy *l)
{
	*l = (struct ossl_legacy){ .context = OSSL_LIB_CTX_new() };
	if (!l->context)
		return;
	l->standard = OSSL_PROVIDER_load(l->context, "default");
	l->legacy = OSSL_PROVIDER_load(l->context, "legacy");
	if (!l->standard || !l->legacy)
		ossl_legacy_close(l);
	ERR_clear_error();
}

void
ossl_legacy_close(struct ossl_legacy *l)
{
	if (l->legacy)
		OSSL_PROVIDER_unload(l->legacy);
	if (l->standard)
		OSSL_PROVIDER_unload(l->standard);
	OSSL_LIB_CTX_free(l->context);
	*l = (struct ossl_legacy){ 0 };
}
