/* envelope: decodes CMS with OpenSSL, and judges it without trusting anybody */
#include "crypto/envelope.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "crypto/derguard.h"
#include "crypto/ossl.h"

enum {
	RSA_BITS_GOOD = 2048,
	/* Issuers looked for, one above the other; real chains have 2 to 4. */
	STEPS_MAX = 8,
};

/* The last number of 1.2.840.113549.1.7 (RFC 2315, RFC 5652). */
enum {
	CMS_SIGNED = 2,
	CMS_ENVELOPED = 3,
	CMS_SIGNED_ENVELOPED = 4,
	CMS_ENCRYPTED = 6,
	CMS_SMIME = 256,	/* one of S/MIME's own: AuthEnvelopedData and the like */
};

/* ---- what it looks like ---------------------------------------------------- */

/* Of a SEQUENCE that begins with the OID of a content type; -1: it is none. */
static int
content_type(const uint8_t *data, size_t len)
{
	/* 1.2.840.113549.1.7.x and 1.2.840.113549.1.9.16.1.x without their ends */
	static const uint8_t pkcs7[] = { 0x06, 0x09,
		0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07 };
	static const uint8_t smime[] = { 0x06, 0x0b,
		0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01 };
	size_t at = 2;

	if (len < at || data[0] != 0x30)
		return -1;
	if (data[1] > 0x80)
		at += data[1] & 0x7f;
	if (len > at + sizeof(pkcs7) && memcmp(data + at, pkcs7, sizeof(pkcs7)) == 0)
		return data[at + sizeof(pkcs7)];
	if (len > at + sizeof(smime) && memcmp(data + at, smime, sizeof(smime)) == 0)
		return CMS_SMIME;
	return -1;
}

static bool
begins_with(const uint8_t *data, size_t len, const char *text)
{
	size_t n = strlen(text);

	return len >= n && strncasecmp((const char *)data, text, n) == 0;
}

static bool
is_text(const uint8_t *data, size_t len)
{
	static const char *const starts[] = { "-----BEGIN ", "MIME-Version:", "Content-Type:" };
	size_t i;

	while (len && strchr(" \t\r\n", *data) && *data) {
		data++;
		len--;
	}
	for (i = 0; i < countof(starts); i++)
		if (begins_with(data, len, starts[i]))
			return true;
	return false;
}

/* ---- the certificates ------------------------------------------------------ */

static bool
is_issued_by(X509 *cert, X509 *issuer)
{
	return X509_check_issued(issuer, cert) == X509_V_OK &&
	    X509_verify(cert, X509_get0_pubkey(issuer)) == 1;
}

static X509 *
find_issuer(STACK_OF(X509) *certs, X509 *cert)
{
	int i;

	for (i = 0; i < sk_X509_num(certs); i++)
		if (is_issued_by(cert, sk_X509_value(certs, i)))
			return sk_X509_value(certs, i);
	return NULL;
}

/* Two that issued each other would never end. */
static bool
reaches_root(STACK_OF(X509) *certs, X509 *cert)
{
	int steps;

	for (steps = 0; cert && steps < STEPS_MAX; steps++) {
		if (is_issued_by(cert, cert))
			return true;
		cert = find_issuer(certs, cert);
	}
	return false;
}

static X509 *
find_signer(CMS_SignerInfo *signer, STACK_OF(X509) *certs)
{
	int i;

	for (i = 0; i < sk_X509_num(certs); i++)
		if (CMS_SignerInfo_cert_cmp(signer, sk_X509_value(certs, i)) == 0)
			return sk_X509_value(certs, i);
	return NULL;
}

/* ---- the signatures -------------------------------------------------------- */

static int
digest_nid(CMS_SignerInfo *signer)
{
	X509_ALGOR *digest = NULL;
	const ASN1_OBJECT *oid = NULL;

	CMS_SignerInfo_get0_algs(signer, NULL, NULL, &digest, NULL);
	X509_ALGOR_get0(&oid, NULL, NULL, digest);
	return OBJ_obj2nid(oid);
}

static void
name_digest(int nid, char *out, size_t size)
{
	static const struct {
		int		 nid;
		const char	*name;
	} names[] = {
		{ NID_md5, "MD5" }, { NID_sha1, "SHA-1" }, { NID_sha224, "SHA-224" },
		{ NID_sha256, "SHA-256" }, { NID_sha384, "SHA-384" }, { NID_sha512, "SHA-512" },
	};
	const char *name = nid == NID_undef ? "unknown" : OBJ_nid2sn(nid);
	size_t i;

	for (i = 0; i < countof(names); i++)
		if (names[i].nid == nid)
			name = names[i].name;
	snprintf(out, size, "%s", name);
}

static bool
is_weak(int nid, X509 *cert)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);

	return nid == NID_sha1 || nid == NID_md5 || nid == NID_md4 || nid == NID_md2 ||
	    (key && EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) < RSA_BITS_GOOD);
}

/* RFC 5652, 5.3: the signed content type must be that of the content. */
static bool
is_about_data(CMS_SignerInfo *signer)
{
	const ASN1_OBJECT *type = CMS_signed_get0_data_by_OBJ(signer,
	    OBJ_nid2obj(NID_pkcs9_contentType), -3, V_ASN1_OBJECT);

	return type && OBJ_obj2nid(type) == NID_pkcs7_data;
}

/* With signed attributes: they are signed, and the digest is among them. */
static bool
verify(CMS_SignerInfo *signer, X509 *cert, const ASN1_OCTET_STRING *content)
{
	auto_bio BIO *hash = BIO_new(BIO_f_md());
	BIO *sink = BIO_new(BIO_s_null());
	const EVP_MD *digest = EVP_get_digestbynid(digest_nid(signer));
	int len = ASN1_STRING_length(content);

	if (!hash || !sink || !digest || BIO_set_md(hash, digest) != 1) {
		BIO_free(sink);
		return false;
	}
	BIO_push(hash, sink);
	if (len && BIO_write(hash, ASN1_STRING_get0_data(content), len) != len)
		return false;
	CMS_SignerInfo_set1_signer_cert(signer, cert);
	if (CMS_signed_get_attr_count(signer) >= 0 &&
	    (CMS_SignerInfo_verify(signer) != 1 || !is_about_data(signer)))
		return false;
	return CMS_SignerInfo_verify_content(signer, hash) == 1;
}

static int
judge_signer(CMS_SignerInfo *signer, bool is_first, STACK_OF(X509) *certs,
    const ASN1_OCTET_STRING *content, struct envelope *e, struct error *err)
{
	X509 *cert = find_signer(signer, certs);
	int nid = digest_nid(signer);

	if (is_first)
		name_digest(nid, e->digest, sizeof(e->digest));
	if (!cert) {
		e->kind = ENVELOPE_ALTERED;
		return 0;
	}
	if (is_weak(nid, cert))
		e->is_weak = true;
	if (!verify(signer, cert, content))
		e->kind = ENVELOPE_ALTERED;
	if (!is_first)
		return 0;
	e->is_self_signed = is_issued_by(cert, cert);
	e->is_chain_complete = reaches_root(certs, cert);
	return cert_from_x509(cert, &e->signer, err);
}

static int
judge_signed(CMS_ContentInfo *cms, struct envelope *e, struct error *err)
{
	auto_certs STACK_OF(X509) *certs = CMS_get1_certs(cms);
	STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
	ASN1_OCTET_STRING **content = CMS_get0_content(cms);
	int i, n = sk_CMS_SignerInfo_num(signers);

	e->certificates = certs ? (size_t)sk_X509_num(certs) : 0;
	if (n > ENVELOPE_SIGNERS_MAX || e->certificates > ENVELOPE_CERTS_MAX) {
		e->kind = ENVELOPE_BROKEN;
		return 0;
	}
	if (!content || !*content || OBJ_obj2nid(CMS_get0_eContentType(cms)) != NID_pkcs7_data) {
		e->kind = ENVELOPE_DETACHED;
		return 0;
	}
	if (blob_set(&e->content, ASN1_STRING_get0_data(*content),
	    (size_t)ASN1_STRING_length(*content)) < 0)
		return error_memory(err);
	e->kind = n > 0 ? ENVELOPE_SIGNED : ENVELOPE_ALTERED;
	for (i = 0; i < n; i++) {
		CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(signers, i);

		if (judge_signer(signer, i == 0, certs, *content, e, err) < 0)
			return -1;
	}
	return 0;
}

static int
judge_cms(const uint8_t *data, size_t len, int type, struct envelope *e, struct error *err)
{
	const unsigned char *p = data;
	auto_cms CMS_ContentInfo *cms = NULL;
	size_t total = 0;

	e->kind = ENVELOPE_BROKEN;
	if (!derguard_check(data, len, &total))
		return 0;
	e->has_trailing_bytes = total < len;
	if (type == CMS_ENVELOPED || type == CMS_SIGNED_ENVELOPED || type == CMS_ENCRYPTED ||
	    type == CMS_SMIME) {
		e->kind = ENVELOPE_ENCRYPTED;
	} else if (type == CMS_SIGNED) {
		cms = d2i_CMS_ContentInfo(NULL, &p, (long)total);
		if (!cms && ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE)
			return error_memory(err);
		if (cms && judge_signed(cms, e, err) < 0)
			return -1;
	}
	if (e->has_trailing_bytes)
		e->kind = ENVELOPE_BROKEN;
	return 0;
}

int
envelope_open(const void *data, size_t len, struct envelope *out, struct error *err)
{
	auto_envelope struct envelope e = { 0 };
	int type, rc = 0;

	if (len > ENVELOPE_CONTENT_MAX)
		return error_set(err, ERR_DATA, "it is larger than %d bytes", ENVELOPE_CONTENT_MAX);
	type = content_type(data, len);
	if (type >= 0)
		rc = judge_cms(data, len, type, &e, err);
	else if (is_text(data, len))
		e.kind = ENVELOPE_TEXT;
	else if (blob_set(&e.content, data, len) < 0)
		rc = error_memory(err);
	ERR_clear_error();
	if (rc < 0)
		return -1;
	envelope_clear(out);
	*out = e;
	e = (struct envelope){ 0 };
	return 0;
}

void
envelope_clear(struct envelope *e)
{
	blob_clear(&e->content);
	cert_clear(&e->signer);
	*e = (struct envelope){ 0 };
}
