/* verdict: how facts and errors become the product's words */
#include "tests/unit/table.h"
#include "tests/unit/answer.h"
#include "tests/unit/digest.h"

#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"
#include "core/desired.h"
#include "core/facts.h"
#include "core/refusal.h"
#include "core/verdict.h"

#define ID	"org.example.chat"
#define UUID	"AAAA1111-2222-8333-8444-555555555555"

/* Not a hash: enough to tell contents apart here, where nothing is secret. */
/* ---- desired and found ------------------------------------------------------ */

static const char PROFILE[] =
    "<plist><dict><key>PayloadType</key><string>Configuration</string>"
    "<key>PayloadVersion</key><integer>1</integer>"
    "<key>PayloadIdentifier</key><string>" ID "</string>"
    "<key>PayloadUUID</key><string>" UUID "</string>"
    "<key>PayloadContent</key><array><dict>"
    "<key>PayloadType</key><string>com.apple.applicationaccess</string>"
    "<key>PayloadVersion</key><integer>1</integer>"
    "<key>PayloadIdentifier</key><string>" ID ".r</string>"
    "<key>PayloadUUID</key><string>11111111-2222-8333-8444-666666666666</string>"
    "<key>allowChat</key><false/>"
    "<key>blockedAppBundleIDs</key><array><string>a</string></array>"
    "</dict></array></dict></plist>";

static void
want_profile(struct desired *d)
{
	auto_blob struct blob raw = { 0 };
	struct error err = { 0 };

	d->digest = toy_digest;
	assert_int_equal(blob_set(&raw, PROFILE, strlen(PROFILE)), 0);
	assert_int_equal(desired_add_file(d, &raw, &raw, &err), 0);
}

/* A GetProfileList reply with one profile, or none when uuid is NULL. */
static plist_t
list_reply(const char *uuid, int version, const char *active, int times)
{
	char xml[2048], order[256] = "", shown[512] = "", said[512] = "";
	int i;

	for (i = 0; uuid && i < times; i++)
		strcat(order, "<string>" ID "</string>");
	if (uuid) {
		snprintf(shown, sizeof(shown), "<key>" ID "</key><dict>%s</dict>", active);
		snprintf(said, sizeof(said), "<key>" ID "</key><dict><key>PayloadUUID</key>"
		    "<string>%s</string><key>PayloadVersion</key><integer>%d</integer></dict>",
		    uuid, version);
	}
	snprintf(xml, sizeof(xml),
	    "<plist><dict><key>OrderedIdentifiers</key><array>%s</array>"
	    "<key>ProfileManifest</key><dict>%s</dict><key>ProfileMetadata</key><dict>%s</dict>"
	    "<key>Status</key><string>Acknowledged</string></dict></plist>", order, shown, said);
	return parse(xml);
}

#define ACTIVE		"<key>IsActive</key><true/>"
#define INACTIVE	"<key>IsActive</key><false/>"
#define RESTRICTIONS(b, l)                                                                  \
	"<plist><dict><key>GlobalRestrictions</key><dict>"                                   \
	"<key>restrictedBool</key><dict>" b "</dict><key>union</key><dict>" l "</dict>"      \
	"</dict></dict></plist>"
#define CHAT_OFF	"<key>allowChat</key><dict><key>value</key><false/></dict>"
#define CHAT_ON		"<key>allowChat</key><dict><key>value</key><true/></dict>"
#define CHAT_TEXT	"<key>allowChat</key><dict><key>value</key><string>false</string></dict>"
#define APPS(list)	"<key>blockedAppBundleIDs</key><dict><key>values</key><array>" list \
			"</array></dict>"

static void
profiles_are_judged(void **state)
{
	static const struct {
		const char *name, *uuid;
		int version;
		const char *active;
		int times;
		const char *restrictions;	/* NULL: the device does not answer */
		enum reason reason;
		enum truth truth;
		enum action action;
	} rows[] = {
		{ "not listed: missing", NULL, 1, ACTIVE, 0, NULL,
		    REASON_PROFILE_MISSING, TRUTH_NONE, ACTION_INSTALL },
		{ "listed as expected and nothing more told: present, not effective",
		    UUID, 1, ACTIVE, 1, NULL, REASON_NONE, TRUTH_PRESENT, ACTION_NONE },
		{ "a UUID in lower case is the same UUID",
		    "aaaa1111-2222-8333-8444-555555555555", 1, ACTIVE, 1, NULL,
		    REASON_NONE, TRUTH_PRESENT, ACTION_NONE },
		{ "another UUID: differs",
		    "99999999-2222-8333-8444-555555555555", 1, ACTIVE, 1, NULL,
		    REASON_PROFILE_DIFFERS, TRUTH_NONE, ACTION_REPLACE },
		{ "another version: differs", UUID, 2, ACTIVE, 1, NULL,
		    REASON_PROFILE_DIFFERS, TRUTH_NONE, ACTION_REPLACE },
		{ "listed but not active", UUID, 1, INACTIVE, 1, NULL,
		    REASON_PROFILE_INACTIVE, TRUTH_NONE, ACTION_REPLACE },
		{ "whether it is active is not told: not claimed", UUID, 1, "", 1, NULL,
		    REASON_PROFILE_INACTIVE, TRUTH_NONE, ACTION_REPLACE },
		{ "listed twice: the list makes no sense", UUID, 1, ACTIVE, 2, NULL,
		    REASON_PROTOCOL, TRUTH_NONE, ACTION_NONE },
		{ "all values reported: effective", UUID, 1, ACTIVE, 1,
		    RESTRICTIONS(CHAT_OFF, APPS("<string>a</string>")),
		    REASON_NONE, TRUTH_EFFECTIVE, ACTION_NONE },
		{ "a united list may hold more", UUID, 1, ACTIVE, 1,
		    RESTRICTIONS(CHAT_OFF, APPS("<string>b</string><string>a</string>")),
		    REASON_NONE, TRUTH_EFFECTIVE, ACTION_NONE },
		{ "a united list that lacks ours", UUID, 1, ACTIVE, 1,
		    RESTRICTIONS(CHAT_OFF, APPS("<string>b</string>")),
		    REASON_NOT_EFFECTIVE, TRUTH_PRESENT, ACTION_REPLACE },
		{ "the opposite reported: not effective", UUID, 1, ACTIVE, 1,
		    RESTRICTIONS(CHAT_ON, APPS("<string>a</string>")),
		    REASON_NOT_EFFECTIVE, TRUTH_PRESENT, ACTION_REPLACE },
		{ "not reported at all: not restricted", UUID, 1, ACTIVE, 1, RESTRICTIONS("", ""),
		    REASON_NOT_EFFECTIVE, TRUTH_PRESENT, ACTION_REPLACE },
		{ "the word false is not the value false", UUID, 1, ACTIVE, 1,
		    RESTRICTIONS(CHAT_TEXT, APPS("<string>a</string>")),
		    REASON_NOT_EFFECTIVE, TRUTH_PRESENT, ACTION_REPLACE },
		{ "described and not listed: the list contradicts itself", UUID, 1, ACTIVE, 0, NULL,
		    REASON_PROTOCOL, TRUTH_NONE, ACTION_NONE },
		{ "missing stays missing, whatever is in force", NULL, 1, ACTIVE, 0,
		    RESTRICTIONS(CHAT_OFF, APPS("<string>a</string>")),
		    REASON_PROFILE_MISSING, TRUTH_NONE, ACTION_INSTALL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_desired struct desired desired = { 0 };
		auto_facts struct facts facts = { 0 };
		auto_judgement struct judgement j = { 0 };
		auto_plist plist_t reply = list_reply(rows[i].uuid, rows[i].version, rows[i].active,
		    rows[i].times);
		struct error err = { 0 };

		row_named(rows[i].name);
		want_profile(&desired);
		assert_int_equal(facts_read_profile_list(&facts, reply, &err), 0);
		if (rows[i].restrictions) {
			auto_plist plist_t told = parse(rows[i].restrictions);

			assert_int_equal(facts_read_restrictions(&facts, told, &err), 0);
		}
		assert_int_equal(judge(&facts, &desired, &j, &err), 0);
		assert_int_equal(j.reason, rows[i].reason);
		assert_int_equal(j.truth, rows[i].truth);
		assert_int_equal(j.n_profiles, 1);
		assert_int_equal(j.profiles[0].action, rows[i].action);
		assert_int_equal(judgement_has_work(&j), rows[i].action != ACTION_NONE);
	}
}

/* One restriction, as a profile wants it and a device of that system reports it. */
static enum known
judge_one(const char *want, const char *reported, const char *os)
{
	auto_plist plist_t node = parse(want), told = parse(reported);
	auto_free plist_dict_iter iter = NULL;
	plist_t value = NULL;
	auto_free char *key = NULL;
	struct profile_restriction r = { 0 };
	struct desired_profile profile = { .profile = { .identifier = (char []){ ID },
		.uuid = (char []){ UUID }, .version = 1, .restrictions = &r,
		.n_restrictions = 1 } };
	const struct desired desired = { .profiles = &profile, .n_profiles = 1 };
	auto_plist plist_t listed = list_reply(UUID, 1, ACTIVE, 1);
	auto_facts struct facts facts = { 0 };
	auto_judgement struct judgement j = { 0 };
	struct error err = { 0 };
	enum known in_force;

	plist_dict_new_iter(node, &iter);
	plist_dict_next_item(node, iter, &key, &value);
	r.key = key;
	r.value = value;
	facts.os = os ? strdup(os) : NULL;
	assert_int_equal(facts_read_profile_list(&facts, listed, &err), 0);
	assert_int_equal(facts_read_restrictions(&facts, told, &err), 0);
	assert_int_equal(judge(&facts, &desired, &j, &err), 0);
	assert_int_equal(j.n_restrictions, 1);
	in_force = j.restrictions[0].is_in_force;
	/* What cannot be measured is neither claimed nor held against the device. */
	assert_int_equal(j.reason, in_force == NO ? REASON_NOT_EFFECTIVE : REASON_NONE);
	assert_int_equal(j.truth, in_force == YES ? TRUTH_EFFECTIVE : TRUTH_PRESENT);
	assert_int_equal(judgement_has_work(&j), in_force == NO);
	return in_force;
}

#define WANT(key, value)	"<plist><dict><key>" key "</key>" value "</dict></plist>"
#define TOLD(group, key, member, value)                                                     \
	"<plist><dict><key>GlobalRestrictions</key><dict><key>" group "</key><dict>"         \
	"<key>" key "</key><dict><key>" member "</key>" value "</dict></dict></dict></dict></plist>"
#define NUMBER(key, value)	TOLD("restrictedValue", key, "value", value)
#define NOTHING	"<plist><dict><key>GlobalRestrictions</key><dict/></dict></plist>"
#define LIST(item)	"<array><string>" item "</string></array>"

static void
restrictions_are_in_force_or_not(void **state)
{
	static const struct {
		const char *name, *want, *reported, *os;
		enum known in_force;
	} rows[] = {
		{ "the number that was wanted", WANT("ratingApps", "<integer>300</integer>"),
		    NUMBER("ratingApps", "<integer>300</integer>"), "18.1", YES },
		{ "a stricter one, of somebody else's profile",
		    WANT("ratingApps", "<integer>300</integer>"),
		    NUMBER("ratingApps", "<integer>200</integer>"), "18.1", YES },
		{ "a laxer one", WANT("ratingApps", "<integer>300</integer>"),
		    NUMBER("ratingApps", "<integer>600</integer>"), "18.1", NO },
		{ "a real is a number too", WANT("safariAcceptCookies", "<real>1.0</real>"),
		    NUMBER("safariAcceptCookies", "<integer>1</integer>"), "18.1", YES },
		{ "a number whose order is not known, another",
		    WANT("enforcedSoftwareUpdateDelay", "<integer>30</integer>"),
		    NUMBER("enforcedSoftwareUpdateDelay", "<integer>20</integer>"), "18.1", NO },
		{ "a list under its old name is reported under the modern one",
		    WANT("blacklistedAppBundleIDs", LIST("a")),
		    TOLD("union", "blockedAppBundleIDs", "values", LIST("a")), "18.1", YES },
		{ "and under that may lack ours", WANT("blacklistedAppBundleIDs", LIST("a")),
		    TOLD("union", "blockedAppBundleIDs", "values", LIST("b")), "18.1", NO },
		{ "a list that all profiles share may be shorter",
		    WANT("whitelistedAppBundleIDs",
		    "<array><string>a</string><string>b</string></array>"),
		    TOLD("intersection", "allowListedAppBundleIDs", "values", LIST("a")),
		    "18.1", YES },
		{ "texts are never reported", WANT("ratingRegion", "<string>us</string>"),
		    NOTHING, "18.1", UNKNOWN },
		{ "nor is what no device knows", WANT("allowFoo", "<false/>"),
		    NOTHING, "18.1", UNKNOWN },
		{ "but when it is, that counts", WANT("allowFoo", "<false/>"),
		    TOLD("restrictedBool", "allowFoo", "value", "<true/>"), "18.1", NO },
		{ "a key that came later than the system", WANT("allowRCSMessaging", "<false/>"),
		    NOTHING, "17.7", UNKNOWN },
		{ "that came with it", WANT("allowRCSMessaging", "<false/>"), NOTHING, "18.1", NO },
		{ "of a system that is not known", WANT("allowRCSMessaging", "<false/>"),
		    NOTHING, NULL, NO },
		{ "a key that no longer counts",
		    WANT("enforcedSoftwareUpdateDelay", "<integer>30</integer>"),
		    NOTHING, "27.0", UNKNOWN },
		{ "a key for an MDM alone",
		    WANT("allowedExternalIntelligenceWorkspaceIDs", LIST("a")),
		    NOTHING, "18.3", UNKNOWN },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		row_named(rows[i].name);
		assert_int_equal(judge_one(rows[i].want, rows[i].reported, rows[i].os),
		    rows[i].in_force);
	}
}

static void
unwanted_profiles_are_found(void **state)
{
	static const struct {
		const char *name, *pattern, *further, *uuid;
		bool is_wanted;
		enum reason reason;
		size_t entries;
	} rows[] = {
		{ "the exact name is there", ID, NULL, UUID, false, REASON_PROFILE_UNWANTED, 1 },
		{ "a pattern matches", "org.example.*", NULL, UUID, false,
		    REASON_PROFILE_UNWANTED, 1 },
		{ "the star alone matches everything", "*", NULL, UUID, false,
		    REASON_PROFILE_UNWANTED, 1 },
		{ "a pattern does not match in the middle", "example*", NULL, UUID, false,
		    REASON_NONE, 0 },
		{ "an exact name that is gone is worth a line", ID, NULL, NULL, false,
		    REASON_NONE, 1 },
		{ "a pattern without a match is none", "org.example.*", NULL, NULL, false,
		    REASON_NONE, 0 },
		{ "two patterns for one profile: it goes once", "*", "org.example.*", UUID, false,
		    REASON_PROFILE_UNWANTED, 1 },
		{ "what is wanted stays, whatever a pattern says", "org.example.*", NULL, UUID,
		    true, REASON_NONE, 1 },
		{ "and is missed, though another is gone as it should", "org.gone", NULL, NULL,
		    true, REASON_PROFILE_MISSING, 2 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_desired struct desired desired = { .digest = toy_digest };
		auto_facts struct facts facts = { 0 };
		auto_judgement struct judgement j = { 0 };
		auto_plist plist_t reply = list_reply(rows[i].uuid, 1, ACTIVE, 1);
		struct error err = { 0 };

		row_named(rows[i].name);
		if (rows[i].is_wanted)
			want_profile(&desired);
		assert_int_equal(desired_add_absent(&desired, rows[i].pattern, &err), 0);
		if (rows[i].further)
			assert_int_equal(desired_add_absent(&desired, rows[i].further, &err), 0);
		assert_int_equal(facts_read_profile_list(&facts, reply, &err), 0);
		assert_int_equal(judge(&facts, &desired, &j, &err), 0);
		assert_int_equal(j.reason, rows[i].reason);
		assert_int_equal(j.n_profiles, rows[i].entries);
		assert_int_equal(judgement_has_work(&j), rows[i].reason != REASON_NONE);
	}
}

static void
without_a_list_nothing_is_judged(void **state)
{
	auto_desired struct desired desired = { 0 };
	auto_facts struct facts facts = { 0 };
	auto_judgement struct judgement j = { 0 };
	struct error err = { 0 };

	(void)state;
	want_profile(&desired);
	assert_int_equal(judge(&facts, &desired, &j, &err), 0);
	assert_int_equal(j.reason, REASON_PROTOCOL);
}

/* ---- supervision -------------------------------------------------------------- */

static void
supervision_is_judged(void **state)
{
	static const struct {
		const char *name, *activation;
		enum known supervised, ours;
		bool has_identity;
		enum reason want;
	} rows[] = {
		{ "ours", "Activated", YES, YES, true, REASON_NONE },
		{ "supervised by others", "Activated", YES, NO, true, REASON_FOREIGN_SUPERVISION },
		{ "without an identity nobody is foreign", "Activated",
		    YES, UNKNOWN, false, REASON_NONE },
		{ "not supervised", "Activated", NO, NO, true, REASON_UNSUPERVISED },
		{ "not activated", "Unactivated", YES, YES, true, REASON_NOT_ACTIVATED },
		{ "unknown is no obstacle", NULL, UNKNOWN, UNKNOWN, true, REASON_NONE },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		struct facts facts = {
			.is_supervised = rows[i].supervised, .is_ours = rows[i].ours,
			.activation = (char *)rows[i].activation,
		};

		row_named(rows[i].name);
		assert_int_equal(judge_supervision(&facts, rows[i].has_identity), rows[i].want);
	}
}

/* ---- errors ---------------------------------------------------------------------- */

static void
errors_become_reasons(void **state)
{
	static const struct {
		const char *name;
		enum error_kind kind;
		enum refusal refusal;
		bool has_identity;
		enum reason want;
	} rows[] = {
		{ "the link broke", ERR_LINK, REFUSED_NOT, true, REASON_UNPLUGGED },
		{ "usbmuxd went away", ERR_MUX, REFUSED_NOT, true, REASON_USBMUXD_LOST },
		{ "the deadline passed", ERR_TIMEOUT, REFUSED_NOT, true, REASON_TIMEOUT },
		{ "the operator stopped us", ERR_INTERRUPTED, REFUSED_NOT, true,
		    REASON_INTERRUPTED },
		{ "nonsense", ERR_PROTOCOL, REFUSED_NOT, true, REASON_PROTOCOL },
		{ "our own fault", ERR_SOFTWARE, REFUSED_NOT, true, REASON_CRASHED },
		{ "the signer is gone", ERR_UNAVAILABLE, REFUSED_NOT, true, REASON_CRASHED },
		{ "the ledger cannot be written", ERR_IO, REFUSED_NOT, true, REASON_UNRECORDED },
		{ "the agent refuses, or is gone", ERR_UNSIGNED, REFUSED_NOT, true,
		    REASON_UNSIGNED },
		{ "InvalidHostID", ERR_DEVICE, REFUSED_INVALID_HOST_ID, true, REASON_UNTRUSTED },
		{ "TLS refused", ERR_DEVICE, REFUSED_TLS, true, REASON_UNTRUSTED },
		{ "PasswordProtected", ERR_DEVICE, REFUSED_PASSWORD_PROTECTED, true,
		    REASON_LOCKED },
		{ "EscrowLocked", ERR_DEVICE, REFUSED_ESCROW_LOCKED, true, REASON_LOCKED },
		{ "NotNow", ERR_DEVICE, REFUSED_NOT_NOW, true, REASON_LOCKED },
		{ "the dialog is showing", ERR_DEVICE, REFUSED_DIALOG_PENDING, true,
		    REASON_TRUST_PENDING },
		{ "Don't Trust", ERR_DEVICE, REFUSED_USER_DENIED_PAIRING, false,
		    REASON_TRUST_DENIED },
		{ "MCProtected without an identity", ERR_DEVICE, REFUSED_MC_PROTECTED, false,
		    REASON_PAIRING_FORBIDDEN },
		{ "MCProtected although an identity was offered",
		    ERR_DEVICE, REFUSED_MC_PROTECTED, true, REASON_FOREIGN_SUPERVISION },
		{ "CertificateRejected", ERR_DEVICE, REFUSED_CERTIFICATE, true,
		    REASON_FOREIGN_SUPERVISION },
		{ "SignedRequestRejected", ERR_DEVICE, REFUSED_SIGNED_REQUEST, true,
		    REASON_FOREIGN_SUPERVISION },
		{ "Error", ERR_DEVICE, REFUSED_ERROR, true, REASON_REFUSED },
		{ "CommandFormatError", ERR_DEVICE, REFUSED_COMMAND_FORMAT, true, REASON_REFUSED },
		{ "a status nobody knows", ERR_DEVICE, REFUSED_STATUS_OTHER, true, REASON_REFUSED },
		{ "the port is closed", ERR_DEVICE, REFUSED_PORT, true, REASON_REFUSED },
		{ "no error", ERR_NONE, REFUSED_NOT, true, REASON_NONE },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		struct error err = { .kind = rows[i].kind, .refusal = (int)rows[i].refusal };

		row_named(rows[i].name);
		assert_int_equal(reason_of_error(&err, rows[i].has_identity), rows[i].want);
	}
}

static void
every_reason_has_its_words(void **state)
{
	int r, other;

	(void)state;
	for (r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		row_named(reason_word((enum reason)r));
		assert_non_null(reason_word((enum reason)r));
		assert_non_null(reason_message((enum reason)r));
		assert_non_null(reason_hint((enum reason)r));
		assert_int_not_equal(reason_verdict((enum reason)r), VERDICT_COMPLIANT);
		for (other = REASON_NONE + 1; other < r; other++)
			assert_string_not_equal(reason_word((enum reason)r),
			    reason_word((enum reason)other));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profiles_are_judged),
		cmocka_unit_test(restrictions_are_in_force_or_not),
		cmocka_unit_test(unwanted_profiles_are_found),
		cmocka_unit_test(without_a_list_nothing_is_judged),
		cmocka_unit_test(supervision_is_judged),
		cmocka_unit_test(errors_become_reasons),
		cmocka_unit_test(every_reason_has_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
