/* MCInstall on a virtual device: its two command sets, step by step */
#include "tests/sim/fixture.h"

#include "sim/cloud.h"
#include "sim/fault.h"
#include "sim/installed.h"
#include "sim/mcinstall.h"
#include "sim/vprofile.h"

/* What the steps of a row may ask for. */
enum step {
	END, HELLO, LIST, ESCALATE, ESCALATE_STRANGER, ESCALATE_ZERO, ESCALATE_NOTHING,
	RESPOND, RESPOND_AS_TEXT, RESPOND_TWICE, PROCEED, SILENT, SILENT_BARE, SILENT_TEXT,
	PLAIN, PLAIN_BARE, BAD_PROFILE, REMOVE, REMOVE_DATA, REMOVE_NUMBER, REMOVE_BY_MDM,
	REMOVE_UNKNOWN, RESTRICTIONS, PROFILES, SECURITY, UNKNOWN, GET_CLOUD, SET_CLOUD, LOCK,
	REBOOT, WITH_TOKEN,
};

enum { STEPS_MOST = 12 };

struct talk {
	struct fixture	*fixture;
	struct virtual	*device;
	struct mcinstall state;
	struct blob	 challenge;
	char		 status[64];
	unsigned	 codes[4];	/* of the ErrorChain */
	size_t		 n_codes;
};

static const char locked_profile[] = PROFILE_OF("org.example.locked", "u1",
    KEY("PayloadRemovalDisallowed", "<true/>"), NO_CHAT);

static void
set_data(plist_t request, const char *key, const char *text)
{
	dict_set_data(request, key, text, strlen(text));
}

static plist_t
escalate_request(struct talk *talk, enum step step)
{
	plist_t request = request_of("RequestType", "Escalate");
	const struct blob *der = step == ESCALATE ? &talk->fixture->supervisor.der
	    : &talk->fixture->stranger.der;

	if (step == ESCALATE_ZERO)
		dict_set_data(request, "SupervisorCertificate", "", 1);
	else if (step != ESCALATE_NOTHING)
		dict_set_data(request, "SupervisorCertificate", der->data, der->len);
	return request;
}

static plist_t
respond_request(struct talk *talk, enum step step)
{
	plist_t request = request_of("RequestType", "EscalateResponse");
	auto_blob struct blob der = { 0 };

	/* A line feed for certain, where the text form must differ. */
	if (step == RESPOND_AS_TEXT)
		blob_append(&talk->challenge, "\n", 1);
	sign(&talk->fixture->supervisor, talk->challenge.data, talk->challenge.len,
	    step == RESPOND_AS_TEXT ? 0 : CMS_BINARY, EVP_sha256(), &der);
	dict_set_data(request, "SignedRequest", der.data, der.len);
	return request;
}

static plist_t
install_request(enum step step)
{
	bool is_silent = step == SILENT || step == SILENT_BARE || step == SILENT_TEXT ||
	    step == BAD_PROFILE;
	plist_t request = request_of("RequestType",
	    is_silent ? "InstallProfileSilent" : "InstallProfile");

	if (step == SILENT_TEXT)
		dict_set_string(request, "Payload", "text");
	else if (step == BAD_PROFILE)
		set_data(request, "Payload", XML("<dict/>"));
	else if (step != SILENT_BARE && step != PLAIN_BARE)
		set_data(request, "Payload", locked_profile);
	return request;
}

static plist_t
remove_request(enum step step)
{
	plist_t request = request_of("RequestType", "RemoveProfile");

	if (step == REMOVE_DATA)
		set_data(request, "ProfileIdentifier", locked_profile);
	else if (step == REMOVE_NUMBER)
		plist_dict_set_item(request, "ProfileIdentifier", plist_new_uint(3));
	else if (step == REMOVE_BY_MDM)
		dict_set_string(request, "Identifier", "org.example.locked");
	else
		dict_set_string(request, "ProfileIdentifier",
		    step == REMOVE ? "org.example.locked" : "org.example.unknown");
	return request;
}

static plist_t
other_request(struct talk *talk, enum step step)
{
	static const char *const names[] = { [HELLO] = "HelloHostIdentifier",
		[LIST] = "GetProfileList", [PROCEED] = "ProceedWithKeybagMigration",
		[RESTRICTIONS] = "Restrictions", [PROFILES] = "ProfileList",
		[SECURITY] = "SecurityInfo", [UNKNOWN] = "MakeCoffee",
		[GET_CLOUD] = "GetCloudConfiguration", [SET_CLOUD] = "SetCloudConfiguration",
		[WITH_TOKEN] = "HelloHostIdentifier" };
	plist_t request = request_of("RequestType", names[step]), cloud;

	(void)talk;
	if (step == SET_CLOUD) {
		cloud = plist_new_dict();
		dict_set_bool(cloud, "IsSupervised", true);
		plist_dict_set_item(request, "CloudConfiguration", cloud);
	}
	if (step == WITH_TOKEN)
		set_data(request, "UnlockToken", "x");
	return request;
}

static plist_t
make_request(struct talk *talk, enum step step)
{
	if (step >= ESCALATE && step <= ESCALATE_NOTHING)
		return escalate_request(talk, step);
	if (step >= RESPOND && step <= RESPOND_TWICE)
		return respond_request(talk, step);
	if (step >= SILENT && step <= BAD_PROFILE)
		return install_request(step);
	if (step >= REMOVE && step <= REMOVE_UNKNOWN)
		return remove_request(step);
	return other_request(talk, step);
}

static void
remember(struct talk *talk, plist_t reply)
{
	plist_t chain = dict_get_array(reply, "ErrorChain");
	const void *challenge;
	uint64_t code = 0;
	size_t len;
	uint32_t i;

	assert_non_null(dict_get_string(reply, "Status"));
	snprintf(talk->status, sizeof(talk->status), "%s", dict_get_string(reply, "Status"));
	if (dict_get_data(reply, "Challenge", &challenge, &len))
		assert_int_equal(blob_set(&talk->challenge, challenge, len), 0);
	talk->n_codes = 0;
	for (i = 0; chain && i < plist_array_get_size(chain) && i < countof(talk->codes); i++) {
		assert_true(dict_get_uint(plist_array_get_item(chain, i), "ErrorCode", &code));
		talk->codes[talk->n_codes++] = (unsigned)code;
	}
}

static void
take_step(struct talk *talk, enum step step)
{
	struct call call;

	if (step == LOCK) {
		virtual_lock(talk->device);
		return;
	}
	if (step == REBOOT) {
		virtual_lock(talk->device);
		talk->device->was_unlocked = false;
		return;
	}
	call = ask(&service_mcinstall, &talk->state, talk->device, make_request(talk, step));
	remember(talk, call.reply);
	plist_free(call.reply);
}

static void
end_talk(struct talk *talk)
{
	service_mcinstall.close(&talk->state, talk->device);
	blob_clear(&talk->challenge);
}

#define SIGNED_IN	ESCALATE, RESPOND, PROCEED

static void
the_last_step_is_answered(void **state)
{
	static const struct {
		const char *name;
		bool is_supervised;
		enum step steps[STEPS_MOST];
		const char *status;
		unsigned outer, inner;	/* codes; 0: none */
	} rows[] = {
		{ "hello", true, { HELLO },
		    "Acknowledged", 0, 0 },
		{ "an unknown request", true, { UNKNOWN },
		    "CommandFormatError", 0, 0 },
		{ "an unknown request, escalated", true, { SIGNED_IN, UNKNOWN },
		    "CommandFormatError", 0, 0 },
		{ "silent without escalation", true, { SILENT },
		    "CommandFormatError", 0, 0 },
		{ "restrictions without escalation", true, { RESTRICTIONS },
		    "CommandFormatError", 0, 0 },
		{ "SecurityInfo without escalation", true, { SECURITY },
		    "CommandFormatError", 0, 0 },
		{ "escalating", true, { ESCALATE },
		    "Acknowledged", 0, 0 },
		{ "escalating by a stranger", true, { ESCALATE_STRANGER },
		    "CertificateRejected", 0, 0 },
		{ "escalating with a zero byte", true, { ESCALATE_ZERO },
		    "CertificateRejected", 0, 0 },
		{ "and the connection stays usable", true, { ESCALATE_ZERO, HELLO },
		    "Acknowledged", 0, 0 },
		{ "escalating without a certificate", true, { ESCALATE_NOTHING },
		    "CommandFormatError", 0, 0 },
		{ "escalating on an unsupervised device", false, { ESCALATE },
		    "CertificateRejected", 0, 0 },
		{ "the right signature", true, { ESCALATE, RESPOND },
		    "Acknowledged", 0, 0 },
		{ "a signature over the text", true, { ESCALATE, RESPOND_AS_TEXT },
		    "SignedRequestRejected", 0, 0 },
		{ "a challenge counts once", true, { ESCALATE, RESPOND, RESPOND_TWICE },
		    "SignedRequestRejected", 0, 0 },
		{ "also after a failure", true, { ESCALATE, RESPOND_AS_TEXT, RESPOND },
		    "SignedRequestRejected", 0, 0 },
		{ "but a new one can be had",
		    true, { ESCALATE, RESPOND_AS_TEXT, ESCALATE, RESPOND },
		    "Acknowledged", 0, 0 },
		{ "a new escalation ends the old", true, { SIGNED_IN, ESCALATE, SILENT },
		    "CommandFormatError", 0, 0 },
		{ "silent without proceeding", true, { ESCALATE, RESPOND, SILENT },
		    "Error", 37000, 0 },
		{ "proceeding without escalation", true, { PROCEED },
		    "CommandFormatError", 0, 0 },
		{ "silent", true, { SIGNED_IN, SILENT },
		    "Acknowledged", 0, 0 },
		{ "silent without payload", true, { SIGNED_IN, SILENT_BARE },
		    "CommandFormatError", 0, 0 },
		{ "silent with a text for a payload", true, { SIGNED_IN, SILENT_TEXT },
		    "Error", 14000, 0 },
		{ "silent with a bad profile", true, { SIGNED_IN, BAD_PROFILE },
		    "Error", 4001, 1002 },
		{ "silent while locked", true, { SIGNED_IN, LOCK, SILENT },
		    "NotNow", 0, 0 },
		{ "plain while locked", true, { LOCK, PLAIN },
		    "Error", 4020, 0 },
		{ "plain while locked, escalated", true, { SIGNED_IN, LOCK, PLAIN },
		    "NotNow", 0, 0 },
		{ "plain without payload", true, { PLAIN_BARE },
		    "ErrorPayloadEmpty", 0, 0 },
		{ "SecurityInfo while locked", true, { SIGNED_IN, LOCK, SECURITY },
		    "NotNow", 0, 0 },
		{ "removing what is not there", true, { REMOVE_UNKNOWN },
		    "Acknowledged", 0, 0 },
		{ "removing a number", true, { REMOVE_NUMBER },
		    "Error", 4000, 0 },
		{ "removing a locked one by an escalated host", true, { SIGNED_IN, SILENT, REMOVE },
		    "Acknowledged", 0, 0 },
		{ "removing before the first unlock", true, { SIGNED_IN, REBOOT, REMOVE },
		    "NotNow", 0, 0 },
		{ "a token where it does not belong", true, { SIGNED_IN, WITH_TOKEN },
		    "CommandFormatError", 0, 0 },
		{ "supervising twice", true, { SET_CLOUD },
		    "Error", 14002, 0 },
		{ "supervising once", false, { SET_CLOUD },
		    "Acknowledged", 0, 0 },
		{ "and once more", false, { SET_CLOUD, SET_CLOUD },
		    "Error", 14002, 0 },
	};
	size_t i, at;

	for (i = 0; i < countof(rows); i++) {
		struct talk talk = { .fixture = *state };

		row_named(rows[i].name);
		talk.device = add_device(*state, rows[i].is_supervised, NULL);
		for (at = 0; at < STEPS_MOST && rows[i].steps[at] != END; at++)
			take_step(&talk, rows[i].steps[at]);
		assert_string_equal(talk.status, rows[i].status);
		assert_int_equal(talk.n_codes, (rows[i].outer != 0) + (rows[i].inner != 0));
		if (rows[i].outer)
			assert_int_equal(talk.codes[0], rows[i].outer);
		if (rows[i].inner)
			assert_int_equal(talk.codes[1], rows[i].inner);
		end_talk(&talk);
	}
}

static void
profiles_are_where_they_should_be(void **state)
{
	static const struct {
		const char *name;
		bool is_supervised;
		enum step steps[STEPS_MOST];
		bool is_installed, is_pending;
	} rows[] = {
		{ "silent installs", true, { SIGNED_IN, SILENT }, true, false },
		{ "plain waits for the user", true, { PLAIN }, false, true },
		{ "also on an escalated connection", true, { SIGNED_IN, PLAIN }, false, true },
		{ "the same twice is one", true, { SIGNED_IN, SILENT, SILENT }, true, false },
		{ "removed by name", true, { SIGNED_IN, SILENT, REMOVE }, false, false },
		{ "removed by its own head", true, { SIGNED_IN, SILENT, REMOVE_DATA },
		    false, false },
		{ "removed as an MDM would", true, { SIGNED_IN, SILENT, REMOVE_BY_MDM },
		    false, false },
		{ "not removed by another name", true, { SIGNED_IN, SILENT, REMOVE_UNKNOWN },
		    true, false },
		{ "not while locked", true, { SIGNED_IN, LOCK, SILENT }, false, false },
	};
	size_t i, at;

	for (i = 0; i < countof(rows); i++) {
		struct talk talk = { .fixture = *state };

		row_named(rows[i].name);
		talk.device = add_device(*state, rows[i].is_supervised, NULL);
		for (at = 0; at < STEPS_MOST && rows[i].steps[at] != END; at++)
			take_step(&talk, rows[i].steps[at]);
		assert_int_equal(installed_find(talk.device, "org.example.locked") != NULL,
		    rows[i].is_installed);
		assert_int_equal(talk.device->pending != NULL, rows[i].is_pending);
		end_talk(&talk);
	}
}

static void
a_locked_profile_needs_the_supervisor(void **state)
{
	struct virtual *device = add_device(*state, true, NULL);
	struct talk talk = { .fixture = *state, .device = device };
	struct vrefusal refusal;

	assert_int_equal(installed_add(device, locked_profile, strlen(locked_profile),
	    NULL, &refusal), 0);
	take_step(&talk, REMOVE);
	assert_string_equal(talk.status, "Error");
	assert_int_equal(talk.codes[0], 4008);
	take_step(&talk, ESCALATE);
	take_step(&talk, RESPOND);
	take_step(&talk, REMOVE);
	assert_string_equal(talk.status, "Acknowledged");
	assert_null(device->profiles);
	end_talk(&talk);
}

static void
a_signed_lock_holds_against_another_signer(void **state)
{
	struct fixture *fixture = *state;
	struct virtual *device = add_device(fixture, true, NULL);
	auto_blob struct blob ours = { 0 }, theirs = { 0 };
	struct vrefusal refusal;

	sign(&fixture->supervisor, locked_profile, strlen(locked_profile), CMS_BINARY,
	    EVP_sha256(), &ours);
	sign(&fixture->stranger, locked_profile, strlen(locked_profile), CMS_BINARY,
	    EVP_sha256(), &theirs);
	assert_int_equal(installed_add(device, ours.data, ours.len, NULL, &refusal), 0);
	assert_int_equal(installed_add(device, theirs.data, theirs.len, NULL, &refusal), -1);
	assert_int_equal(refusal.code, 4008);
	assert_int_equal(installed_add(device, locked_profile, strlen(locked_profile),
	    NULL, &refusal), -1);
	assert_int_equal(installed_add(device, ours.data, ours.len, NULL, &refusal), 0);
	ours.data[ours.len - 1] ^= 1;
	assert_int_equal(installed_add(device, ours.data, ours.len, NULL, &refusal), -1);
	assert_int_equal(refusal.code, 1000);
}

static void
one_app_lock_per_device(void **state)
{
	static const char one[] = PROFILE_OF("one", "u", "", PAYLOAD("com.apple.app.lock", ""));
	static const char two[] = PROFILE_OF("two", "u", "", PAYLOAD("com.apple.app.lock", ""));
	struct virtual *device = add_device(*state, true, NULL);
	struct vrefusal refusal;

	assert_int_equal(installed_add(device, one, strlen(one), NULL, &refusal), 0);
	assert_int_equal(installed_add(device, two, strlen(two), NULL, &refusal), -1);
	assert_int_equal(refusal.code, 1009);
	assert_int_equal(installed_add(device, one, strlen(one), NULL, &refusal), 0);
}

static void
the_moved_clock_removes(void **state)
{
	static const char timed[] = PROFILE_OF("timed", "u",
	    KEY("DurationUntilRemoval", "<real>3600</real>"), NO_CHAT);
	struct fixture *fixture = *state;
	struct virtual *device = add_device(fixture, true, NULL);
	struct vrefusal refusal;

	assert_int_equal(installed_add(device, timed, strlen(timed), NULL, &refusal), 0);
	bench_move_clock(fixture->bench, 3500);
	assert_non_null(installed_find(device, "timed"));
	bench_move_clock(fixture->bench, 3700);
	assert_null(installed_find(device, "timed"));
	bench_move_clock(fixture->bench, 0);
}

static void
faults_bend_the_truth(void **state)
{
	static const struct {
		const char *name;
		enum fault_kind kind;
		bool is_installed, is_active, has_its_uuid;
	} rows[] = {
		{ "acknowledged and not stored", FAULT_ACK_NOT_STORED, false, false, false },
		{ "stored under another UUID", FAULT_OTHER_UUID, true, true, false },
		{ "stored but not active", FAULT_INACTIVE, true, false, true },
	};
	size_t i;

	for (i = 0; i < countof(rows); i++) {
		struct virtual *device = add_device(*state, true, NULL);
		struct fault fault = { .kind = rows[i].kind };
		const struct vprofile *profile;
		struct vrefusal refusal;

		row_named(rows[i].name);
		assert_int_equal(installed_add(device, locked_profile, strlen(locked_profile),
		    &fault, &refusal), 0);
		profile = installed_find(device, "org.example.locked");
		assert_int_equal(profile != NULL, rows[i].is_installed);
		if (!profile)
			continue;
		assert_int_equal(profile->is_active, rows[i].is_active);
		assert_int_equal(strcmp(profile->uuid, "u1") == 0, rows[i].has_its_uuid);
	}
}

static void
a_cloud_configuration_is_held_against_its_types(void **state)
{
	static const struct {
		const char *xml;
		bool is_valid;
	} rows[] = {
		{ "<key>OrganizationCity</key><string>Bonn</string>", true },
		{ "<key>OrganizationCity</key><integer>1</integer>", false },
		{ "<key>OrganizationZipCode</key><true/>", false },
		{ "<key>OrganizationSupportPhone</key><integer>5</integer>", false },
		{ "<key>LanguageScript</key><integer>1</integer>", false },
		{ "<key>DeviceConfigured</key><string>x</string>", false },
		{ "<key>DeviceConfigured</key><true/>", true },
		{ "<key>ProvisionalEnrollmentExpiry</key><string>x</string>", false },
		{ "<key>SkipSetup</key><array><integer>1</integer></array>", false },
		{ "<key>Frobnicates</key><integer>1</integer>", true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_plist plist_t cloud = NULL;
		char xml[256];

		row_named(rows[i].xml);
		snprintf(xml, sizeof(xml), "<plist><dict>%s</dict></plist>", rows[i].xml);
		plist_from_xml(xml, (uint32_t)strlen(xml), &cloud);
		assert_non_null(cloud);
		assert_int_equal(cloud_is_valid(cloud), rows[i].is_valid);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cloud_configuration_is_held_against_its_types),
		cmocka_unit_test(the_last_step_is_answered),
		cmocka_unit_test(profiles_are_where_they_should_be),
		cmocka_unit_test(a_locked_profile_needs_the_supervisor),
		cmocka_unit_test(a_signed_lock_holds_against_another_signer),
		cmocka_unit_test(one_app_lock_per_device),
		cmocka_unit_test(the_moved_clock_removes),
		cmocka_unit_test(faults_bend_the_truth),
	};

	return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
