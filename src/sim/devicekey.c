/* devicekey: RSA keys and the three certificates of a pairing */
#include "sim/devicekey.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/file.h"
#include "base/proplist.h"

enum { KEY_BITS = 2048, TEN_YEARS_S = 3650 * 86400, KEYS_FILE_MAX = 65536 };

EVP_PKEY *
devicekey_new(void)
{
	return EVP_RSA_gen(KEY_BITS);
}

static int
take_bio(BIO *bio, struct blob *out)
{
	char *bytes;
	long n = BIO_get_mem_data(bio, &bytes);

	return n > 0 ? blob_set(out, bytes, (size_t)n) : -1;
}

int
devicekey_public_pem(EVP_PKEY *key, struct blob *out)
{
	unsigned char *der = NULL;
	int len = i2d_PublicKey(key, &der);
	BIO *bio = BIO_new(BIO_s_mem());
	int rc = -1;

	if (len > 0 && bio && PEM_write_bio(bio, "RSA PUBLIC KEY", "", der, len) > 0)
		rc = take_bio(bio, out);
	OPENSSL_free(der);
	BIO_free(bio);
	return rc;
}

/* ---- keys that are kept --------------------------------------------------- */

static int
read_keys(const struct blob *pem, const char *path, EVP_PKEY **keys, size_t n, struct error *err)
{
	BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
	EVP_PKEY *more = NULL;
	size_t i;
	int rc = 0;

	for (i = 0; bio && i < n && rc == 0; i++) {
		keys[i] = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
		if (!keys[i] || !EVP_PKEY_is_a(keys[i], "RSA"))
			rc = -1;
	}
	if (!bio || rc < 0 || (more = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL)))
		rc = error_set(err, ERR_DATA, "%s does not hold %zu RSA keys", path, n);
	EVP_PKEY_free(more);
	BIO_free(bio);
	return rc;
}

static int
write_keys(EVP_PKEY *const *keys, size_t n, const char *path, struct error *err)
{
	auto_blob struct blob pem = { 0 };
	BIO *bio = BIO_new(BIO_s_secmem());
	size_t i;
	int rc = bio ? 0 : -1;

	for (i = 0; i < n && rc == 0; i++)
		if (PEM_write_bio_PrivateKey(bio, keys[i], NULL, NULL, 0, NULL, NULL) <= 0)
			rc = -1;
	if (rc == 0)
		rc = take_bio(bio, &pem);
	BIO_free(bio);
	if (rc < 0)
		return error_set(err, ERR_SOFTWARE, "cannot write keys");
	return file_write(path, pem.data, pem.len, 0600, true, err);
}

int
devicekey_keep(const char *path, EVP_PKEY **keys, size_t n, struct error *err)
{
	auto_blob struct blob pem = { 0 };
	size_t i;

	if (access(path, F_OK) == 0)
		return file_read(path, KEYS_FILE_MAX, FILE_PRIVATE, &pem, err) == 0
		    ? read_keys(&pem, path, keys, n, err) : -1;
	for (i = 0; i < n; i++)
		if (!(keys[i] = devicekey_new()))
			return error_set(err, ERR_SOFTWARE, "cannot make keys");
	return write_keys(keys, n, path, err);
}

/* ---- a pairing ------------------------------------------------------------ */

static int
add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	int ok = extension && X509_add_ext(cert, extension, -1);

	X509_EXTENSION_free(extension);
	return ok ? 0 : -1;
}

static X509 *
make_certificate(EVP_PKEY *subject, EVP_PKEY *issuer, bool is_root)
{
	X509 *cert = X509_new();

	if (cert && X509_set_version(cert, 2) && ASN1_INTEGER_set(X509_get_serialNumber(cert), 1)
	    && X509_gmtime_adj(X509_getm_notBefore(cert), -60)
	    && X509_gmtime_adj(X509_getm_notAfter(cert), TEN_YEARS_S)
	    && X509_set_pubkey(cert, subject)
	    && add_extension(cert, NID_basic_constraints,
	    is_root ? "critical,CA:TRUE" : "critical,CA:FALSE") == 0
	    && (is_root || add_extension(cert, NID_key_usage,
	    "critical,digitalSignature,keyEncipherment") == 0)
	    && X509_sign(cert, issuer, EVP_sha256()) > 0)
		return cert;
	X509_free(cert);
	return NULL;
}

static int
put_certificate(plist_t record, const char *key, X509 *cert)
{
	auto_blob struct blob pem = { 0 };
	BIO *bio = BIO_new(BIO_s_mem());
	int rc = -1;

	if (cert && bio && PEM_write_bio_X509(bio, cert) && take_bio(bio, &pem) == 0
	    && dict_set_data(record, key, pem.data, pem.len))
		rc = 0;
	BIO_free(bio);
	X509_free(cert);
	return rc;
}

static int
put_key(plist_t record, const char *name, EVP_PKEY *key)
{
	auto_blob struct blob pem = { 0 };
	BIO *bio = BIO_new(BIO_s_secmem());
	int rc = -1;

	if (bio && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)
	    && take_bio(bio, &pem) == 0 && dict_set_data(record, name, pem.data, pem.len))
		rc = 0;
	BIO_free(bio);
	return rc;
}

plist_t
devicekey_pair_record(EVP_PKEY *device, EVP_PKEY *root, EVP_PKEY *host, const char *host_id,
    const char *buid, struct error *err)
{
	auto_plist plist_t record = plist_new_dict();

	if (put_certificate(record, "RootCertificate", make_certificate(root, root, true)) < 0
	    || put_certificate(record, "HostCertificate", make_certificate(host, root, false)) < 0
	    || put_certificate(record, "DeviceCertificate",
		make_certificate(device, root, false)) < 0
	    || put_key(record, "RootPrivateKey", root) < 0
	    || put_key(record, "HostPrivateKey", host) < 0
	    || !dict_set_string(record, "HostID", host_id)
	    || !dict_set_string(record, "SystemBUID", buid)) {
		error_set(err, ERR_SOFTWARE, "cannot make a pair record");
		return NULL;
	}
	return steal_pointer(&record);
}
