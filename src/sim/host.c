/* host: pair records as the device judges them */
#include "sim/host.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"

void
host_free(struct host *host)
{
	if (!host)
		return;
	free(host->id);
	free(host->buid);
	X509_free(host->root);
	X509_free(host->cert);
	X509_free(host->device);
	free(host);
}

void
host_list_free(struct host *list)
{
	while (list) {
		struct host *next = list->next;

		host_free(list);
		list = next;
	}
}

static X509 *
read_certificate(plist_t record, const char *key)
{
	const void *pem;
	size_t len;
	X509 *cert;
	BIO *bio;

	if (!dict_get_data(record, key, &pem, &len) || len > INT_MAX)
		return NULL;
	bio = BIO_new_mem_buf(pem, (int)len);
	cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	return cert;
}

/* All three certificates have empty names, so only signatures tell who issued what. */
static bool
is_signed_by(X509 *cert, X509 *root)
{
	EVP_PKEY *key = X509_get0_pubkey(root);
	bool is_signed = key && X509_verify(cert, key) == 1;

	ERR_clear_error();
	return is_signed;
}

static int
check(const struct host *host, EVP_PKEY *device_key, struct error *err)
{
	if (EVP_PKEY_eq(X509_get0_pubkey(host->device), device_key) != 1)
		return error_set(err, ERR_DATA, "DeviceCertificate is not over this device's key");
	if (!is_signed_by(host->device, host->root))
		return error_set(err, ERR_DATA, "DeviceCertificate is not signed by the root");
	if (X509_cmp(host->cert, host->root) != 0 && !is_signed_by(host->cert, host->root))
		return error_set(err, ERR_DATA, "HostCertificate is not signed by the root");
	return 0;
}

struct host *
host_from_record(plist_t record, EVP_PKEY *device_key, struct error *err)
{
	const char *id = dict_get_string(record, "HostID");
	const char *buid = dict_get_string(record, "SystemBUID");
	struct host *host = calloc(1, sizeof(*host));

	if (!host) {
		error_memory(err);
		return NULL;
	}
	host->root = read_certificate(record, "RootCertificate");
	host->cert = read_certificate(record, "HostCertificate");
	host->device = read_certificate(record, "DeviceCertificate");
	host->id = id ? strdup(id) : NULL;
	host->buid = buid ? strdup(buid) : NULL;
	ERR_clear_error();
	if (!host->root || !host->cert || !host->device || !host->id || !host->buid)
		error_set(err, ERR_DATA, "the pair record is not complete");
	else if (RAND_bytes(host->escrow, ESCROW_BAG_LEN) != 1)
		error_set(err, ERR_SOFTWARE, "no random bytes");
	else if (check(host, device_key, err) == 0)
		return host;
	host_free(host);
	return NULL;
}

struct host *
host_find(struct host *list, const char *id)
{
	for (; id && list; list = list->next)
		if (!list->is_revoked && strcmp(list->id, id) == 0)
			return list;
	return NULL;
}

bool
host_accepts(const struct host *host, X509 *presented)
{
	if (host->is_revoked)
		return false;
	return X509_cmp(presented, host->cert) == 0 || X509_cmp(presented, host->root) == 0
	    || is_signed_by(presented, host->root);
}
