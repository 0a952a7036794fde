/* error: what went wrong, who has to act, and the device's own words about it */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who has to act. cli/ turns the first group into exit codes of sysexits(3). */
enum error_kind {
	ERR_NONE,

	/* the command itself cannot go on */
	ERR_USAGE,		/* the operator asked for something impossible (64) */
	ERR_DATA,		/* a profile, policy or identity file is no good (65) */
	ERR_NOINPUT,		/* a file cannot be read (66) */
	ERR_UNAVAILABLE,	/* usbmuxd, the agent or the database does not answer (69) */
	ERR_SOFTWARE,		/* our own bug, or this machine is out of memory (70) */
	ERR_CREATE,		/* a file cannot be created (73) */
	ERR_IO,			/* reading or writing failed halfway (74) */
	ERR_PERM,		/* not permitted: loose key file, wrong passphrase (77) */

	/* one device cannot go on */
	ERR_LINK,		/* the cable, the connection or TLS broke */
	ERR_MUX,		/* usbmuxd went away in the middle of a job */
	ERR_TIMEOUT,		/* the deadline passed while waiting */
	ERR_INTERRUPTED,	/* the operator stopped us */
	ERR_PROTOCOL,		/* an answer that makes no sense */
	ERR_DEVICE,		/* the device understood and refused: see refusal, chain */
	ERR_UNSIGNED,		/* its challenge is unsigned: agent or token refuse, or are gone */
};

enum {
	CHAIN_MAX = 8,		/* links kept; the rest is counted */
	CHAIN_DOMAIN_MAX = 64,
	CHAIN_TEXT_MAX = 256,
	ERROR_MESSAGE_MAX = 320,
};

/* One link of a device's ErrorChain, cut to size, control characters replaced. */
struct chain_link {
	char	domain[CHAIN_DOMAIN_MAX];
	int64_t	code;
	char	text[CHAIN_TEXT_MAX];
};

/* The ErrorChain, outermost first, in the device's order. */
struct chain {
	size_t			n;
	size_t			left_out;	/* links beyond CHAIN_MAX */
	struct chain_link	link[CHAIN_MAX];
};

/*
 * Filled by whoever fails, read once by whoever reports. It lives on the
 * caller's stack, needs no release and never holds a secret. Zero-initialise:
 * struct error err = { 0 };
 */
struct error {
	enum error_kind	kind;
	int		sys;		/* errno when there was one, else 0 */
	int		refusal;	/* enum refusal (core/refusal.h) when ERR_DEVICE */
	char		message[ERROR_MESSAGE_MAX];	/* one line, ours */
	const char	*hint;		/* what to do next: static text, or NULL */
	struct chain	chain;		/* empty unless ERR_DEVICE */
};

/* Overwrites *err. Returns -1, so that failing is one line. */
int	error_set(struct error *err, enum error_kind kind, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
/* The same with errno's text appended; sys is kept. */
int	error_set_sys(struct error *err, enum error_kind kind, int sys,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Puts "what: " before the message; each layer at most once. Returns -1. */
int	error_context(struct error *err, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
/* Sets the hint (static text). Returns -1. */
int	error_hint(struct error *err, const char *hint);
/* Out of memory, said without needing any. Returns -1. */
int	error_memory(struct error *err);

#endif
