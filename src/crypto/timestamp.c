/* timestamp: RFC 3161 through OpenSSL's TS; no network, no clock but that of X.509 */
#include "crypto/timestamp.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "crypto/derguard.h"
#include "crypto/digest.h"
#include "crypto/ossl.h"

enum { NONCE_BYTES = 16 };

OSSL_CLEANER(request, TS_REQ, TS_REQ_free)
OSSL_CLEANER(response, TS_RESP, TS_RESP_free)
OSSL_CLEANER(imprint, TS_MSG_IMPRINT, TS_MSG_IMPRINT_free)
OSSL_CLEANER(algorithm, X509_ALGOR, X509_ALGOR_free)
OSSL_CLEANER(integer, ASN1_INTEGER, ASN1_INTEGER_free)
OSSL_CLEANER(store, X509_STORE, X509_STORE_free)

void
timestamp_clear(struct timestamp *t)
{
	cert_clear(&t->authority);
	*t = (struct timestamp){ 0 };
}

bool
timestamp_is_of(const struct timestamp *t, const void *data, size_t len)
{
	uint8_t digest[TIMESTAMP_DIGEST];

	digest_sha256(data, len, digest);
	return memcmp(digest, t->digest, sizeof(digest)) == 0;
}

/* ---- asking ----------------------------------------------------------------------- */

static int
set_imprint(TS_REQ *req, const void *data, size_t len)
{
	auto_with(clean_imprint) TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
	auto_with(clean_algorithm) X509_ALGOR *algorithm = X509_ALGOR_new();
	uint8_t digest[TIMESTAMP_DIGEST];

	digest_sha256(data, len, digest);
	if (!imprint || !algorithm ||
	    X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) != 1 ||
	    TS_MSG_IMPRINT_set_algo(imprint, algorithm) != 1 ||
	    TS_MSG_IMPRINT_set_msg(imprint, digest, sizeof(digest)) != 1)
		return 0;
	return TS_REQ_set_msg_imprint(req, imprint);
}

static int
set_nonce(TS_REQ *req)
{
	auto_with(clean_integer) ASN1_INTEGER *nonce = NULL;
	auto_bignum BIGNUM *number = NULL;
	unsigned char bytes[NONCE_BYTES];

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return 0;
	bytes[0] |= 0x40;	/* never short, never negative */
	bytes[0] &= 0x7f;
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	nonce = number ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
	return nonce ? TS_REQ_set_nonce(req, nonce) : 0;
}

int
timestamp_request(const void *data, size_t len, struct blob *out, struct error *err)
{
	auto_with(clean_request) TS_REQ *req = TS_REQ_new();
	auto_bio BIO *der = BIO_new(BIO_s_mem());

	if (!req || !der || TS_REQ_set_version(req, 1) != 1 || set_imprint(req, data, len) != 1 ||
	    set_nonce(req) != 1 || TS_REQ_set_cert_req(req, 1) != 1 ||
	    i2d_TS_REQ_bio(der, req) != 1)
		return ossl_error(err, ERR_SOFTWARE, "making a time-stamp request");
	return ossl_take_bytes(der, out, err);
}

/* ---- the answer --------------------------------------------------------------------- */

static TS_RESP *
read_response(const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t total = 0;

	/* OpenSSL makes objects of all there is: it is counted before. */
	if (len == 0 || len > TIMESTAMP_MAX || !derguard_check(data, len, &total) || total != len)
		return NULL;
	return d2i_TS_RESP(NULL, &p, (long)len);
}

/* The authority's own words, if it refused. */
static int
check_granted(TS_RESP *response, struct error *err)
{
	TS_STATUS_INFO *info = TS_RESP_get_status_info(response);
	const STACK_OF(ASN1_UTF8STRING) *texts = TS_STATUS_INFO_get0_text(info);
	const ASN1_UTF8STRING *first = texts && sk_ASN1_UTF8STRING_num(texts) > 0 ?
	    sk_ASN1_UTF8STRING_value(texts, 0) : NULL;
	long status = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(info));
	char words[160] = "";

	if (status == TS_STATUS_GRANTED || status == TS_STATUS_GRANTED_WITH_MODS)
		return TS_RESP_get_token(response) && TS_RESP_get_tst_info(response) ? 0 :
		    error_set(err, ERR_DATA, "the reply has no time stamp");
	if (first)
		text_printable((const char *)ASN1_STRING_get0_data(first),
		    (size_t)ASN1_STRING_length(first), words, sizeof(words));
	return error_set(err, ERR_DATA, "the authority did not give a time stamp (status %ld)%s%s",
	    status, first ? ": " : "", words);
}

static int
take_info(TS_TST_INFO *info, struct timestamp *out, struct error *err)
{
	TS_MSG_IMPRINT *imprint = TS_TST_INFO_get_msg_imprint(info);
	const X509_ALGOR *algorithm = TS_MSG_IMPRINT_get_algo(imprint);
	const ASN1_OCTET_STRING *digest = TS_MSG_IMPRINT_get_msg(imprint);
	const ASN1_OBJECT *name = NULL;
	struct tm tm;

	X509_ALGOR_get0(&name, NULL, NULL, algorithm);
	if (OBJ_obj2nid(name) != NID_sha256 || ASN1_STRING_length(digest) != TIMESTAMP_DIGEST)
		return error_set(err, ERR_DATA, "the time stamp is not over a SHA-256");
	memcpy(out->digest, ASN1_STRING_get0_data(digest), TIMESTAMP_DIGEST);
	if (ASN1_TIME_to_tm(TS_TST_INFO_get_time(info), &tm) != 1)
		return error_set(err, ERR_DATA, "the time stamp has no time");
	out->at = (int64_t)timegm(&tm);
	return 0;
}

/* The one who signed, as the token's certificates have it. */
static int
take_authority(PKCS7 *token, struct timestamp *out, struct error *err)
{
	STACK_OF(X509) *signers = PKCS7_get0_signers(token, NULL, 0);
	int rc;

	if (sk_X509_num(signers) != 1)
		rc = error_set(err, ERR_DATA,
		    "the certificate of the authority is not in the time stamp: "
		    "ask for it (openssl ts -query -cert)");
	else
		rc = cert_from_x509(sk_X509_value(signers, 0), &out->authority, err);
	sk_X509_free(signers);
	ERR_clear_error();
	return rc;
}

static bool
is_strong(PKCS7 *token)
{
	STACK_OF(PKCS7_SIGNER_INFO) *infos = PKCS7_get_signer_info(token);
	X509_ALGOR *digest = NULL;
	int nid;

	if (sk_PKCS7_SIGNER_INFO_num(infos) != 1)
		return false;
	PKCS7_SIGNER_INFO_get0_algs(sk_PKCS7_SIGNER_INFO_value(infos, 0), NULL, &digest, NULL);
	nid = digest ? OBJ_obj2nid(digest->algorithm) : NID_undef;
	return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

/* What OpenSSL only calls a certificate verify error. */
static int
explain(const struct timestamp *t, struct error *err)
{
	const char *data = NULL;
	char why[128] = "";
	int flags = 0;
	unsigned long code;
	int64_t now = (int64_t)time(NULL);

	while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0)
		if (ERR_GET_LIB(code) == ERR_LIB_TS)
			break;
	if (code && data && flags & ERR_TXT_STRING)
		snprintf(why, sizeof(why), ": %s", data);
	ERR_clear_error();
	if (t->at > t->authority.not_after || t->at < t->authority.not_before)
		return error_set(err, ERR_DATA,
		    "the certificate of the authority %s was not valid at the "
		    "time that it stamped", t->authority.common_name);
	if (now > t->authority.not_after)
		return error_set(err, ERR_DATA,
		    "the certificate of the authority %s has expired since: "
		    "any time can have been stamped with it by now", t->authority.common_name);
	if (ERR_GET_REASON(code) == TS_R_CERTIFICATE_VERIFY_ERROR)
		return error_set(err, ERR_DATA, "the time stamp is not by the authority expected, "
		    "or that one may not stamp times%s", why);
	return error_set(err, ERR_DATA,
	    "the signature of the time stamp does not fit: it was altered");
}

static int
check_signature(TS_RESP *response, const struct blob *anchors, struct timestamp *t,
    struct error *err)
{
	auto_with(clean_store) X509_STORE *store = X509_STORE_new();
	PKCS7 *token = TS_RESP_get_token(response);

	if (!store)
		return error_memory(err);
	if (ossl_add_anchors(store, anchors, err) < 0)
		return -1;
	/* The authority itself can be named, without those above it. */
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	ERR_clear_error();
	if (TS_RESP_verify_signature(token, NULL, store, NULL) != 1)
		return explain(t, err);
	if (!is_strong(token))
		return error_set(err, ERR_DATA,
		    "the time stamp was signed with a digest that is too weak");
	/* A clock ahead of the certificate, or one that was set back. */
	if (t->at > t->authority.not_after || t->at < t->authority.not_before)
		return explain(t, err);
	return 0;
}

int
timestamp_open(const void *data, size_t len, const struct blob *anchors, struct timestamp *out,
    struct error *err)
{
	auto_with(clean_response) TS_RESP *response = read_response(data, len);
	auto_timestamp struct timestamp t = { 0 };

	if (!response)
		return ossl_error(err, ERR_DATA, "this is no reply of a time-stamping authority");
	if (check_granted(response, err) < 0 ||
	    take_info(TS_RESP_get_tst_info(response), &t, err) < 0 ||
	    take_authority(TS_RESP_get_token(response), &t, err) < 0 ||
	    check_signature(response, anchors, &t, err) < 0)
		return -1;
	timestamp_clear(out);
	*out = t;
	t = (struct timestamp){ 0 };
	return 0;
}
