/* lint_companions: Wi-Fi, web content filter, Home Screen (X017 to X019, X021 to X023) */
#include <string.h>
#include <strings.h>

#include "base/proplist.h"
#include "core/linter.h"

/* ---- certificates ------------------------------------------------------------------- */

static bool
is_certificate(const char *type)
{
	static const char *const types[] = {
		"com.apple.security.pem", "com.apple.security.pkcs1", "com.apple.security.pkcs12",
		"com.apple.security.root", "com.apple.security.scep", "com.apple.security.acme",
	};
	size_t i;

	for (i = 0; type && i < countof(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* The UUIDs of all certificates in the profile, sorted without regard to case. */
struct certificates {
	const char	**uuids;
	size_t		 n;
};

static int
compare_uuids(const void *a, const void *b)
{
	return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
gather_certificates(struct linter *l, struct certificates *c)
{
	size_t i;

	c->uuids = calloc(l->n_payloads + 1, sizeof(*c->uuids));
	if (!c->uuids) {
		lint_fail(l);
		return false;
	}
	for (i = 0; i < l->n_payloads; i++) {
		const char *uuid = dict_get_string(l->payloads[i].place.node, "PayloadUUID");

		if (is_certificate(l->payloads[i].type) && uuid)
			c->uuids[c->n++] = uuid;
	}
	qsort(c->uuids, c->n, sizeof(*c->uuids), compare_uuids);
	return true;
}

static void
judge_reference(struct linter *l, const struct certificates *c, const struct place *p)
{
	const char *uuid = node_string(p->node);

	if (uuid && !bsearch(&uuid, c->uuids, c->n, sizeof(*c->uuids), compare_uuids))
		lint_add(l, LINT_X017, LINT_USUAL, p,
		    "no certificate payload of this profile has the UUID %s: "
		    "the device refuses the payload", lint_text(uuid).s);
}

static void
judge_references(struct linter *l, const struct certificates *c, const struct place *payload)
{
	struct place certificate = lint_get(l, payload, "PayloadCertificateUUID");
	struct place eap = lint_get(l, payload, "EAPClientConfiguration");
	struct place list = lint_get(l, &eap, "PayloadCertificateAnchorUUID");
	auto_lint_walk struct lint_walk w = lint_walk(l, &list);

	judge_reference(l, c, &certificate);
	while (lint_next(l, &w))
		judge_reference(l, c, &w.place);
}

/* ---- Wi-Fi --------------------------------------------------------------------------- */

static void
judge_security(struct linter *l, const struct place *wifi)
{
	struct place type = lint_get(l, wifi, "EncryptionType");
	struct place proxy = lint_get(l, wifi, "ProxyType");
	const char *encryption = node_string(type.node), *kind = node_string(proxy.node);

	if (encryption && strcmp(encryption, "None") == 0 && dict_get(wifi->node, "Password"))
		lint_add(l, LINT_X018, LINT_USUAL, &type,
		    "EncryptionType None with a password: the device joins open networks only");
	if (encryption && strcmp(encryption, "WEP") == 0)
		lint_add(l, LINT_X018, LINT_USUAL, &type, "WEP can be broken in minutes");
	if (kind && strcmp(kind, "Manual") == 0 &&
	    (!dict_get(wifi->node, "ProxyServer") || !dict_get(wifi->node, "ProxyServerPort")))
		lint_add(l, LINT_X018, LINT_USUAL, &proxy,
		    "a manual proxy needs ProxyServer and ProxyServerPort: "
		    "the network will not work");
}

static void
judge_network_name(struct linter *l, const struct place *wifi)
{
	enum { LONGEST = 32 };
	struct place ssid = lint_get(l, wifi, "SSID_STR");
	const char *name = node_string(ssid.node);

	if ((!name || !*name) && !dict_get_string(wifi->node, "DomainName"))
		lint_add(l, LINT_X019, LINT_USUAL, wifi,
		    "neither SSID_STR nor DomainName: "
		    "the device does not know which network is meant");
	if (name && strlen(name) > LONGEST)
		lint_add(l, LINT_X019, LINT_USUAL, &ssid,
		    "a network name has at most 32 bytes, this one has %zu: it matches none",
		    strlen(name));
}

/* ---- web content filter ----------------------------------------------------------------- */

static void
judge_plugin(struct linter *l, const struct place *filter)
{
	static const char *const needed[] = { "PluginBundleID", "UserDefinedName" };
	bool browsers = false, sockets = false;
	size_t i;

	for (i = 0; i < countof(needed); i++)
		if (!dict_get_string(filter->node, needed[i]))
			lint_add(l, LINT_X021, LINT_USUAL, filter,
			    "a filter of type Plugin needs %s: the device refuses the payload",
			    needed[i]);
	dict_get_bool(filter->node, "FilterBrowsers", &browsers);
	dict_get_bool(filter->node, "FilterSockets", &sockets);
	if (!browsers && !sockets)
		lint_add(l, LINT_X021, LINT_USUAL, filter,
		    "neither FilterBrowsers nor FilterSockets is true: the filter sees no traffic");
}

static void
judge_filter(struct linter *l, const struct place *filter)
{
	enum { MANY = 500 };
	static const char *const lists[] = { "DenyListURLs", "BlacklistedURLs" };
	const char *type = dict_get_string(filter->node, "FilterType");
	struct place permitted = lint_get(l, filter, "PermittedURLs");
	bool is_automatic = false;
	size_t i;

	dict_get_bool(filter->node, "AutoFilterEnabled", &is_automatic);
	if (type && strcmp(type, "Plugin") == 0)
		judge_plugin(l, filter);
	if (permitted.node && !is_automatic)
		lint_add(l, LINT_X021, LINT_USUAL, &permitted,
		    "PermittedURLs are exceptions from AutoFilterEnabled=true: "
		    "without it they do nothing");
	for (i = 0; i < countof(lists); i++) {
		struct place list = lint_get(l, filter, lists[i]);

		if (node_is(list.node, PLIST_ARRAY) && plist_array_get_size(list.node) > MANY)
			lint_add(l, LINT_X022, LINT_USUAL, &list,
			    "%u addresses: Apple asks for about 500 at most, "
			    "more slow the device down",
			    (unsigned)plist_array_get_size(list.node));
	}
}

/* ---- Home Screen -------------------------------------------------------------------------- */

static void judge_icons(struct linter *l, const struct place *list, size_t levels);

static void
judge_icon(struct linter *l, const struct place *icon)
{
	const char *type = dict_get_string(icon->node, "Type");
	struct place pages = lint_get(l, icon, "Pages");

	if (!type)
		return;
	if (strcmp(type, "Application") == 0 && !dict_get_string(icon->node, "BundleID"))
		lint_add(l, LINT_X023, LINT_USUAL, icon,
		    "an Application without BundleID: the place stays empty");
	if (strcmp(type, "WebClip") == 0 && !dict_get_string(icon->node, "URL"))
		lint_add(l, LINT_X023, LINT_USUAL, icon,
		    "a WebClip without URL: the place stays empty");
	judge_icons(l, &pages, 2);
}

static void
judge_icons(struct linter *l, const struct place *list, size_t levels)
{
	auto_lint_walk struct lint_walk w = { .is_over = true };

	if (!node_is(list->node, PLIST_ARRAY))
		return;
	w = lint_walk(l, list);
	while (lint_next(l, &w)) {
		if (levels > 1)
			judge_icons(l, &w.place, levels - 1);
		else
			judge_icon(l, &w.place);
	}
}

void
lint_companions(struct linter *l)
{
	struct certificates certificates = { 0 };
	const struct lint_payload *p;
	size_t i;

	if (!gather_certificates(l, &certificates))
		return;
	for (i = 0; (p = lint_payload_of(l, "com.apple.wifi.managed", &i));) {
		judge_references(l, &certificates, &p->place);
		judge_security(l, &p->place);
		judge_network_name(l, &p->place);
	}
	for (i = 0; (p = lint_payload_of(l, "com.apple.webcontent-filter", &i));) {
		judge_references(l, &certificates, &p->place);
		judge_filter(l, &p->place);
	}
	for (i = 0; (p = lint_payload_of(l, "com.apple.homescreenlayout", &i));) {
		struct place dock = lint_get(l, &p->place, "Dock");
		struct place pages = lint_get(l, &p->place, "Pages");

		judge_icons(l, &dock, 1);
		judge_icons(l, &pages, 2);
	}
	free(certificates.uuids);
}
