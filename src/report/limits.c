/* limits: a table of the ways in which people talk, and the keys that touch them */
#include "report/limits.h"

#include <stdio.h>
#include <string.h>

#include "base/clean.h"
#include "core/keys.h"
#include "report/tally.h"

enum { KEY_NAME_MAX = 96 };

/* Settings begin with one of keys, and hold part. */
static const struct row {
	const char	*keys[5];
	const char	*part;
	struct limit	 asked, otherwise;	/* without a claim: nothing is said */
} rows[] = {
	{ { "allowChat=false" }, NULL,
	  { "iMessage is off as a whole",
	    "The restriction knows no exceptions for colleagues or groups.", 0 },
	  { "iMessage was not restricted", "allowChat=false was asked of no device.", 0 } },
	{ { "blockedAppBundleIDs=", "blacklistedAppBundleIDs=" }, "com.apple.MobileSMS",
	  { "The Messages app is hidden",
	    "SMS and MMS still arrive from the carrier, and cannot be read while it is.", 0 },
	  { "SMS and MMS keep working",
	    "That is so on devices with a cellular plan: no restriction touches them.", 0 } },
	{ { "allowVideoConferencing=false" }, NULL, { "FaceTime is off", "So are calls by it.", 0 },
	  { "FaceTime keeps working", "It is not iMessage, and was not restricted.", 0 } },
	{ { "allowAirDrop=false" }, NULL,
	  { "AirDrop is off", "Nothing goes to devices nearby.", 0 },
	  { "AirDrop keeps working", "Pictures and files go to devices nearby.", 0 } },
	{ { "blockedAppBundleIDs=", "blacklistedAppBundleIDs=", "allowListedAppBundleIDs=",
	    "whitelistedAppBundleIDs=", "allowAppInstallation=false" }, NULL,
	  { "Other messengers are covered only as apps are",
	    "Those that the lists of apps leave can be used; where only installing is off, "
	    "those that were there before.", 0 },
	  { "Other messengers are not covered",
	    "WhatsApp, Signal, Teams and mail are apps like any other, "
	    "and need restrictions of their own.", 0 } },
};

static const struct limit always[] = {
	{ "A verdict is a moment",
	  "It says what the device answered while it was plugged in. "
	  "Erasing a device takes its profiles away.", 0 },
	{ "Devices that were never plugged in are not here", "Compare with your inventory.", 0 },
};

static bool
is_about(const char *setting, const struct row *row)
{
	size_t i;

	for (i = 0; i < countof(row->keys) && row->keys[i]; i++) {
		size_t len = strlen(row->keys[i]);
		bool is_open = row->keys[i][len - 1] == '=';

		if ((is_open ? strncmp(setting, row->keys[i], len) :
			strcmp(setting, row->keys[i])) == 0)
			return !row->part || strstr(setting, row->part);
	}
	return false;
}

size_t
limits_of(const struct tally *t, struct limit out[LIMITS_MAX])
{
	size_t n = 0, i, j;

	for (i = 0; i < countof(rows); i++) {
		size_t devices = 0;

		/* Several settings may be about it: the one asked most often counts. */
		for (j = 0; j < t->by_setting.n; j++)
			if (is_about(t->by_setting.items[j].key, &rows[i]) &&
			    (size_t)t->by_setting.items[j].total > devices)
				devices = (size_t)t->by_setting.items[j].total;
		out[n] = devices ? rows[i].asked : rows[i].otherwise;
		out[n++].devices = devices;
	}
	for (i = 0; i < countof(always); i++)
		out[n++] = always[i];
	return n;
}

void
limit_claim(const struct limit *l, const struct tally *t, char out[LIMIT_CLAIM_MAX])
{
	if (l->devices && l->devices < t->n_devices)
		snprintf(out, LIMIT_CLAIM_MAX, "%s where it was asked, on %zu of %zu devices.",
		    l->claim, l->devices, t->n_devices);
	else
		snprintf(out, LIMIT_CLAIM_MAX, "%s.", l->claim);
}

const char *
limits_effect(const char *setting)
{
	const char *end = strchr(setting, '=');
	char name[KEY_NAME_MAX];
	const struct key *key;

	if (!end || (size_t)(end - setting) >= sizeof(name))
		return NULL;
	memcpy(name, setting, (size_t)(end - setting));
	name[end - setting] = '\0';
	key = key_find(RESTRICTIONS, name);
	/* The default leaves things as they are. */
	return key && (!key->fallback || strcmp(key->fallback, end + 1) != 0) ? key->effect : NULL;
}
