/* secret: where a passphrase comes from: file, systemd credential, terminal */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include <stdbool.h>

struct blob;
struct error;

struct secret_source {
	const char	*file;		/* --passphrase-file, or NULL */
	bool		 allow_loose_files;
	bool		 asks_nobody;	/* there is no prompt */
	bool		 confirm;	/* ask twice on the terminal (a new passphrase) */
};

enum { SECRET_MAX = 1024 };	/* bytes of a passphrase */

/*
 * identity_passphrase_fn; ctx is a struct secret_source. In this order: the
 * first line of file (LF or CRLF, or none at the end); the first line of
 * $CREDENTIALS_DIRECTORY/chaperone-passphrase, unless that is empty; a prompt on /dev/tty without
 * echo, its settings restored also on a signal, which then takes its course.
 * None of them: ERR_PERM. A file that others can read: ERR_PERM; one that is
 * named and not there: ERR_NOINPUT. Never an argument, never an environment
 * variable. *out is replaced.
 */
int	secret_passphrase(void *ctx, const char *what, struct blob *out, struct error *err);

#endif
