/* dump: the state of the bench as JSON, for tests and for people */
#ifndef SIM_DUMP_H
#define SIM_DUMP_H

#include <jansson.h>

struct bench;
struct counters;
struct virtual;

/* New references, or NULL out of memory. Never a key, a token or an escrow bag. */
json_t	*dump_device(const struct virtual *device);
json_t	*dump_bench(const struct bench *bench);
json_t	*dump_counters(const struct counters *counters);

#endif
