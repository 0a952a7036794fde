/* audit: recomputes a ledger's chain, and names what does not hold */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "store/event.h"

struct error;
struct ledger;

enum audit_kind {
	AUDIT_CHANGED,		/* an event's content does not give its hash */
	AUDIT_MISPLACED,	/* it gives it under another sequence: rows were swapped */
	AUDIT_NOT_LINKED,	/* it follows another event than the one that is there */
	AUDIT_MISSING,		/* a gap in the sequence */
	AUDIT_CUT_OFF,		/* events at the end that were there once */
	AUDIT_UNREADABLE,	/* damaged pages */
	AUDIT_FOREIGN,		/* an event of another station, or from before this file */
	AUDIT_CARRIED,		/* the file does not continue the one before it */
	AUDIT_SCHEMA,		/* a guard (trigger) or table is not as it was made */
	AUDIT_DAMAGED,		/* the file's structure, e.g. an index hides rows */
	AUDIT_SEAL,		/* a seal is not genuine, or says something else */
	AUDIT_TIMESTAMP,	/* a time stamp is not genuine, or for no seal that fits */
	AUDIT_KINDS
};

struct audit_finding {
	enum audit_kind	kind;
	int64_t		first, last;	/* sequences that it is about; 0: the file */
	char		text[400];	/* one line for people */
};

/* Of a time stamp (RFC 3161) that is genuine. */
struct audit_stamp {
	uint8_t	digest[32];	/* SHA-256 of what was stamped */
	int64_t	sealed;		/* set when that is a seal which fits: up to this event */
};

/* A seal that was kept outside. */
struct audit_head {
	struct blob	cms;
	bool		is_judged;	/* set by the file that has its event, or should */
	int64_t		sequence;	/* which that is, once it was read */
};

/* What is known from elsewhere. All may be empty. */
struct audit_known {
	struct audit_head	*heads;		/* each judged once, whichever file has it */
	size_t			 n_heads;
	bool			 has_more;	/* files that continue this one follow */
	const struct blob	*anchors;	/* who may sign seals: certificates, as for
						 * signed_open() */
	struct audit_stamp	*stamps;	/* matched with the seals, whichever file has
						 * them */
	size_t			 n_stamps;
	const char		*carried;	/* hash that the file must follow */
	int64_t			 first;		/* and with which sequence; 0: not known */
};

struct audit_result {
	int64_t	first, last;	/* sequences found */
	int64_t	events;		/* that are there and hold */
	size_t	findings;
	size_t	seals;		/* in the file and outside, that fit */
	int64_t	sealed;		/* up to this sequence; 0: no seal fits */
	char	hash[EVENT_HASH_MAX];	/* the head's */
};

/* "changed", "missing" and so on. */
const char *audit_kind_word(enum audit_kind kind);

typedef void audit_fn(void *ctx, const struct audit_finding *finding);

/*
 * Reads every event once. Findings are told in the order of the chain and do
 * not end the reading; the chain holds when there are none. Reads only.
 * -1: it could not even be begun.
 */
int	audit_run(struct ledger *l, const struct audit_known *known, audit_fn *tell, void *ctx,
	    struct audit_result *out, struct error *err);

#endif
