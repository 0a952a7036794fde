/* slots: what people call the ports of a bench, and how each of them fares */
#ifndef STATION_SLOTS_H
#define STATION_SLOTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clean.h"
#include "core/verdict.h"
#include "device/usbport.h"

struct error;

enum { SLOTS_MAX = 4096, SLOT_NAME_MAX = 64 };

struct slot {
	char	name[SLOT_NAME_MAX];		/* "7", "left 3"; the port's own when it has none */
	char	port[USBPORT_PATH_MAX];		/* how the configuration names the port */
	char	kernel_name[USBPORT_MAX];	/* "1-4.2", once something hung on it */
	bool	is_named;			/* by the configuration */
	unsigned jobs, failures;		/* since the start */
	enum reason last;			/* of the last failure */
};

/* Zero-initialise; release with slots_clear(). */
struct slots {
	struct slot	*items;
	size_t		 n;
};

void	slots_clear(struct slots *s);

#define auto_slots	auto_with(slots_clear)

/*
 * Names a port: "1-4.2" as the kernel does, "pci-0000:00:14.0-usb-0:4.2" as
 * udev does (ID_PATH), or "0x00010004" where neither knows it. ERR_DATA when
 * the name or the port has one already, or the name cannot be printed.
 */
int	slots_add(struct slots *s, const char *name, const char *port, struct error *err);

/* The name of that port, NULL when the configuration gives it none. */
const char *slots_name(const struct slots *s, const struct usbport *port);
/* The same, of a port on which a device has just been seen. */
const char *slots_see(struct slots *s, const struct usbport *port);
/* What the port of that kernel name is called, where a device was seen; NULL: nothing. */
const char *slots_called(const struct slots *s, const char *kernel_name);

/*
 * Counts a job on a port, whether it has a name or not. Only what a port, a cable
 * or a hub can be to blame for is a failure of it: a locked device is none.
 */
int	slots_note(struct slots *s, const struct usbport *port, enum reason reason,
	    struct error *err);
bool	slots_is_to_blame(enum reason reason);

/*
 * Those with at least two failures, the worst first (by their share of the jobs,
 * then by their number), at most most of them. Returns how many. Borrowed.
 */
size_t	slots_worst(const struct slots *s, const struct slot **out, size_t most);

#endif
