/* journal: what is done to devices, written to the ledger as it happens */
#ifndef FLOW_JOURNAL_H
#define FLOW_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>

#include "base/clean.h"
#include "base/error.h"
#include "store/event.h"

struct ledger;
struct mux_device;

/* Zero-initialise; release with journal_close(). Without a ledger it does nothing. */
struct journal {
	struct ledger	*ledger;	/* NULL: nothing is recorded */
	const char	*run;		/* UUID of the command */
	const char	*command;	/* "apply" and its like */
	/*
	 * Events wait for journal_commit(), which writes all of them at once, and
	 * with them what is not on the disk yet. Without it each is written by itself.
	 */
	bool		 is_batched;
	bool		 is_incomplete;	/* an event could not even be kept for later */
	struct error	 failed;	/* why the record is not complete */
};

void	journal_close(struct journal *j);

#define auto_journal	auto_with(journal_close)

/* Before a change is sent; fleet's permit. 0: it is on the disk, or waits. */
int	journal_permit(struct journal *j, const struct mux_device *device, const json_t *intent,
	    struct error *err);
/*
 * A worker's event or result. Why it cannot be written is kept in j->failed,
 * and nothing is tried after it until somebody clears that.
 */
void	journal_note(struct journal *j, const struct mux_device *device, json_t *message,
	    bool is_result);
/* 0: nothing waits any more. -1: it waits on, and j->failed says why too; fleet's commit. */
int	journal_commit(struct journal *j, struct error *err);
/* Any event; udid may be NULL. Takes body. Fails as journal_note() does. */
void	journal_add(struct journal *j, enum event_kind kind, const char *udid, json_t *body);

#endif
