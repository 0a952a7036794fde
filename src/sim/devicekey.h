/* devicekey: the keys of devices, and certificates for devices that start out paired */
#ifndef SIM_DEVICEKEY_H
#define SIM_DEVICEKEY_H

#include <openssl/types.h>
#include <plist/plist.h>

struct blob;
struct error;

/* A new RSA-2048 key, or NULL. Costs tens of milliseconds: only before "ready". */
EVP_PKEY *devicekey_new(void);
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
