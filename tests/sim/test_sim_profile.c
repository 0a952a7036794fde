/* profiles on a virtual device: what it refuses, how it folds, when they go */
#include "tests/sim/fixture.h"

#include "sim/effective.h"
#include "sim/restrictions.h"
#include "sim/vprofile.h"

static const struct vreader supervised = { .is_supervised = true, .is_silent = true };
static const struct vreader unsupervised = { .is_silent = true };
static const struct vreader phone = { .is_supervised = true, .is_silent = true,
	.has_telephony = true };
static const struct vreader by_hand = { .is_supervised = true };

#define PASSWORD	PAYLOAD("com.apple.profileRemovalPassword", \
			KEY("RemovalPassword", STRING("x")))

static void
profiles_are_refused_for_a_reason(void **state)
{
	static const struct {
		const char *name;
		const struct vreader *reader;
		unsigned code;		/* 0: accepted */
		const char *domain;
		const char *xml;
	} rows[] = {
		{ "iMessage off is accepted", &supervised, 0, "", PROFILE("", NO_CHAT) },
		{ "an empty one passes silently", &supervised, 0, "", PROFILE("", "") },
		{ "an empty one does not pass the user", &by_hand, 1003, "MCProfileErrorDomain",
		  PROFILE("", "") },
		{ "garbage is malformed", &supervised, 1000, "MCProfileErrorDomain", "garbage" },
		{ "an array is malformed", &supervised, 1000, "MCProfileErrorDomain",
		  XML("<array/>") },
		{ "broken DER is malformed", &supervised, 1000, "MCProfileErrorDomain",
		  "0\x82\x01" },
		{ "the type must be Configuration", &supervised, 4011, "MCInstallationErrorDomain",
		  XML("<dict>" KEY("PayloadType", STRING("Profile Service")) "</dict>") },
		{ "no type is a missing field", &supervised, 1002, "MCProfileErrorDomain",
		  XML("<dict/>") },
		{ "no version is a missing field", &supervised, 1002, "MCProfileErrorDomain",
		  XML("<dict>" KEY("PayloadType", STRING("Configuration")) "</dict>") },
		{ "version 3 is unsupported", &supervised, 1001, "MCProfileErrorDomain",
		  XML("<dict>" KEY("PayloadType", STRING("Configuration"))
		  KEY("PayloadVersion", INTEGER(3)) "</dict>") },
		{ "a version in words is invalid", &supervised, 1003, "MCProfileErrorDomain",
		  XML("<dict>" KEY("PayloadType", STRING("Configuration"))
		  KEY("PayloadVersion", STRING("1")) "</dict>") },
		{ "an empty identifier is a missing field",
		  &supervised, 1002, "MCProfileErrorDomain", PROFILE_OF("", "x", "", NO_CHAT) },
		{ "an empty UUID is a missing field", &supervised, 1002, "MCProfileErrorDomain",
		  PROFILE_OF("org.example.one", "", "", NO_CHAT) },
		{ "a UUID of any form passes", &supervised, 0, "",
		  PROFILE_OF("a", "not a uuid", "", NO_CHAT) },
		{ "RemovalDate as a text is invalid", &supervised, 1003, "MCProfileErrorDomain",
		  PROFILE(KEY("RemovalDate", STRING("2030-01-01T00:00:00Z")), NO_CHAT) },
		{ "ConsentText holds texts only", &supervised, 1003, "MCProfileErrorDomain",
		  PROFILE(KEY("ConsentText", "<dict>" KEY("en", INTEGER(1)) "</dict>"), NO_CHAT) },
		{ "a profile for a Mac is not for it", &supervised, 1003, "MCProfileErrorDomain",
		  PROFILE(KEY("TargetDeviceType", INTEGER(5)), NO_CHAT) },
		{ "a description may be a list of texts", &supervised, 0, "",
		  PROFILE(KEY("PayloadDescription", "<array>" STRING("a") "</array>"), NO_CHAT) },
		{ "but of texts alone", &supervised, 1003, "MCProfileErrorDomain",
		  PROFILE(KEY("PayloadDescription", "<array>" INTEGER(1) "</array>"), NO_CHAT) },
		{ "two payloads of a type of which there is one",
		  &supervised, 1009, "MCProfileErrorDomain", PROFILE("", PASSWORD PASSWORD) },
		{ "one of them passes", &supervised, 0, "", PROFILE("", PASSWORD) },
		{ "unknown top-level keys are ignored", &supervised, 0, "",
		  PROFILE(KEY("PayloadFrobnicates", "<true/>"), NO_CHAT) },
		{ "a payload without identifier is incomplete",
		  &supervised, 1002, "MCProfileErrorDomain",
		  PROFILE("", "<dict>" KEY("PayloadType", STRING("x"))
		  KEY("PayloadVersion", INTEGER(1)) "</dict>") },
		{ "a payload that is a text is invalid", &supervised, 1003, "MCProfileErrorDomain",
		  PROFILE("", STRING("x")) },
		{ "an unknown restriction is ignored", &supervised, 0, "",
		  PROFILE("", RESTRICT(KEY("allowChta", STRING("x")))) },
		{ "a truth value may be a number", &supervised, 0, "",
		  PROFILE("", RESTRICT(KEY("allowChat", INTEGER(0)))) },
		{ "a truth value may not be a list", &supervised, 1003, "MCProfileErrorDomain",
		  PROFILE("", RESTRICT(KEY("allowChat", "<array/>"))) },
		{ "a rating must be a number", &supervised, 1003, "MCProfileErrorDomain",
		  PROFILE("", RESTRICT(KEY("ratingApps", STRING("300")))) },
		{ "a list of apps must be a list of texts",
		  &supervised, 1003, "MCProfileErrorDomain",
		  PROFILE("", RESTRICT(KEY("blockedAppBundleIDs",
		  "<array>" INTEGER(1) "</array>"))) },
		{ "an empty allow list would leave nothing",
		  &supervised, 2004, "MCPayloadErrorDomain",
		  PROFILE("", RESTRICT(KEY("allowListedAppBundleIDs", "<array/>"))) },
		{ "Settings can never be hidden", &supervised, 2004, "MCPayloadErrorDomain",
		  PROFILE("", RESTRICT(KEY("blockedAppBundleIDs", "<array>"
		  STRING("com.apple.Preferences") "</array>"))) },
		{ "nor under the old name", &supervised, 2004, "MCPayloadErrorDomain",
		  PROFILE("", RESTRICT(KEY("blacklistedAppBundleIDs", "<array>"
		  STRING("com.apple.Preferences") "</array>"))) },
		{ "Phone cannot be hidden on a phone", &phone, 2004, "MCPayloadErrorDomain",
		  PROFILE("", RESTRICT(KEY("blockedAppBundleIDs", "<array>"
		  STRING("com.apple.mobilephone") "</array>"))) },
		{ "but on an iPad it can", &supervised, 0, "",
		  PROFILE("", RESTRICT(KEY("blockedAppBundleIDs", "<array>"
		  STRING("com.apple.mobilephone") "</array>"))) },
		{ "five denied lines are too many", &supervised, 3005, "MCRestrictionsErrorDomain",
		  PROFILE("", RESTRICT(KEY("deniedICCIDsForRCS", "<array>" STRING("1") STRING("2")
		  STRING("3") STRING("4") STRING("5") "</array>"))) },
		{ "encrypted for somebody else is unreadable",
		  &supervised, 1000, "MCProfileErrorDomain",
		  XML("<dict>" KEY("PayloadType", STRING("Configuration"))
		  KEY("PayloadVersion", INTEGER(1)) KEY("PayloadIdentifier", STRING("a"))
		  KEY("PayloadUUID", STRING("b")) KEY("IsEncrypted", "<true/>")
		  KEY("EncryptedPayloadContent", "<data>AAAA</data>") "</dict>") },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		struct vrefusal refusal;
		struct vprofile *profile;

		row_named(rows[i].name);
		profile = vprofile_read(rows[i].xml, strlen(rows[i].xml), rows[i].reader, &refusal);
		assert_int_equal(refusal.code, rows[i].code);
		if (rows[i].code)
			assert_string_equal(refusal.domain, rows[i].domain);
		assert_true((profile == NULL) == (rows[i].code != 0));
		vprofile_free(profile);
	}
}

/* ---- folding -------------------------------------------------------------- */

static struct vprofile *
read_profile(const char *xml, const struct vreader *reader)
{
	struct vrefusal refusal;
	struct vprofile *profile = vprofile_read(xml, strlen(xml), reader, &refusal);

	assert_non_null(profile);
	return profile;
}

static plist_t
fold_two(const char *a, const char *b, const struct vreader *reader)
{
	struct vprofile *first = read_profile(a, reader);
	struct vprofile *second = b ? read_profile(b, reader) : NULL;
	plist_t effective;

	first->next = second;
	effective = effective_fold(first, NULL, reader->is_supervised, "18.1");
	vprofile_free(first);
	vprofile_free(second);
	return effective;
}

static void
the_restrictive_value_wins(void **state)
{
	static const struct {
		const char *name;
		const struct vreader *reader;
		const char *a, *b;
		const char *key;
		int want;	/* 1 true, 0 false, -1 not restricted */
	} rows[] = {
		{ "off is off", &supervised,
		  NO_CHAT, NULL, "allowChat", 0 },
		{ "a second profile does not give it back", &supervised,
		  NO_CHAT, RESTRICT(KEY("allowChat", "<true/>")), "allowChat", 0 },
		{ "whichever comes first", &supervised,
		  RESTRICT(KEY("allowChat", "<true/>")), NO_CHAT, "allowChat", 0 },
		{ "allowed alone is no restriction", &supervised,
		  RESTRICT(KEY("allowChat", "<true/>")), NULL, "allowChat", -1 },
		{ "zero reads as false", &supervised,
		  RESTRICT(KEY("allowChat", INTEGER(0))), NULL, "allowChat", 0 },
		{ "iMessage needs supervision", &unsupervised,
		  NO_CHAT, NULL, "allowChat", -1 },
		{ "the camera does not", &unsupervised,
		  RESTRICT(KEY("allowCamera", "<false/>")), NULL, "allowCamera", 0 },
		{ "no camera, no FaceTime", &supervised,
		  RESTRICT(KEY("allowCamera", "<false/>")), NULL, "allowVideoConferencing", 0 },
		{ "a force is true", &supervised,
		  RESTRICT(KEY("forceAutomaticDateAndTime", "<true/>")), NULL,
		  "forceAutomaticDateAndTime", 1 },
		{ "and stays true", &supervised,
		  RESTRICT(KEY("forceAutomaticDateAndTime", "<true/>")),
		  RESTRICT(KEY("forceAutomaticDateAndTime", "<false/>")),
		  "forceAutomaticDateAndTime", 1 },
		{ "a misspelt key restricts nothing", &supervised,
		  RESTRICT(KEY("allowChta", "<false/>")), NULL, "allowChta", -1 },
		{ "another payload restricts nothing", &supervised,
		  PAYLOAD("com.apple.other", KEY("allowChat", "<false/>")), NULL, "allowChat", -1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		char a[4096], b[4096];
		auto_plist plist_t effective = NULL;
		plist_t entry;
		bool value = false;

		row_named(rows[i].name);
		snprintf(a, sizeof(a), PROFILE_OF("a", "a", "", "%s"), rows[i].a);
		snprintf(b, sizeof(b), PROFILE_OF("b", "b", "", "%s"), rows[i].b ? rows[i].b : "");
		effective = fold_two(a, b, rows[i].reader);
		entry = dict_get(dict_get(effective, "restrictedBool"), rows[i].key);
		assert_true((entry != NULL) == (rows[i].want >= 0));
		if (entry) {
			assert_true(dict_get_bool(entry, "value", &value));
			assert_int_equal(value, rows[i].want);
		}
	}
}

#define LIST(key, items)	RESTRICT(KEY(key, "<array>" items "</array>"))

static void
lists_and_numbers_fold(void **state)
{
	static const struct {
		const char *name, *a, *b, *group, *key, *want;
	} rows[] = {
		{ "block lists are united",
		  LIST("blockedAppBundleIDs", STRING("a") STRING("b")),
		  LIST("blockedAppBundleIDs", STRING("b") STRING("c")),
		  "union", "blockedAppBundleIDs", "a b c " },
		{ "the old name is the same list",
		  LIST("blacklistedAppBundleIDs", STRING("a")),
		  LIST("blockedAppBundleIDs", STRING("b")),
		  "union", "blockedAppBundleIDs", "a b " },
		{ "allow lists are intersected",
		  LIST("allowListedAppBundleIDs", STRING("a") STRING("b")),
		  LIST("allowListedAppBundleIDs", STRING("b") STRING("c")),
		  "intersection", "allowListedAppBundleIDs", "b " },
		{ "two strangers' allow lists leave nothing",
		  LIST("allowListedAppBundleIDs", STRING("a")),
		  LIST("whitelistedAppBundleIDs", STRING("b")),
		  "intersection", "allowListedAppBundleIDs", "" },
		{ "the smaller rating wins",
		  RESTRICT(KEY("ratingApps", INTEGER(300))),
		  RESTRICT(KEY("ratingApps", INTEGER(100))),
		  "restrictedValue", "ratingApps", "100" },
		{ "also when it came first",
		  RESTRICT(KEY("ratingApps", INTEGER(100))),
		  RESTRICT(KEY("ratingApps", INTEGER(300))),
		  "restrictedValue", "ratingApps", "100" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		char a[4096], b[4096], got[256] = "";
		auto_plist plist_t effective = NULL;
		plist_t entry, values;
		uint64_t number = 0;
		uint32_t at;

		row_named(rows[i].name);
		snprintf(a, sizeof(a), PROFILE_OF("a", "a", "", "%s"), rows[i].a);
		snprintf(b, sizeof(b), PROFILE_OF("b", "b", "", "%s"), rows[i].b);
		effective = fold_two(a, b, &supervised);
		entry = dict_get(dict_get(effective, rows[i].group), rows[i].key);
		assert_non_null(entry);
		values = dict_get_array(entry, "values");
		for (at = 0; values && at < plist_array_get_size(values); at++)
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s ",
			    node_string(plist_array_get_item(values, at)));
		if (dict_get_uint(entry, "value", &number))
			snprintf(got, sizeof(got), "%llu", (unsigned long long)number);
		assert_string_equal(got, rows[i].want);
	}
}

static void
every_restriction_is_found_by_its_name(void **state)
{
	(void)state;
	assert_non_null(restriction_find("allowChat"));
	assert_null(restriction_find("allowchat"));
	assert_true(restriction_needs_supervision(restriction_find("allowSafari"), "13.0"));
	assert_false(restriction_needs_supervision(restriction_find("allowSafari"), "12.4"));
}

/* ---- leaving -------------------------------------------------------------- */

static void
removal_moments_are_understood(void **state)
{
	enum { NOW = 1800000000 };	/* 2027-01-15T08:00:00Z */
	static const struct {
		const char *name, *top;
		int64_t want;
	} rows[] = {
		{ "none stays", "", 0 },
		{ "a date is a moment",
		  KEY("RemovalDate", "<date>2027-01-15T09:00:00Z</date>"), NOW + 3600 },
		{ "a duration counts from now",
		  KEY("DurationUntilRemoval", "<real>60.0</real>"), NOW + 60 },
		{ "also as a whole number", KEY("DurationUntilRemoval", INTEGER(60)), NOW + 60 },
		{ "the earlier of the two wins",
		  KEY("RemovalDate", "<date>2027-01-15T09:00:00Z</date>")
		  KEY("DurationUntilRemoval", "<real>60.0</real>"), NOW + 60 },
		{ "whichever it is", KEY("RemovalDate", "<date>2027-01-15T08:00:30Z</date>")
		  KEY("DurationUntilRemoval", "<real>60.0</real>"), NOW + 30 },
		{ "an expiration date removes nothing",
		  KEY("PayloadExpirationDate", "<date>2027-01-15T08:00:30Z</date>"), 0 },
	};
	struct vreader reader = { .is_supervised = true, .is_silent = true, .now = NOW };
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		struct vprofile *profile;
		char xml[4096];

		row_named(rows[i].name);
		snprintf(xml, sizeof(xml), PROFILE_OF("a", "a", "%s", ""), rows[i].top);
		profile = read_profile(xml, &reader);
		assert_int_equal(profile->removal_at, rows[i].want);
		vprofile_free(profile);
	}
}

static void
a_waiting_profile_begins_when_it_is_approved(void **state)
{
	static const char xml[] = PROFILE(KEY("DurationUntilRemoval", INTEGER(3600))
	    KEY("PayloadRemovalDisallowed", "<true/>"), NO_CHAT);
	struct vreader reader = { .is_supervised = false, .now = 1000 };
	struct vprofile *profile = read_profile(xml, &reader);

	(void)state;
	assert_int_equal(profile->removal_at, 4600);
	assert_false(profile->is_locked);
	vprofile_date(profile, true, 9000);
	assert_int_equal(profile->installed_at, 9000);
	assert_int_equal(profile->removal_at, 12600);
	assert_true(profile->is_locked);
	vprofile_free(profile);
}

static void
a_lock_needs_supervision(void **state)
{
	static const char xml[] = PROFILE(KEY("PayloadRemovalDisallowed", "<true/>"),
	    PAYLOAD("com.apple.profileRemovalPassword", KEY("RemovalPassword", STRING("x"))));
	static const char unlocked[] = PROFILE("",
	    PAYLOAD("com.apple.profileRemovalPassword", KEY("RemovalPassword", STRING("x"))));
	struct vprofile *profile;

	(void)state;
	profile = read_profile(xml, &supervised);
	assert_true(profile->is_locked);
	assert_true(profile->has_password);
	vprofile_free(profile);
	profile = read_profile(xml, &unsupervised);
	assert_false(profile->is_locked);
	vprofile_free(profile);
	profile = read_profile(unlocked, &supervised);
	assert_false(profile->has_password);
	vprofile_free(profile);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profiles_are_refused_for_a_reason),
		cmocka_unit_test(the_restrictive_value_wins),
		cmocka_unit_test(lists_and_numbers_fold),
		cmocka_unit_test(every_restriction_is_found_by_its_name),
		cmocka_unit_test(removal_moments_are_understood),
		cmocka_unit_test(a_waiting_profile_begins_when_it_is_approved),
		cmocka_unit_test(a_lock_needs_supervision),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
