/* config: defaults from chaperone.yaml */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include "station/station.h"

struct error;
struct mux_device;
struct options;
struct privacy;
struct slots;

/*
 * Fills what the command line left open: identity (CHAPERONE_IDENTITY, then
 * CHAPERONE_AGENT, before the file), passphrase-file, organization, jobs,
 * timeout, wait. With --config the file must exist (ERR_NOINPUT); a missing
 * default is fine. What does not fit is ERR_DATA with line and column. Texts
 * live until config_release().
 */
int	config_load(struct options *o, struct error *err);
void	config_release(void);

/* The ports that the file names; NULL when it names none. Until config_release(). */
const struct slots *config_slots(void);
/* The same, as the caller's own; none is fine. */
int	config_copy_slots(struct slots *out, struct error *err);
/* Programs that a station tells, or NULL. Until config_release(). */
struct station_hooks config_hooks(void);
/* For fleet.slot_of; slot_ctx is config_slots(). */
const char *config_slot_of(void *slot_ctx, const struct mux_device *device);

/* What the record leaves out of devices when no policy says so; its key is not set. */
const struct privacy *config_privacy(void);
/* The file of the key, NULL: the one beside the ledger. Until config_release(). */
const char *config_privacy_key(void);

#endif
