/*
 * cms_soak: very many challenges, each signed and verified byte for byte
 *
 * A signature made in text mode goes wrong only for challenges with a newline
 * in them: about one in eight of 32 random bytes (pymobiledevice3, issue 1805).
 * So many are tried, and every one of them holds 0x0A, 0x0D or 0x00.
 *
 *     test-cms-soak [HOW-MANY]
 */
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/cert.h"
#include "crypto/identity.h"
#include "crypto/ossl.h"

enum { LONGEST = 64, MANY = 10000, BY_PROGRAM = 100 };

struct challenge {
	uint8_t	bytes[LONGEST];
	size_t	len;
};

static bool
make_challenge(struct challenge *c)
{
	static const uint8_t troublesome[] = { '\n', '\r', '\0' };
	uint8_t dice[3];

	if (RAND_bytes(dice, sizeof(dice)) != 1 || RAND_bytes(c->bytes, LONGEST) != 1)
		return false;
	c->len = dice[0] % LONGEST + 1;
	c->bytes[dice[1] % c->len] = troublesome[dice[2] % sizeof(troublesome)];
	return true;
}

static bool
has_this_content(BIO *bio, const struct challenge *c)
{
	char *bytes = NULL;
	long len = BIO_get_mem_data(bio, &bytes);

	return (size_t)len == c->len && memcmp(bytes, c->bytes, c->len) == 0;
}

/* OpenSSL's verdict, with the certificate that is presented to the device. */
static bool
is_verified(const struct blob *cms, X509_STORE *trusted, const struct cert *cert,
    const struct challenge *c)
{
	const unsigned char *p = cms->data;
	auto_cms CMS_ContentInfo *info = d2i_CMS_ContentInfo(NULL, &p, (long)cms->len);
	auto_bio BIO *content = BIO_new(BIO_s_mem());
	auto_certs STACK_OF(X509) *certs = info ? CMS_get1_certs(info) : NULL;
	auto_cert struct cert first = { 0 };
	struct error err = { 0 };

	return info && p == cms->data + cms->len && sk_X509_num(certs) == 1 &&
	    cert_from_x509(sk_X509_value(certs, 0), &first, &err) == 0 &&
	    blob_equal(&first.der, &cert->der) &&
	    CMS_verify(info, NULL, trusted, NULL, content, CMS_BINARY) == 1 &&
	    has_this_content(content, c);
}

static bool
run_openssl(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execlp("openssl", "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in",
		    "soak.cms", "-CAfile", "soak.crt", "-purpose", "any", "-out", "soak.out",
		    (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static bool
is_verified_by_program(const struct blob *cms, const struct challenge *c)
{
	auto_blob struct blob out = { 0 };
	struct error err = { 0 };

	return file_write("soak.cms", cms->data, cms->len, 0600, true, &err) == 0 &&
	    run_openssl() && file_read("soak.out", LONGEST, FILE_ANY, &out, &err) == 0 &&
	    out.len == c->len && memcmp(out.data, c->bytes, c->len) == 0;
}

static int
complain(const char *what, const struct challenge *c)
{
	char hex[2 * LONGEST + 1];

	text_hex(c->bytes, c->len, hex);
	fprintf(stderr, "cms_soak: %s: challenge %s\n", what, hex);
	return -1;
}

static int
try_one(const struct identity *id, X509_STORE *trusted, bool by_program)
{
	struct challenge c;
	auto_blob struct blob cms = { 0 };
	struct error err = { 0 };

	if (!make_challenge(&c))
		return -1;
	if (identity_sign(id, c.bytes, c.len, false, &cms, &err) < 0)
		return complain(err.message, &c);
	if (!is_verified(&cms, trusted, identity_cert(id), &c))
		return complain("OpenSSL does not verify it", &c);
	if (by_program && !is_verified_by_program(&cms, &c))
		return complain("the openssl program does not verify it", &c);
	return 0;
}

/* The store of the library and the file of the program: our certificate alone. */
static X509_STORE *
trust(const struct identity *id)
{
	const struct cert *cert = identity_cert(id);
	const unsigned char *p = cert->der.data;
	auto_x509 X509 *x = d2i_X509(NULL, &p, (long)cert->der.len);
	auto_blob struct blob pem = { 0 };
	X509_STORE *store = X509_STORE_new();
	struct error err = { 0 };

	if (!x || !store || X509_STORE_add_cert(store, x) != 1 ||
	    X509_STORE_set_purpose(store, X509_PURPOSE_ANY) != 1 ||
	    ossl_cert_to_pem(x, &pem, &err) < 0 ||
	    file_write("soak.crt", pem.data, pem.len, 0600, true, &err) < 0) {
		X509_STORE_free(store);
		return NULL;
	}
	return store;
}

static int
soak(int64_t many)
{
	static const struct identity_spec spec = { "Acme", 2048, 3650 };
	struct identity *id = NULL;
	struct error err = { 0 };
	X509_STORE *trusted;
	int64_t i;
	int rc = -1;

	if (identity_create(&spec, &id, &err) < 0) {
		fprintf(stderr, "cms_soak: %s\n", err.message);
		return -1;
	}
	trusted = trust(id);
	if (trusted)
		for (i = 0, rc = 0; i < many && rc == 0; i++)
			rc = try_one(id, trusted, i < BY_PROGRAM);
	X509_STORE_free(trusted);
	identity_free(id);
	return rc;
}

int
main(int argc, char **argv)
{
	static const char *const files[] = { "soak.cms", "soak.crt", "soak.out" };
	char folder[] = "/tmp/cms-soak.XXXXXX";
	int64_t many = MANY;
	size_t i;
	int rc;

	if (argc > 2 || (argc == 2 && text_number(argv[1], 1, INT64_MAX, &many) < 0)) {
		fprintf(stderr, "usage: %s [HOW-MANY]\n", argv[0]);
		return 64;
	}
	if (!mkdtemp(folder) || chdir(folder) < 0)
		return 1;
	rc = soak(many);
	for (i = 0; i < countof(files); i++)
		unlink(files[i]);
	rmdir(folder);
	if (rc == 0)
		printf("cms_soak: %lld challenges signed and verified, %d of them also by the "
		    "openssl program\n", (long long)many,
		    many < BY_PROGRAM ? (int)many : BY_PROGRAM);
	return rc < 0;
}
