/* certmake: one certificate from one description */
#include "crypto/certmake.h"

#include <openssl/x509v3.h>

#include "base/error.h"
#include "crypto/ossl.h"

int
certmake_key(unsigned bits, EVP_PKEY **out, struct error *err)
{
	EVP_PKEY *key = EVP_RSA_gen(bits);

	if (!key)
		return ossl_error(err, ERR_SOFTWARE, "making an RSA key of %u bits", bits);
	*out = key;
	return 0;
}

/* 127 bits, positive and never 0: nobody has issued this number before. */
static bool
set_serial(X509 *x, bool is_random)
{
	auto_bignum BIGNUM *n = BN_new();

	if (!n || (is_random && BN_rand(n, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) != 1))
		return false;
	return BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
}

static bool
add_to_name(X509_NAME *name, int nid, const char *utf8)
{
	return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
	    (const unsigned char *)utf8, -1, -1, 0) == 1;
}

static bool
set_names(X509 *x, const char *organization)
{
	X509_NAME *name = X509_get_subject_name(x);

	if (organization && (!add_to_name(name, NID_organizationName, organization) ||
	    !add_to_name(name, NID_commonName, organization)))
		return false;
	return X509_set_issuer_name(x, name) == 1;
}

static bool
set_validity(X509 *x, time_t from, unsigned days)
{
	return X509_time_adj_ex(X509_getm_notBefore(x), 0, 0, &from) &&
	    X509_time_adj_ex(X509_getm_notAfter(x), (int)days, 0, &from);
}

static bool
add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;
	int rc;

	if (!value)
		return true;
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	rc = extension ? X509_add_ext(x, extension, -1) : 0;
	X509_EXTENSION_free(extension);
	return rc == 1;
}

int
certmake(const struct certmake *how, X509 **out, struct error *err)
{
	auto_x509 X509 *x = X509_new();

	if (!x || X509_set_version(x, X509_VERSION_3) != 1 ||
	    !set_serial(x, how->has_random_serial) || !set_names(x, how->organization) ||
	    !set_validity(x, how->from, how->days) || X509_set_pubkey(x, how->subject) != 1 ||
	    !add_extension(x, NID_basic_constraints, how->basic_constraints) ||
	    !add_extension(x, NID_key_usage, how->key_usage) ||
	    !add_extension(x, NID_ext_key_usage, how->extended_key_usage) ||
	    !add_extension(x, NID_subject_key_identifier, how->has_key_id ? "hash" : NULL) ||
	    X509_sign(x, how->signer, EVP_sha256()) == 0)
		return ossl_error(err, ERR_SOFTWARE, "making a certificate");
	*out = steal_pointer(&x);
	return 0;
}
