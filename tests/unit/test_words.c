/* words: what a profile does, as people are told */
#include "tests/unit/table.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/blob.h"
#include "base/error.h"
#include "core/profile.h"
#include "core/words.h"

static const char *const IMESSAGE_OFF[] = { "imessage-off" };

static void
sha256(const void *data, size_t len, uint8_t out[32])
{
	assert_int_equal(EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL), 1);
}

static void
built(const struct profile_spec *spec, struct blob *out)
{
	struct error err = { 0 };

	if (profile_build(spec, sha256, out, &err) < 0)
		fail_msg("%s", err.message);
}

static const struct words_line *
line_with(const struct words *w, enum words_part part, const char *text)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (w->lines[i].part == part && strstr(w->lines[i].text, text))
			return &w->lines[i];
	return NULL;
}

static void
words_say_what_it_does(void **state)
{
	static const char *const off[] = { "messaging-off" }, *const one[] = { "kiosk" },
	    *const hidden[] = { "messages-hidden" }, *const exam[] = { "exam" };
	static const struct profile_setting camera = { "allowCamera", "false" },
	    apps = { "blockedAppBundleIDs", "a.b,c.d" },
	    no_messages = { "blacklistedAppBundleIDs", "com.apple.MobileSMS" },
	    web_alone = { "whitelistedAppBundleIDs", "com.apple.mobilesafari" };
	static const struct {
		const char *name;
		struct profile_spec spec;
		enum words_part part;
		const char *want, *never;
	} rows[] = {
		{ "iMessage off, and what stays", { .presets = IMESSAGE_OFF, .n_presets = 1 },
		  WORDS_RESTRICTED, "iMessage is off", NULL },
		{ "SMS stays", { .presets = IMESSAGE_OFF, .n_presets = 1 },
		  WORDS_STAYS, "SMS and MMS", "iMessage" },
		{ "FaceTime stays", { .presets = IMESSAGE_OFF, .n_presets = 1 },
		  WORDS_STAYS, "FaceTime", NULL },
		{ "RCS goes with messaging-off", { .presets = off, .n_presets = 1 },
		  WORDS_STAYS, "SMS and MMS", "RCS" },
		{ "SMS goes with the app", { .presets = hidden, .n_presets = 1 },
		  WORDS_STAYS, "mail", "SMS" },
		{ "no camera, no talk of what stays", { .settings = &camera, .n_settings = 1 },
		  WORDS_RESTRICTED, "camera is off", NULL },
		{ "apps hidden under the key's old name",
		  { .settings = &no_messages, .n_settings = 1 },
		  WORDS_STAYS, "mail", "SMS" },
		{ "an old list of what may start hides the rest",
		  { .settings = &web_alone, .n_settings = 1 },
		  WORDS_STAYS, "chat on web pages", "mail" },
		{ "and no other messenger starts", { .settings = &web_alone, .n_settings = 1 },
		  WORDS_STAYS, "AirDrop", "messengers" },
		{ "lists are read out", { .settings = &apps, .n_settings = 1 },
		  WORDS_RESTRICTED, "start: a.b, c.d", NULL },
		{ "ratings are explained", { .presets = exam, .n_presets = 1 },
		  WORDS_RESTRICTED, "300 (12+)", NULL },
		{ "the one app", { .presets = one, .n_presets = 1, .app = "com.acme.x" },
		  WORDS_SETTINGS, "nothing else: com.acme.x", NULL },
		{ "Wi-Fi without its password", { .presets = IMESSAGE_OFF, .n_presets = 1,
		  .wifi_ssid = "Shop", .wifi_password = "hunter2x" },
		  WORDS_SETTINGS, "\"Shop\" (WPA2, password inside)", "hunter2x" },
		{ "a removal password is mentioned", { .presets = IMESSAGE_OFF, .n_presets = 1,
		  .removal_password = "hunter2x" },
		  WORDS_REMOVAL, "with a password", "hunter2x" },
		{ "locked", { .presets = IMESSAGE_OFF, .n_presets = 1 },
		  WORDS_REMOVAL, "cannot remove it", NULL },
		{ "free", { .presets = IMESSAGE_OFF, .n_presets = 1, .is_removable = true },
		  WORDS_REMOVAL, "at any time", NULL },
		{ "until", { .presets = IMESSAGE_OFF, .n_presets = 1, .removal_at = 1795534200 },
		  WORDS_REMOVAL, "2026-11-24T15:30:00Z", NULL },
		{ "for", { .presets = IMESSAGE_OFF, .n_presets = 1, .duration_s = 5400 },
		  WORDS_REMOVAL, "1 h 30 min", NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_blob struct blob xml = { 0 };
		auto_profile struct profile p = { 0 };
		auto_words struct words w = { 0 };
		struct error err = { 0 };

		row_named(rows[i].name);
		built(&rows[i].spec, &xml);
		assert_int_equal(profile_read(xml.data, xml.len, sha256, &p, &err), 0);
		assert_int_equal(words_of_profile(&p, &w, &err), 0);
		assert_non_null(line_with(&w, rows[i].part, rows[i].want));
		if (rows[i].never)
			assert_null(line_with(&w, rows[i].part, rows[i].never));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_say_what_it_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
