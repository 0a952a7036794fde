/* signserver: what the signer's process does; signer.h is how others reach it */
#ifndef CRYPTO_SIGNSERVER_H
#define CRYPTO_SIGNSERVER_H

#include <sys/types.h>

#include "crypto/signer.h"

struct identity_source;

enum {
	SIGNSERVER_UDID_MAX = 64,
	SIGNSERVER_CHANNELS_MAX = 4096,
	SIGNSERVER_CERT_MAX = SIGNER_ANSWER_MAX,	/* bytes: it is part of what is signed */
};

/* The parent's message, with a channel's descriptor beside it. */
struct signserver_grant {
	char	udid[SIGNSERVER_UDID_MAX];
};

/* Its other one, a single byte, and once: load the identity. */
enum { SIGNSERVER_LOAD = 'L' };

/*
 * Runs in the forked child until control is closed, then returns its exit code.
 * Told to load, it answers with a struct error: of the same program image, so that even
 * the hint, which is static text, means the same there. After ERR_NONE follows
 * the certificate in DER. parent is who forked it: without it, it ends.
 */
int	signserver_run(int control, const struct identity_source *source, pid_t parent);

#endif
