/* p12: PKCS#12 through OpenSSL, the old algorithms in a context of their own */
#include "crypto/p12.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pkcs12.h>
#include <string.h>

#include "base/blob.h"
#include "base/error.h"
#include "crypto/keyfile.h"
#include "crypto/ossl.h"

enum {
	/* What OpenSSL 3 itself writes; a few milliseconds. */
	ITERATIONS = 2048,
	/* A file that asks for more would keep the command busy for minutes. */
	ITERATIONS_MAX = 10 * 1000 * 1000,
};

static const char *const empty_passphrases[] = { NULL, "" };

/* With context, everything in it is decrypted by the providers of context. */
static PKCS12 *
decode(const struct blob *bytes, OSSL_LIB_CTX *context)
{
	const unsigned char *p = bytes->data;
	PKCS12 *p12 = PKCS12_init_ex(NID_pkcs7_data, context, NULL);

	if (!p12)
		return NULL;
	/* On failure d2i releases what it was given. */
	return d2i_PKCS12(&p12, &p, (long)bytes->len);
}

static bool
is_mac_of(PKCS12 *p12, const char *passphrase)
{
	bool is_right = PKCS12_verify_mac(p12, passphrase,
	    passphrase ? (int)strlen(passphrase) : 0) == 1;

	ERR_clear_error();
	return is_right;
}

/* The MAC is made with a digest, or by PBMAC1 (RFC 9579), which 3.0 lacks. */
static bool
is_mac_known(const PKCS12 *p12)
{
	const X509_ALGOR *algorithm = NULL;
	const ASN1_OBJECT *oid = NULL;
	const EVP_MD *digest;

	PKCS12_get0_mac(NULL, &algorithm, NULL, NULL, p12);
	X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
	digest = EVP_get_digestbyobj(oid);
	return digest != NULL;
}

static bool
is_mac_cheap(const PKCS12 *p12)
{
	const ASN1_INTEGER *iterations = NULL;

	PKCS12_get0_mac(NULL, NULL, NULL, &iterations, p12);
	return !iterations || (ASN1_INTEGER_get(iterations) > 0 &&
	    ASN1_INTEGER_get(iterations) <= ITERATIONS_MAX);
}

static int
unknown_algorithm(struct error *err)
{
	error_set(err, ERR_DATA,
	    "the PKCS#12 file uses an algorithm that this OpenSSL does not have");
	return error_hint(err, "export it again with AES-256, or install OpenSSL's legacy "
	    "provider (Debian 13: openssl-provider-legacy)");
}

/* The key crosses from the legacy context into the default one as PKCS#8. */
static EVP_PKEY *
in_default_context(EVP_PKEY *key)
{
	auto_key_info PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);

	return info ? EVP_PKCS82PKEY(info) : NULL;
}

static X509 *
cert_in_default_context(X509 *cert)
{
	unsigned char *der = NULL;
	const unsigned char *p;
	int len = i2d_X509(cert, &der);
	X509 *fresh;

	if (len < 0)
		return NULL;
	p = der;
	fresh = d2i_X509(NULL, &p, len);
	OPENSSL_free(der);
	return fresh;
}

/* What was read in the default context is taken as it is. */
static int
take_key(EVP_PKEY *key, bool is_foreign, struct keyfile *into, struct error *err)
{
	EVP_PKEY *ours = is_foreign ? in_default_context(key) : key;

	if (!ours)
		return ossl_error(err, ERR_DATA, "its private key cannot be read");
	if (!is_foreign)
		EVP_PKEY_up_ref(key);
	return keyfile_add_key(into, ours, err);
}

static int
take_cert(X509 *cert, bool is_foreign, struct keyfile *into, struct error *err)
{
	X509 *ours = is_foreign ? cert_in_default_context(cert) : cert;

	if (!ours)
		return ossl_error(err, ERR_DATA, "one of its certificates cannot be read");
	if (!is_foreign)
		X509_up_ref(cert);
	return keyfile_add_cert(into, ours, err);
}

static int
take(EVP_PKEY *key, X509 *cert, STACK_OF(X509) *others, bool is_foreign, struct keyfile *into,
    struct error *err)
{
	int i;

	if (key && take_key(key, is_foreign, into, err) < 0)
		return -1;
	if (cert && take_cert(cert, is_foreign, into, err) < 0)
		return -1;
	for (i = 0; i < sk_X509_num(others); i++)
		if (take_cert(sk_X509_value(others, i), is_foreign, into, err) < 0)
			return -1;
	return 0;
}

/*
 * PKCS12_parse() wants a MAC wherever there is a passphrase. A file without one
 * gets it here, in memory, for this passphrase: then the content has to decide.
 */
static bool
ensure_mac(PKCS12 *p12, const char *passphrase)
{
	return PKCS12_mac_present(p12) ||
	    PKCS12_set_mac(p12, passphrase, -1, NULL, 0, 1, EVP_sha256()) == 1;
}

enum opened { OPENED, WRONG_PASSPHRASE, DAMAGED, UNSUPPORTED, FAILED };

/* Only the MAC tells a wrong passphrase from everything else that can be wrong. */
static enum opened
why_not(void)
{
	unsigned long last = ERR_peek_last_error();
	bool is_mac = ERR_GET_LIB(last) == ERR_LIB_PKCS12 &&
	    ERR_GET_REASON(last) == PKCS12_R_MAC_VERIFY_FAILURE;

	if (ossl_was_unsupported())
		return UNSUPPORTED;
	return is_mac ? WRONG_PASSPHRASE : DAMAGED;
}

static enum opened
open_in(const struct blob *bytes, OSSL_LIB_CTX *context, const char *passphrase,
    struct keyfile *into, struct error *err)
{
	auto_p12 PKCS12 *p12 = decode(bytes, context);
	auto_key EVP_PKEY *key = NULL;
	auto_x509 X509 *cert = NULL;
	auto_certs STACK_OF(X509) *others = NULL;

	if (!p12 || !ensure_mac(p12, passphrase) ||
	    PKCS12_parse(p12, passphrase, &key, &cert, &others) != 1)
		return why_not();
	return take(key, cert, others, context != NULL, into, err) < 0 ? FAILED : OPENED;
}

/* First as everything else is done here, then with the old algorithms. */
static enum opened
open_with(const struct blob *bytes, const char *passphrase, struct keyfile *into,
    struct error *err)
{
	auto_legacy struct ossl_legacy old = { 0 };
	enum opened how = open_in(bytes, NULL, passphrase, into, err);

	if (how != UNSUPPORTED)
		return how;
	ossl_legacy_open(&old);
	return old.context ? open_in(bytes, old.context, passphrase, into, err) : UNSUPPORTED;
}

static int
settle(enum opened how, struct error *err)
{
	switch (how) {
	case OPENED:
		return 1;
	case FAILED:
		return -1;
	case UNSUPPORTED:
		return unknown_algorithm(err);
	case DAMAGED:
		return error_set(err, ERR_DATA, "the PKCS#12 file is damaged");
	default:
		error_set(err, ERR_PERM, "the passphrase is wrong");
		return error_hint(err, "it is the one that was given when the file was exported");
	}
}

static enum opened
open_with_passphrase(const struct blob *bytes, struct unlock *u, struct keyfile *into,
    struct error *err)
{
	const char *passphrase = unlock_passphrase(u, err);

	return passphrase ? open_with(bytes, passphrase, into, err) : FAILED;
}

/* Every look at the MAC costs thousands of hashes: no more of them than needed. */
static int
read_with_mac(PKCS12 *p12, const struct blob *bytes, struct unlock *u, struct keyfile *into,
    struct error *err)
{
	enum opened how = WRONG_PASSPHRASE;

	if (!is_mac_known(p12))
		return unknown_algorithm(err);
	if (!is_mac_cheap(p12))
		return error_set(err, ERR_DATA, "its MAC asks for too many iterations");
	if (u->asks_nobody)
		how = open_with_passphrase(bytes, u, into, err);
	/* PKCS12_parse() tries both kinds of an empty passphrase for NULL. */
	if (how == WRONG_PASSPHRASE && (is_mac_of(p12, NULL) || is_mac_of(p12, "")))
		how = open_with(bytes, NULL, into, err);
	else if (how == WRONG_PASSPHRASE && !u->asks_nobody)
		how = open_with_passphrase(bytes, u, into, err);
	return settle(how, err);
}

/* Without a MAC, content that makes no sense may as well be a wrong passphrase. */
static int
read_without_mac(const struct blob *bytes, struct unlock *u, struct keyfile *into,
    struct error *err)
{
	enum opened how;
	size_t i;

	for (i = 0; i < countof(empty_passphrases); i++) {
		how = open_with(bytes, empty_passphrases[i], into, err);
		if (how != WRONG_PASSPHRASE && how != DAMAGED)
			return settle(how, err);
	}
	how = open_with_passphrase(bytes, u, into, err);
	return settle(how == DAMAGED ? WRONG_PASSPHRASE : how, err);
}

int
p12_read(const struct blob *bytes, struct unlock *u, struct keyfile *into, struct error *err)
{
	auto_p12 PKCS12 *p12 = bytes->len ? decode(bytes, NULL) : NULL;

	ERR_clear_error();
	if (!p12)
		return 0;
	return PKCS12_mac_present(p12) ? read_with_mac(p12, bytes, u, into, err) :
	    read_without_mac(bytes, u, into, err);
}

/* The certificates of the file without the signer's, which goes in by itself. */
static STACK_OF(X509) *
others_of(const struct keyfile *from, X509 *cert)
{
	STACK_OF(X509) *others = sk_X509_new_null();
	int i;

	for (i = 0; others && i < sk_X509_num(from->certs); i++) {
		X509 *x = sk_X509_value(from->certs, i);

		if (x == cert)
			continue;
		X509_up_ref(x);
		if (sk_X509_push(others, x) <= 0) {
			X509_free(x);
			ossl_free_certs(others);
			return NULL;
		}
	}
	return others;
}

int
p12_write(const struct keyfile *from, X509 *cert, const char *passphrase, struct blob *out,
    struct error *err)
{
	auto_certs STACK_OF(X509) *others = others_of(from, cert);
	auto_p12 PKCS12 *p12 = NULL;
	auto_bio BIO *bio = BIO_new(BIO_s_mem());

	if (!others || !bio)
		return error_memory(err);
	p12 = PKCS12_create(passphrase, NULL, from->key, cert, others, NID_aes_256_cbc,
	    NID_aes_256_cbc, ITERATIONS, -1, 0);
	if (!p12 || PKCS12_set_mac(p12, passphrase, -1, NULL, 0, ITERATIONS, EVP_sha256()) != 1 ||
	    i2d_PKCS12_bio(bio, p12) != 1)
		return ossl_error(err, ERR_SOFTWARE, "writing a PKCS#12 file");
	return ossl_take_bytes(bio, out, err);
}
