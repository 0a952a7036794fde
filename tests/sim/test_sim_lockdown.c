/* lockdown on a virtual device: pairing, sessions, services, values */
#include "tests/sim/fixture.h"

#include "sim/devicekey.h"
#include "sim/host.h"
#include "sim/lockdown.h"

struct caller {
	struct fixture	*fixture;
	struct virtual	*device;
	EVP_PKEY	*root, *host;
	plist_t		 record;
	struct lockdown	 state;
	struct blob	 challenge;
	char		 error[64];	/* of the last answer; empty: none */
	bool		 has_bag;
};

static void
begin(struct caller *caller, struct fixture *fixture, struct virtual *device)
{
	struct error err = { 0 };

	*caller = (struct caller){ .fixture = fixture, .device = device };
	/* Any keys do: these are at hand. */
	caller->root = fixture->supervisor.key;
	caller->host = fixture->stranger.key;
	caller->record = devicekey_pair_record(device->key, caller->root, caller->host,
	    "11111111-2222-4333-8444-555555555555", fixture->bench->buid, &err);
	assert_non_null(caller->record);
}

static void
end(struct caller *caller)
{
	service_lockdown.close(&caller->state, caller->device);
	plist_free(caller->record);
	blob_clear(&caller->challenge);
}

static struct call
say(struct caller *caller, plist_t request)
{
	struct call call = ask(&service_lockdown, &caller->state, caller->device, request);
	const char *error = dict_get_string(call.reply, "Error");
	const void *data;
	size_t len;

	assert_non_null(dict_get_string(call.reply, "Request"));
	snprintf(caller->error, sizeof(caller->error), "%s", error ? error : "");
	caller->has_bag = dict_get_data(call.reply, "EscrowBag", &data, &len) &&
	    len == ESCROW_BAG_LEN;
	if (dict_get_data(dict_get(call.reply, "ExtendedResponse"),
	    "PairingChallenge", &data, &len))
		assert_int_equal(blob_set(&caller->challenge, data, len), 0);
	return call;
}

static void
say_and_forget(struct caller *caller, plist_t request)
{
	struct call call = say(caller, request);

	plist_free(call.reply);
}

enum step { DONE, PAIR, PRESENT, PRESENT_STRANGER, ANSWER, ANSWER_AS_TEXT, TAP_TRUST, TAP_DENY,
	LOCK, UNLOCK, UNPAIR, SPOIL_RECORD };

static plist_t
pair_request(struct caller *caller, enum step step)
{
	plist_t request = request_of("Request", step == UNPAIR ? "Unpair" : "Pair");
	plist_t options = plist_new_dict();
	const struct blob *der = step == PRESENT ? &caller->fixture->supervisor.der
	    : &caller->fixture->stranger.der;
	auto_blob struct blob cms = { 0 };

	plist_dict_set_item(request, "PairRecord", plist_copy(caller->record));
	dict_set_bool(options, "ExtendedPairingErrors", true);
	if (step == PRESENT || step == PRESENT_STRANGER)
		dict_set_data(options, "SupervisorCertificate", der->data, der->len);
	if (step == ANSWER || step == ANSWER_AS_TEXT) {
		if (step == ANSWER_AS_TEXT || !caller->challenge.len)
			blob_append(&caller->challenge, "\n", 1);
		sign(&caller->fixture->supervisor, caller->challenge.data, caller->challenge.len,
		    step == ANSWER ? CMS_BINARY : 0, EVP_sha256(), &cms);
		dict_set_data(options, "ChallengeResponse", cms.data, cms.len);
	}
	plist_dict_set_item(request, "PairingOptions", options);
	return request;
}

static void
take_step(struct caller *caller, enum step step)
{
	switch (step) {
	case TAP_TRUST:
	case TAP_DENY:
		assert_int_equal(virtual_tap(caller->device, step == TAP_TRUST), 0);
		break;
	case LOCK:
		virtual_lock(caller->device);
		break;
	case UNLOCK:
		virtual_unlock(caller->device);
		break;
	case SPOIL_RECORD:
		plist_dict_set_item(caller->record, "DeviceCertificate",
		    plist_copy(plist_dict_get_item(caller->record, "HostCertificate")));
		break;
	default:
		say_and_forget(caller, pair_request(caller, step));
		break;
	}
}

static void
pairing_takes_its_course(void **state)
{
	static const struct {
		const char *name;
		bool is_supervised, forbids_pairing, in_setup;
		enum trust trust;
		enum step steps[8];
		const char *error;
		bool has_bag, is_trusted;
	} rows[] = {
		{ "the dialog is shown", false, false, false, TRUST_ASK,
		  { PAIR }, "PairingDialogResponsePending", false, false },
		{ "and stays", false, false, false, TRUST_ASK,
		  { PAIR, PAIR }, "PairingDialogResponsePending", false, false },
		{ "trusted", false, false, false, TRUST_ASK,
		  { PAIR, TAP_TRUST, PAIR }, "", true, true },
		{ "denied", false, false, false, TRUST_ASK,
		  { PAIR, TAP_DENY, PAIR }, "UserDeniedPairing", false, false },
		{ "asked again after that", false, false, false, TRUST_ASK,
		  { PAIR, TAP_DENY, PAIR, PAIR }, "PairingDialogResponsePending", false, false },
		{ "a device that trusts everybody", false, false, false, TRUST_ACCEPT,
		  { PAIR }, "", true, true },
		{ "a device that trusts nobody", false, false, false, TRUST_DENY,
		  { PAIR }, "UserDeniedPairing", false, false },
		{ "no dialog in Setup Assistant", false, false, true, TRUST_ASK,
		  { PAIR }, "", true, true },
		{ "locked", false, false, false, TRUST_ACCEPT,
		  { LOCK, PAIR }, "PasswordProtected", false, false },
		{ "locked, but trusted before", false, false, false, TRUST_ACCEPT,
		  { PAIR, LOCK, PAIR }, "", true, true },
		{ "unpaired", false, false, false, TRUST_ACCEPT,
		  { PAIR, UNPAIR }, "", false, false },
		{ "unpaired by nobody", false, false, false, TRUST_ACCEPT,
		  { UNPAIR }, "InvalidHostID", false, false },
		{ "a record for another key", false, false, false, TRUST_ACCEPT,
		  { SPOIL_RECORD, PAIR }, "InvalidPairRecord", false, false },
		{ "the supervisor is challenged", true, false, false, TRUST_ASK,
		  { PRESENT }, "MCChallengeRequired", false, false },
		{ "and trusted when it answers", true, false, false, TRUST_ASK,
		  { PRESENT, ANSWER }, "", true, true },
		{ "also where pairing is forbidden", true, true, false, TRUST_ASK,
		  { PRESENT, ANSWER }, "", true, true },
		{ "not when it answers as text", true, false, false, TRUST_ASK,
		  { PRESENT, ANSWER_AS_TEXT }, "InvalidPairRecord", false, false },
		{ "a challenge counts once", true, false, false, TRUST_ASK,
		  { PRESENT, ANSWER_AS_TEXT, ANSWER }, "InvalidPairRecord", false, false },
		{ "an answer nobody asked for", true, false, false, TRUST_ASK,
		  { ANSWER }, "InvalidPairRecord", false, false },
		{ "once trusted, no challenge", true, false, false, TRUST_ASK,
		  { PRESENT, ANSWER, PRESENT }, "", true, true },
		{ "locked: success that keeps nothing", true, false, false, TRUST_ASK,
		  { LOCK, PRESENT, ANSWER }, "", false, false },
		{ "a stranger gets the dialog", true, false, false, TRUST_ASK,
		  { PRESENT_STRANGER }, "PairingDialogResponsePending", false, false },
		{ "or is turned away", true, true, false, TRUST_ASK,
		  { PRESENT_STRANGER }, "MCProtected", false, false },
		{ "so is who presents nothing", true, true, false, TRUST_ASK,
		  { PAIR }, "MCProtected", false, false },
		{ "an unsupervised device knows no supervisor", false, false, false, TRUST_ASK,
		  { PRESENT }, "PairingDialogResponsePending", false, false },
	};
	size_t i, at;

	for (i = 0; i < countof(rows); i++) {
		struct virtual_spec spec;
		struct caller caller;

		row_named(rows[i].name);
		virtual_spec_init(&spec);
		spec.trust = rows[i].trust;
		spec.allows_pairing = !rows[i].forbids_pairing;
		spec.is_set_up = !rows[i].in_setup;
		begin(&caller, *state, add_device(*state, rows[i].is_supervised, &spec));
		for (at = 0; rows[i].steps[at] != DONE; at++)
			take_step(&caller, rows[i].steps[at]);
		assert_string_equal(caller.error, rows[i].error);
		assert_int_equal(caller.has_bag, rows[i].has_bag);
		assert_int_equal(host_find(caller.device->hosts,
		    "11111111-2222-4333-8444-555555555555") != NULL, rows[i].is_trusted);
		end(&caller);
	}
}

/* ---- values --------------------------------------------------------------- */

static void
values_are_told_to_whom_they_concern(void **state)
{
	static const struct {
		const char *name, *domain, *key;
		bool has_session;
		const char *error;
	} rows[] = {
		{ "the product is public", NULL, "ProductType", false, "" },
		{ "so is the key", NULL, "DevicePublicKey", false, "" },
		{ "the serial number is not", NULL, "SerialNumber", false, "GetProhibited" },
		{ "nor the activation", NULL, "ActivationState", false, "GetProhibited" },
		{ "in a session it is", NULL, "SerialNumber", true, "" },
		{ "what does not exist is missing", NULL, "Nonsense", true, "MissingValue" },
		{ "to strangers too", NULL, "Nonsense", false, "MissingValue" },
		{ "domains need a session", "com.apple.mobile.chaperone", "DeviceIsChaperoned",
		  false, "GetProhibited" },
		{ "supervision is told", "com.apple.mobile.chaperone", "DeviceIsChaperoned",
		  true, "" },
		{ "a whole domain", "com.apple.mobile.battery", NULL, true, "" },
		{ "everything", NULL, NULL, true, "" },
		{ "everything public", NULL, NULL, false, "" },
		{ "an unknown domain", "com.example", NULL, true, "MissingValue" },
	};
	size_t i;

	for (i = 0; i < countof(rows); i++) {
		plist_t request = request_of("Request", "GetValue");
		struct caller caller;
		struct call call;

		row_named(rows[i].name);
		begin(&caller, *state, add_device(*state, true, NULL));
		take_step(&caller, PRESENT);
		take_step(&caller, ANSWER);
		if (rows[i].has_session)
			caller.state.host = caller.device->hosts;
		if (rows[i].domain)
			dict_set_string(request, "Domain", rows[i].domain);
		if (rows[i].key)
			dict_set_string(request, "Key", rows[i].key);
		call = say(&caller, request);
		assert_string_equal(caller.error, rows[i].error);
		assert_int_equal(dict_get(call.reply, "Value") != NULL, !*rows[i].error);
		assert_int_equal(dict_get(call.reply, "Key") != NULL, rows[i].key != NULL);
		plist_free(call.reply);
		end(&caller);
	}
}

/* ---- services ------------------------------------------------------------- */

enum bag { NO_BAG, RIGHT_BAG, WRONG_BAG };

static void
services_start_when_they_may(void **state)
{
	static const struct {
		const char *name, *service;
		bool has_session, is_locked, was_unlocked;
		enum bag bag;
		const char *error;
	} rows[] = {
		{ "in a session",
		  "com.apple.mobile.MCInstall", true, false, true, NO_BAG, "" },
		{ "without one",
		  "com.apple.mobile.MCInstall", false, false, true, NO_BAG, "SessionInactive" },
		{ "what does not exist",
		  "com.apple.nonsense", true, false, true, NO_BAG, "InvalidService" },
		{ "the insecure proxy needs no session",
		  "com.apple.mobile.insecure_notification_proxy", false, false, true, NO_BAG, "" },
		{ "locked",
		  "com.apple.mobile.MCInstall", true, true, true, NO_BAG, "PasswordProtected" },
		{ "locked, with the escrow bag",
		  "com.apple.mobile.MCInstall", true, true, true, RIGHT_BAG, "" },
		{ "locked, with another bag",
		  "com.apple.mobile.MCInstall", true, true, true, WRONG_BAG, "EscrowLocked" },
		{ "not before the first unlock",
		  "com.apple.mobile.MCInstall", true, true, false, RIGHT_BAG, "EscrowLocked" },
	};
	size_t i;

	for (i = 0; i < countof(rows); i++) {
		plist_t request = request_of("Request", "StartService");
		uint8_t bag[ESCROW_BAG_LEN];
		struct caller caller;
		struct host *host = NULL;
		struct call call;
		uint64_t port = 0;

		row_named(rows[i].name);
		begin(&caller, *state, add_device(*state, true, NULL));
		take_step(&caller, PRESENT);
		take_step(&caller, ANSWER);
		memcpy(bag, caller.device->hosts->escrow, sizeof(bag));
		bag[0] ^= rows[i].bag == WRONG_BAG;
		if (rows[i].has_session)
			caller.state.host = caller.device->hosts;
		caller.device->is_locked = rows[i].is_locked;
		caller.device->was_unlocked = rows[i].was_unlocked;
		dict_set_string(request, "Service", rows[i].service);
		if (rows[i].bag != NO_BAG)
			dict_set_data(request, "EscrowBag", bag, sizeof(bag));
		call = say(&caller, request);
		assert_string_equal(caller.error, rows[i].error);
		if (dict_get_uint(call.reply, "Port", &port)) {
			assert_non_null(virtual_take_port(caller.device, (uint16_t)port, &host));
			assert_null(virtual_take_port(caller.device, (uint16_t)port, &host));
		}
		assert_int_equal(port != 0, !*rows[i].error);
		plist_free(call.reply);
		end(&caller);
	}
}

static void
sessions_open_and_close(void **state)
{
	struct caller caller;
	struct call call;
	plist_t request;

	begin(&caller, *state, add_device(*state, false, NULL));
	request = request_of("Request", "StartSession");
	say_and_forget(&caller, request);
	assert_string_equal(caller.error, "MissingHostID");
	request = request_of("Request", "StartSession");
	dict_set_string(request, "HostID", "11111111-2222-4333-8444-555555555555");
	say_and_forget(&caller, plist_copy(request));
	assert_string_equal(caller.error, "InvalidHostID");
	caller.device->trust = TRUST_ACCEPT;
	take_step(&caller, PAIR);
	call = say(&caller, plist_copy(request));
	assert_string_equal(caller.error, "");
	assert_int_equal(call.next, CALL_START_TLS);
	assert_true(call.tls_host == caller.device->hosts);
	plist_free(call.reply);
	say_and_forget(&caller, request);
	assert_string_equal(caller.error, "SessionActive");
	request = request_of("Request", "StopSession");
	dict_set_string(request, "SessionID", "other");
	say_and_forget(&caller, plist_copy(request));
	assert_string_equal(caller.error, "InvalidSessionID");
	dict_set_string(request, "SessionID", caller.state.session);
	call = say(&caller, request);
	assert_int_equal(call.next, CALL_STOP_TLS);
	plist_free(call.reply);
	end(&caller);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairing_takes_its_course),
		cmocka_unit_test(values_are_told_to_whom_they_concern),
		cmocka_unit_test(services_start_when_they_may),
		cmocka_unit_test(sessions_open_and_close),
	};

	return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
