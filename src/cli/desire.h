/* desire: what the options ask devices to be */
#ifndef CLI_DESIRE_H
#define CLI_DESIRE_H

struct cert;
struct cli;
struct desired;
struct error;

/* With --policy nothing else may say what a device should be: ERR_USAGE. */
int	desire_check_policy(const struct cli *cli, struct error *err);

/*
 * Presets, profile files, time bounds and organization into *out. cert is the
 * identity's, whose organization is the default, or NULL. For remove the
 * arguments of the command are identifiers, and all is inverted.
 */
int	desire_from_options(const struct cli *cli, const struct cert *cert,
	    struct desired *out, struct error *err);

#endif
