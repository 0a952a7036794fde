/* secret: where a passphrase comes from: file, systemd credential, terminal */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include <stdbool.h>

struct blob;
struct error;

struct secret_source {
	const char	*file;		/* --passphrase-file, or NULL */
	bool		 allow_loose_files;
	bool		 confirm;	/* ask twice on the terminal (a new passphrase) */
};

/*
 * identity_passphrase_fn; ctx is a struct secret_source. In this order: the
 * first line of file; $CREDENTIALS_DIRECTORY/chaperone-passphrase; a prompt on
 * /dev/tty without echo, its settings restored also on a signal. None of them:
 * ERR_PERM. Never an argument, never an environment variable.
 */
int	secret_passphrase(void *ctx, const char *what, struct blob *out, struct error *err);

#endif
