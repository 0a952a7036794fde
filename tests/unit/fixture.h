/* fixture: a folder of their own for tests of crypto/, and the openssl program */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

struct blob;
struct error;

/* A new folder in $TMPDIR or /tmp, and the working directory until it is left. */
void	fixture_enter(void);
/* Removes the folder's files and the folder. */
void	fixture_leave(void);
/* The same, as set-up and teardown of a test or a group. */
int	fixture_make(void **state);
int	fixture_remove(void **state);

/* Creates name in the folder with this mode. */
void	fixture_write(const char *name, const void *data, size_t len, unsigned mode);
void	fixture_read(const char *name, struct blob *out);
/*
 * Runs the openssl program with the words of line, split at blanks, silently.
 * true: it ended with 0. What it writes gets mode 0600.
 */
bool	fixture_openssl(const char *line);

/* An identity_passphrase_fn: ctx is a struct asked; counts how often. */
struct asked {
	const char	*answer;	/* NULL: nobody is there */
	unsigned	 times;
};
int	fixture_answer(void *ctx, const char *what, struct blob *out, struct error *err);

#endif
