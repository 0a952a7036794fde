/* devicekey: the keys of devices, and certificates for devices that start out paired */
#ifndef SIM_DEVICEKEY_H
#define SIM_DEVICEKEY_H

#include <openssl/types.h>
#include <plist/plist.h>
#include <stddef.h>

struct blob;
struct error;

/* A new RSA-2048 key, or NULL. Costs tens of milliseconds: only before "ready". */
EVP_PKEY *devicekey_new(void);
/*
 * n keys from a file of PEM private keys that others cannot read, or, when it
 * is not there, n new ones that are written to it for the next time. Takes the
 * file as a whole: another number of keys, or one of another kind, is ERR_DATA.
 */
int	devicekey_keep(const char *path, EVP_PKEY **keys, size_t n, struct error *err);
/* DevicePublicKey: PEM of the PKCS#1 form, the only one older clients read. */
int	devicekey_public_pem(EVP_PKEY *key, struct blob *out);

/*
 * A complete pair record for a host that never spoke with the device: root
 * and host key are given, the three certificates are made. The caller adds
 * EscrowBag and WiFiMACAddress and frees it. NULL on failure.
 */
plist_t	devicekey_pair_record(EVP_PKEY *device, EVP_PKEY *root, EVP_PKEY *host,
	    const char *host_id, const char *buid, struct error *err);

#endif
