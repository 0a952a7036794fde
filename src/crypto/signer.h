/* signer: the private key in a process of its own, reached through a socket */
#ifndef CRYPTO_SIGNER_H
#define CRYPTO_SIGNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/deadline.h"

struct blob;
struct cert;
struct error;
struct identity_source;
struct signer;

enum signer_limits {
	SIGNER_CHALLENGE_MAX = 1024,	/* bytes; a real one has 8 to 32 */
	SIGNER_ANSWER_MAX = 16384,	/* bytes of CMS */
	/* For one channel. A job needs a handful; one that waits for a person, some more. */
	SIGNER_SIGNATURES_MAX = 64,
	SIGNER_MORE_MS = 2000,		/* one more for each while it is open */
	SIGNER_DIGEST = 32,		/* bytes of SHA-256 */
};

/*
 * What the signature is for; the signer logs it and refuses anything else. The
 * first two answer a device's challenge, which it sees whole. Of the others,
 * documents, it sees the digest alone: nothing a device said comes near the key.
 */
enum signer_purpose {
	SIGNER_PAIR = 1, SIGNER_ESCALATE = 2,
	SIGNER_SEAL = 3, SIGNER_STATEMENT = 4, SIGNER_PROFILE = 5,
};

/* "pairing", "escalation", "seal", "statement", "profile"; NULL: there is none. */
const char *signer_purpose_word(int purpose);
bool	signer_is_document(int purpose);

/*
 * Forks the signer. The child, when it is awaited, loads the identity (and asks
 * for its passphrase, in the child, where all descriptors but the first three
 * are closed) and keeps it in memory that is neither dumped nor swapped; this
 * process never sees the key. Call it before any worker is forked, before there is a thread,
 * and before anything a device sent is parsed; who takes keys later has a
 * crypto/launcher.h. The child ignores the terminal's
 * signals: it ends when this process does, or with signer_stop().
 */
int	signer_begin(const struct identity_source *source, struct signer **out,
	    struct error *err);
/*
 * Once: has it load the identity and returns when that is done, with its
 * certificate in *cert, or -1 with the child's own error. Old files take some
 * milliseconds to decrypt: workers are best begun between the two. Their
 * channels can be had at once, and are heard when the identity is loaded.
 */
int	signer_await(struct signer *s, struct cert *cert, struct error *err);
/* One that a launcher has forked, in place of signer_begin(). Takes both descriptors, if it can. */
int	signer_adopt(int control, int pidfd, struct signer **out, struct error *err);
/* Both at once. */
int	signer_start(const struct identity_source *source, struct signer **out,
	    struct cert *cert, struct error *err);

/*
 * A new channel to the signer for work on one device: *fd is the caller's, to
 * be given to that device's worker and closed here. The signer knows from us,
 * not from the worker, which device it signs for. It closes a channel on which
 * anything comes that is no request, and refuses beyond SIGNER_SIGNATURES_MAX
 * and what time has added.
 */
int	signer_channel(struct signer *s, const char *udid, int *fd, struct error *err);

/*
 * The parent's own use: a CMS SignedData over content, attached, with the
 * certificates of the identity's chain. Blocks; *out is replaced. What comes
 * back is checked before it is believed. Errors as for signer_sign().
 */
int	signer_sign_document(struct signer *s, enum signer_purpose purpose, const void *content,
	    size_t len, struct blob *out, struct error *err);
/* The same with the digest at hand: the CMS comes back without the content. */
int	signer_sign_digest(struct signer *s, enum signer_purpose purpose,
	    const uint8_t digest[SIGNER_DIGEST], struct blob *out, struct error *err);

/* No more channels: the child ends when those that there are do. NULL is fine. */
void	signer_dismiss(struct signer *s);

/* Hangs up (POLLHUP) when the child has ended; nothing else may be done with it. */
int	signer_descriptor(const struct signer *s);

/* Ends the child and waits for it. NULL is fine. */
void	signer_stop(struct signer *s);
/* Closes what there is of it here, and ends nothing: for another process it goes on. */
void	signer_forget(struct signer *s);

/*
 * The worker's side: asks over fd for a CMS signature of the challenge.
 * ERR_UNAVAILABLE when the signer is gone, ERR_PERM when it refuses (or what
 * its agent or token answered: ERR_UNAVAILABLE, ERR_DATA, ERR_SOFTWARE),
 * ERR_TIMEOUT at the deadline (close fd then: the answer may still come),
 * ERR_PROTOCOL when the challenge is empty or longer than SIGNER_CHALLENGE_MAX.
 * *out is replaced.
 */
int	signer_sign(int fd, enum signer_purpose purpose, const void *challenge, size_t len,
	    struct deadline deadline, struct blob *out, struct error *err);
/*
 * The certificate in DER, for a worker that was started before its parent knew
 * it: waits until the identity is loaded. No signature; errors as above.
 */
int	signer_certificate(int fd, struct deadline deadline, struct blob *out, struct error *err);

#endif
