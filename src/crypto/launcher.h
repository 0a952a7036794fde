/* launcher: forks signers for a process that must not do it itself any more */
#ifndef CRYPTO_LAUNCHER_H
#define CRYPTO_LAUNCHER_H

#include <stdbool.h>

struct cert;
struct error;
struct launcher;
struct signer;

/*
 * A station takes new identities at a reload, when it has heard workers, and so
 * devices, for a long time. A signer that it forked then would begin with all of
 * that in its memory, and load a key beside it. So the station forks a launcher
 * first of all; that one hears nothing but orders of one shape from its parent,
 * and the signers are its children, as clean as it is.
 */

/* Whose key, and the file of its passphrase, NULL: systemd's credential. Nobody is asked. */
struct launcher_order {
	const char	*ref, *passphrase_file;
	bool		 allow_loose_files;
};

/*
 * Forks it: before any worker, before there is a thread or a ledger, and before
 * anything a device sent is parsed. It ends when this process does, or with
 * launcher_stop(), and with it every signer that it started.
 */
int	launcher_start(struct launcher **out, struct error *err);
/* As signer_start(), and the signer is as any other. ERR_UNAVAILABLE: it is gone. */
int	launcher_signer(struct launcher *l, const struct launcher_order *order,
	    struct signer **out, struct cert *cert, struct error *err);
void	launcher_stop(struct launcher *l);	/* NULL is fine */

#endif
