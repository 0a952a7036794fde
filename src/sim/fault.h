/* fault: what goes wrong, where and how often */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include <plist/plist.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum fault_kind {
	FAULT_NONE,
	/* the link; enum fault_phase says when */
	FAULT_HANG, FAULT_CLOSE, FAULT_UNPLUG, FAULT_RESTART, FAULT_LOCK,
	/* the bytes of the answer */
	FAULT_GARBAGE, FAULT_TRUNCATE, FAULT_OVERSIZED_LENGTH, FAULT_ZERO_LENGTH,
	/* the contents of the answer */
	FAULT_WRONG_TYPE, FAULT_MISSING_KEY, FAULT_OTHER_VALUE, FAULT_LISTED_TWICE, FAULT_ERROR,
	/* TLS: the handshake is refused; or, instead of an answer, it is broken off or ended */
	FAULT_TLS_REFUSE, FAULT_TLS_ALERT, FAULT_TLS_CLOSE,
	/* the truth: services know these */
	FAULT_REFUSE_ESCALATION, FAULT_ACK_NOT_STORED, FAULT_OTHER_UUID, FAULT_INACTIVE,
	FAULT_CONTRADICT,
};

enum fault_phase {
	FAULT_BEFORE,		/* the request has no effect and no answer */
	FAULT_ARRIVING,		/* so has it, and half of it is never read */
	FAULT_UNANSWERED,	/* it takes effect, no byte of the answer leaves */
	FAULT_MIDDLE,		/* it takes effect, half of the answer leaves */
	FAULT_AFTER,		/* it takes effect and is answered, then it happens */
};

/* Zero-initialise, then fault_set() for each key, then fault_check(). */
struct fault {
	struct fault	*next;
	enum fault_kind	 kind;
	enum fault_phase phase;
	char		*at;		/* service label, service name, or usbmuxd; NULL: any
					 * service */
	char		*request;	/* NULL: any; "TLS" is the handshake */
	uint64_t	 nth;		/* 0: every one; else only the nth that matches */
	uint64_t	 times;		/* with nth 0: how often; 0: without end */
	char		*key;		/* of the contents: found at any depth, or a path */
	char		*status;	/* error: Status (MCInstall) instead of "Error" */
	char		*domain;	/* error: first link of the chain */
	char		*code;		/* error: its code, as text */
	char		*code_type;	/* error: integer (default), real, string or mixed */
	char		*text;		/* error: description; lockdown: the Error string;
					 * other-value */
	char		*hex;		/* other-value: its bytes, which may be no UTF-8 */
	uint64_t	 repeat;	/* text is that often as long; 0: once */
	uint64_t	 links;		/* error: how many links; 0: one */
	uint64_t	 seen;		/* matching messages so far */
	uint64_t	 struck;
};

/* The names of a scenario's faults[]: at, request, nth, do, phase, times, key, ... */
int	fault_set(struct fault *fault, const char *key, const char *value, struct error *err);
/* Has it a "do"? ERR_DATA if not. */
int	fault_check(const struct fault *fault, struct error *err);
void	fault_clear(struct fault *fault);
const char *fault_name(enum fault_kind kind);

/* Owned lists. add takes the contents of *fault (empty afterwards); -1: no memory. */
int	fault_list_add(struct fault **list, struct fault *fault);
void	fault_list_clear(struct fault **list);

/*
 * The fault that strikes this message, or NULL. Counts, so call it once per
 * message. label and name are the service's short and full name. Those that
 * strike a message that arrives are not among them: it has no name yet.
 */
struct fault *fault_match(struct fault *list, const char *label, const char *name,
	    const char *request);
/* The same for a handshake: tls-refuse, and faults whose request is "TLS". */
struct fault *fault_match_tls(struct fault *list, const char *label, const char *name);
/* The same for the first bytes of a message: faults whose phase is "arriving". */
struct fault *fault_match_arriving(struct fault *list, const char *label, const char *name);

bool	fault_is_of_link(const struct fault *fault);
/* Breaks off TLS, or ends it, where an answer is due. */
bool	fault_is_of_tls(const struct fault *fault);
/* Rewrites a reply in place for the faults of contents that need no service. */
void	fault_spoil(const struct fault *fault, plist_t reply);
/* The ErrorChain that the fault describes. */
plist_t	fault_chain(const struct fault *fault);

/* A reply as bytes on the wire, after the faults of bytes. */
struct spoiled {
	size_t	 send;		/* how much of the framed reply leaves */
	bool	 must_close;	/* afterwards */
	bool	 must_hang;
};
/* length_at, length_size: where the frame keeps its length; big or little endian. */
struct frame {
	uint8_t	*data;
	size_t	 len;
	size_t	 header;	/* bytes before the body */
	bool	 is_little;
	bool	 counts_header;
};
struct spoiled fault_spoil_frame(const struct fault *fault, struct frame *frame);

#endif
