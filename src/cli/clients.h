/* clients: the policies in use, and the identity of each of their organizations */
#ifndef CLI_CLIENTS_H
#define CLI_CLIENTS_H

#include "base/clean.h"
#include "core/policy.h"
#include "crypto/cert.h"
#include "flow/fleet.h"

struct error;
struct launcher;
struct options;

/* One identity, whichever policies name it. */
struct client_identity {
	char	*ref;
	struct signer *signer;
	struct cert cert;
};

/* Zero-initialise; release with clients_close(), which ends the signers. */
struct clients {
	/* Borrowed: who starts the signers. NULL: this process, if signer_begin() lets it. */
	struct launcher		*launcher;
	struct policies		 policies;
	struct client_identity	*identities;
	struct fleet_identity	*for_fleet;	/* the same, as fleet wants them */
	size_t			 n;
};

/*
 * Loads the policies of a file or of a folder and starts a signer for each
 * identity that they name; the identity of the options is for policies that
 * name none. Any that cannot be loaded fails all: nobody works with some of
 * the clients only, without noticing.
 */
int	clients_open(const struct options *o, const char *path, struct clients *out,
	    struct error *err);
void	clients_close(struct clients *c);

#define auto_clients	auto_with(clients_close)

#endif
