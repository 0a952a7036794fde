/* agentserver: an agent at work: who may ask, how often, and the signer behind it */
#ifndef CRYPTO_AGENTSERVER_H
#define CRYPTO_AGENTSERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "crypto/agentsocket.h"

struct cert;
struct error;
struct signer;

enum {
	AGENT_CLIENTS_MAX = 64,		/* more wait in the socket's queue */
	AGENT_CLIENT_MS = 5000,		/* from being let in to having asked */
	AGENT_RATE_MAX = 100000,
};

struct agent_rules {
	unsigned	max_rate;	/* signatures in any 60 seconds; 1 to AGENT_RATE_MAX */
	int64_t		idle_ms;	/* without a request it ends; 0: never */
	gid_t		group;		/* may use it beside this user and root */
	bool		has_group;
};

enum agent_event_kind {
	AGENT_SIGNED,		/* purpose, device (NULL for a document), peer */
	AGENT_TOLD,		/* the certificate, to peer */
	AGENT_REFUSED,		/* why */
	AGENT_DROPPED,		/* a peer that asked nothing, or nothing that makes sense: why */
};

/* Borrowed until agent_tell_fn returns. */
struct agent_event {
	enum agent_event_kind	 kind;
	const char		*purpose, *device, *why;	/* NULL: not known */
	struct agent_peer	 peer;
};
typedef void agent_tell_fn(void *ctx, const struct agent_event *e);

struct agentserver {
	int			 listener;
	struct signer		*signer;
	const struct cert	*cert;
	struct agent_rules	 rules;
	agent_tell_fn		*tell;		/* of every request, before it is answered */
	/* Called this often or sooner, for who wants to know that the loop turns; 0: never. */
	int64_t			 beat_ms;
	void			(*beat)(void *ctx);
	void			*ctx;
};

enum agent_end { AGENT_STOPPED, AGENT_IDLE };

/*
 * Serves until a signal (deadline_interrupt()) or until nobody asks any more.
 * This process parses requests and never has the key; what the signer is given
 * was of the right shape, from somebody who may ask, and not too often. Each
 * connection is one request and one answer. A signature that was made is told
 * before the one who asked has it. ERR_UNAVAILABLE when the signer is gone.
 */
int	agentserver_run(const struct agentserver *a, enum agent_end *end, struct error *err);

#endif
