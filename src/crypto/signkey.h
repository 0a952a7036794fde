/* signkey: what a signer signs with: the key of a file or a token, or an agent */
#ifndef CRYPTO_SIGNKEY_H
#define CRYPTO_SIGNKEY_H

struct blob;
struct cert;
struct error;
struct identity_source;
struct signkey;
struct signrequest;

/* As identity_load(), and for "agent:" whatever agentclient_ask() says. Blocks. */
int	signkey_open(const struct identity_source *source, struct signkey **out,
	    struct error *err);
void	signkey_free(struct signkey *k);	/* NULL is fine */

/* Borrowed; lives as long as the key. */
const struct cert *signkey_cert(const struct signkey *k);

/*
 * A challenge is answered attached, a document detached and with the chain.
 * device is "" for a document. *out is replaced. An agent that signs with
 * another certificate than it told at first is ERR_UNAVAILABLE.
 */
int	signkey_sign(const struct signkey *k, const char *device, const struct signrequest *r,
	    struct blob *out, struct error *err);

#endif
