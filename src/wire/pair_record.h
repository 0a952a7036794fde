/* pair_record: what makes a host known to one device, as usbmuxd stores it */
#ifndef WIRE_PAIR_RECORD_H
#define WIRE_PAIR_RECORD_H

#include <plist/plist.h>

#include "base/blob.h"
#include "crypto/pairing.h"

struct error;

/*
 * All nine entries that libimobiledevice, go-ios and others look for; with
 * fewer they take the device for unpaired. Zero-initialise; release with
 * pair_record_clear(), which wipes the keys.
 */
struct pair_record {
	struct pairing	keys;
	struct blob	escrow_bag;	/* empty: the device gave none */
	char		host_id[64];
	char		system_buid[64];
	char		wifi_mac[32];	/* "" when the device did not tell */
};

/*
 * Reads a stored record (XML or binary). ERR_DATA when what a session needs
 * (HostID, SystemBUID, host certificate and key) is missing: such a record is
 * as good as none.
 */
int	pair_record_parse(const struct blob *stored, struct pair_record *out, struct error *err);
int	pair_record_serialize(const struct pair_record *r, struct blob *out, struct error *err);

/* What Pair and Unpair carry: no private keys. The caller's; NULL out of memory. */
plist_t	pair_record_public(const struct pair_record *r);

void	pair_record_clear(struct pair_record *r);

#define auto_pair_record	auto_with(pair_record_clear)

#endif
