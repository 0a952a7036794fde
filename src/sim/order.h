/* order: one command of the control socket, carried out at once */
#ifndef SIM_ORDER_H
#define SIM_ORDER_H

#include <jansson.h>
#include <stdbool.h>

struct bench;
struct error;

/*
 * Runs any command but wait. Returns what goes into the answer beside "ok"
 * (may be an empty object), or NULL and *err.
 */
json_t	*order_run(struct bench *bench, json_t *command, struct error *err);

/* wait: is what it waits for true now? -1: there is no such condition. */
int	order_is_met(const struct bench *bench, json_t *command, struct error *err);

#endif
