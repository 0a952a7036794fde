/* signed: CMS through OpenSSL; what is signed and by whom, nothing of what it means */
#include "crypto/signed.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <string.h>
#include <time.h>

#include "crypto/derguard.h"
#include "crypto/identity.h"
#include "crypto/ossl.h"

OSSL_CLEANER(store, X509_STORE, X509_STORE_free)
OSSL_CLEANER(store_context, X509_STORE_CTX, X509_STORE_CTX_free)

void
signed_clear(struct signed_content *s)
{
	blob_clear(&s->content);
	cert_clear(&s->signer);
	*s = (struct signed_content){ 0 };
}

/* ---- reading ---------------------------------------------------------------------- */

/* OpenSSL makes objects of all there is: it is counted before. */
static CMS_ContentInfo *
read_der(const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t total = 0;

	return derguard_check(data, len, &total) && total == len ?
	    d2i_CMS_ContentInfo(NULL, &p, (long)len) : NULL;
}

static CMS_ContentInfo *
read_cms(const void *data, size_t len)
{
	auto_cms CMS_ContentInfo *cms = read_der(data, len);
	auto_bio BIO *bio = NULL;
	unsigned char *der = NULL;
	long der_len = 0;

	if (cms)
		return steal_pointer(&cms);
	bio = BIO_new_mem_buf(data, (int)len);
	if (bio && PEM_bytes_read_bio(&der, &der_len, NULL, PEM_STRING_CMS, bio, NULL, NULL) == 1)
		cms = read_der(der, (size_t)der_len);
	OPENSSL_free(der);
	return steal_pointer(&cms);
}

/* The one signer; NULL when there are none or several. */
static CMS_SignerInfo *
only_signer(CMS_ContentInfo *cms)
{
	STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);

	return sk_CMS_SignerInfo_num(signers) == 1 ? sk_CMS_SignerInfo_value(signers, 0) : NULL;
}

static bool
is_strong(CMS_SignerInfo *signer)
{
	X509_ALGOR *digest = NULL;
	int nid;

	CMS_SignerInfo_get0_algs(signer, NULL, NULL, &digest, NULL);
	nid = digest ? OBJ_obj2nid(digest->algorithm) : NID_undef;
	return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

static int64_t
signing_time(CMS_SignerInfo *signer)
{
	ASN1_OBJECT *name = OBJ_nid2obj(NID_pkcs9_signingTime);
	const ASN1_TIME *at;
	struct tm tm;

	at = CMS_signed_get0_data_by_OBJ(signer, name, -3, V_ASN1_UTCTIME);
	if (!at)
		at = CMS_signed_get0_data_by_OBJ(signer, name, -3, V_ASN1_GENERALIZEDTIME);
	return at && ASN1_TIME_to_tm(at, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static int
verify(CMS_ContentInfo *cms, struct signed_content *out, struct error *err)
{
	auto_bio BIO *content = BIO_new(BIO_s_mem());
	CMS_SignerInfo *signer;
	X509 *x = NULL;

	if (!content)
		return error_memory(err);
	if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed || !(signer = only_signer(cms)))
		return error_set(err, ERR_DATA, "this is no CMS SignedData with one signer");
	if (!is_strong(signer))
		return error_set(err, ERR_DATA, "it was signed with a digest that is too weak");
	if (CMS_verify(cms, NULL, NULL, NULL, content, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) != 1)
		return ossl_error(err, ERR_DATA, "the signature does not fit: it was altered");
	CMS_SignerInfo_get0_algs(signer, NULL, &x, NULL, NULL);
	if (!x)
		return error_set(err, ERR_DATA, "the signer's certificate is not inside");
	out->signed_at = signing_time(signer);
	if (ossl_take_bytes(content, &out->content, err) < 0)
		return -1;
	return cert_from_x509(x, &out->signer, err);
}

bool
signed_is_by(const struct blob *bytes, const struct cert *cert)
{
	auto_cms CMS_ContentInfo *cms = read_cms(bytes->data, bytes->len);
	const unsigned char *p = cert->der.data;
	auto_x509 X509 *x = d2i_X509(NULL, &p, (long)cert->der.len);
	auto_certs STACK_OF(X509) *inside = NULL;
	bool is_inside = false;
	int i;

	if (!cms || !x || OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed ||
	    !only_signer(cms) || CMS_SignerInfo_cert_cmp(only_signer(cms), x) != 0)
		return false;
	/* Issuer and number are what it says of itself; the certificate is exact. */
	inside = CMS_get1_certs(cms);
	for (i = 0; i < sk_X509_num(inside); i++)
		is_inside = is_inside || X509_cmp(sk_X509_value(inside, i), x) == 0;
	ERR_clear_error();
	return is_inside;
}

/* ---- completing ------------------------------------------------------------------- */

int
signed_attach(const struct blob *detached, const void *content, size_t len, struct blob *out,
    struct error *err)
{
	static const unsigned flags = CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY;
	auto_cms CMS_ContentInfo *cms = read_cms(detached->data, detached->len);
	auto_bio BIO *der = BIO_new(BIO_s_mem());
	ASN1_OCTET_STRING **place;

	if (!cms || !der || OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed)
		return ossl_error(err, ERR_SOFTWARE, "the signature that came back is none");
	if (len > IDENTITY_CONTENT_MAX)
		return error_set(err, ERR_DATA, "%zu bytes are too many to sign", len);
	place = CMS_get0_content(cms);
	/* Not CMS_set_detached(): its string counts as one that is still to be written. */
	if (!place || *place || !(*place = ASN1_OCTET_STRING_new()) ||
	    ASN1_OCTET_STRING_set(*place, len ? content : "", (int)len) != 1)
		return ossl_error(err, ERR_SOFTWARE, "completing a signature");
	/* Whoever signed may not be who we think: nothing leaves here that does not fit. */
	if (CMS_verify(cms, NULL, NULL, NULL, NULL, flags) != 1)
		return ossl_error(err, ERR_SOFTWARE, "the signature that came back does not fit");
	if (i2d_CMS_bio(der, cms) != 1)
		return ossl_error(err, ERR_SOFTWARE, "writing a signature");
	return ossl_take_bytes(der, out, err);
}

/* ---- trust ------------------------------------------------------------------------ */

static int
check_trust(CMS_ContentInfo *cms, const struct blob *anchors, int64_t at, struct error *err)
{
	auto_with(clean_store) X509_STORE *store = X509_STORE_new();
	auto_with(clean_store_context) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	auto_certs STACK_OF(X509) *inside = CMS_get1_certs(cms);
	X509 *signer = NULL;

	CMS_SignerInfo_get0_algs(only_signer(cms), NULL, &signer, NULL, NULL);
	if (!store || !ctx)
		return error_memory(err);
	if (ossl_add_anchors(store, anchors, err) < 0)
		return -1;
	if (X509_STORE_CTX_init(ctx, store, signer, inside) != 1)
		return ossl_error(err, ERR_SOFTWARE, "checking the signer");
	/* A supervision identity is its own root, and its purpose is none of OpenSSL's. */
	X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_PARTIAL_CHAIN);
	if (at)
		X509_STORE_CTX_set_time(ctx, 0, (time_t)at);
	if (X509_verify_cert(ctx) == 1)
		return 0;
	error_set(err, ERR_DATA, "the signer is not the one expected: %s",
	    X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	ERR_clear_error();
	return -1;
}

int
signed_open(const void *data, size_t len, const struct blob *anchors,
    struct signed_content *out, struct error *err)
{
	auto_signed struct signed_content s = { 0 };
	auto_cms CMS_ContentInfo *cms = NULL;

	if (len == 0 || len > SIGNED_MAX)
		return error_set(err, ERR_DATA, "this is no CMS SignedData");
	cms = read_cms(data, len);
	if (!cms)
		return ossl_error(err, ERR_DATA, "this is no CMS SignedData");
	if (verify(cms, &s, err) < 0)
		return -1;
	if (anchors && check_trust(cms, anchors, s.signed_at, err) < 0)
		return -1;
	s.is_trusted = anchors != NULL;
	signed_clear(out);
	*out = s;
	s = (struct signed_content){ 0 };
	return 0;
}

/* ---- base64 ----------------------------------------------------------------------- */

int
signed_encode(const struct blob *bytes, char **text, struct error *err)
{
	char *out = bytes->len <= SIGNED_MAX ? malloc(4 * ((bytes->len + 2) / 3) + 1) : NULL;

	if (!out)
		return error_memory(err);
	EVP_EncodeBlock((unsigned char *)out, bytes->data, (int)bytes->len);
	*text = out;
	return 0;
}

int
signed_decode(const char *text, struct blob *out, struct error *err)
{
	auto_blob struct blob bytes = { 0 };
	size_t len = strlen(text);
	int n;

	if (len == 0 || len % 4 || len > 2 * (size_t)SIGNED_MAX)
		return error_set(err, ERR_DATA, "this is no base64");
	if (blob_reserve(&bytes, len) < 0)
		return error_memory(err);
	n = EVP_DecodeBlock(bytes.data, (const unsigned char *)text, (int)len);
	if (n < 0)
		return ossl_error(err, ERR_DATA, "this is no base64");
	/* OpenSSL counts the padding as bytes. */
	bytes.len = (size_t)n - (text[len - 1] == '=') - (text[len - 2] == '=');
	blob_clear(out);
	*out = blob_steal(&bytes);
	return 0;
}
