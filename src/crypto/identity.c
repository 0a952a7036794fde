/* identity: loading, making, exporting, and the one signature it is there for */
#include "crypto/identity.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <time.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/agentclient.h"
#include "crypto/cert.h"
#include "crypto/certmake.h"
#include "crypto/keyfile.h"
#include "crypto/ossl.h"
#include "crypto/p12.h"
#include "crypto/token.h"

enum {
	FILE_LIMIT = 1 << 20,
	ORGANIZATION_MAX = 64,		/* characters: RFC 5280, ub-organization-name */
	BITS_MIN = 2048,
	BITS_MAX = 8192,
	DAYS_MAX = 36500,
};

struct identity {
	struct keyfile	 file;		/* key, and every certificate there was */
	X509		*own;		/* the one of the key; borrowed from file */
	struct cert	 cert;
};

void
identity_free(struct identity *id)
{
	if (!id)
		return;
	keyfile_clear(&id->file);
	cert_clear(&id->cert);
	free(id);
}

static void
clean_identity(struct identity **id)
{
	identity_free(*id);
}
#define auto_identity	auto_with(clean_identity)

const struct cert *
identity_cert(const struct identity *id)
{
	return &id->cert;
}

/* Finds the certificate of the key; what is left is the chain. */
static int
match(struct identity *id, struct error *err)
{
	int i;

	if (!id->file.key)
		return error_set(err, ERR_DATA, "it holds no private key");
	if (sk_X509_num(id->file.certs) <= 0)
		return error_set(err, ERR_DATA, "it holds no certificate");
	if (!EVP_PKEY_is_a(id->file.key, "RSA") && !EVP_PKEY_is_a(id->file.key, "EC"))
		return error_set(err, ERR_DATA, "its key is %s, not RSA or EC",
		    EVP_PKEY_get0_type_name(id->file.key));
	for (i = 0; i < sk_X509_num(id->file.certs) && !id->own; i++)
		if (X509_check_private_key(sk_X509_value(id->file.certs, i), id->file.key) == 1)
			id->own = sk_X509_value(id->file.certs, i);
	ERR_clear_error();
	if (!id->own) {
		error_set(err, ERR_DATA, "certificate and private key do not belong together");
		return error_hint(err, "export certificate and key of one and the same identity");
	}
	return cert_from_x509(id->own, &id->cert, err);
}

/* Whether the certificate in it accepts this signature. */
static bool
verifies(const struct blob *cms)
{
	const unsigned char *p = cms->data;
	auto_cms CMS_ContentInfo *info = d2i_CMS_ContentInfo(NULL, &p, (long)cms->len);
	auto_bio BIO *content = BIO_new(BIO_s_null());
	bool is_valid = info && content && CMS_verify(info, NULL, NULL, NULL, content,
	    CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) == 1;

	ERR_clear_error();
	return is_valid;
}

static int
read_private(const struct identity_source *source, const char *path, struct blob *out,
    struct error *err)
{
	return file_read(path, FILE_LIMIT, source->allow_loose_files ? FILE_ANY : FILE_PRIVATE,
	    out, err);
}

static int
load_file(const struct identity_source *source, const char *path, struct unlock *u,
    struct keyfile *into, struct error *err)
{
	auto_blob struct blob bytes = { 0 };

	if (read_private(source, path, &bytes, err) < 0)
		return -1;
	u->what = path;
	if (keyfile_read(&bytes, u, into, err) < 0)
		return error_context(err, "%s", path);
	return 0;
}

/* "acme.crt,acme.key": the certificate may be public, the key may not. */
static int
load_pair(const struct identity_source *source, const char *ref, struct unlock *u,
    struct keyfile *into, struct error *err)
{
	const char *comma = strchr(ref, ',');
	auto_free char *cert_path = strndup(ref, (size_t)(comma - ref));
	auto_blob struct blob bytes = { 0 };

	if (!cert_path)
		return error_memory(err);
	if (file_read(cert_path, FILE_LIMIT, FILE_ANY, &bytes, err) < 0)
		return -1;
	if (keyfile_read_certs(&bytes, into, err) < 0)
		return error_context(err, "%s", cert_path);
	return load_file(source, comma + 1, u, into, err);
}

typedef int load_fn(const struct identity_source *source, const char *ref, struct unlock *u,
    struct keyfile *into, struct error *err);

/* "pkcs11:" of "pkcs11:object=x"; 0 when ref is the name of a file. */
static size_t
scheme_length(const char *ref)
{
	size_t n = strspn(ref, "abcdefghijklmnopqrstuvwxyz0123456789+-");

	return n > 1 && ref[n] == ':' ? n + 1 : 0;
}

/* Which loader a reference asks for. A scheme is a row of a table here. */
static int
find_loader(const char *ref, load_fn **out, struct error *err)
{
	size_t scheme = scheme_length(ref);

	if (!*ref)
		return error_set(err, ERR_USAGE, "the identity has no name");
	if (agentclient_is_ref(ref))
		return error_set(err, ERR_USAGE, "an agent keeps its key to itself: %s", ref);
	if (token_is_ref(ref)) {
		*out = token_load;
		return 0;
	}
	if (scheme) {
		error_set(err, ERR_USAGE, "identity %.*s: this build knows no such kind",
		    (int)scheme, ref);
		return error_hint(err, "name a .p12 file, a PEM file or CERTIFICATE,KEY; "
		    "a file with a colon in its name is ./NAME");
	}
	/* A comma may also be part of a file's name, when there is such a file. */
	*out = strchr(ref, ',') && access(ref, F_OK) < 0 ? load_pair : load_file;
	return 0;
}

/*
 * A key whose file is damaged may name the right certificate and yet sign what
 * nobody accepts. A token's is asked for no more than it has to.
 */
static int
prove(const struct identity *id, struct error *err)
{
	static const char text[] = "chaperone";
	auto_blob struct blob cms = { 0 };

	if (identity_sign(id, text, sizeof(text), false, &cms, err) < 0) {
		err->kind = err->kind == ERR_SOFTWARE ? ERR_DATA : err->kind;
		return error_context(err, "trying its private key");
	}
	return verifies(&cms) ? 0 :
	    error_set(err, ERR_DATA, "its private key is damaged: what it signs is not valid");
}

int
identity_load(const struct identity_source *source, struct identity **out, struct error *err)
{
	auto_identity struct identity *id = calloc(1, sizeof(*id));
	auto_unlock struct unlock u = { .ask = source->passphrase,
		.ask_ctx = source->passphrase_ctx, .asks_nobody = source->asks_nobody };
	load_fn *load = load_file;

	if (!id)
		return error_memory(err);
	if (find_loader(source->ref, &load, err) < 0 ||
	    load(source, source->ref, &u, &id->file, err) < 0)
		return -1;
	if (match(id, err) < 0 || (!token_is_ref(source->ref) && prove(id, err) < 0))
		return error_context(err, "%s", source->ref);
	*out = steal_pointer(&id);
	return 0;
}

/* Characters, not bytes; -1 when it is not printable UTF-8. */
static int
count_characters(const char *text)
{
	char printable[1024];
	int n = 0;

	text_printable(text, strlen(text), printable, sizeof(printable));
	if (strcmp(text, printable) != 0)
		return -1;
	for (; *text; text++)
		n += ((unsigned char)*text & 0xC0) != 0x80;
	return n;
}

static int
check_spec(const struct identity_spec *spec, struct error *err)
{
	int characters = count_characters(spec->organization);

	if (characters < 1 || characters > ORGANIZATION_MAX)
		return error_set(err, ERR_USAGE,
		    "an organization has 1 to %d printable characters", ORGANIZATION_MAX);
	if (spec->bits < BITS_MIN || spec->bits > BITS_MAX)
		return error_set(err, ERR_USAGE, "an RSA key has %d to %d bits, not %u",
		    BITS_MIN, BITS_MAX, spec->bits);
	if (spec->days < 1 || spec->days > DAYS_MAX)
		return error_set(err, ERR_USAGE, "a certificate is valid for 1 to %d days, not %u",
		    DAYS_MAX, spec->days);
	return 0;
}

int
identity_create(const struct identity_spec *spec, struct identity **out, struct error *err)
{
	auto_identity struct identity *id = calloc(1, sizeof(*id));
	auto_key EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	struct certmake how = {
		.organization = spec->organization,
		.basic_constraints = "critical,CA:TRUE",
		.key_usage = "critical,digitalSignature,keyCertSign",
		.extended_key_usage = "serverAuth,clientAuth",
		.has_key_id = true,
		.has_random_serial = true,
		/* A device whose clock is behind must not find it not valid yet. */
		.from = time(NULL) - 24 * 3600,
		.days = spec->days,
	};

	if (!id)
		return error_memory(err);
	if (check_spec(spec, err) < 0 || certmake_key(spec->bits, &key, err) < 0)
		return -1;
	how.subject = how.signer = key;
	if (certmake(&how, &cert, err) < 0 || keyfile_add_cert(&id->file, cert, err) < 0)
		return -1;
	id->file.key = steal_pointer(&key);
	if (match(id, err) < 0)
		return -1;
	*out = steal_pointer(&id);
	return 0;
}

static bool
add_chain(CMS_ContentInfo *cms, const struct identity *id)
{
	int i;

	for (i = 0; i < sk_X509_num(id->file.certs); i++) {
		X509 *x = sk_X509_value(id->file.certs, i);

		if (X509_cmp(x, id->own) != 0 && CMS_add1_cert(cms, x) != 1)
			return false;
	}
	return true;
}

int
identity_sign(const struct identity *id, const void *content, size_t len, bool with_chain,
    struct blob *out, struct error *err)
{
	/* Binary throughout: as text, OpenSSL turns 0x0A into 0x0D 0x0A. */
	static const unsigned flags = CMS_BINARY | CMS_NOSMIMECAP;
	auto_cms CMS_ContentInfo *cms = NULL;
	auto_bio BIO *in = NULL, *der = BIO_new(BIO_s_mem());

	if (len > IDENTITY_CONTENT_MAX)
		return error_set(err, ERR_DATA, "%zu bytes are too many to sign", len);
	in = BIO_new_mem_buf(len ? content : "", (int)len);
	cms = CMS_sign(NULL, NULL, NULL, NULL, CMS_PARTIAL | CMS_BINARY);
	if (!in || !der || !cms ||
	    !CMS_add1_signer(cms, id->own, id->file.key, EVP_sha256(), flags) ||
	    (with_chain && !add_chain(cms, id)) ||
	    CMS_final(cms, in, NULL, CMS_BINARY) != 1 || i2d_CMS_bio(der, cms) != 1)
		return ossl_error(err, ERR_SOFTWARE, "signing");
	return ossl_take_bytes(der, out, err);
}

/* What CMS_final() would add had it seen the content. */
static bool
add_digest(CMS_SignerInfo *signer, const uint8_t digest[32])
{
	return CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_contentType, V_ASN1_OBJECT,
	    OBJ_nid2obj(NID_pkcs7_data), -1) == 1 &&
	    CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING,
	    digest, 32) == 1;
}

int
identity_sign_digest(const struct identity *id, const uint8_t digest[32], struct blob *out,
    struct error *err)
{
	static const unsigned flags = CMS_BINARY | CMS_PARTIAL | CMS_DETACHED;
	auto_cms CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
	auto_bio BIO *der = BIO_new(BIO_s_mem());
	CMS_SignerInfo *signer = cms ? CMS_add1_signer(cms, id->own, id->file.key, EVP_sha256(),
	    flags | CMS_NOSMIMECAP) : NULL;

	if (!signer || !der || !add_chain(cms, id) || !add_digest(signer, digest) ||
	    CMS_SignerInfo_sign(signer) != 1 || i2d_CMS_bio(der, cms) != 1)
		return ossl_error(err, ERR_SOFTWARE, "signing");
	return ossl_take_bytes(der, out, err);
}

static int
export_p12(const struct identity *id, const char *passphrase, struct blob *out, struct error *err)
{
	if (!passphrase || !*passphrase)
		return error_set(err, ERR_USAGE, "a PKCS#12 file needs a passphrase");
	return p12_write(&id->file, id->own, passphrase, out, err);
}

/* Certificate, chain, key. passphrase NULL: the key in clear. */
static int
export_pem(const struct identity *id, const char *passphrase, struct blob *out, struct error *err)
{
	auto_bio BIO *bio = BIO_new(BIO_s_secmem());
	int i, rc;

	if (!bio)
		return error_memory(err);
	rc = PEM_write_bio_X509(bio, id->own);
	for (i = 0; rc == 1 && i < sk_X509_num(id->file.certs); i++)
		if (sk_X509_value(id->file.certs, i) != id->own)
			rc = PEM_write_bio_X509(bio, sk_X509_value(id->file.certs, i));
	if (rc == 1)
		rc = PEM_write_bio_PKCS8PrivateKey(bio, id->file.key,
		    passphrase ? EVP_aes_256_cbc() : NULL, passphrase,
		    passphrase ? (int)strlen(passphrase) : 0, NULL, NULL);
	if (rc != 1)
		return ossl_error(err, ERR_SOFTWARE, "writing a PEM file");
	return ossl_take_bytes(bio, out, err);
}

int
identity_export(const struct identity *id, enum identity_format format,
    const struct blob *passphrase, struct blob *out, struct error *err)
{
	auto_blob struct blob text = { 0 };
	const char *secret = NULL;

	if (passphrase) {
		if (blob_append(&text, passphrase->data, passphrase->len) < 0 ||
		    blob_append(&text, "", 1) < 0)
			return error_memory(err);
		secret = (const char *)text.data;
		if (!passphrase->len || strlen(secret) != passphrase->len)
			return error_set(err, ERR_USAGE,
			    "a passphrase is not empty and has no NUL byte");
	}
	return format == IDENTITY_P12 ? export_p12(id, secret, out, err) :
	    export_pem(id, secret, out, err);
}
