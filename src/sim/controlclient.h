/* controlclient: "chaperone-vbench ctl": words to a JSON line, and the answer printed */
#ifndef SIM_CONTROLCLIENT_H
#define SIM_CONTROLCLIENT_H

#include <stddef.h>

struct error;

/*
 * words: COMMAND [DEVICE] [KEY=VALUE]..., with the short forms "tap [DEVICE]
 * trust|deny" and "clock set|advance WHEN". Blocks for the answer and writes it
 * to stdout. 0: ok; 1: the bench said no; -1: it was not reached.
 */
int	controlclient_run(const char *path, char *const *words, size_t n, struct error *err);

#endif
