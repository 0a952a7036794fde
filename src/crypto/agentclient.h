/* agentclient: asks an agent, one connection for each question */
#ifndef CRYPTO_AGENTCLIENT_H
#define CRYPTO_AGENTCLIENT_H

#include <stdbool.h>

struct agentrequest;
struct blob;
struct error;

/* Whether ref names an agent: "agent:" or "agent:PATH". */
bool	agentclient_is_ref(const char *ref);
/* Its path; "agent:" alone is CHAPERONE_AGENT, then the default. *out: free(). */
int	agentclient_path(const char *ref, char **out, struct error *err);

/*
 * Asks and waits: for the certificate (DER), or for a signature (CMS; detached
 * for a document). *out is replaced. ERR_UNAVAILABLE: no agent is there, it does
 * not answer, or its token is gone; ERR_PERM: it refuses; ERR_DATA: its identity
 * is no good. An answer is as good as who gave it: the caller checks that it is
 * signed by the certificate it knows.
 */
int	agentclient_ask(const char *path, const struct agentrequest *r, struct blob *out,
	    struct error *err);

#endif
