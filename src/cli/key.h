/* key: an identity loaded into this process, for commands that touch no device */
#ifndef CLI_KEY_H
#define CLI_KEY_H

#include <stddef.h>

#include "base/clean.h"
#include "crypto/identity.h"

struct blob;
struct cli;
struct error;

static inline void
clean_identity(struct identity **id)
{
	identity_free(*id);
}

#define auto_identity	auto_with(clean_identity)

/* ref with the options' passphrase file. ERR_USAGE when ref is NULL. */
int	key_load(const struct cli *cli, const char *ref, struct identity **out, struct error *err);

/* A sign_fn of store/seal.h; ctx is the struct identity. */
int	key_sign(void *ctx, const void *content, size_t len, struct blob *out, struct error *err);

#endif
