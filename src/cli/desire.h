/* desire: what the options ask devices to be */
#ifndef CLI_DESIRE_H
#define CLI_DESIRE_H

struct cli;
struct desired;
struct error;

/* With --policy nothing else may say what a device should be: ERR_USAGE. */
int	desire_check_policy(const struct cli *cli, struct error *err);

/*
 * Presets, profile files, time bounds and --organization into *out. For remove
 * the arguments of the command are identifiers, and all is inverted. The
 * identity's organization is the default: desired_adopt() when it is known.
 */
int	desire_from_options(const struct cli *cli, struct desired *out, struct error *err);

#endif
