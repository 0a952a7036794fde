/* virtual: one device, its state and what can be done to it from outside */
#ifndef SIM_VIRTUAL_H
#define SIM_VIRTUAL_H

#include <openssl/types.h>
#include <plist/plist.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "sim/bench.h"
#include "sim/catalogue.h"
#include "sim/loop.h"
#include "sim/service.h"

struct fault;
struct host;
struct observer;
struct stream;
struct vprofile;

enum trust { TRUST_ASK, TRUST_ACCEPT, TRUST_DENY };

/* What to make. Everything is borrowed; zero-initialise and see virtual_spec_init(). */
struct virtual_spec {
	const char	*name;		/* with count > 1 a number is added */
	uint64_t	 count;
	const char	*udid, *serial;	/* NULL or empty: made up */
	const char	*product, *os;
	const char	*organization;	/* NULL: unsupervised */
	const struct blob *certificate;	/* DER; NULL: supervised by nobody in particular */
	enum trust	 trust;
	bool		 is_paired, is_locked, has_passcode, is_activated;
	bool		 is_set_up;	/* Setup Assistant is over */
	bool		 allows_pairing;
	bool		 has_queries;
	bool		 is_unplugged;
	uint64_t	 latency_ms;
	uint64_t	 idle_ms;	/* lockdown connections without a request; 0: stay */
	uint64_t	 restart_ms;
	uint64_t	 mux_version;	/* highest of usbmuxd's USB protocol: 1 or 2 */
	const struct blob *profiles;	/* installed at the start */
	size_t		 n_profiles;
	struct fault	*faults;	/* copied for each device */
};
/* One unlocked, activated, unsupervised iPad that asks for trust. */
void	virtual_spec_init(struct virtual_spec *spec);

enum dialog { DIALOG_NONE, DIALOG_SHOWING, DIALOG_TRUSTED, DIALOG_DENIED };

struct open_port {
	struct open_port	*next;
	uint16_t		 port;
	const struct service	*service;
	struct host		*host;
	int64_t			 until_ms;	/* monotonic */
};

struct virtual {
	struct bench	*bench;
	size_t		 position;
	const struct model *model;
	struct plate	 plate;
	EVP_PKEY	*key;		/* the bench's */
	char		*name, *product, *os;
	char		 build[16];

	uint32_t	 device_id;	/* 0: not attached */
	bool		 is_leaving;	/* being detached: nothing else happens to it */
	bool		 is_locked, has_passcode;
	bool		 was_unlocked;	/* since the last start */
	bool		 is_activated, is_set_up;
	bool		 has_queries;
	enum trust	 trust;
	enum dialog	 dialog;
	uint64_t	 latency_ms, idle_ms, restart_ms;
	uint32_t	 mux_version;

	plist_t		 cloud;		/* cloud configuration; NULL: none */
	plist_t		 values;	/* what hosts set: "domain/key" -> value */
	plist_t		 stored;	/* StoreProfile: purpose -> data */
	struct host	*hosts;
	struct vprofile	*profiles;
	struct vprofile	*pending;	/* wait for the user */
	struct blob	 unlock_token;
	struct timer	 removal_timer;
	struct timer	 news_timer;	/* profile notifications, a moment late */
	struct timer	 restart_timer;

	struct open_port *ports;
	uint16_t	 last_port;
	struct stream	*streams;
	struct observer	*observers;
	struct fault	*faults;
	struct counters	 counters;
};

/* number: 0 when the spec is for a single device. NULL and *err on failure. */
struct virtual *virtual_new(struct bench *bench, const struct virtual_spec *spec, size_t number,
	    struct error *err);
void	virtual_free(struct virtual *device);

/* Where it is plugged in: a USB bus, and a number on it. */
uint32_t virtual_bus(const struct virtual *device);
uint32_t virtual_address(const struct virtual *device);

/* ---- the cable and the power ---- */
void	virtual_attach(struct virtual *device);
void	virtual_detach(struct virtual *device);
/* Leaves and comes back under another DeviceID, locked when it has a passcode. */
void	virtual_restart(struct virtual *device);
void	virtual_meet(struct virtual *device, enum fate fate);

/* ---- the person in front of it ---- */
void	virtual_lock(struct virtual *device);
void	virtual_unlock(struct virtual *device);
/* -1 when no trust dialog is showing. */
int	virtual_tap(struct virtual *device, bool trust);

/* ---- for services ---- */
bool	virtual_is_supervised(const struct virtual *device);
/* AllowPairing of the cloud configuration, and the restriction of that kind. */
bool	virtual_allows_pairing(const struct virtual *device);
/* Is der among SupervisorHostCertificates, byte for byte? */
bool	virtual_is_supervisor(const struct virtual *device, const void *der, size_t len);
plist_t	virtual_effective(const struct virtual *device);
/* Opens a port for one connection; 0: no memory. */
uint16_t virtual_open_port(struct virtual *device, const struct service *service,
	    struct host *host);
/* Takes it: the second connection is refused. NULL: closed. */
const struct service *virtual_take_port(struct virtual *device, uint16_t port,
	    struct host **host);

#endif
