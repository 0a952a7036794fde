/* journal: what a command does to devices, written to the ledger as it happens */
#ifndef CLI_JOURNAL_H
#define CLI_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>

#include "base/clean.h"
#include "base/error.h"

struct cli;
struct ledger;
struct mux_device;

/* Zero-initialise; release with journal_close(). Without a ledger it does nothing. */
struct journal {
	const struct cli	*cli;
	struct ledger		*ledger;	/* NULL: nothing is recorded */
	struct error		 failed;	/* the first event that could not be written */
};

/*
 * Opens the ledger of the options and writes who gave which command. A command
 * that changes devices does not run without it (ERR_IO); one that only reads
 * goes on and says so, unless --ledger named the file.
 */
int	journal_open(const struct cli *cli, bool is_changing, struct journal *out,
	    struct error *err);
void	journal_close(struct journal *j);

#define auto_journal	auto_with(journal_close)

/* Before a change is sent; fleet's permit. 0: it is on the disk. */
int	journal_permit(struct journal *j, const struct mux_device *device, const json_t *intent,
	    struct error *err);
/* A worker's event or result. What cannot be written is kept in j->failed. */
void	journal_note(struct journal *j, const struct mux_device *device, json_t *message,
	    bool is_result);

#endif
