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
	struct error	 failed;	/* the first event that could not be written */
};

void	journal_close(struct journal *j);

#define auto_journal	auto_with(journal_close)

/* Before a change is sent; fleet's permit. 0: it is on the disk. */
int	journal_permit(struct journal *j, const struct mux_device *device, const json_t *intent,
	    struct error *err);
/*
 * A worker's event or result. What cannot be written is kept in j->failed, and
 * nothing is tried after it until somebody clears that.
 */
void	journal_note(struct journal *j, const struct mux_device *device, json_t *message,
	    bool is_result);
/* Any event; udid may be NULL. Takes body. Fails as journal_note() does. */
void	journal_add(struct journal *j, enum event_kind kind, const char *udid, json_t *body);

#endif
