/* sandbox: what a worker gives up before it hears a device */
#ifndef FLOW_SANDBOX_H
#define FLOW_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/* What a worker keeps. A channel of -1 is none. */
struct sandbox {
	int	parent;			/* the socket to its parent */
	const int *signers;		/* its channels to signers */
	size_t	n_signers;
	bool	needs_tcp;		/* usbmuxd, or the device, is reached over TCP */
	bool	keeps_stderr;		/* for its log */
};

/*
 * From here on the process has no other descriptor, no core file, no new privileges,
 * bounded memory and CPU time, and (where the build has libseccomp) only the system calls
 * that talking to usbmuxd takes: it executes nothing, opens no file, makes no socket but a
 * UNIX one (and TCP when needs_tcp), has no memory that is new and executable, and touches
 * no other process. A forbidden call fails with EPERM: the job fails, and is told. Not
 * reversible. false: not all of it could be done.
 */
bool	sandbox_enter(const struct sandbox *s);

/* Whether this build confines system calls (sanitizers need more of them). */
bool	sandbox_filters_calls(void);

#endif
