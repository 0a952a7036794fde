/* select: which of the attached devices a command is about */
#ifndef CLI_SELECT_H
#define CLI_SELECT_H

#include <stdbool.h>
#include <stddef.h>

struct cli;
struct error;
struct mux_device;

/*
 * -u, -a, or neither: then a command that only reads takes all, and one that
 * changes takes the only one there is (ERR_USAGE when there are several; there
 * is no "first device"). An ID is a UDID, a serial number or an ECID; for the
 * latter two the devices are asked. An ID that matches nothing makes *n 0 and
 * is named in *err; one that matches two devices is ERR_USAGE.
 * *out is the caller's: free().
 */
int	select_devices(const struct cli *cli, bool is_changing, struct mux_device **out,
	    size_t *n, struct error *err);

/* Whether -u, if given, names the device that has these; NULL: not known. */
bool	select_wants(const struct cli *cli, const char *udid, const char *serial, const char *ecid);

#endif
