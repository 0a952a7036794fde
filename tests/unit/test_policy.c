/* policy: which device is whose, which policy wins, and what it asks */
#include "tests/unit/table.h"
#include "tests/unit/digest.h"

#include <string.h>

#include "base/error.h"
#include "core/desired.h"
#include "core/policy.h"

#define UDID	"00008030-001122334455AABB"

/* ---- policies in a line: "org=Acme serial=F9*|G1 os=>=17.0 id=acme.p12" --------- */

static void
add(struct policy_texts *t, const char *text, size_t len)
{
	t->items = realloc(t->items, (t->n + 1) * sizeof(*t->items));
	assert_non_null(t->items);
	t->items[t->n] = strndup(text, len);
	assert_non_null(t->items[t->n++]);
}

static void
add_all(struct policy_texts *t, const char *text)
{
	for (;; text++) {
		size_t len = strcspn(text, "|");

		add(t, text, len);
		text += len;
		if (!*text)
			return;
	}
}

static void
make(const char *line, struct policy *p)
{
	char copy[512], *save = NULL, *word;
	struct error err = { 0 };

	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *value = strchr(word, '=');

		assert_non_null(value);
		*value++ = '\0';
		if (strcmp(word, "org") == 0)
			add_all(&p->organizations, value);
		else if (strcmp(word, "serial") == 0)
			add_all(&p->serials, value);
		else if (strcmp(word, "product") == 0)
			add_all(&p->products, value);
		else if (strcmp(word, "udid") == 0)
			add_all(&p->udids, value);
		else if (strcmp(word, "slot") == 0)
			add_all(&p->slots, value);
		else if (strcmp(word, "os") == 0)
			assert_int_equal(osrange_parse(value, &p->os, &err), 0);
		else if (strcmp(word, "id") == 0)
			p->identity = strdup(value);
		else if (strcmp(word, "name") == 0)
			p->name = strdup(value);
		else
			fail_msg("%s", word);
	}
}

/* ---- matching ---------------------------------------------------------------------- */

/* What most rows are about: all is known of it. */
static const struct policy_subject KNOWN = {
	.udid = UDID, .product = "iPad13,18", .os = "18.1", .serial = "F9FXK0ABCD12",
	.organization = "Acme", .is_supervised = YES,
};
/* Unpaired: it tells strangers no name and no serial number. */
static const struct policy_subject STRANGER = {
	.udid = UDID, .product = "iPad13,18", .os = "18.1",
};
static const struct policy_subject FREE = {
	.udid = UDID, .product = "iPad13,18", .os = "18.1", .serial = "F9FXK0ABCD12",
	.is_supervised = NO,
};

static void
devices_match_or_not(void **state)
{
	static const struct {
		const char *name, *policy;
		const struct policy_subject *subject;
		enum known is_ours;
		enum policy_match want;
	} rows[] = {
		{ "no condition: every device that our identity supervises",
		    "id=a", &KNOWN, YES, MATCH_YES },
		{ "and none that it does not", "id=a", &KNOWN, NO, MATCH_NO },
		{ "not known yet: maybe", "id=a", &STRANGER, UNKNOWN, MATCH_MAYBE },
		{ "without any identity: whoever supervises it",
		    "product=iPad*", &KNOWN, UNKNOWN, MATCH_YES },
		{ "by the organization's name", "id=a org=Acme", &KNOWN, YES, MATCH_YES },
		{ "one of several", "id=a org=Other|Acme", &KNOWN, YES, MATCH_YES },
		{ "another name", "id=a org=Other", &KNOWN, YES, MATCH_NO },
		{ "names are compared to the letter", "id=a org=acme", &KNOWN, YES, MATCH_NO },
		{ "a name is no pattern", "id=a org=Ac*", &KNOWN, YES, MATCH_NO },
		{ "the name is right and the certificate is not: still theirs, told as foreign",
		    "id=a org=Acme", &KNOWN, NO, MATCH_YES },
		{ "a name and nobody paired: maybe",
		    "id=a org=Acme", &STRANGER, UNKNOWN, MATCH_MAYBE },
		{ "an unsupervised device has no owner", "id=a org=Acme", &FREE, NO, MATCH_NO },
		{ "nor is it ours", "id=a", &FREE, NO, MATCH_NO },
		{ "an exact serial", "serial=F9FXK0ABCD12", &KNOWN, YES, MATCH_YES },
		{ "in lower case it is the same", "serial=f9fxk0abcd12", &KNOWN, YES, MATCH_YES },
		{ "a serial pattern", "serial=F9FX*", &KNOWN, YES, MATCH_YES },
		{ "a pattern that does not fit", "serial=F9FY*", &KNOWN, YES, MATCH_NO },
		{ "a star in the middle", "serial=F9*12", &KNOWN, YES, MATCH_YES },
		{ "question marks", "serial=F9FXK0??CD12", &KNOWN, YES, MATCH_YES },
		{ "a question mark is one character", "serial=F9FXK0?CD12", &KNOWN, YES, MATCH_NO },
		{ "a serial that nobody told: maybe",
		    "serial=F9*", &STRANGER, UNKNOWN, MATCH_MAYBE },
		{ "a product pattern", "product=iPad*", &KNOWN, YES, MATCH_YES },
		{ "another kind of device", "product=iPhone*", &KNOWN, YES, MATCH_NO },
		{ "another kind is no even before it is paired",
		    "product=iPhone*", &STRANGER, UNKNOWN, MATCH_NO },
		{ "a UDID with its dash", "udid=" UDID, &KNOWN, YES, MATCH_YES },
		{ "and without", "udid=00008030001122334455aabb", &KNOWN, YES, MATCH_YES },
		{ "another UDID", "udid=00008030-001122334455AABC", &KNOWN, YES, MATCH_NO },
		{ "the system fits", "os=>=17.0", &KNOWN, YES, MATCH_YES },
		{ "the system is too old", "os=>=18.2", &KNOWN, YES, MATCH_TOO_OLD },
		{ "the system is too new", "os=<18", &KNOWN, YES, MATCH_NO },
		{ "too old, and also another kind: no",
		    "os=>=18.2 product=iPhone*", &KNOWN, YES, MATCH_NO },
		{ "too old, and not ours: no", "id=a os=>=18.2", &KNOWN, NO, MATCH_NO },
		{ "a slot, and ports have no names: maybe", "slot=7", &KNOWN, YES, MATCH_MAYBE },
		{ "one condition fails: all fail",
		    "org=Acme serial=F9* product=iPad* os=>=19", &KNOWN, YES, MATCH_TOO_OLD },
		{ "all conditions hold", "id=a org=Acme serial=F9* product=iPad13,18 os=>=17,<19",
		    &KNOWN, YES, MATCH_YES },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_with(policy_clear) struct policy p = { 0 };

		row_named(rows[i].name);
		make(rows[i].policy, &p);
		assert_int_equal(policy_match(&p, rows[i].subject, rows[i].is_ours), rows[i].want);
	}
}

static void
slots_match(void **state)
{
	auto_with(policy_clear) struct policy p = { 0 };
	struct policy_subject s = KNOWN;

	(void)state;
	make("slot=7|left*", &p);
	s.has_slot_map = true;
	assert_int_equal(policy_match(&p, &s, YES), MATCH_NO);
	s.slot = "7";
	assert_int_equal(policy_match(&p, &s, YES), MATCH_YES);
	s.slot = "left 3";
	assert_int_equal(policy_match(&p, &s, YES), MATCH_YES);
	s.slot = "right 3";
	assert_int_equal(policy_match(&p, &s, YES), MATCH_NO);
}

/* ---- several ------------------------------------------------------------------------- */

enum { MOST = 4 };

struct several {
	struct policy	 own[MOST], *items[MOST];
	struct policies	 all;
};

/* "line; line; line": each named by its place, 0, 1, 2. */
static void
make_several(const char *lines, struct several *s)
{
	char copy[512], *save = NULL, *line;

	*s = (struct several){ .all = { .items = s->items } };
	snprintf(copy, sizeof(copy), "%s", lines);
	for (line = strtok_r(copy, ";", &save); line; line = strtok_r(NULL, ";", &save)) {
		char name[32];

		make(line, &s->own[s->all.n]);
		snprintf(name, sizeof(name), "%zu", s->all.n);
		s->own[s->all.n].name = strdup(name);
		s->items[s->all.n] = &s->own[s->all.n];
		s->all.n++;
	}
}

static void
clear_several(struct several *s)
{
	size_t i;

	for (i = 0; i < s->all.n; i++)
		policy_clear(&s->own[i]);
}

static void
one_policy_wins_or_none(void **state)
{
	static const struct {
		const char *name, *policies;
		const struct policy_subject *subject;
		const char *ours;	/* y, n, - for each */
		int want, rival;	/* -1: none */
		bool is_too_old, is_unsupervised;
	} rows[] = {
		{ "the only one",
		    "org=Acme", &KNOWN, "y", 0, -1, false, false },
		{ "none is for it",
		    "org=Other", &KNOWN, "n", -1, -1, false, false },
		{ "of two clients the one whose device it is",
		    "org=Other id=o; org=Acme id=a", &KNOWN, "ny", 1, -1, false, false },
		{ "of two clients without names the one whose identity supervises it",
		    "id=o; id=a", &KNOWN, "ny", 1, -1, false, false },
		{ "a pattern of another client's catches nothing of ours",
		    "id=o serial=F9*; id=a", &KNOWN, "ny", 1, -1, false, false },
		{ "not even an exact serial does",
		    "id=o serial=F9FXK0ABCD12; id=a", &KNOWN, "ny", 1, -1, false, false },
		{ "an exact serial beats a pattern",
		    "serial=F9*; serial=F9FXK0ABCD12", &KNOWN, "--", 1, -1, false, false },
		{ "a UDID beats a serial",
		    "serial=F9FXK0ABCD12; udid=" UDID, &KNOWN, "--", 1, -1, false, false },
		{ "a serial beats every other condition together",
		    "serial=F9FXK0ABCD12; org=Acme product=iPad13,18 os=>=17",
		    &KNOWN, "--", 0, -1, false, false },
		{ "an exact product beats a pattern",
		    "product=iPad*; product=iPad13,18", &KNOWN, "--", 1, -1, false, false },
		{ "two conditions beat one of them",
		    "product=iPad*; product=iPad* os=>=17", &KNOWN, "--", 1, -1, false, false },
		{ "the order of the files decides nothing",
		    "product=iPad* os=>=17; product=iPad*", &KNOWN, "--", 0, -1, false, false },
		{ "equal weight: an error, not the first",
		    "product=iPad*; product=*Pad13,18", &KNOWN, "--", 0, 1, false, false },
		{ "three, of which two are equal and one is better",
		    "product=iPad*; product=*18; serial=F9*", &KNOWN, "---", 2, -1, false, false },
		{ "only the system is too old",
		    "product=iPad* os=>=18.2", &KNOWN, "-", -1, -1, true, false },
		{ "too old for one, right for the other",
		    "serial=F9* os=>=18.2; product=iPad*", &KNOWN, "--", 1, -1, false, false },
		{ "supervision is all that is missing",
		    "id=a org=Acme product=iPad*", &FREE, "n", -1, -1, false, true },
		{ "not supervised, and not meant either",
		    "id=a org=Acme product=iPhone*", &FREE, "n", -1, -1, false, false },
	};
	size_t i, k;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_with(clear_several) struct several s;
		enum known ours[MOST];
		struct policy_choice c;

		row_named(rows[i].name);
		make_several(rows[i].policies, &s);
		for (k = 0; k < s.all.n; k++)
			ours[k] = rows[i].ours[k] == 'y' ? YES :
			    rows[i].ours[k] == 'n' ? NO : UNKNOWN;
		c = policies_choose(&s.all, rows[i].subject, ours);
		assert_ptr_equal(c.policy, rows[i].want < 0 ? NULL : s.items[rows[i].want]);
		assert_ptr_equal(c.rival, rows[i].rival < 0 ? NULL : s.items[rows[i].rival]);
		assert_int_equal(c.is_too_old, rows[i].is_too_old);
		assert_int_equal(c.is_unsupervised, rows[i].is_unsupervised);
	}
}

static void
strangers_are_offered_the_most_specific_first(void **state)
{
	static const struct {
		const char *name, *policies, *want;
	} rows[] = {
		{ "all may be right", "id=a; id=b", "01" },
		{ "the slot is known before pairing, and more specific",
		    "id=a; id=b slot=7", "10" },
		{ "a UDID above all", "id=a slot=7; id=b; id=c udid=" UDID, "201" },
		{ "what cannot be is not offered", "id=a product=iPhone*; id=b", "1" },
		{ "too old a system is not offered", "id=a os=>=19; id=b", "1" },
		{ "another slot is not offered", "id=a slot=8; id=b slot=7", "1" },
		{ "nobody", "id=a product=iPhone*", "" },
	};
	size_t i, k;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_with(clear_several) struct several s;
		struct policy_subject stranger = STRANGER;
		const struct policy *order[MOST];
		char got[MOST + 1] = "";
		size_t n;

		row_named(rows[i].name);
		stranger.slot = "7";
		stranger.has_slot_map = true;
		make_several(rows[i].policies, &s);
		n = policies_rank(&s.all, &stranger, order);
		for (k = 0; k < n; k++)
			got[k] = *order[k]->name;
		got[n] = '\0';
		assert_string_equal(got, rows[i].want);
	}
}

static void
policies_collide_or_not(void **state)
{
	static const struct {
		const char *name, *policies;
		bool want;
	} rows[] = {
		{ "the same twice", "id=a org=Acme; id=a org=Acme", true },
		{ "one identity and no condition, twice", "id=a; id=a", true },
		{ "two clients", "id=a org=Acme; id=b org=Other", false },
		{ "two identities, no names: the device tells", "id=a; id=b", false },
		{ "one is more specific", "id=a org=Acme; id=a org=Acme serial=F9*", false },
		{ "another range of serials", "id=a serial=F9*; id=a serial=G*", false },
		{ "the same range", "id=a serial=F9*; id=a serial=f9*", true },
		{ "one list within the other", "id=a serial=F9*; id=a serial=F9*|G*", true },
		{ "one serial in both",
		    "id=a serial=F9FXK0ABCD12|X; id=a serial=Y|F9FXK0ABCD12", true },
		{ "one UDID in both", "id=a udid=" UDID "; id=a udid=" UDID, true },
		{ "another kind of device", "id=a product=iPad*; id=a product=iPhone*", false },
		{ "other systems", "id=a os=>=18; id=a os=<18", false },
		{ "one system", "id=a os=>=18; id=a os=>=18.0", true },
		{ "another slot", "id=a slot=7; id=a slot=8", false },
		{ "one slot in both", "id=a slot=7|8; id=a slot=8|9", true },
		{ "one name of several in both, same devices",
		    "id=a org=Acme|X; id=a org=Acme|X", true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_with(clear_several) struct several s;

		row_named(rows[i].name);
		make_several(rows[i].policies, &s);
		assert_int_equal(policies_collide(s.items[0], s.items[1]), rows[i].want);
		assert_int_equal(policies_collide(s.items[1], s.items[0]), rows[i].want);
	}
}

/* ---- systems ----------------------------------------------------------------------------- */

static void
systems_fit_or_not(void **state)
{
	static const struct {
		const char *range, *version;
		int want;	/* osrange_answer, or -1: no range */
	} rows[] = {
		{ ">=17.0", "17.0", OS_FITS }, { ">=17.0", "17", OS_FITS },
		{ ">=17.0", "16.7.10", OS_TOO_OLD }, { ">=17.0", "26.0", OS_FITS },
		{ ">17.0", "17.0", OS_TOO_OLD }, { ">17.0", "17.0.1", OS_FITS },
		{ "<18", "17.7.2", OS_FITS }, { "<18", "18.0", OS_TOO_NEW },
		{ "<=18.2", "18.2", OS_FITS }, { "<=18.2", "18.2.1", OS_TOO_NEW },
		{ "18.1", "18.1", OS_FITS }, { "18.1", "18.1.1", OS_TOO_NEW },
		{ "=18.1", "18.0", OS_TOO_OLD },
		{ "18.*", "18.7.3", OS_FITS }, { "18.*", "18", OS_FITS },
		{ "18.*", "17.9", OS_TOO_OLD }, { "18.*", "19.0", OS_TOO_NEW },
		{ "18.*", "180.0", OS_TOO_NEW },
		{ "18.2.*", "18.2.1", OS_FITS }, { "18.2.*", "18.20", OS_TOO_NEW },
		{ "17.0 - 18.2", "17.0", OS_FITS }, { "17.0 - 18.2", "18.2", OS_FITS },
		{ "17.0 - 18.2", "18.3", OS_TOO_NEW }, { "17.0 - 18.2", "16.0", OS_TOO_OLD },
		{ ">=17.0 <19", "18.5", OS_FITS }, { ">=17.0,<19", "19.0", OS_TOO_NEW },
		{ ">= 17.0", "18.0", OS_FITS },
		{ "", "18.0", -1 }, { "new", "18.0", -1 }, { ">=", "18.0", -1 },
		{ ">=17.", "18.0", -1 }, { "17.0 -", "18.0", -1 }, { ">=18 <17", "18.0", -1 },
		{ ">18 <=18", "18.0", -1 }, { "17.0-18.2", "18.0", -1 },
		{ ">=17.0x", "18.0", -1 }, { "17..0", "18.0", -1 },
		{ "1,2,3,4,5,6,7,8,9", "18.0", -1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		struct osrange range;
		struct error err = { 0 };
		char name[64];
		int rc = osrange_parse(rows[i].range, &range, &err);

		snprintf(name, sizeof(name), "\"%s\" and %s", rows[i].range, rows[i].version);
		row_named(name);
		assert_int_equal(rc, rows[i].want < 0 ? -1 : 0);
		if (rc == 0)
			assert_int_equal(osrange_check(&range, rows[i].version), rows[i].want);
	}
}

/* ---- what a device should be --------------------------------------------------------------- */

static void
add_preset(struct policy *p, const char *name, bool is_always)
{
	struct policy_profile *one = &p->profiles[p->n_profiles++];
	char identifier[128];

	snprintf(identifier, sizeof(identifier), "org.chaperone.preset.%s", name);
	one->preset = strdup(name);
	one->identifier = strdup(identifier);
	one->is_always = is_always;
}

/* Tuesdays 08:00 to 09:00 UTC; 2026-11-24 08:00 is 1795507200. */
enum { TUESDAY_8 = 1795507200 };

static void
a_policy_asks(void **state)
{
	static const struct {
		const char *name;
		bool has_window, is_always;
		enum policy_purpose purpose;
		int64_t now;
		size_t profiles, absent;
		bool has_end;
		int64_t boundary;
	} rows[] = {
		{ "without a window always",
		    false, false, POLICY_KEEP, TUESDAY_8, 1, 1, false, INT64_MAX },
		{ "inside the window, until its end",
		    true, false, POLICY_KEEP, TUESDAY_8, 1, 1, true, TUESDAY_8 + 3600 },
		{ "the same in its last second",
		    true, false, POLICY_KEEP, TUESDAY_8 + 3599, 1, 1, true, TUESDAY_8 + 3600 },
		{ "outside it must be gone",
		    true, false, POLICY_KEEP, TUESDAY_8 + 3600, 0, 2, false,
		    TUESDAY_8 + 7 * 86400 },
		{ "what is always so stays outside, without an end",
		    true, true, POLICY_KEEP, TUESDAY_8 + 3600, 1, 1, false, TUESDAY_8 + 7 * 86400 },
		{ "and inside it has none either",
		    true, true, POLICY_KEEP, TUESDAY_8, 1, 1, false, TUESDAY_8 + 3600 },
		{ "remove takes off its profiles, and nothing of others",
		    false, false, POLICY_REMOVE, TUESDAY_8, 0, 1, false, INT64_MAX },
		{ "remove inside the window too",
		    true, false, POLICY_REMOVE, TUESDAY_8, 0, 1, false, TUESDAY_8 + 3600 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		struct policy_profile profiles[1] = { 0 };
		struct policy p = { .profiles = profiles, .has_window = rows[i].has_window };
		auto_desired struct desired d = { .digest = toy_digest };
		struct error err = { 0 };
		const char *xml;

		row_named(rows[i].name);
		p.window = (struct window){ .from_min = 480, .to_min = 540,
			.days = { [1] = true } };
		add_preset(&p, "imessage-off", rows[i].is_always);
		add(&p.absent, "com.old.*", 9);
		assert_int_equal(policy_desire(&p, rows[i].purpose, rows[i].now, "Acme",
		    &d, &err), 0);
		assert_int_equal(d.n_profiles, rows[i].profiles);
		assert_int_equal(d.n_absent, rows[i].absent);
		assert_int_equal(policy_next_boundary(&p, rows[i].now), rows[i].boundary);
		if (d.n_profiles) {
			assert_int_equal(blob_append(&d.profiles[0].bytes, "", 1), 0);
			xml = (const char *)d.profiles[0].bytes.data;
			assert_int_equal(strstr(xml, "<key>RemovalDate</key>") != NULL,
			    rows[i].has_end);
			if (rows[i].has_end)
				assert_non_null(strstr(xml, "2026-11-24T09:00:00Z"));
		}
		free(profiles[0].preset);
		free(profiles[0].identifier);
		free(p.absent.items[0]);
		free(p.absent.items);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_match_or_not),
		cmocka_unit_test(slots_match),
		cmocka_unit_test(one_policy_wins_or_none),
		cmocka_unit_test(strangers_are_offered_the_most_specific_first),
		cmocka_unit_test(policies_collide_or_not),
		cmocka_unit_test(systems_fit_or_not),
		cmocka_unit_test(a_policy_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
