/* cert: X.509 read by OpenSSL into plain, printable values */
#include "crypto/cert.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/ossl.h"

/* The first value of this attribute; "" when the name has none. */
static void
name_text(const X509_NAME *name, int nid, char out[CERT_TEXT_MAX])
{
	int at = X509_NAME_get_index_by_NID(name, nid, -1);
	const X509_NAME_ENTRY *entry = at < 0 ? NULL : X509_NAME_get_entry(name, at);
	unsigned char *utf8 = NULL;
	int len;

	out[0] = '\0';
	if (!entry)
		return;
	len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
	if (len >= 0)
		text_printable((const char *)utf8, (size_t)len, out, CERT_TEXT_MAX);
	OPENSSL_free(utf8);
}

static void
serial_text(const X509 *x, char out[CERT_TEXT_MAX])
{
	auto_bignum BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	char *hex = n ? BN_bn2hex(n) : NULL;
	char *p;

	snprintf(out, CERT_TEXT_MAX, "%s", hex ? hex : "");
	for (p = out; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	OPENSSL_free(hex);
}

static void
key_text(EVP_PKEY *key, char out[CERT_KEY_MAX])
{
	static const char *const curves[][2] = {
		{ "prime256v1", "P-256" },
		{ "secp384r1", "P-384" },
		{ "secp521r1", "P-521" },
	};
	char group[CERT_KEY_MAX] = "";
	const char *name = group;
	size_t i;

	if (!key) {
		snprintf(out, CERT_KEY_MAX, "unknown");
		return;
	}
	if (EVP_PKEY_is_a(key, "RSA")) {
		snprintf(out, CERT_KEY_MAX, "RSA %d", EVP_PKEY_get_bits(key));
		return;
	}
	if (!EVP_PKEY_is_a(key, "EC") ||
	    EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1) {
		const char *type = EVP_PKEY_get0_type_name(key);

		snprintf(out, CERT_KEY_MAX, "%s", type ? type : "unknown");
		return;
	}
	for (i = 0; i < countof(curves); i++)
		if (strcmp(group, curves[i][0]) == 0)
			name = curves[i][1];
	snprintf(out, CERT_KEY_MAX, "EC %.20s", name);
}

static int64_t
time_of(const ASN1_TIME *at)
{
	struct tm tm;

	/* An unreadable time is the epoch: expired, never valid by mistake. */
	return ASN1_TIME_to_tm(at, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static void
describe(X509 *x, struct cert *c)
{
	const X509_NAME *subject = X509_get_subject_name(x);
	const X509_NAME *issuer = X509_get_issuer_name(x);
	uint8_t digest[32];

	name_text(subject, NID_commonName, c->common_name);
	name_text(subject, NID_organizationName, c->organization);
	if (!c->organization[0])
		memcpy(c->organization, c->common_name, sizeof(c->organization));
	name_text(issuer, NID_commonName, c->issuer);
	if (!c->issuer[0])
		name_text(issuer, NID_organizationName, c->issuer);
	serial_text(x, c->serial);
	key_text(X509_get0_pubkey(x), c->key);
	c->not_before = time_of(X509_get0_notBefore(x));
	c->not_after = time_of(X509_get0_notAfter(x));
	digest_sha256(c->der.data, c->der.len, digest);
	text_hex(digest, sizeof(digest), c->sha256);
	/* An odd key or name leaves reasons behind that belong to no failure. */
	ERR_clear_error();
}

/* der: the bytes that x was read from. */
static int
fill(X509 *x, const void *der, size_t len, struct cert *out, struct error *err)
{
	auto_cert struct cert c = { 0 };

	if (blob_set(&c.der, der, len) < 0)
		return error_memory(err);
	describe(x, &c);
	cert_clear(out);
	*out = c;
	c = (struct cert){ 0 };
	return 0;
}

int
cert_from_x509(struct x509_st *x, struct cert *out, struct error *err)
{
	unsigned char *der = NULL;
	int len = i2d_X509(x, &der);
	int rc;

	if (len < 0)
		return ossl_error(err, ERR_SOFTWARE, "encoding a certificate");
	rc = fill(x, der, (size_t)len, out, err);
	OPENSSL_free(der);
	return rc;
}

static int
parse_der(const unsigned char *data, long len, struct cert *out, struct error *err)
{
	const unsigned char *p = data;
	auto_x509 X509 *x = d2i_X509(NULL, &p, len);

	if (!x)
		return ossl_error(err, ERR_DATA, "this is no certificate");
	return fill(x, data, (size_t)(p - data), out, err);
}

static int
parse_pem(const void *data, int len, struct cert *out, struct error *err)
{
	auto_bio BIO *bio = BIO_new_mem_buf(data, len);
	unsigned char *der = NULL;
	long der_len = 0;
	int rc;

	if (!bio)
		return error_memory(err);
	if (PEM_bytes_read_bio(&der, &der_len, NULL, PEM_STRING_X509, bio, NULL, NULL) != 1)
		return ossl_error(err, ERR_DATA, "this holds no certificate");
	rc = parse_der(der, der_len, out, err);
	OPENSSL_free(der);
	return rc;
}

int
cert_parse(const void *data, size_t len, struct cert *out, struct error *err)
{
	if (len == 0 || len > CERT_FILE_MAX)
		return error_set(err, ERR_DATA, "%zu bytes cannot be a certificate", len);
	if (*(const unsigned char *)data == 0x30 &&
	    parse_der(data, (long)len, out, err) == 0)
		return 0;
	return parse_pem(data, (int)len, out, err);
}

int
cert_copy(const struct cert *from, struct cert *to, struct error *err)
{
	struct cert c = *from;

	c.der = (struct blob){ 0 };
	if (blob_set(&c.der, from->der.data, from->der.len) < 0)
		return error_memory(err);
	cert_clear(to);
	*to = c;
	return 0;
}

void
cert_clear(struct cert *c)
{
	blob_clear(&c->der);
	*c = (struct cert){ 0 };
}
