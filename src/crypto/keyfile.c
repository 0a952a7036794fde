/* keyfile: what is in a file of certificates and keys; PKCS#12 is in p12.c */
#include "crypto/keyfile.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/error.h"
#include "crypto/p12.h"

static const char unknown_algorithm_hint[] =
    "encrypt the key anew with AES (openssl pkcs8 -topk8 -v2 aes256), or install "
    "OpenSSL's legacy provider";

const char *
unlock_passphrase(struct unlock *u, struct error *err)
{
	if (u->is_asked)
		return (const char *)u->passphrase.data;
	if (!u->ask) {
		error_set(err, ERR_PERM, "there is nobody to ask for the passphrase");
		error_hint(err, "give it with --passphrase-file");
		return NULL;
	}
	if (u->ask(u->ask_ctx, u->what, &u->passphrase, err) < 0)
		return NULL;
	if (u->passphrase.len && memchr(u->passphrase.data, '\0', u->passphrase.len)) {
		error_set(err, ERR_PERM, "a passphrase cannot contain a NUL byte");
		return NULL;
	}
	if (blob_append(&u->passphrase, "", 1) < 0) {
		error_memory(err);
		return NULL;
	}
	u->is_asked = true;
	return (const char *)u->passphrase.data;
}

void
unlock_clear(struct unlock *u)
{
	blob_clear(&u->passphrase);
	u->is_asked = false;
}

void
keyfile_clear(struct keyfile *k)
{
	EVP_PKEY_free(k->key);
	ossl_free_certs(k->certs);
	*k = (struct keyfile){ 0 };
}

int
keyfile_add_cert(struct keyfile *k, X509 *cert, struct error *err)
{
	if (!k->certs)
		k->certs = sk_X509_new_null();
	if (k->certs && sk_X509_push(k->certs, cert) > 0)
		return 0;
	X509_free(cert);
	ERR_clear_error();
	return error_memory(err);
}

int
keyfile_add_key(struct keyfile *k, EVP_PKEY *key, struct error *err)
{
	if (!k->key) {
		k->key = key;
		return 0;
	}
	EVP_PKEY_free(key);
	return error_set(err, ERR_DATA, "it holds more than one private key");
}

static int
wrong_passphrase(struct error *err)
{
	error_set(err, ERR_PERM, "the passphrase is wrong");
	return error_hint(err, "it is the one that was given when the file was made");
}

/* NULL: failed, and the queue says why. */
static PKCS8_PRIV_KEY_INFO *
decrypt(const X509_SIG *sealed, const char *passphrase, OSSL_LIB_CTX *context)
{
	return PKCS8_decrypt_ex(sealed, passphrase, (int)strlen(passphrase), context, NULL);
}

static int
add_sealed_key(const X509_SIG *sealed, struct unlock *u, struct keyfile *into, struct error *err)
{
	auto_key_info PKCS8_PRIV_KEY_INFO *info = NULL;
	auto_legacy struct ossl_legacy old = { 0 };
	const char *passphrase = unlock_passphrase(u, err);
	bool is_unsupported = false;
	EVP_PKEY *key;

	if (!passphrase)
		return -1;
	info = decrypt(sealed, passphrase, NULL);
	if (!info && (is_unsupported = ossl_was_unsupported())) {
		ossl_legacy_open(&old);
		if (old.context) {
			info = decrypt(sealed, passphrase, old.context);
			is_unsupported = !info && ossl_was_unsupported();
		}
	}
	if (!info && is_unsupported) {
		error_set(err, ERR_DATA,
		    "the key is encrypted with an algorithm that this OpenSSL does not have");
		return error_hint(err, unknown_algorithm_hint);
	}
	/* A wrong passphrase shows as bad padding, or, seldom, as a key of rubbish. */
	key = info ? EVP_PKCS82PKEY(info) : NULL;
	ERR_clear_error();
	return key ? keyfile_add_key(into, key, err) : wrong_passphrase(err);
}

/* PKCS#8 encrypted or not, or the older form of its algorithm. 1: it was a key. */
static int
add_der_key(const unsigned char *der, long len, struct unlock *u, struct keyfile *into,
    struct error *err)
{
	const unsigned char *p = der;
	auto_x509_sig X509_SIG *sealed = d2i_X509_SIG(NULL, &p, len);
	EVP_PKEY *key;

	if (sealed)
		return add_sealed_key(sealed, u, into, err) < 0 ? -1 : 1;
	p = der;
	key = d2i_AutoPrivateKey(NULL, &p, len);
	ERR_clear_error();
	if (!key)
		return 0;
	return keyfile_add_key(into, key, err) < 0 ? -1 : 1;
}

/* For PEM_do_header(): OpenSSL wants the length, -1 ends it. */
struct old_pem {
	struct unlock	*unlock;
	struct error	*err;
	bool		 has_failed;
};

static int
give_passphrase(char *buf, int size, int is_writing, void *ctx)
{
	struct old_pem *old = ctx;
	const char *passphrase = unlock_passphrase(old->unlock, old->err);
	size_t len = passphrase ? strlen(passphrase) : 0;

	(void)is_writing;
	if (!passphrase || len > (size_t)size) {
		old->has_failed = !passphrase;
		return -1;
	}
	memcpy(buf, passphrase, len);
	return (int)len;
}

/* One block between BEGIN and END, as OpenSSL cut it out. */
struct pem_block {
	char		*name, *header;
	unsigned char	*data;
	long		 len;
};

static void
pem_block_clear(struct pem_block *b)
{
	OPENSSL_free(b->name);
	OPENSSL_free(b->header);
	OPENSSL_clear_free(b->data, b->len > 0 ? (size_t)b->len : 0);
	*b = (struct pem_block){ 0 };
}

/* RFC 1421 encryption, as "openssl rsa -aes128" still writes it. */
static int
open_old_block(struct pem_block *b, struct unlock *u, struct error *err)
{
	struct old_pem old = { .unlock = u, .err = err };
	EVP_CIPHER_INFO cipher;

	if (PEM_get_EVP_CIPHER_INFO(b->header, &cipher) != 1) {
		ERR_clear_error();
		error_set(err, ERR_DATA,
		    "the key is encrypted in a way that this OpenSSL does not know");
		return error_hint(err, unknown_algorithm_hint);
	}
	if (PEM_do_header(&cipher, b->data, &b->len, give_passphrase, &old) == 1)
		return 0;
	if (ossl_was_unsupported()) {
		error_set(err, ERR_DATA,
		    "the key is encrypted with an algorithm that this OpenSSL does not have");
		return error_hint(err, unknown_algorithm_hint);
	}
	return old.has_failed ? -1 : wrong_passphrase(err);
}

static int
add_pem_key(struct pem_block *b, struct unlock *u, struct keyfile *into, struct error *err)
{
	bool is_encrypted = b->header && b->header[0];
	int found;

	if (is_encrypted && open_old_block(b, u, err) < 0)
		return -1;
	found = add_der_key(b->data, b->len, u, into, err);
	if (found != 0)
		return found < 0 ? -1 : 0;
	return is_encrypted ? wrong_passphrase(err) :
	    error_set(err, ERR_DATA, "its private key cannot be read");
}

static int
add_pem_cert(const struct pem_block *b, struct keyfile *into, struct error *err)
{
	const unsigned char *p = b->data;
	X509 *cert = strcmp(b->name, PEM_STRING_X509_TRUSTED) == 0 ?
	    d2i_X509_AUX(NULL, &p, b->len) : d2i_X509(NULL, &p, b->len);

	if (!cert)
		return ossl_error(err, ERR_DATA, "one of its certificates cannot be read");
	return keyfile_add_cert(into, cert, err);
}

static bool
is_cert_name(const char *name)
{
	return strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0 ||
	    strcmp(name, PEM_STRING_X509_TRUSTED) == 0;
}

static bool
is_key_name(const char *name)
{
	static const char end[] = "PRIVATE KEY";
	size_t len = strlen(name);

	return len >= sizeof(end) - 1 && strcmp(name + len - (sizeof(end) - 1), end) == 0;
}

/* u NULL: keys are passed over. */
static int
read_pem(const struct blob *bytes, struct unlock *u, struct keyfile *into, struct error *err)
{
	auto_bio BIO *bio = BIO_new_mem_buf(bytes->data, (int)bytes->len);

	if (!bio)
		return error_memory(err);
	for (;;) {
		auto_with(pem_block_clear) struct pem_block b = { 0 };
		int rc = 0;

		if (PEM_read_bio(bio, &b.name, &b.header, &b.data, &b.len) != 1)
			break;
		if (is_cert_name(b.name))
			rc = add_pem_cert(&b, into, err);
		else if (u && is_key_name(b.name))
			rc = add_pem_key(&b, u, into, err);
		if (rc < 0)
			return -1;
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return ossl_error(err, ERR_DATA, "its PEM text is damaged");
	ERR_clear_error();
	return 0;
}

static bool
is_pem(const struct blob *bytes)
{
	static const char begin[] = "-----BEGIN ";

	return memmem(bytes->data, bytes->len, begin, sizeof(begin) - 1) != NULL;
}

/* 1: it was a certificate, 0: it was none. */
static int
add_der_cert(const struct blob *bytes, struct keyfile *into, struct error *err)
{
	const unsigned char *p = bytes->data;
	X509 *cert = d2i_X509(NULL, &p, (long)bytes->len);

	ERR_clear_error();
	if (!cert)
		return 0;
	return keyfile_add_cert(into, cert, err) < 0 ? -1 : 1;
}

int
keyfile_read(const struct blob *bytes, struct unlock *u, struct keyfile *into, struct error *err)
{
	int found;

	if (bytes->len && is_pem(bytes))
		return read_pem(bytes, u, into, err);
	found = p12_read(bytes, u, into, err);
	if (found == 0)
		found = add_der_cert(bytes, into, err);
	if (found == 0)
		found = add_der_key(bytes->data, (long)bytes->len, u, into, err);
	if (found == 0)
		return error_set(err, ERR_DATA,
		    "this is no PKCS#12 file, no PEM text, and no certificate or key in DER");
	return found < 0 ? -1 : 0;
}

int
keyfile_read_certs(const struct blob *bytes, struct keyfile *into, struct error *err)
{
	int found;

	if (bytes->len && is_pem(bytes)) {
		if (read_pem(bytes, NULL, into, err) < 0)
			return -1;
		found = sk_X509_num(into->certs) > 0;
	} else {
		found = add_der_cert(bytes, into, err);
	}
	if (found == 0) {
		error_set(err, ERR_DATA, "it holds no certificate, neither PEM nor DER");
		return error_hint(err, "name the certificate first and the key after the comma");
	}
	return found < 0 ? -1 : 0;
}
