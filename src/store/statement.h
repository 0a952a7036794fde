/* statement: verdicts signed by the supervision identity, for whoever was not there */
#ifndef STORE_STATEMENT_H
#define STORE_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "crypto/cert.h"
#include "store/seal.h"

struct error;
struct json_t;

enum { STATEMENT_NONCE_MAX = 129 };

struct statement_claim {
	const char		*station;
	const char		*nonce;		/* from whoever asks; NULL: a random UUID */
	const struct json_t	*results;	/* array of chaperone.result/1, facts added */
	const struct json_t	*profiles;	/* array of identifier, uuid, sha256 of what
						 * was wanted */
};

/* Before anything is done: ERR_USAGE for a nonce that statement_make() would not take. */
int	statement_check_nonce(const char *nonce, struct error *err);

/*
 * A CMS SignedData over {"schema":"chaperone.statement/1", "at", "station",
 * "nonce", "profiles", "results"}; see seal.h for sign. ERR_USAGE for a nonce
 * that is too long or no printable line. *out is replaced.
 */
int	statement_make(const struct statement_claim *claim, sign_fn *sign, void *ctx,
	    struct blob *out, struct error *err);

/* Zero-initialise; release with statement_clear(). */
struct statement {
	struct json_t	*content;	/* the whole object */
	struct cert	 signer;
	int64_t		 signed_at;	/* seconds since 1970 */
	bool		 is_trusted;	/* checked against anchors */
};

/*
 * anchors as for signed_open(); NULL: anybody may have signed. nonce NULL: any.
 * ERR_DATA: altered, no statement, another signer, or another nonce.
 */
int	statement_read(const void *data, size_t len, const struct blob *anchors,
	    const char *nonce, struct statement *out, struct error *err);
void	statement_clear(struct statement *s);

#define auto_statement_of	auto_with(statement_clear)

#endif
