/* event: one line of the record, and the bytes that its hash is over */
#ifndef STORE_EVENT_H
#define STORE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

struct blob;
struct error;

enum event_kind {
	EVENT_ATTACH,		/* a device was seen: device, trust */
	EVENT_JOB_STARTED,	/* command, and what is wanted */
	EVENT_SENT,		/* a request that changes the device is about to leave */
	EVENT_ACKNOWLEDGED,	/* the device answered it */
	EVENT_VERDICT,		/* a chaperone.result/1 object */
	EVENT_SIGNATURE,	/* the identity signed something; a seal is one */
	EVENT_POLICY_LOADED,	/* name, file, sha256 */
	EVENT_OPERATOR,		/* a command: its words, who, from where */
	EVENT_NOTE,		/* a station: what, and what goes with it */
	EVENT_CLOSED,		/* the last one of a file; the chain goes on in the next */
	EVENT_KINDS
};

enum {
	EVENT_HASH_MAX = 65,		/* SHA-256 in lower-case hexadecimal, and a NUL */
	EVENT_TEXT_MAX = 128,		/* bytes of a station, boot, run or device id */
	EVENT_BODY_MAX = 1 << 20,
};

/* Sequences end here, long before a counter of 64 bits does. */
static const int64_t EVENT_SEQUENCE_MAX = INT64_C(1) << 53;

/* As stored. Texts are borrowed; who gives one out says for how long. */
struct event {
	const char	*station;
	int64_t		 sequence;	/* from 1, without gaps */
	int64_t		 wall_ms;	/* since 1970, UTC */
	int64_t		 monotonic_ms;	/* CLOCK_MONOTONIC: since boot, cannot be set back */
	const char	*boot;		/* the kernel's boot id, which gives monotonic_ms its
					 * sense */
	const char	*run;		/* UUID of the command that wrote it */
	const char	*device;	/* UDID, or NULL */
	const char	*kind;
	const char	*body;		/* JSON: keys sorted, no blanks, one line */
	const char	*previous;	/* hash of the event before */
	const char	*hash;
	bool		 is_cut;	/* as read: a text goes on behind a NUL, unhashed */
};

/* "sent" and its like; NULL beyond EVENT_KINDS. */
const char *event_kind_word(enum event_kind kind);

/*
 * The SHA-256 of these lines, each ended by a newline: "chaperone.ledger/1",
 * station, sequence, wall_ms, monotonic_ms, boot, run, device (empty when
 * there is none), kind, previous, body. Numbers are decimal. No field but the
 * last can hold a newline (event_is_sound), so equal bytes are equal events.
 * e->hash is not looked at. -1 only when memory runs out.
 */
int	event_hash(const struct event *e, char out[EVENT_HASH_MAX], struct error *err);

/* No field is NULL (but device), cut, too long, or holds a control character. */
bool	event_is_sound(const struct event *e);

/* What the first event of a first file follows: 64 zeros. */
extern const char EVENT_NO_PREVIOUS[EVENT_HASH_MAX];

#endif
