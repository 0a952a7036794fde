/* pairing: the keys and certificates a host makes to be trusted by one device */
#ifndef CRYPTO_PAIRING_H
#define CRYPTO_PAIRING_H

#include <stddef.h>

#include "base/blob.h"

struct error;

/* All PEM. Zero-initialise; release with pairing_clear(), which wipes. */
struct pairing {
	struct blob	root_certificate, root_key;
	struct blob	host_certificate, host_key;
	struct blob	device_certificate;
};

/*
 * Two new RSA-2048 keys: nothing else that this host does takes as long, and on
 * a busy machine longer than a device waits. So they are made before it is
 * called. *out is the caller's: pairing_keys_free().
 */
struct pairing_keys;
int	pairing_keys_new(struct pairing_keys **out, struct error *err);
void	pairing_keys_free(struct pairing_keys *k);	/* NULL is fine; wipes */

/*
 * device_key: DevicePublicKey as the device sent it (PKCS#1 PEM; SPKI is read
 * too). Names, serial numbers and extensions are those of libimobiledevice's
 * userpref.c, the digest is SHA-256 as in its later releases (some systems no
 * longer accept SHA-1); ten years, valid since yesterday so that a device whose
 * clock is behind accepts them. ERR_PROTOCOL when device_key is no RSA key of
 * 1024 to 4096 bits. *out is replaced.
 */
int	pairing_create(const struct pairing_keys *keys, const void *device_key, size_t len,
	    struct pairing *out, struct error *err);
void	pairing_clear(struct pairing *p);

#define auto_pairing	auto_with(pairing_clear)

#endif
