/* lockdown: one connection to lockdownd, the door to every service of a device */
#ifndef WIRE_LOCKDOWN_H
#define WIRE_LOCKDOWN_H

#include <plist/plist.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/deadline.h"

struct error;
struct lockdown;
struct mux_device;
struct pair_record;

/*
 * Every call but two is one request and one answer, and blocks until its deadline at
 * most. A refusal is ERR_DEVICE with the Error string in the chain (domain
 * "lockdown") and its enum refusal. The device drops an idle connection after
 * some ten seconds (libimobiledevice lockdown.h).
 */

int	lockdown_open(const struct mux_device *device, struct deadline deadline,
	    struct lockdown **out, struct error *err);
void	lockdown_close(struct lockdown *l);	/* NULL is fine */

/* domain and key may be NULL: all values of the domain. *out is the caller's. */
int	lockdown_get_value(struct lockdown *l, const char *domain, const char *key,
	    struct deadline deadline, plist_t *out, struct error *err);

/*
 * The same of all values in two halves, with time between them for another
 * connection of the same device: on this one nothing else may be asked meanwhile.
 */
int	lockdown_ask_values(struct lockdown *l, struct deadline deadline, struct error *err);
int	lockdown_hear_values(struct lockdown *l, struct deadline deadline, plist_t *out,
	    struct error *err);

/* A truth value; what the device has no value for is false. */
int	lockdown_get_flag(struct lockdown *l, const char *domain, const char *key,
	    struct deadline deadline, bool *out, struct error *err);

/* StartSession and the TLS handshake that follows it on the same connection. */
int	lockdown_start_session(struct lockdown *l, const struct pair_record *r,
	    struct deadline deadline, struct error *err);

struct lockdown_service {
	uint16_t	port;
	bool		uses_tls;
};

/* escrow_bag NULL: none is sent. With one some services start on a locked device. */
int	lockdown_start_service(struct lockdown *l, const char *name,
	    const struct blob *escrow_bag, struct deadline deadline,
	    struct lockdown_service *out, struct error *err);

/* What Pair brings. Zero-initialise; both may stay empty. */
struct lockdown_pairing {
	struct blob	escrow_bag;
	struct blob	challenge;	/* only with REFUSED_MC_CHALLENGE */
};

enum lockdown_pair_step { PAIR_PLAIN, PAIR_OFFER_CERTIFICATE, PAIR_ANSWER_CHALLENGE };

/*
 * One Pair request. offered is the supervisor's certificate (DER) or the signed
 * challenge (CMS), by step; both requests must go over the same connection with
 * the same record (as go-ios and pymobiledevice3 do). When the device asks for
 * a signature this is -1, ERR_DEVICE, REFUSED_MC_CHALLENGE, and out->challenge.
 */
int	lockdown_pair(struct lockdown *l, const struct pair_record *r,
	    enum lockdown_pair_step step, const struct blob *offered,
	    struct deadline deadline, struct lockdown_pairing *out, struct error *err);
int	lockdown_unpair(struct lockdown *l, const struct pair_record *r,
	    struct deadline deadline, struct error *err);

void	lockdown_pairing_clear(struct lockdown_pairing *p);

/* Puts a lockdown Error string into *err; -1. For lockdown.c and its tests. */
int	lockdown_refused(const char *request, plist_t reply, struct error *err);

#endif
