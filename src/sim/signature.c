/* signature: verifying CMS with OpenSSL, nothing taken from the client's side */
#include "sim/signature.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"

static void
clean_cms(CMS_ContentInfo **cms)
{
	CMS_ContentInfo_free(*cms);
}

static void
clean_bio(BIO **bio)
{
	BIO_free_all(*bio);
}

static void
clean_certs(STACK_OF(X509) **certs)
{
	sk_X509_pop_free(*certs, X509_free);
}

static void
clean_signers(STACK_OF(X509) **certs)
{
	sk_X509_free(*certs);
}

#define auto_cms	auto_with(clean_cms)
#define auto_bio	auto_with(clean_bio)
#define auto_certs	auto_with(clean_certs)
#define auto_signers	auto_with(clean_signers)

static bool
is_certificate(X509 *cert, const struct blob *der)
{
	unsigned char *bytes = NULL;
	int len = i2d_X509(cert, &bytes);
	bool same = len > 0 && (size_t)len == der->len && memcmp(bytes, der->data, der->len) == 0;

	OPENSSL_free(bytes);
	return same;
}

/* Reads, and verifies the signature over the attached content, which goes to *content. */
static CMS_ContentInfo *
verify(const void *der, size_t len, struct blob *content, struct error *err)
{
	const unsigned char *at = der;
	auto_cms CMS_ContentInfo *cms = NULL;
	auto_bio BIO *out = BIO_new(BIO_s_mem());
	char *bytes;
	long n;

	if (len > INT_MAX || !out || !(cms = d2i_CMS_ContentInfo(NULL, &at, (long)len))
	    || (size_t)(at - (const unsigned char *)der) != len) {
		error_set(err, ERR_DATA, "not CMS");
	} else if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed) {
		error_set(err, ERR_DATA, "CMS, but not signed data");
	} else if (!CMS_get0_content(cms) || !*CMS_get0_content(cms)) {
		error_set(err, ERR_DATA, "the content is detached");
	} else if (CMS_verify(cms, NULL, NULL, NULL, out,
	    CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) != 1) {
		error_set(err, ERR_DATA, "the signature does not hold");
	} else {
		n = BIO_get_mem_data(out, &bytes);
		if (blob_set(content, bytes, (size_t)n) == 0)
			return steal_pointer(&cms);
		error_memory(err);
	}
	ERR_clear_error();
	return NULL;
}

bool
signature_answers(const struct blob *der, const struct blob *certificate,
    const struct blob *challenge, struct error *err)
{
	auto_blob struct blob content = { 0 };
	auto_cms CMS_ContentInfo *cms = verify(der->data, der->len, &content, err);
	auto_certs STACK_OF(X509) *certs = NULL;
	auto_signers STACK_OF(X509) *signers = NULL;
	int i;

	if (!cms)
		return false;
	certs = CMS_get1_certs(cms);
	signers = CMS_get0_signers(cms);
	if (!certs || sk_X509_num(certs) == 0)
		error_set(err, ERR_DATA, "no certificate is embedded");
	else if (!is_certificate(sk_X509_value(certs, 0), certificate))
		error_set(err, ERR_DATA, "the first certificate is not the one presented");
	else if (!blob_equal(&content, challenge))
		error_set(err, ERR_DATA, "the content is not the challenge");
	else if (!signers || sk_X509_num(signers) == 0)
		error_set(err, ERR_DATA, "nobody signed");
	else {
		for (i = 0; i < sk_X509_num(signers); i++)
			if (!is_certificate(sk_X509_value(signers, i), certificate))
				break;
		if (i == sk_X509_num(signers))
			return true;
		error_set(err, ERR_DATA, "somebody else signed");
	}
	return false;
}

int
signature_unwrap(const void *der, size_t len, struct blob *content, struct blob *signers_der,
    struct error *err)
{
	auto_cms CMS_ContentInfo *cms = verify(der, len, content, err);
	auto_signers STACK_OF(X509) *signers = NULL;
	int i, rc = 0;

	if (!cms)
		return -1;
	signers = CMS_get0_signers(cms);
	for (i = 0; signers && i < sk_X509_num(signers) && rc == 0; i++) {
		unsigned char *bytes = NULL;
		int n = i2d_X509(sk_X509_value(signers, i), &bytes);

		rc = n > 0 ? blob_append(signers_der, bytes, (size_t)n) : -1;
		OPENSSL_free(bytes);
	}
	return rc < 0 ? error_memory(err) : 0;
}
