/* attest: verify --attest: the verdicts of a command as a signed statement */
#ifndef CLI_ATTEST_H
#define CLI_ATTEST_H

#include <jansson.h>

#include "base/clean.h"
#include "cli/host.h"

struct cli;
struct clients;
struct desired;
struct error;
struct journal;

/* Zero-initialise; release with attest_close(). Without --attest nothing happens. */
struct attest {
	const char	*file;		/* NULL: no statement is wanted */
	struct host	 own;		/* the signer of --attest-with */
	json_t		*results;
};

/*
 * Before anything is done: looks at the options and whether the file may be
 * written, and starts the signer of --attest-with. ERR_USAGE, ERR_CREATE, or
 * why the identity cannot be loaded.
 */
int	attest_open(const struct cli *cli, struct attest *a, struct error *err);
void	attest_close(struct attest *a);

#define auto_attest	auto_with(attest_close)

/* Whose signature it is: --attest-with, else the identity at work. ERR_USAGE: none, or several. */
int	attest_choose(const struct attest *a, const struct host *host,
	    const struct clients *clients, struct signer **out, struct error *err);

/* A result as the device got it told. */
void	attest_add(struct attest *a, const json_t *result);

/* Who said what was wanted: the command, or the policies that results name. */
struct wanted {
	const struct desired	*desired;
	const struct clients	*clients;
};

/*
 * Signs, has the journal note the signature, and writes the file, and the
 * time-stamp request if there is to be one.
 */
int	attest_write(const struct attest *a, const struct cli *cli, struct signer *signer,
	    const struct wanted *wanted, struct journal *journal, struct error *err);

#endif
