/* record: the ledger as commands use it: opened by the options, events as JSON and text */
#ifndef CLI_RECORD_H
#define CLI_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/ledger.h"

struct cli;
struct error;
struct journal;
struct policies;

/* The ledger of --ledger, or this host's. */
int	record_open(const struct cli *cli, enum ledger_mode mode, struct ledger **out,
	    struct error *err);

/*
 * An EVENT_OPERATOR: the command and its words, who gave it and from where
 * (the address of an SSH session, or the terminal). Secrets are never words.
 */
int	record_operator(const struct cli *cli, struct ledger *l, struct error *err);

/*
 * Opens the ledger and notes who gave which command, to be written with the
 * first event; *out: journal_close(). policies, borrowed, may say what is left
 * out of the record; NULL: there are none. In silence, for somebody may be typing a
 * passphrase: what went wrong record_check_journal() tells.
 */
void	record_journal(const struct cli *cli, const struct policies *policies, struct journal *out);
/*
 * A command that changes devices does not run without its ledger (ERR_IO); one
 * that only reads goes on and says so, unless --ledger named the file.
 */
int	record_check_journal(const struct cli *cli, bool is_changing, struct journal *j,
	    struct error *err);

/* --device, --since, --until, --verdict, --policy, --run. ERR_USAGE. */
int	record_filter(const struct cli *cli, struct ledger_filter *out, struct error *err);

/* chaperone.record/1, its body as an object. NULL: out of memory. */
json_t	*record_object(const struct event *e);
/* What happened, in a few words for a table; printable. */
void	record_summary(const char *kind, const json_t *body, char *out, size_t size);

#endif
