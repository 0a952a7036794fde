/* desired: what is wanted of a device, until the device has said whose it is */
#include "tests/unit/table.h"
#include "tests/unit/answer.h"
#include "tests/unit/digest.h"

#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "core/desired.h"
#include "core/facts.h"
#include "core/profile.h"

static const char *const presets[] = { "imessage-off" };

/* Built by us: of that organization, or (NULL) of nobody by name. */
static void
want_built(struct desired *d, const char *organization)
{
	const struct profile_spec spec = {
		.presets = presets, .n_presets = 1, .organization = organization,
	};
	struct error err = { 0 };

	d->digest = toy_digest;
	assert_int_equal(desired_add_spec(d, &spec, &err), 0);
}

/* A profile from a file, in which somebody wrote whose it is. */
static void
want_file(struct desired *d, const char *organization)
{
	const struct profile_spec spec = {
		.presets = presets, .n_presets = 1, .organization = organization,
		.identifier = "org.example.file",
	};
	auto_blob struct blob bytes = { 0 };
	struct error err = { 0 };

	d->digest = toy_digest;
	assert_int_equal(profile_build(&spec, toy_digest, &bytes, &err), 0);
	assert_int_equal(desired_add_file(d, &bytes, &bytes, &err), 0);
}

static const char *
organization_of(const struct desired *d, size_t i)
{
	const char *name = d->profiles[i].profile.organization;

	return name ? name : "";
}

/* The device lists that one, as this organization's. */
static void
list_it(struct facts *facts, const char *identifier, const char *organization)
{
	auto_plist plist_t reply = NULL;
	struct error err = { 0 };
	char xml[1024], said[160] = "";

	if (organization)
		snprintf(said, sizeof(said),
		    "<key>PayloadOrganization</key><string>%s</string>", organization);
	snprintf(xml, sizeof(xml),
	    "<plist><dict><key>OrderedIdentifiers</key><array><string>%s</string></array>"
	    "<key>ProfileManifest</key><dict/><key>ProfileMetadata</key><dict><key>%s</key>"
	    "<dict>%s</dict></dict></dict></plist>", identifier, identifier, said);
	reply = parse(xml);
	assert_int_equal(facts_read_profile_list(facts, reply, &err), 0);
}

/* ---- whose it is ------------------------------------------------------------------- */

static void
what_is_nobodys_is_adopted(void **state)
{
	static const struct {
		const char *name, *own, *adopter, *want;
	} rows[] = {
		{ "nobody's becomes the identity's", NULL, "Acme", "Acme" },
		{ "what is somebody's stays so", "Other", "Acme", "Other" },
		{ "an identity without a name adopts nothing", NULL, "", "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_desired struct desired d = { 0 };
		char uuid[64];
		struct error err = { 0 };

		row_named(rows[i].name);
		want_built(&d, rows[i].own);
		want_file(&d, NULL);
		snprintf(uuid, sizeof(uuid), "%s", d.profiles[0].profile.uuid);
		assert_int_equal(desired_adopt(&d, rows[i].adopter, &err), 0);
		assert_string_equal(organization_of(&d, 0), rows[i].want);
		/* It is content, and so another profile. */
		assert_int_equal(strcmp(uuid, d.profiles[0].profile.uuid) != 0,
		    strcmp(rows[i].want, rows[i].own ? rows[i].own : "") != 0);
		assert_string_equal(organization_of(&d, 1), "");
		assert_int_equal(desired_adopt(&d, "Late", &err), 0);
		assert_string_equal(organization_of(&d, 0), *rows[i].adopter || rows[i].own ?
		    rows[i].want : "Late");
	}
}

static void
what_is_nobodys_settles_as_the_device_has_it(void **state)
{
	static const struct {
		const char *name, *own, *adopter, *listed, *want;
		bool is_another;	/* what the device lists is */
	} rows[] = {
		{ "as the organization's that the device tells", NULL, "", "Acme", "Acme", false },
		{ "the device tells none", NULL, "", NULL, "", false },
		{ "the device has another profile only", NULL, "", "Acme", "", true },
		{ "what is somebody's stays so", "Other", "", "Acme", "Other", false },
		{ "and what was adopted", NULL, "Other", "Acme", "Other", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_desired struct desired d = { 0 };
		auto_facts struct facts facts = { 0 }, next = { 0 };
		struct error err = { 0 };

		row_named(rows[i].name);
		want_built(&d, rows[i].own);
		list_it(&facts, rows[i].is_another ? "org.example.other" :
		    d.profiles[0].profile.identifier, rows[i].listed);
		list_it(&next, d.profiles[0].profile.identifier, "Next");
		assert_int_equal(desired_adopt(&d, rows[i].adopter, &err), 0);
		assert_int_equal(desired_settle(&d, &facts, &err), 0);
		assert_string_equal(organization_of(&d, 0), rows[i].want);
		/* The next device may tell another name of it. */
		assert_int_equal(desired_settle(&d, &next, &err), 0);
		assert_string_equal(organization_of(&d, 0),
		    rows[i].own || *rows[i].adopter ? rows[i].want : "Next");
	}
}

/* ---- several ------------------------------------------------------------------------ */

static void
one_identifier_is_one_profile(void **state)
{
	const struct profile_spec again = { .presets = presets, .n_presets = 1 };
	auto_desired struct desired d = { 0 };
	struct error err = { 0 };

	(void)state;
	want_built(&d, NULL);
	want_file(&d, NULL);
	assert_int_equal(d.n_profiles, 2);
	assert_int_equal(desired_add_spec(&d, &again, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_int_equal(d.n_profiles, 2);
}

static void
what_was_wanted_is_wanted_gone(void **state)
{
	auto_desired struct desired d = { 0 };
	struct error err = { 0 };

	(void)state;
	want_built(&d, NULL);
	want_file(&d, NULL);
	assert_int_equal(desired_add_absent(&d, "org.example.old", &err), 0);
	assert_int_equal(desired_invert(&d, &err), 0);
	assert_int_equal(d.n_profiles, 0);
	assert_int_equal(d.n_absent, 3);
	assert_string_equal(d.absent[0], "org.example.old");
	assert_string_equal(d.absent[2], "org.example.file");
}

static void
patterns_match_beginnings(void **state)
{
	static const struct {
		const char *pattern, *identifier;
		bool want;
	} rows[] = {
		{ "a.b", "a.b", true }, { "a.b", "a.bc", false }, { "a.b*", "a.bc", true },
		{ "a.b*", "a.b", true }, { "a.b*", "a.c", false }, { "*", "a", true },
		{ "", "a", false }, { "a*b", "axb", false }, { "A.b", "a.b", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		row_named(rows[i].pattern);
		assert_int_equal(desired_matches(rows[i].pattern, rows[i].identifier),
		    rows[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_nobodys_is_adopted),
		cmocka_unit_test(what_is_nobodys_settles_as_the_device_has_it),
		cmocka_unit_test(one_identifier_is_one_profile),
		cmocka_unit_test(what_was_wanted_is_wanted_gone),
		cmocka_unit_test(patterns_match_beginnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
