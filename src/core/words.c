/* words: what a profile does, said to the person who has to decide about it */
#include "core/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/proplist.h"
#include "base/text.h"
#include "core/canonical.h"
#include "core/keys.h"
#include "core/profile.h"
#include "core/value.h"

enum { TEXT_MAX = 400, SHORT_MAX = 160 };

/* In the order in which a person would look. */
static const struct {
	const char *name, *title;
} groups[] = {
	{ "messaging", "Messages" },
	{ "calls", "Calls and FaceTime" },
	{ "sharing", "Sharing with people and devices nearby" },
	{ "games", "Games" },
	{ "apps", "Apps" },
	{ "store", "Buying" },
	{ "media", "Music and news" },
	{ "ratings", "Age ratings" },
	{ "web", "Web" },
	{ "mail", "Mail" },
	{ "accounts", "Accounts" },
	{ "cloud", "iCloud" },
	{ "camera", "Camera and screen" },
	{ "siri", "Siri" },
	{ "intelligence", "Apple Intelligence" },
	{ "keyboard", "Keyboard" },
	{ "files", "Files" },
	{ "passcode", "Passcode and passwords" },
	{ "lockscreen", "Lock Screen" },
	{ "device", "The device itself" },
	{ "network", "Network" },
	{ "cellular", "Cellular" },
	{ "watch", "Apple Watch" },
	{ "printing", "Printing" },
	{ "classroom", "Classroom" },
	{ "work", "Work and private data" },
	{ "updates", "Updates" },
	{ "privacy", "Privacy" },
};

struct speaker {
	const struct profile	*p;
	struct words		*out;
	size_t			 left_out;
	bool			 has_failed;
};

static void say(struct speaker *s, enum words_part part, const char *group, const char *key,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void
say(struct speaker *s, enum words_part part, const char *group, const char *key,
    const char *fmt, ...)
{
	struct words *w = s->out;
	char text[TEXT_MAX];
	va_list ap;

	if (w->n >= WORDS_MAX - 1) {
		s->left_out++;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (w->n == w->room) {
		size_t room = w->room ? 2 * w->room : 32;
		struct words_line *grown = reallocarray(w->lines, room, sizeof(*grown));

		if (!grown) {
			s->has_failed = true;
			return;
		}
		w->lines = grown;
		w->room = room;
	}
	w->lines[w->n] = (struct words_line){ part, group, key, strdup(text) };
	if (!w->lines[w->n].text) {
		s->has_failed = true;
		return;
	}
	w->n++;
}

/* ---- restrictions ---------------------------------------------------------------- */

static const char *
rating_meaning(const char *key, plist_t value)
{
	static const struct {
		uint64_t rating;
		const char *meaning;
	} rows[] = {
		{ 0, "none" }, { 100, "4+" }, { 200, "9+" }, { 300, "12+" }, { 600, "17+" },
	};
	uint64_t n = 0;
	size_t i;

	if (strcmp(key, "ratingApps") != 0 || !node_is(value, PLIST_UINT))
		return NULL;
	plist_get_uint_val(value, &n);
	for (i = 0; i < countof(rows); i++)
		if (rows[i].rating == n)
			return rows[i].meaning;
	return NULL;
}

static void
say_restriction(struct speaker *s, const char *title, const struct profile_restriction *r,
    const struct key *key)
{
	const char *meaning = rating_meaning(r->key, r->value);
	char value[SHORT_MAX];

	if (key->type == KEY_BOOL) {
		say(s, WORDS_RESTRICTED, title, r->key, "%s", key->effect);
		return;
	}
	value_text(r->value, value, sizeof(value));
	say(s, WORDS_RESTRICTED, title, r->key, "%s: %s%s%s%s", key->effect, value,
	    meaning ? " (" : "", meaning ? meaning : "", meaning ? ")" : "");
}

static void
say_group(struct speaker *s, size_t group)
{
	size_t i;

	for (i = 0; i < s->p->n_restrictions; i++) {
		const struct profile_restriction *r = &s->p->restrictions[i];
		const struct key *key = key_find(RESTRICTIONS, r->key);

		if (key && key->introduced && value_has_type(key, r->value) &&
		    key->group && strcmp(key->group, groups[group].name) == 0)
			say_restriction(s, groups[group].title, r, key);
	}
}

static void
say_rest(struct speaker *s)
{
	size_t i;

	for (i = 0; i < s->p->n_restrictions; i++) {
		const struct profile_restriction *r = &s->p->restrictions[i];
		const struct key *key = key_find(RESTRICTIONS, r->key);
		char name[SHORT_MAX];

		text_printable(r->key, strlen(r->key), name, sizeof(name));
		if (!key)
			say(s, WORDS_RESTRICTED, "Without effect", r->key,
			    "%s: no such restriction is known", name);
		else if (!key->introduced)
			say(s, WORDS_RESTRICTED, "Without effect", r->key,
			    "%s: for %s only", name, key->elsewhere);
		else if (!value_has_type(key, r->value))
			say(s, WORDS_RESTRICTED, "Without effect", r->key,
			    "%s: not %s", name, value_wanted(key));
	}
}

/* ---- other payloads ----------------------------------------------------------------- */

static const char *
safe(const char *foreign, char buffer[SHORT_MAX])
{
	text_printable(foreign ? foreign : "?", foreign ? strlen(foreign) : 1, buffer, SHORT_MAX);
	return buffer;
}

static void
say_wifi(struct speaker *s, plist_t payload)
{
	const char *encryption = dict_get_string(payload, "EncryptionType");
	const char *ssid = dict_get_string(payload, "SSID_STR");
	char name[SHORT_MAX], kind[SHORT_MAX];

	if (!ssid)
		ssid = dict_get_string(payload, "DomainName");
	say(s, WORDS_SETTINGS, NULL, NULL, "joins the Wi-Fi network \"%s\" (%s%s)",
	    safe(ssid, name), safe(encryption ? encryption : "any security", kind),
	    dict_get(payload, "Password") ? ", password inside" : "");
}

static void
say_app_lock(struct speaker *s, plist_t payload)
{
	char name[SHORT_MAX];

	say(s, WORDS_SETTINGS, NULL, NULL, "shows one app and nothing else: %s",
	    safe(dict_get_string(dict_get_dict(payload, "App"), "Identifier"), name));
}

static void
say_lock_screen(struct speaker *s, plist_t payload)
{
	static const struct {
		const char *key, *words;
	} rows[] = {
		{ "AssetTagInformation", "asset tag on the Lock Screen" },
		{ "LockScreenFootnote", "footnote on the Lock Screen" },
		{ "IfLostReturnToMessage", "return address on the Lock Screen" },
	};
	char text[SHORT_MAX];
	size_t i;

	for (i = 0; i < countof(rows); i++)
		if (dict_get_string(payload, rows[i].key))
			say(s, WORDS_SETTINGS, NULL, NULL, "%s: %s", rows[i].words,
			    safe(dict_get_string(payload, rows[i].key), text));
}

static void
say_notifications(struct speaker *s, plist_t payload)
{
	auto_free plist_array_iter iter = NULL;
	plist_t list = dict_get_array(payload, "NotificationSettings"), app = NULL;

	if (list)
		plist_array_new_iter(list, &iter);
	for (; iter;) {
		char name[SHORT_MAX];
		bool enabled = true;

		plist_array_next_item(list, iter, &app);
		if (!app)
			return;
		dict_get_bool(app, "NotificationsEnabled", &enabled);
		say(s, WORDS_SETTINGS, NULL, NULL, "%s %s",
		    enabled ? "sets how to notify:" : "no notifications of",
		    safe(dict_get_string(app, "BundleIdentifier"), name));
	}
}

static void
say_filter(struct speaker *s, plist_t payload)
{
	const char *type = dict_get_string(payload, "FilterType");
	plist_t denied = dict_get_array(payload, "DenyListURLs");
	plist_t allowed = dict_get_array(payload, "AllowListBookmarks");
	char name[SHORT_MAX];

	if (type && strcmp(type, "Plugin") == 0)
		say(s, WORDS_SETTINGS, NULL, NULL, "filters the web by an app: %s",
		    safe(dict_get_string(payload, "PluginBundleID"), name));
	else if (allowed)
		say(s, WORDS_SETTINGS, NULL, NULL, "opens %u web addresses only",
		    (unsigned)plist_array_get_size(allowed));
	else
		say(s, WORDS_SETTINGS, NULL, NULL, "filters the web (%u addresses denied)",
		    denied ? (unsigned)plist_array_get_size(denied) : 0u);
}

static void
say_home_screen(struct speaker *s, plist_t payload)
{
	plist_t pages = dict_get_array(payload, "Pages");

	say(s, WORDS_SETTINGS, NULL, NULL, "lays out the Home Screen: %u page(s)",
	    pages ? (unsigned)plist_array_get_size(pages) : 0u);
}

static void
say_nothing(struct speaker *s, plist_t payload)
{
	(void)s;
	(void)payload;
}

static void
say_payload(struct speaker *s, plist_t payload)
{
	static const struct {
		const char *type;
		void (*say)(struct speaker *s, plist_t payload);
	} rows[] = {
		{ RESTRICTIONS, say_nothing },
		{ "com.apple.profileRemovalPassword", say_nothing },
		{ "com.apple.wifi.managed", say_wifi },
		{ "com.apple.app.lock", say_app_lock },
		{ "com.apple.shareddeviceconfiguration", say_lock_screen },
		{ "com.apple.notificationsettings", say_notifications },
		{ "com.apple.webcontent-filter", say_filter },
		{ "com.apple.homescreenlayout", say_home_screen },
	};
	const char *type = dict_get_string(payload, "PayloadType");
	const struct payload_type *fact = type ? payload_type_find(type) : NULL;
	char name[SHORT_MAX];
	size_t i;

	for (i = 0; type && i < countof(rows); i++)
		if (strcmp(type, rows[i].type) == 0) {
			rows[i].say(s, payload);
			return;
		}
	if (fact)
		say(s, WORDS_SETTINGS, NULL, NULL, "%s (%s)%s", fact->title, type,
		    fact->introduced ? "" : ": not on iOS");
	else
		say(s, WORDS_SETTINGS, NULL, NULL, "a payload of unknown type: %s",
		    safe(type, name));
}

static bool
has_payload(const struct speaker *s, const char *wanted)
{
	plist_t content = dict_get_array(s->p->root, "PayloadContent");
	auto_free plist_array_iter iter = NULL;
	plist_t payload = NULL;

	if (content)
		plist_array_new_iter(content, &iter);
	while (iter) {
		const char *type;

		plist_array_next_item(content, iter, &payload);
		if (!payload)
			return false;
		type = dict_get_string(payload, "PayloadType");
		if (type && strcmp(type, wanted) == 0)
			return true;
	}
	return false;
}

static void
say_payloads(struct speaker *s)
{
	plist_t content = dict_get_array(s->p->root, "PayloadContent");
	auto_free plist_array_iter iter = NULL;
	plist_t payload = NULL;

	if (content)
		plist_array_new_iter(content, &iter);
	while (iter) {
		plist_array_next_item(content, iter, &payload);
		if (!payload)
			return;
		say_payload(s, payload);
	}
}

/* ---- what stays --------------------------------------------------------------------- */

static plist_t
restriction(const struct speaker *s, const char *key)
{
	size_t i;

	for (i = 0; i < s->p->n_restrictions; i++)
		if (strcmp(s->p->restrictions[i].key, key) == 0)
			return s->p->restrictions[i].value;
	return NULL;
}

static bool
lists(plist_t list, const char *app)
{
	uint32_t n = node_is(list, PLIST_ARRAY) ? plist_array_get_size(list) : 0, i;

	for (i = 0; i < n && i < 1000; i++) {
		const char *id = node_string(plist_array_get_item(list, i));

		if (id && strcmp(id, app) == 0)
			return true;
	}
	return false;
}

/* The names that these keys have had since iOS 15, and those before. */
static plist_t
allowed_apps(const struct speaker *s)
{
	plist_t list = restriction(s, "allowListedAppBundleIDs");

	return list ? list : restriction(s, "whitelistedAppBundleIDs");
}

static bool
is_hidden(const struct speaker *s, const char *app)
{
	plist_t allowed = allowed_apps(s);

	return lists(restriction(s, "blockedAppBundleIDs"), app) ||
	    lists(restriction(s, "blacklistedAppBundleIDs"), app) ||
	    (allowed && !lists(allowed, app)) || has_payload(s, "com.apple.app.lock");
}

/* Only a profile that restricts messages or calls is asked what it leaves. */
static bool
is_about_people(const struct speaker *s)
{
	size_t i;

	for (i = 0; i < s->p->n_restrictions; i++) {
		const struct key *key = key_find(RESTRICTIONS, s->p->restrictions[i].key);

		if (key && key->group &&
		    (strcmp(key->group, "messaging") == 0 || strcmp(key->group, "calls") == 0))
			return true;
	}
	return is_hidden(s, "com.apple.MobileSMS");
}

/* Where only listed apps start, or one, it has been said which. */
static void
say_other_messengers(struct speaker *s)
{
	bool is_closed = restriction(s, "allowAppInstallation") ||
	    restriction(s, "allowUIAppInstallation");

	if (!allowed_apps(s) && !has_payload(s, "com.apple.app.lock"))
		say(s, WORDS_STAYS, NULL, NULL, is_closed ?
		    "other messengers that are installed already" :
		    "other messengers, also new ones");
}

static void
say_what_stays(struct speaker *s)
{
	static const struct {
		const char *key, *also, *app, *words;
	} rows[] = {
		{ "allowChat", NULL, "com.apple.MobileSMS", "iMessage" },
		{ NULL, NULL, "com.apple.MobileSMS",
		    "SMS and MMS on a device with a cellular plan" },
		{ "allowRCSMessaging", NULL, "com.apple.MobileSMS",
		    "RCS on a device with a cellular plan" },
		{ NULL, NULL, "com.apple.mobilephone", "phone calls on an iPhone" },
		{ "allowVideoConferencing", "allowCamera", "com.apple.facetime", "FaceTime" },
		{ "allowAirDrop", NULL, NULL, "AirDrop" },
		{ "allowMultiplayerGaming", "allowGameCenter", NULL,
		    "multiplayer games and their chat" },
		{ "allowiPhoneMirroring", NULL, NULL, "an iPhone mirrored on a Mac" },
		{ "allowSafari", NULL, "com.apple.mobilesafari", "chat on web pages" },
		{ NULL, NULL, NULL, NULL },	/* other messengers */
		{ NULL, NULL, "com.apple.mobilemail", "mail" },
	};
	size_t i;

	if (!is_about_people(s))
		return;
	for (i = 0; i < countof(rows); i++) {
		bool off = (rows[i].key && restriction(s, rows[i].key)) ||
		    (rows[i].also && restriction(s, rows[i].also)) ||
		    (rows[i].app && is_hidden(s, rows[i].app));

		if (!rows[i].words)
			say_other_messengers(s);
		else if (!off)
			say(s, WORDS_STAYS, NULL, NULL, "%s", rows[i].words);
	}
	if (restriction(s, "allowChat") && !is_hidden(s, "com.apple.MobileSMS"))
		say(s, WORDS_STAYS, NULL, NULL, "old conversations can be read");
}

/* ---- removal ------------------------------------------------------------------------- */

static void
say_duration(struct speaker *s, double seconds)
{
	int64_t whole = seconds > 0 && seconds < 1e10 ? (int64_t)seconds : 0;

	say(s, WORDS_REMOVAL, NULL, NULL,
	    "the device removes it %lld h %lld min after installation, "
	    "give or take five minutes", (long long)(whole / 3600), (long long)(whole / 60 % 60));
}

static void
say_removal(struct speaker *s)
{
	plist_t date = dict_get(s->p->root, "RemovalDate");
	plist_t duration = dict_get(s->p->root, "DurationUntilRemoval");
	char text[CANONICAL_DATE_MAX];
	int64_t whole = 0;
	double seconds = 0;

	if (node_is(date, PLIST_DATE)) {
		canonical_date(node_date(date), text);
		say(s, WORDS_REMOVAL, NULL, NULL,
		    "the device removes it at %s, or up to five minutes later", text);
	}
	if (node_is(duration, PLIST_REAL)) {
		plist_get_real_val(duration, &seconds);
		say_duration(s, seconds);
	} else if (dict_get_int(s->p->root, "DurationUntilRemoval", &whole)) {
		say_duration(s, (double)whole);
	}
	if (!s->p->is_removal_disallowed)
		say(s, WORDS_REMOVAL, NULL, NULL,
		    "the person holding the device may remove it at any time");
	else if (has_payload(s, "com.apple.profileRemovalPassword"))
		say(s, WORDS_REMOVAL, NULL, NULL,
		    "the person holding the device may remove it with a password, "
		    "which is in this file");
	else
		say(s, WORDS_REMOVAL, NULL, NULL,
		    "on a supervised device the person holding it cannot remove it");
}

int
words_of_profile(const struct profile *p, struct words *out, struct error *err)
{
	auto_words struct words w = { 0 };
	struct speaker s = { .p = p, .out = &w };
	size_t i;

	for (i = 0; i < countof(groups); i++)
		say_group(&s, i);
	say_rest(&s);
	say_payloads(&s);
	say_what_stays(&s);
	say_removal(&s);
	if (s.left_out) {
		size_t n = s.left_out;

		free(w.lines[w.n - 1].text);
		w.n--;
		say(&s, WORDS_REMOVAL, NULL, NULL, "%zu more lines are left out", n + 1);
	}
	if (s.has_failed)
		return error_memory(err);
	words_clear(out);
	*out = w;
	w = (struct words){ 0 };
	return 0;
}

void
words_clear(struct words *w)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		free(w->lines[i].text);
	free(w->lines);
	*w = (struct words){ 0 };
}
