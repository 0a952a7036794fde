/* session: one device that trusts us, its lockdown session and its MCInstall */
#include "device/session.h"

#include <plist/plist.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/log.h"
#include "core/facts.h"
#include "core/refusal.h"
#include "crypto/tls.h"
#include "device/trust.h"
#include "device/patience.h"
#include "wire/lockdown.h"
#include "wire/mux.h"
#include "wire/muxlink.h"
#include "wire/pair_record.h"

enum { WHO_MS = 800 };	/* within the parent's grace after a job's deadline */

struct session {
	struct mux_device	 device;
	const struct session_host *host;
	struct pair_record	 record;
	struct lockdown		*lockdown;
	struct mcinstall	*mcinstall;
	struct lockdown_service	 service;	/* MCInstall, once it was asked for */
	struct error		 unserved;	/* kind not ERR_NONE: why it is not there */
	bool			 has_record, awaits_values, is_escalated;
};

void
session_close(struct session *s)
{
	if (!s)
		return;
	mcinstall_close(s->mcinstall);
	lockdown_close(s->lockdown);
	pair_record_clear(&s->record);
	free(s);
}

static void
clean_session(struct session **s)
{
	session_close(*s);
}

struct mcinstall *
session_mcinstall(struct session *s)
{
	return s->mcinstall;
}

static bool
is_refusal(const struct error *err, enum refusal refusal)
{
	return err->kind == ERR_DEVICE && err->refusal == (int)refusal;
}

/* ---- trust --------------------------------------------------------------- */

static int
load_record(struct session *s, struct deadline deadline, struct error *err)
{
	auto_blob struct blob stored = { 0 };
	struct error unusable = { 0 };
	int rc = mux_read_pair_record(&s->device, deadline, &stored, err);

	if (rc <= 0)
		return rc;
	if (pair_record_parse(&stored, &s->record, &unusable) < 0)
		log_verbose("%s: as good as none", unusable.message);
	else
		s->has_record = true;
	return 0;
}

static void
close_lockdown(struct session *s)
{
	lockdown_close(s->lockdown);
	s->lockdown = NULL;
}

static int
reopen(struct session *s, struct deadline deadline, struct error *err)
{
	close_lockdown(s);
	return lockdown_open(&s->device, deadline, &s->lockdown, err);
}

/* With the escrow bag a locked device starts the service, if it ever was unlocked. */
static int
start_service(struct session *s, struct deadline deadline, struct error *err)
{
	const struct blob *bag = s->record.escrow_bag.len ? &s->record.escrow_bag : NULL;

	if (lockdown_start_service(s->lockdown, MCINSTALL_SERVICE, NULL,
	    deadline, &s->service, err) == 0)
		return 0;
	if (!bag || !is_refusal(err, REFUSED_PASSWORD_PROTECTED))
		return -1;
	*err = (struct error){ 0 };
	return lockdown_start_service(s->lockdown, MCINSTALL_SERVICE, bag,
	    deadline, &s->service, err);
}

static int
read_values(struct session *s, struct deadline deadline, struct facts *facts, struct error *err)
{
	auto_plist plist_t values = NULL;

	return lockdown_get_value(s->lockdown, NULL, NULL, deadline, &values, err) < 0 ? -1 :
	    facts_read_values(facts, values, err);
}

/* Of a device that has failed us: on a new connection, and briefly. */
static void
ask_who_it_is(struct session *s, struct facts *facts)
{
	struct deadline soon = deadline_in(WHO_MS);
	struct error silent = { 0 };

	if (reopen(s, soon, &silent) == 0 &&
	    lockdown_start_session(s->lockdown, &s->record, soon, &silent) == 0 &&
	    read_values(s, soon, facts, &silent) == 0)
		facts->is_paired = YES;
}

/*
 * For profiles it is the service, and while that is opened the device tells its
 * values. That it has no service for us now is for session_open_mcinstall().
 */
static int
ask_first_question(struct session *s, struct deadline deadline, struct facts *facts,
    struct error *err)
{
	struct error *why = &s->unserved;

	*why = (struct error){ 0 };
	if (!s->host->is_for_profiles)
		return read_values(s, deadline, facts, err);
	if (start_service(s, deadline, why) == 0) {
		s->awaits_values = true;
		return lockdown_ask_values(s->lockdown, deadline, err);
	}
	if (why->kind == ERR_DEVICE && why->refusal != REFUSED_TLS)
		return read_values(s, deadline, facts, err);
	*err = *why;
	if (why->kind != ERR_DEVICE)
		ask_who_it_is(s, facts);
	return -1;
}

/*
 * A session, and the first question in it: under TLS 1.3 a device that does not
 * accept our certificate says so only when we read.
 */
static int
enter(struct session *s, struct deadline deadline, struct facts *facts, struct error *err)
{
	if (lockdown_start_session(s->lockdown, &s->record, deadline, err) < 0 ||
	    ask_first_question(s, deadline, facts, err) < 0)
		return -1;
	facts->is_paired = YES;
	return 0;
}

static int
enter_when_unlocked(struct session *s, struct patience *patience, struct facts *facts,
    struct error *err)
{
	while (enter(s, patience->job, facts, err) < 0) {
		if (!is_refusal(err, REFUSED_PASSWORD_PROTECTED) ||
		    patience_wait(patience, WAIT_UNLOCK, err) < 0 ||
		    reopen(s, patience->job, err) < 0)
			return -1;
	}
	return 0;
}

static int
identify(const struct session_host *host, struct error *err)
{
	return host->identify ? host->identify(host->sign_ctx, err) : 0;
}

static int
untrusted(const struct session *s, struct error *err)
{
	error_set(err, ERR_DEVICE, s->has_record ?
	    "the device no longer knows this computer" :
	    "this computer is not paired with the device");
	err->refusal = REFUSED_INVALID_HOST_ID;
	if (s->host->certificate)
		error_hint(err,
		    "this command only reads: chaperone pair or apply pairs with this identity");
	return -1;
}

/*
 * What a device tells strangers names it, and holds the key to pair with. It may
 * refuse; an answer that makes no sense is not a refusal.
 */
static int
read_public_values(struct session *s, struct deadline deadline, struct facts *facts,
    plist_t *values, struct error *err)
{
	struct error refused = { 0 };

	if (lockdown_get_value(s->lockdown, NULL, NULL, deadline, values, &refused) == 0)
		return facts_read_values(facts, *values, err);
	if (refused.kind == ERR_DEVICE)
		return 0;
	*err = refused;
	return -1;
}

static int
become_trusted(struct session *s, struct patience *patience, struct facts *facts,
    struct error *err)
{
	auto_plist plist_t values = NULL;
	bool may_pair;

	facts->is_paired = NO;
	/* A device hangs up on who idles, and keys take their time: first they, then it.
	 * A refusal during the TLS handshake has cost us the connection anyhow. */
	close_lockdown(s);
	if (identify(s->host, err) < 0)
		return -1;
	may_pair = (s->host->may_pair && s->host->certificate) || s->host->may_ask_person;
	if (may_pair && !*s->host->keys && pairing_keys_new(s->host->keys, err) < 0)
		return error_context(err, "preparing to pair");
	if (reopen(s, patience->job, err) < 0)
		return -1;
	if (read_public_values(s, patience->job, facts, &values, err) < 0)
		return -1;
	if (!may_pair)
		return untrusted(s, err);
	if (trust_establish(s->lockdown, &s->device, s->host, values, patience,
	    &s->record, err) < 0)
		return -1;
	s->has_record = true;
	return enter_when_unlocked(s, patience, facts, err);
}

/* The record: the device does not know it, or its certificate and key are none. */
static bool
is_of_no_use(const struct error *err)
{
	return is_refusal(err, REFUSED_INVALID_HOST_ID) || is_refusal(err, REFUSED_TLS) ||
	    err->kind == ERR_DATA;
}

int
session_open(const struct mux_device *device, const struct session_host *host,
    struct patience *patience, struct facts *facts, struct session **out, struct error *err)
{
	auto_with(clean_session) struct session *s = calloc(1, sizeof(*s));
	int rc = -1;

	if (!s)
		return error_memory(err);
	s->device = *device;
	s->host = host;
	if (load_record(s, patience->job, err) < 0)
		return -1;
	if (s->has_record) {
		if (reopen(s, patience->job, err) < 0)
			return -1;
		rc = enter_when_unlocked(s, patience, facts, err);
		if (rc < 0 && !is_of_no_use(err))
			return -1;
	}
	if (rc < 0 && become_trusted(s, patience, facts, err) < 0)
		return -1;
	*out = steal_pointer(&s);
	return 0;
}

/* ---- MCInstall ----------------------------------------------------------- */

/* A locked device does not start MCInstall: lockdown at least knows one thing. */
static void
ask_supervision(struct session *s, struct deadline deadline, struct facts *facts)
{
	struct error ignored = { 0 };
	bool yes = false;

	facts->is_locked = YES;
	if (lockdown_get_flag(s->lockdown, "com.apple.mobile.chaperone", "DeviceIsChaperoned",
		deadline, &yes, &ignored) == 0)
		facts->is_supervised = yes ? YES : NO;
}

/* What session_open() has come to, and then asks again while a person has time. */
static int
await_service(struct session *s, struct patience *patience, struct facts *facts,
    struct error *err)
{
	int rc = s->unserved.kind == ERR_NONE ? 0 : -1;

	*err = s->unserved;
	while (rc < 0) {
		bool is_locked = is_refusal(err, REFUSED_PASSWORD_PROTECTED) ||
		    is_refusal(err, REFUSED_ESCROW_LOCKED);

		if (!is_locked)
			return -1;
		if (patience_wait(patience, WAIT_UNLOCK, err) < 0) {
			ask_supervision(s, patience->job, facts);
			return -1;
		}
		rc = start_service(s, patience->job, err);
	}
	return 0;
}

/* The device may refuse while it is locked; it is asked again while a person has time. */
static int
hear_values(struct session *s, struct patience *patience, struct facts *facts, struct error *err)
{
	auto_plist plist_t values = NULL;

	if (!s->awaits_values)
		return 0;
	s->awaits_values = false;
	while (lockdown_hear_values(s->lockdown, patience->job, &values, err) < 0)
		if (!is_refusal(err, REFUSED_PASSWORD_PROTECTED) ||
		    patience_wait(patience, WAIT_UNLOCK, err) < 0 ||
		    lockdown_ask_values(s->lockdown, patience->job, err) < 0)
			return -1;
	return facts_read_values(facts, values, err);
}

static int
begin_mcinstall(struct session *s, struct deadline deadline, struct error *err)
{
	const struct tls_client who = {
		.certificate = &s->record.keys.host_certificate, .key = &s->record.keys.host_key,
	};

	if (mcinstall_open(&s->device, &s->service, &who, deadline, &s->mcinstall, err) < 0)
		return -1;
	return mcinstall_ask_cloud_configuration(s->mcinstall, deadline, err);
}

int
session_open_mcinstall(struct session *s, struct patience *patience, struct facts *facts,
    struct error *err)
{
	auto_plist plist_t reply = NULL;
	struct error silent = { 0 };
	struct patience brief;

	if (await_service(s, patience, facts, err) < 0)
		return -1;
	if (begin_mcinstall(s, patience->job, err) < 0) {
		/* Who it is can be told of a device also when it fails us here. */
		brief = *patience;
		brief.person_ms = 0;
		(void)hear_values(s, &brief, facts, &silent);
		return -1;
	}
	if (hear_values(s, patience, facts, err) < 0 ||
	    mcinstall_hear_cloud_configuration(s->mcinstall, patience->job, &reply, err) < 0 ||
	    identify(s->host, err) < 0)
		return -1;
	return facts_read_cloud(facts, reply, s->host->certificate, err);
}

int
session_escalate(struct session *s, struct patience *patience, struct error *err)
{
	if (s->is_escalated)
		return 0;
	if (mcinstall_escalate(s->mcinstall, s->host->certificate, s->host->sign_escalation,
		s->host->sign_ctx, patience->job, err) < 0)
		return -1;
	s->is_escalated = true;
	return 0;
}

int
session_unpair(struct session *s, struct patience *patience, struct error *err)
{
	const struct session_host *host = s->host;

	if (host->permit && host->permit(host->permit_ctx, "unpair", err) < 0)
		return -1;
	if (host->delivered)
		host->delivered(host->permit_ctx, "unpair", false);
	if (lockdown_unpair(s->lockdown, &s->record, patience->job, err) < 0)
		return -1;
	if (host->delivered)
		host->delivered(host->permit_ctx, "unpair", true);
	return mux_delete_pair_record(&s->device, patience->job, err);
}

int
session_is_forgotten(struct session *s, struct patience *patience, struct error *err)
{
	auto_facts struct facts unused = { 0 };

	if (reopen(s, patience->job, err) < 0)
		return -1;
	if (enter(s, patience->job, &unused, err) == 0)
		return 0;
	if (!is_refusal(err, REFUSED_INVALID_HOST_ID) && !is_refusal(err, REFUSED_TLS))
		return -1;
	*err = (struct error){ 0 };
	return 1;
}
