/* command: the table of commands, and what each is given */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>

#include "cli/options.h"

struct cli;
struct error;

/* Exit codes beside those of verdicts (core/verdict.h). */
enum exit_code { EXIT_NO_DEVICE = 4, EXIT_INTERRUPTED = 130 };

/*
 * Does its work and returns the exit code. What is wrong with the command as a
 * whole is told by cli_fail().
 */
typedef int command_fn(struct cli *cli);

struct command {
	const char	*name;		/* "apply", "identity create" */
	command_fn	*run;
	unsigned	 groups;	/* of options */
	unsigned	 min_args, max_args;
	const char	*synopsis;	/* its arguments, or "" */
	const char	*help;		/* one line */
};

extern const struct command commands[];		/* ends with a NULL name */

/* What a running command has at hand. */
struct cli {
	struct options		 options;
	const struct command	*command;
	const char *const	*args;		/* after the command's name */
	unsigned		 n_args;
	char			 run[37];	/* UUID of this run */
	bool			 color;		/* stdout is a terminal that wants it */
};

int	cmd_device(struct cli *cli);		/* list show verify plan apply remove pair unpair */
int	cmd_watch(struct cli *cli);
int	cmd_station(struct cli *cli);
int	cmd_station_learn(struct cli *cli);
int	cmd_policy_check(struct cli *cli);
int	cmd_identity_create(struct cli *cli);
int	cmd_identity_show(struct cli *cli);
int	cmd_identity_import(struct cli *cli);
int	cmd_identity_export(struct cli *cli);
int	cmd_profile_presets(struct cli *cli);
int	cmd_profile_build(struct cli *cli);
int	cmd_profile_lint(struct cli *cli);
int	cmd_profile_sign(struct cli *cli);
int	cmd_profile_show(struct cli *cli);
int	cmd_profile_diff(struct cli *cli);
int	cmd_agent(struct cli *cli);
int	cmd_attest_verify(struct cli *cli);
int	cmd_ledger_list(struct cli *cli);
int	cmd_ledger_show(struct cli *cli);
int	cmd_ledger_verify(struct cli *cli);
int	cmd_ledger_seal(struct cli *cli);
int	cmd_ledger_export(struct cli *cli);
int	cmd_ledger_rotate(struct cli *cli);
int	cmd_ledger_push(struct cli *cli);
int	cmd_ledger_central_init(struct cli *cli);
int	cmd_report(struct cli *cli);

/* Reports on stderr, with --json on stdout too, and returns the exit code. */
int	cli_fail(const struct cli *cli, const struct error *err);
/* The same, when the code is not that of the error's kind. */
int	cli_fail_as(const struct cli *cli, int exit_code, const struct error *err);

/* main() without the process: parses, runs, returns the exit code. */
int	cli_main(int argc, char **argv);

#endif
