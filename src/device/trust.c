/* trust: how a host becomes trusted by one device */
#include "device/trust.h"

#include <plist/plist.h>
#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/log.h"
#include "base/proplist.h"
#include "base/text.h"
#include "core/refusal.h"
#include "device/patience.h"
#include "device/session.h"
#include "wire/lockdown.h"
#include "wire/mux.h"
#include "wire/muxlink.h"
#include "wire/pair_record.h"

enum { MORE_PAUSE_MS = 250, LONGEST_PAUSE_MS = 5000 };	/* when each question costs a signature */

/* A value that strangers are told too: from what we have, else by asking. */
static int
public_value(struct lockdown *l, plist_t known, const char *key, struct deadline deadline,
    plist_t *out, struct error *err)
{
	plist_t value = dict_get(known, key);

	if (!value)
		return lockdown_get_value(l, NULL, key, deadline, out, err);
	*out = plist_copy(value);
	return *out ? 0 : error_memory(err);
}

/* The address is for syncing over Wi-Fi, which we do not do: it may be missing. */
static int
take_wifi_address(struct lockdown *l, plist_t known, struct deadline deadline,
    struct pair_record *r, struct error *err)
{
	auto_plist plist_t wifi = NULL;
	struct error trouble = { 0 };
	const char *address;

	if (public_value(l, known, "WiFiAddress", deadline, &wifi, &trouble) < 0 &&
	    trouble.kind != ERR_DEVICE) {
		*err = trouble;
		return -1;
	}
	address = node_string(wifi);
	if (address && strlen(address) < sizeof(r->wifi_mac))
		memcpy(r->wifi_mac, address, strlen(address) + 1);
	return 0;
}

/* New names and certificates for this device. */
static int
prepare(struct lockdown *l, const struct pairing_keys *keys, plist_t known,
    struct deadline deadline, struct pair_record *r, struct error *err)
{
	auto_plist plist_t key = NULL;
	const void *pem;
	size_t len;

	if (public_value(l, known, "DevicePublicKey", deadline, &key, err) < 0)
		return -1;
	if (!node_data(key, &pem, &len))
		return error_set(err, ERR_PROTOCOL, "DevicePublicKey is no data");
	if (take_wifi_address(l, known, deadline, r, err) < 0 ||
	    mux_read_buid(deadline, r->system_buid, err) < 0)
		return -1;
	text_uuid_random(r->host_id);
	return pairing_create(keys, pem, len, &r->keys, err);
}

/* The device asked for a signature: gives it. */
static int
answer(struct lockdown *l, const struct session_host *host, const struct pair_record *r,
    const struct blob *challenge, struct deadline deadline, struct lockdown_pairing *out,
    struct error *err)
{
	auto_blob struct blob proof = { 0 };

	if (host->sign_pairing(host->sign_ctx, challenge, deadline, &proof, err) < 0)
		return error_context(err, "answering the challenge");
	if (lockdown_pair(l, r, PAIR_ANSWER_CHALLENGE, &proof, deadline, out, err) == 0)
		return 0;
	/* Which error a device gives for a wrong answer is not known: any of them
	 * but "locked" means that the identity was refused. */
	if (err->kind == ERR_DEVICE && err->refusal != REFUSED_PASSWORD_PROTECTED)
		err->refusal = REFUSED_SIGNED_REQUEST;
	return -1;
}

/* Silently, by the identity; else the device asks a person. */
static bool
is_silent(const struct session_host *host)
{
	return host->may_pair && host->certificate;
}

/* One round: offer, and answer if asked. */
static int
ask_once(struct lockdown *l, const struct session_host *host, const struct pair_record *r,
    struct deadline deadline, struct blob *escrow_bag, struct error *err)
{
	auto_with(lockdown_pairing_clear) struct lockdown_pairing got = { 0 };
	enum lockdown_pair_step step = is_silent(host) ? PAIR_OFFER_CERTIFICATE : PAIR_PLAIN;
	int rc = lockdown_pair(l, r, step, host->certificate, deadline, &got, err);

	if (rc < 0 && is_silent(host) && err->kind == ERR_DEVICE &&
	    err->refusal == REFUSED_MC_CHALLENGE)
		rc = answer(l, host, r, &got.challenge, deadline, &got, err);
	if (rc < 0)
		return -1;
	if (got.escrow_bag.len == 0) {
		error_set(err, ERR_DEVICE,
		    "the device agrees, but is locked and has stored nothing (no escrow bag)");
		err->refusal = REFUSED_PASSWORD_PROTECTED;
		return -1;
	}
	blob_clear(escrow_bag);
	*escrow_bag = blob_steal(&got.escrow_bag);
	return 0;
}

static void
tell_delivered(const struct session_host *host, bool is_acknowledged)
{
	if (host->delivered)
		host->delivered(host->permit_ctx, "pair", is_acknowledged);
}

/* Whether a person can change the answer, and what they would have to do. */
static bool
is_for_a_person(const struct error *err, enum wait_for *what)
{
	if (err->kind != ERR_DEVICE)
		return false;
	*what = err->refusal == REFUSED_DIALOG_PENDING ? WAIT_TRUST : WAIT_UNLOCK;
	return err->refusal == REFUSED_DIALOG_PENDING || err->refusal == REFUSED_PASSWORD_PROTECTED;
}

/*
 * Asks until the device trusts us. That it is still locked it says only of an answered
 * challenge, so each round costs a signature: of those agents let go only so many, and
 * all are on record. The longer it takes, the less often it is asked.
 */
static int
ask_until_trusted(struct lockdown *l, const struct session_host *host, struct pair_record *r,
    struct patience *patience, struct error *err)
{
	int64_t pause_ms = PATIENCE_ASK_AGAIN_MS;
	enum wait_for what;

	while (ask_once(l, host, r, patience->job, &r->escrow_bag, err) < 0) {
		if (!is_for_a_person(err, &what) ||
		    patience_wait_long(patience, what, pause_ms, err) < 0)
			return -1;
		if (what == WAIT_UNLOCK && is_silent(host) && pause_ms < LONGEST_PAUSE_MS)
			pause_ms += MORE_PAUSE_MS;
	}
	return 0;
}

int
trust_establish(struct lockdown *l, const struct mux_device *device,
    const struct session_host *host, plist_t public_values, struct patience *patience,
    struct pair_record *out, struct error *err)
{
	auto_pair_record struct pair_record r = { 0 };
	auto_blob struct blob stored = { 0 };

	if (prepare(l, *host->keys, public_values, patience->job, &r, err) < 0)
		return error_context(err, "preparing to pair");
	if (host->permit && host->permit(host->permit_ctx, "pair", err) < 0)
		return -1;
	tell_delivered(host, false);
	if (ask_until_trusted(l, host, &r, patience, err) < 0)
		return -1;
	/* From here on the device trusts us, whatever else goes wrong. */
	tell_delivered(host, true);
	if (pair_record_serialize(&r, &stored, err) < 0 ||
	    mux_save_pair_record(device, &stored, patience->job, err) < 0)
		return -1;
	log_verbose("paired; the record is stored");
	pair_record_clear(out);
	*out = r;
	r = (struct pair_record){ 0 };
	return 0;
}
