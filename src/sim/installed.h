/* installed: the profiles on a device, how they come and how they go */
#ifndef SIM_INSTALLED_H
#define SIM_INSTALLED_H

#include <stdbool.h>
#include <stddef.h>

struct fault;
struct virtual;
struct vprofile;
struct vrefusal;

/*
 * Installs or replaces, without the user. fault: how the truth differs from
 * the acknowledgement, or NULL. -1: *refusal says why.
 */
int	installed_add(struct virtual *device, const void *data, size_t len,
	    const struct fault *fault, struct vrefusal *refusal);
/* Checks it and lets it wait for the user. -1: refused. */
int	installed_queue(struct virtual *device, const void *data, size_t len,
	    struct vrefusal *refusal);
/* The user taps Install in Settings. identifier NULL: the first. -1: none waits. */
int	installed_approve(struct virtual *device, const char *identifier,
	    struct vrefusal *refusal);

struct vprofile *installed_find(const struct virtual *device, const char *identifier);
/* false: it was not there. No check of locks. */
bool	installed_remove(struct virtual *device, const char *identifier);
/* Removes what is past its time on the device's clock, and waits for the next. */
void	installed_expire(struct virtual *device);

#endif
