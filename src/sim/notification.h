/* notification: Darwin notifications, and the two services that relay them */
#ifndef SIM_NOTIFICATION_H
#define SIM_NOTIFICATION_H

struct virtual;

/* To every host that observes the name. */
void	notification_post(struct virtual *device, const char *name);

#endif
