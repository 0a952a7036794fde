/* signature: CMS signed data as a device checks it */
#ifndef SIM_SIGNATURE_H
#define SIM_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>

struct blob;
struct error;

/*
 * Is der a CMS SignedData over exactly the challenge, made by certificate?
 * Checked in the order of the device (read in decompiled ManagedConfiguration
 * code): it parses; the signature holds; the first embedded certificate is
 * byte for byte the one presented; the attached content is the challenge.
 * SHA-1 and SHA-256, with and without signed attributes, RSA and EC. Chain and
 * validity are not judged. false: *err says why, for the transcript.
 */
bool	signature_answers(const struct blob *der, const struct blob *certificate,
	    const struct blob *challenge, struct error *err);

/*
 * The attached content of a signed profile. *signers gets the DER of each
 * signer's certificate, concatenated (enough to compare two signers). Integrity
 * only: an unknown issuer is fine. ERR_DATA when broken.
 */
int	signature_unwrap(const void *der, size_t len, struct blob *content,
	    struct blob *signers, struct error *err);

#endif
