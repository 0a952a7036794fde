/* lint_restrictions: what they mean together (K011, K012, X001 and on) and on a device (V) */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/blob.h"
#include "base/proplist.h"
#include "core/canonical.h"
#include "core/linter.h"
#include "core/value.h"

/* ---- defaults and doubles --------------------------------------------------------- */

static bool
is_default(const struct lint_restriction *r)
{
	return r->fact && value_has_type(r->fact, r->place.node) &&
	    value_is_default(r->fact, r->place.node);
}

static void
judge_defaults(struct linter *l)
{
	size_t i, same = 0;

	for (i = 0; i < l->n_restrictions; i++)
		same += is_default(&l->restrictions[i]);
	if (same == 0)
		return;
	if (same == l->n_restrictions) {
		lint_add(l, LINT_K011, LINT_USUAL, l->restrictions[0].place.up,
		    "every restriction here equals its default: this payload changes nothing");
		return;
	}
	for (i = 0; i < l->n_restrictions; i++)
		if (is_default(&l->restrictions[i]))
			lint_add(l, LINT_K012, LINT_USUAL, &l->restrictions[i].place,
			    "%s has its default value: no effect", l->restrictions[i].key);
}

static bool
are_equal(plist_t a, plist_t b)
{
	auto_blob struct blob x = { 0 }, y = { 0 };

	if (canonical_xml(a, CANONICAL_WHOLE, &x) < 0 || canonical_xml(b, CANONICAL_WHOLE, &y) < 0)
		return false;
	return blob_equal(&x, &y);
}

static void
look_for_doubles(struct linter *l)
{
	size_t i;

	for (i = 1; i < l->n_restrictions; i++) {
		const struct lint_restriction *a = &l->restrictions[i - 1];
		const struct lint_restriction *b = &l->restrictions[i];
		bool same;

		if (strcmp(a->key, b->key) != 0)
			continue;
		same = are_equal(a->place.node, b->place.node);
		lint_add(l, LINT_X001, same ? LINT_USUAL : LINT_ERROR, &b->place,
		    "%s is set in another payload too%s: Apple calls the outcome unexpected",
		    lint_text(b->key).s, same ? "" : ", to another value");
	}
}

/* ---- single restrictions and their surroundings --------------------------------------- */

static void
judge_messaging(struct linter *l)
{
	const struct place *chat;

	if (!lint_restricts(l, "allowChat", false, &chat))
		return;
	if (lint_restricts(l, "allowRCSMessaging", false, NULL))
		lint_add(l, LINT_X007, LINT_USUAL, chat,
		    "iMessage and RCS are off; "
		    "SMS and MMS still work on a device with a cellular plan");
	else
		lint_add(l, LINT_X007, LINT_USUAL, chat, "iMessage is off; "
		    "SMS and MMS still work on a device with a cellular plan, "
		    "and RCS without allowRCSMessaging=false");
}

static void
judge_reach(struct linter *l)
{
	const struct place *where;
	size_t i = 0;

	if (lint_restricts(l, "allowHostPairing", false, &where) &&
	    l->target->has_host_certificate != LINT_YES)
		lint_add(l, LINT_X009, LINT_USUAL, where,
		    "only computers whose certificate the device carries can pair then: "
		    "without one, no computer can ever manage it again, this one included");
	if ((lint_restricts(l, "forceWiFiToAllowedNetworksOnly", true, &where) ||
	    lint_restricts(l, "forceWiFiWhitelisting", true, &where)) &&
	    !lint_payload_of(l, "com.apple.wifi.managed", &i))
		lint_add(l, LINT_X010, LINT_USUAL, where,
		    "no Wi-Fi network is in this profile: "
		    "unless another one brings it, the device is cut off");
}

static void
judge_destruction(struct linter *l)
{
	static const struct {
		const char *key, *loss;
	} rows[] = {
		{ "allowPairedWatch", "a paired Apple Watch is unpaired and erased" },
		{ "allowCloudPhotoLibrary",
		    "photos that are not fully downloaded leave the device" },
		{ "allowAppClips", "App Clips on the device are removed" },
	};
	const struct place *where;
	size_t i;

	for (i = 0; i < countof(rows); i++)
		if (lint_restricts(l, rows[i].key, false, &where))
			lint_add(l, LINT_X012, LINT_USUAL, where,
			    "%s; removing the profile does not bring them back", rows[i].loss);
}

static void
judge_lines(struct linter *l, const char *key)
{
	const struct lint_restriction *r = lint_restriction(l, key);
	auto_lint_walk struct lint_walk w = { .is_over = true };
	uint32_t n;

	if (!r || !value_has_type(r->fact, r->place.node))
		return;
	n = plist_array_get_size(r->place.node);
	if (n > 4)
		lint_add(l, LINT_X014, LINT_USUAL, &r->place,
		    "%s may name 4 lines, not %u: the device refuses the payload",
		    key, (unsigned)n);
	w = lint_walk(l, &r->place);
	while (lint_next(l, &w)) {
		const char *id = node_string(w.place.node);
		size_t digits = strspn(id ? id : "", "0123456789");

		if (id && (id[digits] || digits < 18 || digits > 22))
			lint_add(l, LINT_X014, LINT_WARNING, &w.place,
			    "\"%s\" is no ICCID: those have 18 to 22 digits", lint_text(id).s);
	}
}

static void
judge_conditions(struct linter *l)
{
	static const struct {
		enum lint_rule_number rule;
		const char *key, *needs, *value;
	} rows[] = {
		{ LINT_X015, "allowedCameraRestrictionBundleIDs", "allowCamera", "false" },
		{ LINT_X015, "ratingAppsExemptedBundleIDs", "ratingApps", NULL },
		{ LINT_X016, "enforcedSoftwareUpdateDelay", "forceDelayedSoftwareUpdates", "true" },
	};
	size_t i;

	for (i = 0; i < countof(rows); i++) {
		const struct lint_restriction *r = lint_restriction(l, rows[i].key);
		bool met = rows[i].value
		    ? lint_restricts(l, rows[i].needs, rows[i].value[0] == 't', NULL)
		    : lint_restriction(l, rows[i].needs) != NULL;

		if (r && !met)
			lint_add(l, rows[i].rule, LINT_USUAL, &r->place,
			    "%s has no effect without %s%s%s", r->key, rows[i].needs,
			    rows[i].value ? "=" : "", rows[i].value ? rows[i].value : "");
	}
}

void
lint_restrictions(struct linter *l)
{
	judge_defaults(l);
	look_for_doubles(l);
	judge_messaging(l);
	judge_reach(l);
	judge_destruction(l);
	judge_lines(l, "deniedICCIDsForiMessageFaceTime");
	judge_lines(l, "deniedICCIDsForRCS");
	judge_conditions(l);
}

/* ---- the device as it is ----------------------------------------------------------------- */

static void
judge_twin(struct linter *l, const struct lint_installed *other)
{
	struct place uuid = lint_get(l, &l->top, "PayloadUUID");
	const char *mine = node_string(uuid.node);

	if (mine && other->uuid && strcasecmp(mine, other->uuid) == 0 &&
	    other->has_same_content == LINT_NO)
		lint_add(l, LINT_V001, LINT_USUAL, &uuid,
		    "the installed version has this very UUID but other content: "
		    "nobody could tell the two apart; give the profile a new UUID");
}

static void
judge_neighbour(struct linter *l, const struct lint_installed *other)
{
	size_t i;

	for (i = 0; i < other->n_keys; i++) {
		const struct lint_restriction *r = lint_restriction(l, other->keys[i]);

		if (r)
			lint_add(l, LINT_V002, LINT_USUAL, &r->place,
			    "%s is also set by %s: the stricter value counts, "
			    "and removing one of the two does not lift it",
			    r->key, lint_text(other->identifier).s);
	}
}

void
lint_device(struct linter *l)
{
	const char *mine = dict_get_string(l->root, "PayloadIdentifier");
	size_t i;

	for (i = 0; i < l->target->n_installed; i++) {
		const struct lint_installed *other = &l->target->installed[i];

		if (mine && strcmp(mine, other->identifier) == 0)
			judge_twin(l, other);
		else
			judge_neighbour(l, other);
	}
}
