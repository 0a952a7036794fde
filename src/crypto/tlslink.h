/* tlslink: the socket under TLS, as a BIO that keeps errno and raises no signal */
#ifndef CRYPTO_TLSLINK_H
#define CRYPTO_TLSLINK_H

#include <openssl/types.h>
#include <stdbool.h>

/* Zero-initialise and set fd, which stays the caller's. */
struct tlslink {
	int	fd;
	int	sys;		/* errno of the transfer that failed, else 0 */
	bool	is_starved;	/* a read found nothing; the user resets it */
};

/*
 * Instead of BIO_s_socket(): send() with MSG_NOSIGNAL, so that a peer that is
 * gone is an error and no SIGPIPE, whatever the program does with that signal;
 * never blocking, whatever the descriptor is; and errno is kept where nothing
 * overwrites it. link must outlive the BIO. NULL: out of memory.
 */
BIO	*tlslink_new(struct tlslink *link);

#endif
