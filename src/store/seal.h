/* seal: the head of the chain, signed, so that what precedes it cannot be rewritten */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "crypto/cert.h"
#include "store/event.h"
#include "store/ledgerfile.h"

struct error;
struct ledger;

/*
 * A CMS SignedData over content, as identity_sign() makes it. Called once; the
 * key is wherever the caller keeps it. *out is replaced.
 */
typedef int sign_fn(void *ctx, const void *content, size_t len, struct blob *out,
    struct error *err);

/*
 * Signs the present head: {"schema":"chaperone.seal/1", "station", "sequence",
 * "hash", "at"}, and appends it to the ledger as an event of kind signature
 * (body: "schema":"chaperone.signature/1", "purpose":"seal", "sequence",
 * "hash", "cms" in base64). *cms, when not NULL, is replaced by it: kept
 * elsewhere, it also shows that events were cut off the end.
 * A ledger without any event is ERR_USAGE.
 */
int	seal_make(struct ledger *l, const char *run, sign_fn *sign, void *ctx, struct blob *cms,
	    struct error *err);

/* Zero-initialise; release with seal_clear(). */
struct seal {
	char		station[STATION_MAX];
	int64_t		sequence;
	char		hash[EVENT_HASH_MAX];
	int64_t		signed_at;	/* seconds since 1970 */
	uint8_t		sha256[32];	/* of the CMS: what a time stamp is for */
	struct cert	signer;
};

/* anchors as for signed_open(). ERR_DATA: no seal, altered, or not by them. */
int	seal_read(const void *cms, size_t len, const struct blob *anchors, struct seal *out,
	    struct error *err);
/* The seal in the body of an event. 1: there is none, 0, or -1 with *err set. */
int	seal_of_event(const struct event *e, const struct blob *anchors, struct seal *out,
	    struct error *err);
void	seal_clear(struct seal *s);

#define auto_seal	auto_with(seal_clear)

#endif
