/* catalogue: product models, and identities made up from a device's position */
#ifndef SIM_CATALOGUE_H
#define SIM_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model {
	const char	*product;	/* ProductType */
	const char	*class;		/* DeviceClass */
	const char	*hardware;	/* HardwareModel */
	const char	*number;	/* ModelNumber */
	uint32_t	 chip;		/* ChipID; the platform is its hexadecimal text */
	uint32_t	 board;
	uint16_t	 usb_product;
	bool		 has_telephony;
};

/* An unknown product gets a plausible model of its family. Never NULL. */
const struct model *catalogue_find(const char *product);
/* Devices from A12 on have the short UDID that contains ChipID and ECID. */
bool	catalogue_has_short_udid(const struct model *model);

/* What is engraved into a device. Consistent in itself: ChipID and ECID are in the UDID. */
struct plate {
	char		udid[44];
	char		serial[16];
	uint32_t	chip;
	uint64_t	ecid;
	char		wifi[18];
	char		bluetooth[18];
	char		imei[16];
	char		mlb[20];
	uint64_t	die;
};

/* The same for the same position and model. udid and serial may be given, or NULL. */
void	catalogue_engrave(const struct model *model, size_t position, const char *udid,
	    const char *serial, struct plate *out);

/* BuildVersion of an OS version: the real one when known, else of the right shape. */
void	catalogue_build(const char *os, char *out, size_t size);

#endif
