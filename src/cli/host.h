/* host: who we are towards devices: the supervision identity of the options */
#ifndef CLI_HOST_H
#define CLI_HOST_H

#include <stdbool.h>

#include "base/clean.h"
#include "crypto/cert.h"

struct error;
struct launcher;
struct options;
struct signer;

/* Zero-initialise; release with host_close(), which ends the signer. */
struct host {
	struct signer	*signer;	/* NULL: no identity */
	struct cert	 cert;		/* empty then */
};

/*
 * Starts the signer for the identity that the options or the configuration
 * name; without one *out stays empty. The passphrase is asked for by the
 * signer: this process never holds the key.
 */
int	host_open(const struct options *o, struct host *out, struct error *err);
/* The same in two steps, with time between them: host_close() also between. */
int	host_begin(const struct options *o, struct host *out, struct error *err);
int	host_await(struct host *h, struct error *err);
/* The same by a launcher (NULL: as host_open()), for who takes identities later too. */
int	host_launch(const struct options *o, struct launcher *l, struct host *out,
	    struct error *err);
/* The same without a word about the certificate's validity: devices do not matter. */
int	host_load(const struct options *o, struct host *out, struct error *err);
void	host_close(struct host *h);

/*
 * Whether the identity is had, or refused, within moments: there is none, its
 * passphrase is in a file, or an agent has it. A person or a token may take longer.
 */
bool	host_is_at_hand(const struct options *o);

#define auto_host	auto_with(host_close)

#endif
