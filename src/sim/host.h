/* host: a computer that a device trusts */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include <openssl/types.h>
#include <plist/plist.h>
#include <stdbool.h>
#include <stdint.h>

struct error;

enum { ESCROW_BAG_LEN = 32 };

/* Lives as long as its device, even when revoked: open TLS streams refer to it. */
struct host {
	struct host	*next;
	char		*id;		/* HostID */
	char		*buid;		/* SystemBUID */
	X509		*root;
	X509		*cert;		/* HostCertificate; may be the root itself */
	X509		*device;	/* DeviceCertificate: what the device shows in TLS */
	uint8_t		 escrow[ESCROW_BAG_LEN];
	bool		 is_revoked;
};

/*
 * Reads a PairRecord and checks it: three PEM certificates, the device's one
 * over device_key, host and device signed by the root. Extra keys (private
 * keys, WiFiMACAddress) are ignored. The escrow bag is drawn at random. NULL,
 * and *err, when the record is no good.
 */
struct host *host_from_record(plist_t record, EVP_PKEY *device_key, struct error *err);
void	host_free(struct host *host);
void	host_list_free(struct host *list);

/* The trusted host with this id, or NULL. */
struct host *host_find(struct host *list, const char *id);

/* A client certificate in TLS: the root, the host's, or one the root signed. */
bool	host_accepts(const struct host *host, X509 *presented);

#endif
