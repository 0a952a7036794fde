/* lint_apps: the rules about which apps there are (X002 to X006, X008, X011, X013) */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/proplist.h"
#include "core/linter.h"

#define MESSAGES	"com.apple.MobileSMS"
#define FACETIME	"com.apple.facetime"
#define WEB_CLIPS	"com.apple.webapp"
#define SETTINGS	"com.apple.Preferences"
#define PHONE		"com.apple.mobilephone"

/* Ids of Apple's apps as devices spell them; letters count. */
static const char *const apple_apps[] = {
	"com.apple.AppStore", "com.apple.Bridge", "com.apple.calculator", "com.apple.camera",
	"com.apple.classroom", "com.apple.clips", "com.apple.compass", "com.apple.DocumentsApp",
	"com.apple.facetime", "com.apple.findmy", "com.apple.Fitness", "com.apple.freeform",
	"com.apple.gamecenter", "com.apple.games", "com.apple.garageband", "com.apple.Health",
	"com.apple.Home", "com.apple.iBooks", "com.apple.iMovie", "com.apple.iWork.Keynote",
	"com.apple.iWork.Numbers", "com.apple.iWork.Pages",
	"com.apple.journal", "com.apple.Keynote",
	"com.apple.Magnifier", "com.apple.Maps", "com.apple.measure", "com.apple.MobileAddressBook",
	"com.apple.mobilecal", "com.apple.mobilegarageband", "com.apple.mobilemail",
	"com.apple.mobilenotes", "com.apple.mobilephone", "com.apple.mobilesafari",
	"com.apple.mobileslideshow", "com.apple.MobileSMS", "com.apple.MobileStore",
	"com.apple.mobiletimer", "com.apple.Music", "com.apple.news", "com.apple.Numbers",
	"com.apple.Pages", "com.apple.Passbook", "com.apple.Passwords", "com.apple.Photo-Booth",
	"com.apple.podcasts", "com.apple.Preferences", "com.apple.reminders", "com.apple.shortcuts",
	"com.apple.stocks", "com.apple.store.Jolly", "com.apple.tips", "com.apple.Translate",
	"com.apple.tv", "com.apple.VoiceMemos", "com.apple.weather", "com.apple.webapp",
};

/* The list under its new or its old name; NULL when neither is there as an array. */
static const struct place *
list_of(struct linter *l, const char *name, const char *old)
{
	const struct lint_restriction *r = lint_restriction(l, name);

	if (!r || !node_is(r->place.node, PLIST_ARRAY))
		r = lint_restriction(l, old);
	return r && node_is(r->place.node, PLIST_ARRAY) ? &r->place : NULL;
}

static const struct place *
allow_list(struct linter *l)
{
	return list_of(l, "allowListedAppBundleIDs", "whitelistedAppBundleIDs");
}

static const struct place *
block_list(struct linter *l)
{
	return list_of(l, "blockedAppBundleIDs", "blacklistedAppBundleIDs");
}

/* *at is the place of the element when it is there. */
static bool
holds(struct linter *l, const struct place *list, const char *app, struct place *at)
{
	auto_lint_walk struct lint_walk w = { .is_over = true };

	if (!list)
		return false;
	w = lint_walk(l, list);
	while (lint_next(l, &w)) {
		const char *id = node_string(w.place.node);

		if (id && strcmp(id, app) == 0) {
			if (at)
				*at = w.place;
			return true;
		}
	}
	return false;
}

/* ---- the two lists --------------------------------------------------------------- */

static void
judge_both_lists(struct linter *l)
{
	enum { LOOKED_AT = 1000 };
	const struct place *allowed = allow_list(l), *blocked = block_list(l);
	auto_lint_walk struct lint_walk w = { .is_over = true };
	char both[512] = "";
	size_t n = 0;

	if (!allowed || !blocked)
		return;
	w = lint_walk(l, allowed);
	while (lint_next(l, &w) && w.index < LOOKED_AT) {
		const char *id = node_string(w.place.node);
		size_t used = strlen(both);

		if (!id || plist_array_get_size(blocked->node) > LOOKED_AT ||
		    !holds(l, blocked, id, NULL))
			continue;
		if (++n <= 3)
			snprintf(both + used, sizeof(both) - used, "%s%s", n > 1 ? ", " : "",
			    lint_text(id).s);
	}
	lint_add(l, LINT_X002, LINT_USUAL, blocked, "an allow list and a block list together: "
	    "the allow list alone decides%s%s%s",
	    n ? "; on both, so hidden or not as the system likes: " : "",
	    both, n > 3 ? ", …" : "");
}

static void
judge_hidden_apps(struct linter *l)
{
	static const char *const never[] = {
		SETTINGS, "com.apple.appleseed.FeedbackAssistant", "com.apple.TapToRadar",
		"com.apple.TVSettings",
	};
	const struct place *blocked = block_list(l);
	struct place at;
	size_t i;

	for (i = 0; i < countof(never); i++)
		if (holds(l, blocked, never[i], &at))
			lint_add(l, LINT_X004, LINT_USUAL, &at,
			    "%s can never be hidden: the device refuses the payload", never[i]);
	if (l->target->is_phone != LINT_NO && holds(l, blocked, PHONE, &at))
		lint_add(l, LINT_X004,
		    l->target->is_phone == LINT_YES ? LINT_ERROR : LINT_WARNING, &at,
		    "an iPhone never hides Phone: it refuses the payload");
}

static void
judge_needed_app(struct linter *l, const char *app, const char *what)
{
	const struct place *allowed = allow_list(l);

	if (!holds(l, allowed, app, NULL))
		lint_add(l, LINT_X005, LINT_USUAL, allowed,
		    "%s (%s) is not on the allow list: it cannot start",
		    lint_text(app).s, what);
}

static void
judge_allow_list(struct linter *l)
{
	const struct place *allowed = allow_list(l);
	const struct lint_restriction *room =
	    lint_restriction(l, "autonomousSingleAppModePermittedAppIDs");
	const struct lint_payload *p;
	size_t i = 0;

	if (!allowed)
		return;
	if (plist_array_get_size(allowed->node) == 0) {
		lint_add(l, LINT_X003, LINT_USUAL, allowed,
		    "an empty allow list would leave no app at all: "
		    "the device refuses the payload");
		return;
	}
	while ((p = lint_payload_of(l, "com.apple.app.lock", &i))) {
		const char *app =
		    dict_get_string(dict_get_dict(p->place.node, "App"), "Identifier");

		if (app)
			judge_needed_app(l, app, "the app of Single App Mode");
	}
	if (room && node_is(room->place.node, PLIST_ARRAY)) {
		const char *app = node_string(plist_array_get_item(room->place.node, 0));

		if (app)
			judge_needed_app(l, app, "may lock the device to itself");
	}
	i = 0;
	if (lint_payload_of(l, "com.apple.webClip.managed", &i))
		judge_needed_app(l, WEB_CLIPS, "web clips of this profile");
}

/* ---- spelling --------------------------------------------------------------------- */

static void
judge_id(struct linter *l, const struct place *p)
{
	const char *id = node_string(p->node);
	size_t i, good;

	if (!id)
		return;
	good = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");
	if (!*id || id[good] || id[0] == '.' || !strchr(id, '.')) {
		lint_add(l, LINT_X006, LINT_USUAL, p,
		    "\"%s\" is no bundle id (like com.example.app): it matches no app",
		    lint_text(id).s);
		return;
	}
	for (i = 0; i < countof(apple_apps); i++)
		if (strcasecmp(id, apple_apps[i]) == 0 && strcmp(id, apple_apps[i]) != 0) {
			lint_add(l, LINT_X006, LINT_USUAL, p,
			    "letters count: %s is spelt %s, as it stands it matches no app",
			    id, apple_apps[i]);
			return;
		}
}

static void
judge_spelling(struct linter *l)
{
	static const char *const lists[] = {
		"allowListedAppBundleIDs", "whitelistedAppBundleIDs", "blockedAppBundleIDs",
		"blacklistedAppBundleIDs", "autonomousSingleAppModePermittedAppIDs",
		"allowedCameraRestrictionBundleIDs", "ratingAppsExemptedBundleIDs",
	};
	const struct lint_payload *p;
	size_t i;

	for (i = 0; i < countof(lists); i++) {
		const struct lint_restriction *r = lint_restriction(l, lists[i]);
		auto_lint_walk struct lint_walk w = { .is_over = true };

		if (r)
			w = lint_walk(l, &r->place);
		while (lint_next(l, &w))
			judge_id(l, &w.place);
	}
	for (i = 0; (p = lint_payload_of(l, "com.apple.app.lock", &i));) {
		struct place app = lint_get(l, &p->place, "App");
		struct place id = lint_get(l, &app, "Identifier");

		judge_id(l, &id);
	}
}

/* ---- effects beyond the app --------------------------------------------------------- */

static bool
is_silenced(struct linter *l, const char *app)
{
	const struct lint_payload *p;
	size_t i = 0;

	while ((p = lint_payload_of(l, "com.apple.notificationsettings", &i))) {
		struct place list = lint_get(l, &p->place, "NotificationSettings");
		auto_lint_walk struct lint_walk w = lint_walk(l, &list);

		while (lint_next(l, &w)) {
			const char *id = dict_get_string(w.place.node, "BundleIdentifier");
			bool enabled = true;

			dict_get_bool(w.place.node, "NotificationsEnabled", &enabled);
			if (id && strcmp(id, app) == 0 && !enabled)
				return true;
		}
	}
	return false;
}

static void
judge_silence(struct linter *l)
{
	const struct place *allowed = allow_list(l), *blocked = block_list(l);
	struct place at;

	if (holds(l, blocked, MESSAGES, &at))
		;
	else if (allowed && plist_array_get_size(allowed->node) &&
	    !holds(l, allowed, MESSAGES, NULL))
		at = *allowed;
	else
		return;
	if (!is_silenced(l, MESSAGES))
		lint_add(l, LINT_X008, LINT_USUAL, &at,
		    "Messages is hidden, but its notifications may still show texts: "
		    "add com.apple.notificationsettings with NotificationsEnabled=false for it");
}

static bool
wants_facetime(struct linter *l)
{
	return lint_restricts(l, "allowVideoConferencing", true, NULL) ||
	    holds(l, allow_list(l), FACETIME, NULL);
}

static void
judge_implied(struct linter *l)
{
	const struct place *where;
	size_t i = 0;

	if (lint_restricts(l, "allowCamera", false, &where) && wants_facetime(l))
		lint_add(l, LINT_X011, LINT_USUAL, where,
		    "without the camera there is no FaceTime either, "
		    "which this profile means to keep");
	if (lint_restricts(l, "allowSafari", false, &where) &&
	    lint_payload_of(l, "com.apple.webClip.managed", &i))
		lint_add(l, LINT_X011, LINT_USUAL, where,
		    "without Safari the web clips of this profile do not open");
}

static bool
is_installed(const struct lint_target *t, const char *app)
{
	size_t i;

	for (i = 0; i < t->n_apps; i++)
		if (strcmp(t->apps[i], app) == 0)
			return true;
	return false;
}

static void
judge_app_lock(struct linter *l)
{
	const struct lint_payload *p;
	size_t i = 0;

	while ((p = lint_payload_of(l, "com.apple.app.lock", &i))) {
		struct place app = lint_get(l, &p->place, "App");
		struct place id = lint_get(l, &app, "Identifier");
		struct place options = lint_get(l, &app, "Options");
		struct place touch = lint_get(l, &options, "DisableTouch");

		if (lint_is(&touch, true))
			lint_add(l, LINT_X013, LINT_USUAL, &touch,
			    "with the touch screen off nobody can use the app "
			    "unless it needs no input");
		if (node_string(id.node) && !is_installed(l->target, node_string(id.node)))
			lint_add(l, LINT_X013, LINT_USUAL, &id, "%s must be on the device first: "
			    "without it the device shows an empty screen%s",
			    lint_text(node_string(id.node)).s,
			    l->target->apps ? "" : " (which apps are installed is not known here)");
	}
}

void
lint_apps(struct linter *l)
{
	judge_both_lists(l);
	judge_hidden_apps(l);
	judge_allow_list(l);
	judge_spelling(l);
	judge_silence(l);
	judge_implied(l);
	judge_app_lock(l);
}
