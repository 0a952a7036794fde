/* ledger: the append-only record of what was done, one SQLite file per station */
#ifndef STORE_LEDGER_H
#define STORE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clean.h"
#include "store/event.h"

struct error;
struct json_t;
struct ledger;

enum ledger_mode { LEDGER_READ, LEDGER_WRITE };

struct ledger_place {
	const char	*path;		/* NULL: ledger_default_path() */
	const char	*station;	/* the id of a new file; NULL: made from the host's name */
	int64_t		 busy_ms;	/* how long to wait for other writers; 0: 10 seconds */
};

/*
 * $XDG_STATE_HOME/chaperone/ledger.db; without that variable
 * /var/lib/chaperone/ledger.db for root and for the owner of that folder (the
 * service), and below ~/.local/state for others.
 * *out is the caller's: free().
 */
int	ledger_default_path(char **out, struct error *err);

/*
 * LEDGER_WRITE creates what is missing (the file 0600, a folder 0700),
 * migrates an older schema and finishes a rotation that was cut short; what
 * stands in the way is ERR_IO, also a file that belongs to somebody else or
 * that others can write. A station that is not the file's own is ERR_USAGE.
 * LEDGER_READ changes nothing, on a read-only medium too: missing is
 * ERR_NOINPUT, damaged or foreign ERR_DATA.
 * *out is the caller's: ledger_close(). It does not cross fork(2): a child
 * uses no function here, and leaves by _exit(2).
 */
int	ledger_open(const struct ledger_place *place, enum ledger_mode mode,
	    struct ledger **out, struct error *err);
/* Other than what it was opened with; for who has better things to do than to wait. */
void	ledger_set_busy(struct ledger *l, int64_t busy_ms);
void	ledger_close(struct ledger *l);		/* NULL is fine */

static inline void
clean_ledger(struct ledger **l)
{
	ledger_close(*l);
}

#define auto_ledger	auto_with(clean_ledger)

/* ---- writing ----------------------------------------------------------------- */

struct ledger_entry {
	enum event_kind		 kind;
	const char		*run;		/* UUID; NULL: "" */
	const char		*device;	/* UDID, or NULL */
	const struct json_t	*body;		/* an object; NULL: {} */
};

/*
 * The event is taken with the time of now, and waits in memory: nothing is on
 * record before ledger_commit() returns 0. ERR_USAGE for a body that is no
 * object or larger than EVENT_BODY_MAX. What waits when the ledger is closed
 * is lost.
 */
int	ledger_add(struct ledger *l, const struct ledger_entry *entry, struct error *err);

/*
 * When it returns 0 all events that were added are on the disk, in the order
 * in which they were added: written and synced in one transaction that also
 * read the event before them, so that any number of processes may append at
 * once. -1, ERR_IO: none of them is, and they go on waiting.
 */
int	ledger_commit(struct ledger *l, struct error *err);
/* Events of this kind that still wait are no longer to be written: they did not happen. */
void	ledger_withdraw(struct ledger *l, enum event_kind kind);

/*
 * Both for one event, after those that wait. *sequence may be NULL. -1: it was
 * not appended, and does not wait.
 */
int	ledger_append(struct ledger *l, const struct ledger_entry *entry, int64_t *sequence,
	    struct error *err);

/* ---- reading ----------------------------------------------------------------- */

/* Where the chain stands. Texts live as long as the ledger, or until the next call. */
struct ledger_head {
	const char	*station;
	int64_t		 first;			/* sequence of the file's first event */
	char		 carried[EVENT_HASH_MAX];	/* hash that it follows */
	int64_t		 sequence;		/* of the last event; first - 1: none yet */
	char		 hash[EVENT_HASH_MAX];	/* its hash, or carried */
	bool		 is_closed;
};
int	ledger_head(struct ledger *l, struct ledger_head *out, struct error *err);
const char *ledger_path(const struct ledger *l);

/* All that is given must hold; NULL and 0 are not given. */
struct ledger_filter {
	const char	*device;	/* UDID, or a serial number, ECID or name that a
					 * verdict knows */
	char		 token[EVENT_TEXT_MAX];	/* what stands for device under a key;
						 * "": nothing */
	const char	*run;		/* or its first digits */
	const char	*kind;
	const char	*verdict, *policy;
	int64_t		 since_ms, until_ms;	/* wall clock, until exclusive */
	int64_t		 after;		/* sequences greater than this */
	int64_t		 limit;		/* at most so many; the first ones */
};

/* e lives until it returns. -1 with *err set ends the reading. */
typedef int ledger_event_fn(void *ctx, const struct event *e, struct error *err);

/* In the order of the chain. -1: reading failed (ERR_DATA, ERR_NOINPUT), or fn did. */
int	ledger_each(struct ledger *l, const struct ledger_filter *filter, ledger_event_fn *fn,
	    void *ctx, struct error *err);

/* ---- closing a file and starting the next --------------------------------------- */

/*
 * Appends a last event (EVENT_CLOSED), moves the file to archive (NULL:
 * ledger-FIRST-LAST.db beside it) and starts a new one of the same station
 * whose first event follows it. Takes and frees l, also on failure. No other
 * process may have the file open: ERR_UNAVAILABLE. Cut short at any moment,
 * the next LEDGER_WRITE finishes it. *moved, when not NULL, is the archive's
 * path, the caller's: free().
 */
int	ledger_rotate(struct ledger *l, const char *run, const char *archive, char **moved,
	    struct error *err);
/*
 * The archive that a rotation left beside path under its own name, and that
 * holds this event. NULL: there is none. The caller's: free().
 */
char	*ledger_find_archive(const char *path, int64_t sequence);

#endif
