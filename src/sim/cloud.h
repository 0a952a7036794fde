/* cloud: the cloud configuration, which is what supervision is */
#ifndef SIM_CLOUD_H
#define SIM_CLOUD_H

#include <plist/plist.h>
#include <stdbool.h>

struct virtual;

/* Do the keys the device knows have the right types? */
bool	cloud_is_valid(plist_t wanted);
/* Keeps a copy, with what the device adds by itself. wanted stays the caller's. */
void	cloud_apply(struct virtual *device, plist_t wanted);

#endif
