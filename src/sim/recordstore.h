/* recordstore: the pair records that usbmuxd keeps, in memory */
#ifndef SIM_RECORDSTORE_H
#define SIM_RECORDSTORE_H

#include <plist/plist.h>
#include <stddef.h>

struct blob;
struct record;

/* Zero-initialise. */
struct recordstore {
	struct record	*records;
};

/* These return 0 or an errno value, as usbmuxd's Result does. */
/* XML or binary in; kept as XML. EINVAL unless it is a dictionary. */
int	recordstore_save(struct recordstore *store, const char *id, const void *data, size_t len);
/* *out is borrowed until the next change. ENOENT. */
int	recordstore_read(const struct recordstore *store, const char *id,
	    const struct blob **out);
int	recordstore_delete(struct recordstore *store, const char *id);
void	recordstore_clear(struct recordstore *store);

#endif
