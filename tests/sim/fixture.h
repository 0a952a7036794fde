/* fixture: profiles, identities and calls for the tests of the virtual bench */
#ifndef TESTS_SIM_FIXTURE_H
#define TESTS_SIM_FIXTURE_H

#include "tests/unit/table.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"
#include "sim/bench.h"
#include "sim/loop.h"
#include "sim/service.h"
#include "sim/virtual.h"

#define XML(body)                                                                  \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                              \
	"<plist version=\"1.0\">" body "</plist>\n"
#define KEY(key, value)		"<key>" key "</key>" value
#define STRING(text)		"<string>" text "</string>"
#define INTEGER(n)		"<integer>" #n "</integer>"
#define PAYLOAD(type, body)                                                        \
	"<dict>" KEY("PayloadType", STRING(type)) KEY("PayloadVersion", INTEGER(1))  \
	KEY("PayloadIdentifier", STRING("org.example.item"))                        \
	KEY("PayloadUUID", STRING("11111111-2222-4333-8444-555555555555")) body "</dict>"
#define RESTRICT(body)		PAYLOAD("com.apple.applicationaccess", body)
/* A profile with an identifier, a UUID, more top-level keys, and payloads. */
#define PROFILE_OF(id, uuid, top, payloads)                                        \
	XML("<dict>" KEY("PayloadType", STRING("Configuration"))                    \
	KEY("PayloadVersion", INTEGER(1)) KEY("PayloadIdentifier", STRING(id))       \
	KEY("PayloadUUID", STRING(uuid)) top                                        \
	KEY("PayloadContent", "<array>" payloads "</array>") "</dict>")
#define PROFILE(top, payloads)                                                     \
	PROFILE_OF("org.example.one", "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE", top, payloads)
#define NO_CHAT			RESTRICT(KEY("allowChat", "<false/>"))

/* ---- identities ----------------------------------------------------------- */

struct signer {
	EVP_PKEY	*key;
	X509		*cert;
	struct blob	 der;
};

static inline X509 *
make_certificate(EVP_PKEY *key, long days)
{
	X509 *cert = X509_new();
	X509_NAME *name;

	assert_non_null(cert);
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 7);
	X509_gmtime_adj(X509_getm_notBefore(cert), days < 0 ? 2 * days * 86400 : -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), days * 86400);
	name = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"Acme", -1,
	    -1, 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	return cert;
}

static inline struct signer
make_signer(EVP_PKEY *key, long days)
{
	struct signer signer = { .key = key };
	unsigned char *der = NULL;
	int len;

	assert_non_null(key);
	signer.cert = make_certificate(key, days);
	len = i2d_X509(signer.cert, &der);
	assert_int_equal(blob_set(&signer.der, der, (size_t)len), 0);
	OPENSSL_free(der);
	return signer;
}

static inline void
clear_signer(struct signer *signer)
{
	EVP_PKEY_free(signer->key);
	X509_free(signer->cert);
	blob_clear(&signer->der);
}

/* What a client sends: CMS over the data; flags as for CMS_sign(). */
static inline void
sign(const struct signer *signer, const void *data, size_t len, unsigned flags,
    const EVP_MD *digest, struct blob *out)
{
	BIO *in = BIO_new_mem_buf(data, (int)len);
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, in, flags | CMS_PARTIAL);
	unsigned char *der = NULL;
	int n;

	assert_non_null(cms);
	assert_non_null(CMS_add1_signer(cms, signer->cert, signer->key, digest, flags));
	assert_int_equal(CMS_final(cms, in, NULL, flags), 1);
	n = i2d_CMS_ContentInfo(cms, &der);
	assert_int_equal(blob_set(out, der, (size_t)n), 0);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
}

/* ---- a bench with one device ---------------------------------------------- */

struct fixture {
	struct loop	*loop;
	struct bench	*bench;
	struct signer	 supervisor, stranger;
};

static inline int
fixture_set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct error err = { 0 };

	fixture->loop = loop_new();
	fixture->bench = bench_new(fixture->loop, NULL, &err);
	assert_non_null(fixture->bench);
	fixture->supervisor = make_signer(EVP_RSA_gen(2048), 365);
	fixture->stranger = make_signer(EVP_EC_gen("P-256"), 365);
	*state = fixture;
	return 0;
}

static inline int
fixture_tear_down(void **state)
{
	struct fixture *fixture = *state;

	bench_free(fixture->bench);
	loop_free(fixture->loop);
	clear_signer(&fixture->supervisor);
	clear_signer(&fixture->stranger);
	free(fixture);
	return 0;
}

/* Adds a device, supervised by the fixture's supervisor or not at all. */
static inline struct virtual *
add_device(struct fixture *fixture, bool is_supervised, struct virtual_spec *spec)
{
	struct virtual_spec plain;
	struct error err = { 0 };

	virtual_spec_init(&plain);
	if (!spec)
		spec = &plain;
	if (is_supervised) {
		spec->organization = "Acme";
		spec->certificate = &fixture->supervisor.der;
	}
	assert_int_equal(bench_add(fixture->bench, spec, &err), 0);
	return fixture->bench->devices[fixture->bench->n_devices - 1];
}

static inline struct virtual *
only_device(struct fixture *fixture)
{
	return fixture->bench->devices[0];
}

/* What is ready now, and no waiting. */
static inline void
turn(struct fixture *fixture)
{
	struct error err = { 0 };

	assert_int_equal(loop_turn(fixture->loop, 0, &err), 0);
}

/* One request to a service; the reply is in the result, the caller's. */
static inline struct call
ask(const struct service *service, void *state, struct virtual *device, plist_t request)
{
	struct call call = { .device = device, .request = request };

	service->handle(state, &call);
	call.request = NULL;
	plist_free(request);
	return call;
}

static inline plist_t
request_of(const char *key, const char *name)
{
	plist_t request = plist_new_dict();

	dict_set_string(request, key, name);
	return request;
}

#endif
