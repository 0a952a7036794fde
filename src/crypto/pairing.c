/* pairing: root, host and device certificate, in the shapes of libimobiledevice */
#include "crypto/pairing.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clean.h"
#include "base/error.h"
#include "crypto/certmake.h"
#include "crypto/ossl.h"

struct pairing_keys {
	EVP_PKEY	*root, *host;
};

enum {
	KEY_BITS = 2048,
	DAYS = 3650,
	DEVICE_KEY_MAX = 16384,		/* bytes of text; 4096 bits take 800 */
	DEVICE_BITS_MIN = 1024,
	DEVICE_BITS_MAX = 4096,
};

static void
clean_keys(struct pairing_keys **k)
{
	pairing_keys_free(*k);
}

int
pairing_keys_new(struct pairing_keys **out, struct error *err)
{
	auto_with(clean_keys) struct pairing_keys *k = calloc(1, sizeof(*k));

	if (!k)
		return error_memory(err);
	if (certmake_key(KEY_BITS, &k->root, err) < 0 || certmake_key(KEY_BITS, &k->host, err) < 0)
		return -1;
	*out = steal_pointer(&k);
	return 0;
}

void
pairing_keys_free(struct pairing_keys *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->root);
	EVP_PKEY_free(k->host);
	free(k);
}

static EVP_PKEY *
decode_key(const char *name, const unsigned char *der, long len)
{
	if (strcmp(name, PEM_STRING_RSA_PUBLIC) == 0)
		return d2i_PublicKey(EVP_PKEY_RSA, NULL, &der, len);
	if (strcmp(name, PEM_STRING_PUBLIC) == 0)
		return d2i_PUBKEY(NULL, &der, len);
	return NULL;
}

static int
read_device_key(const void *data, size_t len, EVP_PKEY **out, struct error *err)
{
	auto_bio BIO *bio = NULL;
	auto_key EVP_PKEY *key = NULL;
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long der_len = 0;
	int bits;

	if (len == 0 || len > DEVICE_KEY_MAX)
		return error_set(err, ERR_PROTOCOL, "the device's public key has %zu bytes", len);
	bio = BIO_new_mem_buf(data, (int)len);
	if (!bio)
		return error_memory(err);
	if (PEM_read_bio(bio, &name, &header, &der, &der_len) == 1)
		key = decode_key(name, der, der_len);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	ERR_clear_error();
	if (!key || !EVP_PKEY_is_a(key, "RSA"))
		return error_set(err, ERR_PROTOCOL, "the device's public key is no RSA key in PEM");
	bits = EVP_PKEY_get_bits(key);
	if (bits < DEVICE_BITS_MIN || bits > DEVICE_BITS_MAX)
		return error_set(err, ERR_PROTOCOL, "the device's public key has %d bits", bits);
	*out = steal_pointer(&key);
	return 0;
}

static int
issue(struct certmake how, EVP_PKEY *signer, struct blob *out, struct error *err)
{
	auto_x509 X509 *x = NULL;

	how.signer = signer;
	how.days = DAYS;
	/* A device whose clock is behind must not find it not valid yet. */
	how.from = time(NULL) - 24 * 3600;
	if (certmake(&how, &x, err) < 0)
		return -1;
	return ossl_cert_to_pem(x, out, err);
}

int
pairing_create(const struct pairing_keys *keys, const void *device_key, size_t len,
    struct pairing *out, struct error *err)
{
	static const char leaf[] = "critical,CA:FALSE";
	static const char usage[] = "critical,digitalSignature,keyEncipherment";
	auto_key EVP_PKEY *device = NULL;
	EVP_PKEY *root = keys->root, *host = keys->host;
	auto_pairing struct pairing p = { 0 };
	struct certmake of_root = { .basic_constraints = "critical,CA:TRUE" };
	struct certmake of_host = { .basic_constraints = leaf, .key_usage = usage };
	struct certmake of_device = { .basic_constraints = leaf, .key_usage = usage,
		.has_key_id = true };

	if (read_device_key(device_key, len, &device, err) < 0)
		return -1;
	of_root.subject = root;
	of_host.subject = host;
	of_device.subject = device;
	if (issue(of_root, root, &p.root_certificate, err) < 0 ||
	    issue(of_host, root, &p.host_certificate, err) < 0 ||
	    issue(of_device, root, &p.device_certificate, err) < 0 ||
	    ossl_key_to_pem(root, &p.root_key, err) < 0 ||
	    ossl_key_to_pem(host, &p.host_key, err) < 0)
		return -1;
	pairing_clear(out);
	*out = p;
	p = (struct pairing){ 0 };
	return 0;
}

void
pairing_clear(struct pairing *p)
{
	blob_clear(&p->root_certificate);
	blob_clear(&p->root_key);
	blob_clear(&p->host_certificate);
	blob_clear(&p->host_key);
	blob_clear(&p->device_certificate);
}
