/* lockdown: the connection's state, shared by lockdown and lockpair */
#ifndef SIM_LOCKDOWN_H
#define SIM_LOCKDOWN_H

#include <plist/plist.h>
#include <stdbool.h>

#include "base/blob.h"
#include "base/text.h"

struct call;
struct host;

struct lockdown {
	struct host	*host;		/* of the session; NULL: none */
	char		 session[TEXT_UUID_MAX];
	struct blob	 challenge;	/* of a supervised Pair; empty: none */
	struct blob	 supervisor;	/* the certificate presented with it */
};

/* Sets Error in the reply that handle() has begun. */
void	lockdown_fail(struct call *call, const char *problem);

/* Pair, in lockpair.c. */
void	lockpair(struct lockdown *state, struct call *call);

#endif
