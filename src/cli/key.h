/* key: the signer of an identity, for commands that touch no device */
#ifndef CLI_KEY_H
#define CLI_KEY_H

#include <stddef.h>

#include "base/clean.h"
#include "cli/host.h"
#include "crypto/identity.h"
#include "crypto/signer.h"

struct blob;
struct cli;
struct error;

static inline void
clean_identity(struct identity **id)
{
	identity_free(*id);
}

#define auto_identity	auto_with(clean_identity)

/*
 * Starts the signer of ref (with the options' passphrase file), whatever holds
 * its key; release with host_close(). ERR_USAGE when ref is NULL.
 */
int	key_open(const struct cli *cli, const char *ref, struct host *out, struct error *err);

/* What a signature is for, and who makes it: the ctx of key_sign(). */
struct key_use {
	struct signer		*signer;
	enum signer_purpose	 purpose;
};
/* A sign_fn of store/seal.h. */
int	key_sign(void *ctx, const void *content, size_t len, struct blob *out, struct error *err);

/*
 * The key itself, in this process: for taking an identity elsewhere, which only
 * a file's allows. ERR_USAGE for an agent's or a token's, and when ref is NULL.
 */
int	key_load(const struct cli *cli, const char *ref, struct identity **out, struct error *err);

#endif
