/* identity: a supervision identity, certificate and private key, from a file */
#ifndef CRYPTO_IDENTITY_H
#define CRYPTO_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blob;
struct cert;
struct error;
struct identity;

/*
 * Asks for the passphrase of what; fills *out (without a newline). Called at
 * most once per load, and only when something is encrypted. -1 with *err set
 * (ERR_PERM when there is nobody to ask) ends the load.
 */
typedef int identity_passphrase_fn(void *ctx, const char *what, struct blob *out,
    struct error *err);

struct identity_source {
	const char		*ref;		/* acme.p12 | acme.pem | acme.crt,acme.key */
	bool			 allow_loose_files;	/* do not insist on mode 0600 */
	identity_passphrase_fn	*passphrase;
	void			*passphrase_ctx;
	bool			 asks_nobody;	/* to ask is free: try it before the empty one */
};

/*
 * Loads certificate, chain and key, and proves that key and certificate belong together
 * and, unless a token holds the key, that what it signs is valid. What a file is, its
 * content says, not its name: PKCS#12, PEM with certificate and key in any order, or DER;
 * keys may be encrypted. In a pair the certificate's file may be public; a file with a key
 * must not be readable by others (ERR_PERM). Missing file: ERR_NOINPUT. Not an identity, a
 * damaged key, or key and certificate of two different identities: ERR_DATA. Wrong
 * passphrase: ERR_PERM. A kind of ref that is not known: ERR_USAGE. Old PKCS#12 files (RC2,
 * 3DES, SHA-1 MAC, what Apple Configurator exports) are read with OpenSSL's legacy provider
 * in a library context of their own. *out is the caller's: identity_free() wipes the key.
 */
int	identity_load(const struct identity_source *source, struct identity **out,
	    struct error *err);

struct identity_spec {
	const char	*organization;	/* O and CN, UTF-8, at most 64 characters */
	unsigned	 bits;		/* RSA, 2048 to 8192 */
	unsigned	 days;		/* validity */
};

/*
 * A new self-signed supervision identity in the shape that Apple Configurator
 * and go-ios (ios/mcinstall, "prepare create-cert") use: RSA, CA:TRUE,
 * digitalSignature and keyCertSign, serverAuth and clientAuth, SHA-256, here
 * with a random serial number, and valid since yesterday. ERR_USAGE when spec is out of bounds.
 */
int	identity_create(const struct identity_spec *spec, struct identity **out,
	    struct error *err);
void	identity_free(struct identity *id);	/* NULL is fine */

/* Borrowed; lives as long as the identity. */
const struct cert *identity_cert(const struct identity *id);

enum { IDENTITY_CONTENT_MAX = 64 << 20 };	/* bytes that can be signed */

/*
 * A CMS SignedData over content: attached, binary, DER, SHA-256, signer
 * certificate, issuerAndSerialNumber, signing time. go-ios and pymobiledevice3
 * send the same; the latter's issue 1805 is what happens without "binary".
 * with_chain adds the other certificates of the file: for profiles, never for a
 * device's challenge, because DER orders a set by its bytes and a device takes
 * the first certificate for the signer's. *out is replaced.
 */
int	identity_sign(const struct identity *id, const void *content, size_t len,
	    bool with_chain, struct blob *out, struct error *err);

/*
 * The same over a content of which only the SHA-256 is here: detached, with the
 * chain; signed_attach() completes it where the content is.
 */
int	identity_sign_digest(const struct identity *id, const uint8_t digest[32],
	    struct blob *out, struct error *err);

enum identity_format { IDENTITY_P12, IDENTITY_PEM };

/*
 * Certificate, chain and key as one file. passphrase NULL: a PEM with the key
 * in clear (P12 requires one: ERR_USAGE). Algorithms: AES-256, PBKDF2 with
 * SHA-256. *out is replaced; write it with mode 0600.
 */
int	identity_export(const struct identity *id, enum identity_format format,
	    const struct blob *passphrase, struct blob *out, struct error *err);

#endif
