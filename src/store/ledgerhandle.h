/* ledgerhandle: what an open ledger consists of, for the modules of store/ only */
#ifndef STORE_LEDGERHANDLE_H
#define STORE_LEDGERHANDLE_H

#include <sqlite3.h>
#include <sys/types.h>

#include "store/event.h"
#include "store/ledger.h"
#include "store/ledgerfile.h"

struct waiting;

struct ledger {
	char			*path;
	enum ledger_mode	 mode;
	int64_t			 busy_ms;
	pid_t			 owner;		/* a connection does not cross fork(2) */
	sqlite3			*db;
	dev_t			 device;	/* and inode, of the file that is written to */
	ino_t			 inode;
	sqlite3_stmt		*last, *insert;	/* kept for appending */
	char			 station[STATION_MAX];
	int64_t			 first;
	char			 carried[EVENT_HASH_MAX];
	char			 boot[EVENT_TEXT_MAX];
	struct waiting		*waiting;	/* added, and not on the disk yet */
	size_t			 n_waiting, room;
};

/* Columns in the order of ledgerhandle_event(). */
#define EVENT_COLUMNS                                                         \
	"station, sequence, wall_ms, monotonic_ms, boot, run, device, kind, " \
	"body, previous, hash"

/* The row that s stands on; texts live until its next step. */
void	ledgerhandle_event(sqlite3_stmt *s, struct event *out);

/* Sequence and hash of the last event, or what the first one will follow. */
int	ledgerhandle_last(struct ledger *l, int64_t *sequence, char previous[EVENT_HASH_MAX],
	    struct error *err);
/* Drops what was added and not committed. */
void	ledgerhandle_forget(struct ledger *l);
/* The last event is EVENT_CLOSED: nothing can be appended here. */
bool	ledgerhandle_is_closed(struct ledger *l);
/* The file that lies at the path now; another process may have exchanged it. */
int	ledgerhandle_reopen(struct ledger *l, struct error *err);

/* A file that is closed, and still lies where the next one belongs. Takes l. */
int	ledgerhandle_finish_rotation(struct ledger *l, struct error *err);

#endif
