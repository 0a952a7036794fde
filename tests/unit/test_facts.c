/* facts: what a device's answers are read as, and what of them is not believed */
#include "tests/unit/table.h"
#include "tests/unit/answer.h"

#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"
#include "core/chain.h"
#include "core/facts.h"

/* ---- values and configurations ------------------------------------------------------ */

static void
another_device_is_not_taken_for_this_one(void **state)
{
	auto_facts struct facts facts = { .udid = "00008030-001C2D3E4F50002E" };
	auto_plist plist_t same = parse("<plist><dict><key>UniqueDeviceID</key>"
	    "<string>00008030001c2d3e4f50002e</string>"
	    "<key>DeviceName</key><string>A</string></dict></plist>");
	auto_plist plist_t other = parse("<plist><dict><key>UniqueDeviceID</key>"
	    "<string>00008030-001C2D3E4F50002F</string></dict></plist>");
	struct error err = { 0 };

	(void)state;
	assert_int_equal(facts_read_values(&facts, same, &err), 0);
	assert_string_equal(facts.name, "A");
	assert_int_equal(facts_read_values(&facts, other, &err), -1);
	/* Whether it lies or has another's handle, usbmuxd knows. */
	assert_int_equal(err.kind, ERR_LINK);
}

static void
a_value_of_a_wrong_type_is_unknown(void **state)
{
	auto_facts struct facts facts = { 0 };
	auto_plist plist_t values = parse("<plist><dict><key>DeviceName</key><integer>1</integer>"
	    "<key>PasswordProtected</key><string>yes</string>"
	    "<key>UniqueChipID</key><string>x</string>"
	    "<key>ProductVersion</key><string>18.1</string></dict></plist>");
	struct error err = { 0 };

	(void)state;
	assert_int_equal(facts_read_values(&facts, values, &err), 0);
	assert_null(facts.name);
	assert_int_equal(facts.is_locked, UNKNOWN);
	assert_int_equal(facts.ecid, 0);
	assert_string_equal(facts.os, "18.1");
}

static void
a_lock_that_is_not_told_again_stays_as_it_was(void **state)
{
	auto_facts struct facts facts = { 0 };
#define LOCKED(b)	"<plist><dict><key>PasswordProtected</key>" b "</dict></plist>"
	auto_plist plist_t yes = parse(LOCKED("<true/>")), no = parse(LOCKED("<false/>"));
	auto_plist plist_t silent = parse("<plist><dict/></plist>");
	struct error err = { 0 };

	(void)state;
	assert_int_equal(facts_read_values(&facts, no, &err), 0);
	assert_int_equal(facts.is_locked, NO);
	assert_int_equal(facts_read_values(&facts, yes, &err), 0);
	assert_int_equal(facts.is_locked, YES);
	assert_int_equal(facts_read_values(&facts, silent, &err), 0);
	assert_int_equal(facts.is_locked, YES);
}

static void
certificates_are_compared_by_their_bytes(void **state)
{
	auto_plist plist_t reply = parse("<plist><dict><key>CloudConfiguration</key><dict>"
	    "<key>IsSupervised</key><true/><key>OrganizationName</key><string>Acme</string>"
	    "<key>SupervisorHostCertificates</key><array><data>AQID</data></array>"
	    "</dict></dict></plist>");
	auto_plist plist_t none = parse("<plist><dict/></plist>");
	auto_facts struct facts facts = { 0 };
	struct blob ours = { .data = (uint8_t *)"\1\2\3", .len = 3 };
	struct blob theirs = { .data = (uint8_t *)"\1\2\4", .len = 3 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(facts_read_cloud(&facts, reply, &ours, &err), 0);
	assert_int_equal(facts.is_ours, YES);
	assert_string_equal(facts.organization, "Acme");
	assert_int_equal(facts_read_cloud(&facts, reply, &theirs, &err), 0);
	assert_int_equal(facts.is_ours, NO);
	assert_int_equal(facts_read_cloud(&facts, reply, NULL, &err), 0);
	assert_int_equal(facts.is_ours, UNKNOWN);
	assert_int_equal(facts_read_cloud(&facts, none, &ours, &err), 0);
	assert_int_equal(facts.is_supervised, NO);
}

/* What a verdict rests on is of its type, or the answer is nonsense. */
static void
nonsense_is_not_judged(void **state)
{
#define CLOUD(s)	"<plist><dict><key>CloudConfiguration</key>" s "</dict></plist>"
#define LISTED(s)	"<plist><dict>" s "</dict></plist>"
#define GROUPS(s)	"<plist><dict><key>GlobalRestrictions</key><dict>" s \
			"</dict></dict></plist>"
	static const struct {
		const char *name, *xml;
		int (*read)(struct facts *f, plist_t reply, struct error *err);
	} rows[] = {
		{ "a configuration that is a text", CLOUD("<string>x</string>"), NULL },
		{ "supervised, in a word",
		    CLOUD("<dict><key>IsSupervised</key><string>yes</string></dict>"), NULL },
		{ "certificates that are a text",
		    CLOUD("<dict><key>SupervisorHostCertificates</key><string>x</string></dict>"),
		    NULL },
		{ "a certificate that is a text",
		    CLOUD("<dict><key>SupervisorHostCertificates</key>"
		    "<array><string>x</string></array></dict>"), NULL },
		{ "a group that is a list", GROUPS("<key>restrictedBool</key><array/>"),
		    facts_read_restrictions },
		{ "a restriction that is a text",
		    GROUPS("<key>union</key><dict><key>a</key><string>x</string></dict>"),
		    facts_read_restrictions },
		{ "no restrictions at all", "<plist><dict/></plist>", facts_read_restrictions },
		{ "a list without its order", LISTED("<key>ProfileManifest</key><dict/>"
		    "<key>ProfileMetadata</key><dict/>"), facts_read_profile_list },
		{ "an order and no profiles", LISTED("<key>OrderedIdentifiers</key><array/>"
		    "<key>ProfileMetadata</key><dict/>"), facts_read_profile_list },
		{ "an order and nothing said of them", LISTED("<key>OrderedIdentifiers</key>"
		    "<array/><key>ProfileManifest</key><dict/>"), facts_read_profile_list },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_facts struct facts facts = { 0 };
		auto_plist plist_t reply = parse(rows[i].xml);
		struct error err = { 0 };

		row_named(rows[i].name);
		assert_int_equal(rows[i].read ? rows[i].read(&facts, reply, &err)
		    : facts_read_cloud(&facts, reply, NULL, &err), -1);
		assert_int_equal(err.kind, ERR_PROTOCOL);
		assert_int_equal(facts.is_supervised, UNKNOWN);
	}
}

/* ---- chains of errors ----------------------------------------------------------------- */

static void
error_chains_are_read(void **state)
{
	static const struct {
		const char *name, *xml;
		size_t n;
		const char *domain;
		int64_t code;
		const char *text;
	} rows[] = {
		{ "an integer code, English before the device's language",
		    "<dict><key>ErrorDomain</key><string>D</string>"
		    "<key>ErrorCode</key><integer>4001</integer>"
		    "<key>LocalizedDescription</key><string>Nein</string>"
		    "<key>USEnglishDescription</key><string>No</string></dict>",
		    1, "D", 4001, "No" },
		{ "a real code",
		    "<dict><key>ErrorCode</key><real>4001.0</real></dict>", 1, "", 4001, "" },
		{ "a code as text",
		    "<dict><key>ErrorCode</key><string>-12</string></dict>", 1, "", -12, "" },
		{ "a negative code",
		    "<dict><key>ErrorCode</key><integer>-5</integer></dict>", 1, "", -5, "" },
		{ "a link that is no dictionary",
		    "<string>oops</string>", 1, "", 0, "" },
		{ "an escape sequence in the text",
		    "<dict><key>LocalizedDescription</key><string>a&#x1b;[31m</string></dict>",
		    1, "", 0, NULL },
		{ "an empty chain",
		    "", 0, NULL, 0, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		char xml[1024];
		struct chain chain;
		auto_plist plist_t reply = NULL;

		row_named(rows[i].name);
		snprintf(xml, sizeof(xml),
		    "<plist><dict><key>ErrorChain</key><array>%s</array></dict></plist>",
		    rows[i].xml);
		reply = parse(xml);
		chain_read(reply, &chain);
		assert_int_equal(chain.n, rows[i].n);
		if (!rows[i].n)
			continue;
		assert_string_equal(chain.link[0].domain, rows[i].domain);
		assert_int_equal(chain.link[0].code, rows[i].code);
		if (rows[i].text)
			assert_string_equal(chain.link[0].text, rows[i].text);
		assert_null(strchr(chain.link[0].text, '\033'));
	}
}

static void
a_chain_too_long_keeps_its_cause(void **state)
{
	enum { LINKS = 10000 };
	auto_plist plist_t reply = plist_new_dict();
	plist_t links = plist_new_array();
	struct chain chain;
	int i;

	(void)state;
	for (i = 0; i < LINKS; i++) {
		plist_t link = plist_new_dict();

		plist_dict_set_item(link, "ErrorCode", plist_new_uint((uint64_t)i));
		plist_array_append_item(links, link);
	}
	plist_dict_set_item(reply, "ErrorChain", links);
	chain_read(reply, &chain);
	assert_int_equal(chain.n, CHAIN_MAX);
	assert_int_equal(chain.left_out, LINKS - CHAIN_MAX);
	assert_int_equal(chain.link[0].code, 0);
	assert_int_equal(chain_cause(&chain)->code, LINKS - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_device_is_not_taken_for_this_one),
		cmocka_unit_test(a_value_of_a_wrong_type_is_unknown),
		cmocka_unit_test(a_lock_that_is_not_told_again_stays_as_it_was),
		cmocka_unit_test(certificates_are_compared_by_their_bytes),
		cmocka_unit_test(nonsense_is_not_judged),
		cmocka_unit_test(error_chains_are_read),
		cmocka_unit_test(a_chain_too_long_keeps_its_cause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
