/* lint_top: the rules about the top level (T), removal (R) and each payload (C) */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/proplist.h"
#include "base/text.h"
#include "core/canonical.h"
#include "core/linter.h"
#include "core/value.h"

#define PROFILE	"Configuration"

/* ---- T ------------------------------------------------------------------------ */

static bool
is_reverse_dns(const char *s)
{
	size_t labels = 0;

	for (;;) {
		size_t n = 0;

		while (isalnum((unsigned char)s[n]) || s[n] == '-' || s[n] == '_')
			n++;
		if (n == 0)
			return false;
		labels++;
		if (!s[n])
			return labels >= 2;
		if (s[n] != '.')
			return false;
		s += n + 1;
	}
}

static bool
is_uuid(const char *s)
{
	size_t i;

	if (strlen(s) != 36)
		return false;
	for (i = 0; i < 36; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_dash ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
			return false;
	}
	return true;
}

static void
judge_uuid_form(struct linter *l, const struct place *p)
{
	const char *text = node_string(p->node);

	if (text && *text && !is_uuid(text))
		lint_add(l, LINT_T006, LINT_USUAL, p,
		    "\"%s\" does not look like a UUID: devices accept it, other tools may not",
		    lint_text(text).s);
}

static void
judge_names(struct linter *l)
{
	struct place type = lint_get(l, &l->top, "PayloadType");
	struct place id = lint_get(l, &l->top, "PayloadIdentifier");
	struct place uuid = lint_get(l, &l->top, "PayloadUUID");
	const char *t = node_string(type.node), *i = node_string(id.node);
	const char *u = node_string(uuid.node);

	if (!t || strcmp(t, PROFILE) != 0)
		lint_add(l, LINT_T001, LINT_USUAL, type.node ? &type : &l->top,
		    "PayloadType must be Configuration: "
		    "the device does not take this for a profile");
	if (!i || !*i)
		lint_add(l, LINT_T003, LINT_USUAL, id.node ? &id : &l->top,
		    "PayloadIdentifier is missing or empty: the device refuses the profile");
	else if (!is_reverse_dns(i))
		lint_add(l, LINT_T004, LINT_USUAL, &id, "\"%s\" is not in reverse-DNS form "
		    "(com.example.name): profiles of others may use it too, and replace this one",
		    lint_text(i).s);
	if (!u || !*u)
		lint_add(l, LINT_T005, LINT_USUAL, uuid.node ? &uuid : &l->top,
		    "PayloadUUID is missing or empty: the device refuses the profile");
	else
		judge_uuid_form(l, &uuid);
}

static void
judge_version(struct linter *l)
{
	struct place version = lint_get(l, &l->top, "PayloadVersion");
	uint64_t n = 0;

	if (node_is(version.node, PLIST_UINT))
		plist_get_uint_val(version.node, &n);
	if (n != 1)
		lint_add(l, LINT_T002, LINT_USUAL, version.node ? &version : &l->top,
		    "PayloadVersion must be the integer 1%s", n == 2 ?
		    ": some devices take 2, the format knows 1 only" :
		    ": the device refuses the profile");
}

static void
judge_contents(struct linter *l)
{
	struct place sealed = lint_get(l, &l->top, "EncryptedPayloadContent");
	struct place flag = lint_get(l, &l->top, "IsEncrypted");
	bool is_encrypted = lint_is(&flag, true);

	if (is_encrypted && !sealed.node)
		lint_add(l, LINT_T015, LINT_USUAL, &flag,
		    "IsEncrypted is true, but there is no EncryptedPayloadContent: "
		    "nothing can be installed");
	if (is_encrypted && l->content.node)
		lint_add(l, LINT_T015, LINT_USUAL, &l->content,
		    "an encrypted profile with plain PayloadContent beside it: "
		    "only one of them can count");
	if (!is_encrypted && sealed.node)
		lint_add(l, LINT_T015, LINT_USUAL, &sealed,
		    "EncryptedPayloadContent is not read unless IsEncrypted is true");
	if (is_encrypted && !l->content.node)
		return;
	if (!node_is(l->content.node, PLIST_ARRAY))
		lint_add(l, LINT_T007, LINT_USUAL, l->content.node ? &l->content : &l->top,
		    "PayloadContent must be an array of payloads: the device refuses the profile");
	else if (plist_array_get_size(l->content.node) == 0)
		lint_add(l, LINT_T008, LINT_USUAL, &l->content,
		    "PayloadContent is empty: there is nothing to install");
}

static void
judge_labels(struct linter *l)
{
	const char *name = dict_get_string(l->root, "PayloadDisplayName");
	const char *organization = dict_get_string(l->root, "PayloadOrganization");

	if (!name || !*name)
		lint_add(l, LINT_T010, LINT_USUAL, &l->top,
		    "no PayloadDisplayName: the person sees the identifier instead");
	if (!organization || !*organization)
		lint_add(l, LINT_T010, LINT_USUAL, &l->top,
		    "no PayloadOrganization: the person does not see whose profile it is");
}

static void
judge_device_type(struct linter *l, const struct place *p)
{
	uint64_t n = 0;

	if (!node_is(p->node, PLIST_UINT))
		return;
	plist_get_uint_val(p->node, &n);
	if (n > 6)
		lint_add(l, LINT_T014, LINT_USUAL, p, "TargetDeviceType goes from 0 to 6");
	else if (n > 1)
		lint_add(l, LINT_T014, LINT_WARNING, p,
		    "TargetDeviceType %d is no iPhone or iPad: those are 1", (int)n);
}

static void
judge_consent(struct linter *l, const struct place *p)
{
	auto_lint_walk struct lint_walk w = lint_walk(l, p);

	if (!node_is(p->node, PLIST_DICT))
		return;
	if (!dict_get(p->node, "default"))
		lint_add(l, LINT_T016, LINT_USUAL, p,
		    "ConsentText has no \"default\": "
		    "people with other languages see whichever comes first");
	while (lint_next(l, &w))
		if (!node_is(w.place.node, PLIST_STRING))
			lint_add(l, LINT_T016, LINT_ERROR, &w.place,
			    "a consent text must be a string: the device refuses the profile");
}

static bool
has_rule_of_its_own(const char *key)
{
	static const char *const keys[] = {
		"PayloadType", "PayloadVersion", "PayloadIdentifier", "PayloadUUID",
		"PayloadContent",
	};
	size_t i;

	for (i = 0; i < countof(keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

static void
unknown_top_key(struct linter *l, const struct place *p)
{
	size_t distance;
	const struct key *near =
	    lint_is_full(l) ? NULL : key_nearest(PROFILE, "", p->key, &distance);

	if (near)
		lint_add(l, LINT_T012, LINT_USUAL, p, "the device ignores %s: did you mean %s?",
		    lint_text(p->key).s, near->path);
	else
		lint_add(l, LINT_T012, LINT_USUAL, p,
		    "the device ignores %s: no such key at the top level%s",
		    lint_text(p->key).s, key_find(RESTRICTIONS, p->key)
		    ? "; it belongs into a payload of type " RESTRICTIONS : "");
}

static void
judge_top_key(struct linter *l, const struct place *p)
{
	const struct key *key = key_find(PROFILE, p->key);

	if (!key) {
		unknown_top_key(l, p);
		return;
	}
	if (has_rule_of_its_own(p->key))
		return;
	if (strcmp(p->key, "PayloadScope") == 0)
		lint_add(l, LINT_T013, LINT_USUAL, p, "PayloadScope is for macOS: leave it out");
	/* A description in several lines is read as an array too. */
	if (strcmp(p->key, "PayloadDescription") == 0 && node_is(p->node, PLIST_ARRAY))
		return;
	if (!value_has_type(key, p->node))
		lint_add(l, LINT_T011, LINT_USUAL, p,
		    "%s must be %s: the device refuses the profile",
		    p->key, value_wanted(key));
	else if (strcmp(p->key, "TargetDeviceType") == 0)
		judge_device_type(l, p);
	else if (strcmp(p->key, "ConsentText") == 0)
		judge_consent(l, p);
}

void
lint_top_level(struct linter *l)
{
	auto_lint_walk struct lint_walk w = lint_walk(l, &l->top);

	judge_names(l);
	judge_version(l);
	judge_contents(l);
	judge_labels(l);
	while (lint_next(l, &w))
		judge_top_key(l, &w.place);
}

/* ---- R ------------------------------------------------------------------------ */

static void
judge_duration(struct linter *l, const struct place *p)
{
	enum { TOLERANCE = 600 };
	double seconds = 0;
	uint64_t whole = 0;

	if (node_is(p->node, PLIST_REAL)) {
		plist_get_real_val(p->node, &seconds);
	} else if (node_is(p->node, PLIST_UINT)) {
		plist_get_uint_val(p->node, &whole);
		seconds = (double)(int64_t)whole;
	} else {
		return;
	}
	if (!(seconds > 0))
		lint_add(l, LINT_R003, LINT_USUAL, p,
		    "DurationUntilRemoval must be positive: "
		    "the device would remove the profile at once");
	else if (seconds < TOLERANCE)
		lint_add(l, LINT_R003, LINT_WARNING, p,
		    "a device removes a profile up to five minutes late: "
		    "this duration is too short to rely on");
}

static void
judge_bounds(struct linter *l, const struct place *date, const struct place *duration)
{
	const struct place *bound = date->node ? date : duration;
	char text[CANONICAL_DATE_MAX];

	if (node_is(date->node, PLIST_DATE) && l->target->now &&
	    node_date(date->node) <= l->target->now) {
		canonical_date(node_date(date->node), text);
		lint_add(l, LINT_R001, LINT_USUAL, date,
		    "%s has passed: the device would remove the profile at once", text);
	}
	if (date->node && duration->node)
		lint_add(l, LINT_R002, LINT_USUAL, duration,
		    "both RemovalDate and DurationUntilRemoval: the earlier moment counts");
	if (duration->node)
		judge_duration(l, duration);
	if (bound->node && !lint_restricts(l, "forceAutomaticDateAndTime", true, NULL))
		lint_add(l, LINT_R004, LINT_USUAL, bound,
		    "who sets the clock forward ends this profile: "
		    "add forceAutomaticDateAndTime=true");
}

static size_t
characters(const char *utf8)
{
	size_t n = 0;

	for (; *utf8; utf8++)
		n += (*utf8 & 0xC0) != 0x80;
	return n;
}

static void
judge_password(struct linter *l, const struct lint_payload *p, bool is_locked)
{
	enum { SHORTEST = 8 };
	struct place password = lint_get(l, &p->place, "RemovalPassword");
	const char *text = node_string(password.node);

	if (!is_locked)
		lint_add(l, LINT_R006, LINT_USUAL, &p->place,
		    "without PayloadRemovalDisallowed anyone may remove the profile: "
		    "the password protects nothing");
	if (!text || characters(text) < SHORTEST)
		lint_add(l, LINT_R008, LINT_USUAL, password.node ? &password : &p->place,
		    "the removal password is %s", text && *text ?
		    "shorter than 8 characters: easy to guess" :
		    "missing: there is nothing to enter");
}

void
lint_removal(struct linter *l)
{
	struct place date = lint_get(l, &l->top, "RemovalDate");
	struct place duration = lint_get(l, &l->top, "DurationUntilRemoval");
	struct place locked = lint_get(l, &l->top, "PayloadRemovalDisallowed");
	struct place flag = lint_get(l, &l->top, "HasRemovalPasscode");
	struct place expires = lint_get(l, &l->top, "PayloadExpirationDate");
	const struct lint_payload *p;
	size_t i = 0, passwords = 0;

	judge_bounds(l, &date, &duration);
	while ((p = lint_payload_of(l, "com.apple.profileRemovalPassword", &i))) {
		passwords++;
		judge_password(l, p, lint_is(&locked, true));
		if (!lint_is(&flag, true))
			lint_add(l, LINT_R007, LINT_USUAL, &p->place,
			    "a removal password is inside, but HasRemovalPasscode is not true");
	}
	if (passwords == 0 && lint_is(&flag, true))
		lint_add(l, LINT_R007, LINT_USUAL, &flag,
		    "HasRemovalPasscode is true, but no removal password is inside");
	if (lint_is(&locked, true) && passwords == 0 && !date.node && !duration.node)
		lint_add(l, LINT_R005, LINT_USUAL, &locked,
		    "locked without password or date: "
		    "only the supervising computer, an MDM or an erase removes it");
	if (!node_is(expires.node, PLIST_DATE))
		return;
	if (l->target->now && node_date(expires.node) <= l->target->now)
		lint_add(l, LINT_R009, LINT_USUAL, &expires,
		    "PayloadExpirationDate has passed: "
		    "the device asks for an update and removes nothing");
	else if (!date.node && !duration.node)
		lint_add(l, LINT_R009, LINT_USUAL, &expires,
		    "PayloadExpirationDate removes nothing: use RemovalDate to end the profile");
}

/* ---- C ------------------------------------------------------------------------ */

static void
judge_common_keys(struct linter *l, const struct lint_payload *p)
{
	static const char *const needed[] = {
		"PayloadType", "PayloadVersion", "PayloadIdentifier", "PayloadUUID",
	};
	const char *mine = dict_get_string(p->place.node, "PayloadIdentifier");
	const char *whole = dict_get_string(l->root, "PayloadIdentifier");
	struct place uuid = lint_get(l, &p->place, "PayloadUUID");
	size_t i;

	for (i = 0; i < countof(needed); i++) {
		struct place key = lint_get(l, &p->place, needed[i]);
		const char *text = node_string(key.node);

		if (!key.node || (text && !*text))
			lint_add(l, LINT_C001, LINT_USUAL, &p->place,
			    "this payload has no %s: the device refuses the profile", needed[i]);
	}
	if (mine && whole && *mine && strncmp(mine, whole, strlen(whole)) != 0)
		lint_add(l, LINT_C004, LINT_USUAL, &p->place,
		    "by custom a payload's identifier begins with the profile's (%s)",
		    lint_text(whole).s);
	judge_uuid_form(l, &uuid);
}

static void
judge_type(struct linter *l, const struct lint_payload *p)
{
	const struct lint_target *t = l->target;
	struct place type = lint_get(l, &p->place, "PayloadType");
	const struct payload_type *near;

	if (!p->type)
		return;
	if (!p->fact) {
		near = lint_is_full(l) ? NULL : payload_type_nearest(p->type);
		lint_add(l, LINT_C005, LINT_USUAL, &type, "no payload type is called \"%s\"%s%s%s",
		    lint_text(p->type).s, near ? ": did you mean " : "", near ? near->type : "",
		    near ? "?" : ": the device refuses or ignores it");
		return;
	}
	if (!p->fact->introduced) {
		lint_add(l, LINT_C006, LINT_USUAL, &type, "%s is a payload of %s, not of iOS",
		    p->type, p->fact->elsewhere);
		return;
	}
	if (t->supervised == LINT_NO && (p->fact->is_supervised_only ||
	    (strcmp(p->type, "com.apple.webcontent-filter") == 0 &&
	    !dict_get(p->place.node, "ContentFilterUUID"))))
		lint_add(l, LINT_C008, LINT_USUAL, &type,
		    "%s needs a supervised device: this one will refuse or ignore it",
		    p->fact->title);
	if (t->os && text_compare_versions(p->fact->introduced, t->os) > 0)
		lint_add(l, LINT_C009, LINT_USUAL, &type,
		    "%s came with iOS %s: iOS %s does not know it",
		    p->fact->title, p->fact->introduced, lint_text(t->os).s);
}

/* Identifier or UUID of a payload, to be sorted and compared. */
struct name {
	const char		*text;
	const struct place	*place;
};

static int
compare_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int rc = strcmp(x->text, y->text);

	/* Pointers into one array of payloads: the order of the file. NULL: the profile. */
	return rc ? rc : x->place < y->place ? -1 : x->place > y->place;
}

static void
look_for_twins(struct linter *l, const char *key, enum lint_rule_number rule, const char *first)
{
	auto_free struct name *names = calloc(l->n_payloads + 1, sizeof(*names));
	size_t n = 0, i;

	if (!names) {
		lint_fail(l);
		return;
	}
	if (first)
		names[n++].text = first;
	for (i = 0; i < l->n_payloads; i++) {
		const char *text = dict_get_string(l->payloads[i].place.node, key);

		if (text && *text)
			names[n++] = (struct name){ text, &l->payloads[i].place };
	}
	qsort(names, n, sizeof(*names), compare_names);
	for (i = 1; i < n; i++)
		if (strcmp(names[i].text, names[i - 1].text) == 0)
			lint_add(l, rule, LINT_USUAL, names[i].place,
			    "%s %s is already taken in this profile: "
			    "the device refuses it or keeps one of the two",
			    key, lint_text(names[i].text).s);
}

static void
look_for_second_payloads(struct linter *l)
{
	const struct lint_payload *p;
	size_t i, t, n;

	for (t = 0; t < payload_table_size; t++) {
		if (!payload_table[t].is_single)
			continue;
		for (i = 0, n = 0; (p = lint_payload_of(l, payload_table[t].type, &i)); n++)
			if (n > 0)
				lint_add(l, LINT_C007, LINT_USUAL, &p->place,
				    "a device can have one payload of type %s", p->type);
	}
}

void
lint_payloads(struct linter *l)
{
	size_t i;

	for (i = 0; i < l->n_payloads; i++) {
		judge_common_keys(l, &l->payloads[i]);
		judge_type(l, &l->payloads[i]);
	}
	look_for_twins(l, "PayloadIdentifier", LINT_C002, NULL);
	look_for_twins(l, "PayloadUUID", LINT_C003, dict_get_string(l->root, "PayloadUUID"));
	look_for_second_payloads(l);
}
