/* journal: what is done to devices, written to the ledger as it happens */
#ifndef FLOW_JOURNAL_H
#define FLOW_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "store/event.h"
#include "store/privacy.h"

struct ledger;
struct mux_device;
struct policies;

/* Zero-initialise; release with journal_close(). Without a ledger it does nothing. */
struct journal {
	struct ledger	*ledger;	/* NULL: nothing is recorded */
	const char	*run;		/* UUID of the command */
	const char	*command;	/* "apply" and its like */
	/*
	 * What is left out or hashed before it is written, under a key that is kept
	 * here. Of a device's name and numbers its policy may say otherwise.
	 */
	struct privacy	 privacy;
	const char	*key_file;	/* NULL: the one beside the ledger */
	struct blob	 privacy_key;
	const struct policies *policies;	/* that verdicts may name; NULL: none. Borrowed */
	/*
	 * Events wait for journal_commit(), which writes all of them at once, and
	 * with them what is not on the disk yet. Without it each is written by itself.
	 */
	bool		 is_batched;
	bool		 is_incomplete;	/* an event could not even be kept for later */
	struct error	 failed;	/* why the record is not complete */
};

void	journal_close(struct journal *j);

/*
 * What these policies say of their devices' privacy counts from now on; NULL:
 * there are none. Reads the key, or makes it, when any of it asks for one:
 * before something is done that could not be written. -1: all is as it was.
 */
int	journal_use_policies(struct journal *j, const struct policies *policies, struct error *err);

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
/*
 * 0: nothing waits any more. -1: it waits on, and j->failed says why too; but
 * changes that were to be sent are withdrawn, and whoever asked for one is to be
 * told no. fleet's commit.
 */
int	journal_commit(struct journal *j, struct error *err);
/* Any event; udid may be NULL. Takes body. Fails as journal_note() does. */
void	journal_add(struct journal *j, enum event_kind kind, const char *udid, json_t *body);

#endif
