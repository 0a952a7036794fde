/* options: one table of all options; getopt_long(3) does the reading */
#include "cli/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/text.h"

enum kind { FLAG, TEXT, TEXTS, NUMBER, COUNT_UP, COUNT_DOWN };

#define AT(member)	offsetof(struct options, member)

/* One row per option; the order is that of --help. */
static const struct row {
	const char	*name;
	char		 letter;
	enum kind	 kind;
	size_t		 at;
	unsigned	 group;
	int64_t		 min, max;		/* NUMBER */
	const char	*value;			/* how --help calls it */
	const char	*help;
} rows[] = {
	{ "udid", 'u', TEXTS, AT(udids), GROUP_DEVICE, 0, 0, "ID",
	    "this device: UDID, serial number or ECID (repeatable)" },
	{ "all", 'a', FLAG, AT(all), GROUP_DEVICE, 0, 0, NULL, "every attached device" },
	{ "network", 'n', FLAG, AT(network), GROUP_DEVICE, 0, 0, NULL,
	    "also devices that usbmuxd sees over Wi-Fi" },
	{ "jobs", 'j', NUMBER, AT(jobs), GROUP_DEVICE | GROUP_STATION, 1, 512, "N",
	    "devices worked on at once (default 32)" },
	{ "timeout", 0, NUMBER, AT(timeout_s), GROUP_DEVICE | GROUP_STATION, 1, 86400, "SECONDS",
	    "for each device, the whole job (default 60; watch: 20)" },
	{ "wait", 0, NUMBER, AT(wait_s), GROUP_DEVICE, 0, 86400, "SECONDS",
	    "for a person to unlock or tap Trust (default 0; the dialog: 60)" },

	{ "policies", 0, TEXT, AT(policies), GROUP_STATION, 0, 0, "DIR",
	    "its *.yaml are the policies (default " SYSCONFDIR "/chaperone/policies.d)" },
	{ "http", 0, TEXT, AT(http), GROUP_STATION, 0, 0, "ADDRESS:PORT",
	    "show the page there (127.0.0.1:8765; default: nowhere)" },
	{ "http-name", 0, TEXTS, AT(http_names), GROUP_STATION, 0, 0, "NAME",
	    "a further name that browsers may call it by (repeatable)" },
	{ "per-controller", 0, NUMBER, AT(per_controller), GROUP_STATION, 0, 512, "N",
	    "of these on one USB controller (default 8; 0: as many)" },

	{ "identity", 'i', TEXT, AT(identity), GROUP_IDENTITY | GROUP_PASSPHRASE, 0, 0, "REF",
	    "supervision identity: FILE.p12, FILE.pem, CERT,KEY, agent:PATH, pkcs11:URI" },
	{ "passphrase-file", 0, TEXT, AT(passphrase_file), GROUP_IDENTITY | GROUP_PASSPHRASE, 0, 0,
	    "FILE", "its passphrase is the first line of FILE" },
	{ "allow-loose-files", 0, FLAG, AT(allow_loose_files), GROUP_IDENTITY | GROUP_PASSPHRASE, 0,
	    0, NULL, "accept key and passphrase files that others can read" },

	{ "socket", 0, TEXT, AT(socket), GROUP_AGENT, 0, 0, "PATH",
	    "where the others find it (default: below XDG_RUNTIME_DIR or /run)" },
	{ "group", 0, TEXT, AT(group), GROUP_AGENT, 0, 0, "NAME",
	    "members of this group may use it too" },
	{ "max-rate", 0, NUMBER, AT(max_rate), GROUP_AGENT, 1, 100000, "N",
	    "signatures in any minute (default 600)" },
	{ "idle-timeout", 0, TEXT, AT(idle_timeout), GROUP_AGENT, 0, 0, "DURATION",
	    "end when nobody has asked for 15m, 8h, ..." },

	{ "preset", 0, TEXTS, AT(presets), GROUP_DESIRED | GROUP_BUILD, 0, 0, "NAME",
	    "a shipped profile (repeatable; without any other content imessage-off)" },
	{ "profile", 0, TEXTS, AT(profiles), GROUP_DESIRED, 0, 0, "FILE",
	    "a .mobileconfig, signed or not (repeatable)" },
	{ "policy", 0, TEXT, AT(policy), GROUP_DESIRED, 0, 0, "FILE",
	    "a policy file says what each device should be" },
	{ "for", 0, TEXT, AT(for_duration), GROUP_TIME, 0, 0, "DURATION",
	    "the device lifts it by itself after 8h, 45m, ..." },
	{ "until", 0, TEXT, AT(until_time), GROUP_TIME, 0, 0, "TIME",
	    "the device lifts it at 15:30 or 2026-11-24T15:30:00+01:00" },
	{ "removable", 0, FLAG, AT(removable), GROUP_TIME, 0, 0, NULL,
	    "the person holding the device may remove it" },
	{ "organization", 0, TEXT, AT(organization), GROUP_TIME, 0, 0, "NAME",
	    "shown on the device (default: the identity's)" },
	{ "organization", 0, TEXT, AT(organization), GROUP_CREATE, 0, 0, "NAME",
	    "whose identity it is; the certificate bears it" },
	{ "organization", 0, TEXT, AT(organization), GROUP_REPORT, 0, 0, "NAME",
	    "the title of the page" },
	{ "dry-run", 0, FLAG, AT(dry_run), GROUP_APPLY, 0, 0, NULL,
	    "only say what would be done (as plan does)" },
	{ "force", 0, FLAG, AT(force), GROUP_DESIRED, 0, 0, NULL,
	    "go on with a profile in which lint finds errors" },
	{ "dialog", 0, FLAG, AT(dialog), GROUP_PAIR, 0, 0, NULL,
	    "pair by the Trust dialog on the device" },

	{ "restrict", 0, TEXTS, AT(restrictions), GROUP_BUILD, 0, 0, "KEY=VALUE",
	    "set one restriction (repeatable)" },
	{ "identifier", 0, TEXT, AT(identifier), GROUP_BUILD, 0, 0, "ID",
	    "PayloadIdentifier (default: from the presets)" },
	{ "removal-password-file", 0, TEXT, AT(removal_password_file), GROUP_BUILD, 0, 0, "FILE",
	    "who knows the first line of FILE may remove the profile" },
	{ "app", 0, TEXT, AT(app), GROUP_DESIRED | GROUP_BUILD, 0, 0, "BUNDLE-ID",
	    "the app of kiosk, exam, conference-room, retail-demo" },
	{ "wifi", 0, TEXT, AT(wifi), GROUP_BUILD, 0, 0, "SSID", "the device joins this network" },
	{ "wifi-password-file", 0, TEXT, AT(wifi_password_file), GROUP_BUILD, 0, 0, "FILE",
	    "its password is the first line of FILE" },
	{ "footnote", 0, TEXT, AT(footnote), GROUP_BUILD, 0, 0, "TEXT",
	    "shown on the Lock Screen" },
	{ "asset-tag", 0, TEXT, AT(asset_tag), GROUP_BUILD, 0, 0, "TEXT", "likewise" },
	{ "lock-pairing", 0, FLAG, AT(lock_pairing), GROUP_BUILD, 0, 0, NULL,
	    "only supervising computers can pair (allowHostPairing=false)" },
	{ "sign", 0, TEXT, AT(sign), GROUP_BUILD, 0, 0, "REF", "sign it with this identity" },
	{ "target-os", 0, TEXT, AT(target_os), GROUP_LINT, 0, 0, "VERSION",
	    "judge it for this system" },
	{ "supervised", 0, TEXT, AT(supervised), GROUP_LINT, 0, 0, "yes|no",
	    "whether the devices are supervised" },
	{ "strict", 0, FLAG, AT(strict), GROUP_LINT, 0, 0, NULL, "warnings fail too" },

	{ "bits", 0, NUMBER, AT(bits), GROUP_CREATE, 2048, 8192, "N",
	    "RSA key size (default 2048)" },
	{ "days", 0, NUMBER, AT(days), GROUP_CREATE, 1, 36500, "N", "validity (default 3650)" },
	{ "format", 0, TEXT, AT(format), GROUP_KEYFILE, 0, 0, "p12|pem",
	    "of the file written (default: by its name, else p12)" },
	{ "out-passphrase-file", 0, TEXT, AT(out_passphrase_file), GROUP_KEYFILE, 0, 0, "FILE",
	    "encrypt the file written with the first line of FILE" },
	{ "no-encryption", 0, FLAG, AT(no_encryption), GROUP_KEYFILE, 0, 0, NULL,
	    "write a .pem with the key in clear" },
	{ "output", 'o', TEXT, AT(output), GROUP_OUTPUT, 0, 0, "FILE", "write there; - is stdout" },
	{ "overwrite", 0, FLAG, AT(overwrite), GROUP_OUTPUT | GROUP_ATTEST, 0, 0, NULL,
	    "replace the file if it exists" },

	{ "ledger", 0, TEXT, AT(ledger), GROUP_LEDGER, 0, 0, "FILE",
	    "the record of what was done (default: this host's)" },
	{ "no-ledger", 0, FLAG, AT(no_ledger), GROUP_NO_LEDGER, 0, 0, NULL, "record nothing" },
	{ "station", 0, TEXT, AT(station), GROUP_LEDGER | GROUP_CENTRAL, 0, 0, "ID",
	    "the station whose ledger it is, or who may push" },
	{ "device", 0, TEXT, AT(device), GROUP_FILTER, 0, 0, "ID",
	    "only this device: UDID, serial number, ECID or name" },
	{ "since", 0, TEXT, AT(since), GROUP_FILTER | GROUP_REPORT, 0, 0, "TIME",
	    "from 7d ago, 15:30, 2026-11-24, or 2026-11-24T15:30:00Z on" },
	{ "until", 0, TEXT, AT(until_time), GROUP_FILTER | GROUP_REPORT, 0, 0, "TIME",
	    "before then" },
	{ "verdict", 0, TEXT, AT(verdict), GROUP_FILTER, 0, 0, "WORD",
	    "only verdicts that are compliant, noncompliant, blocked or failed" },
	{ "policy", 0, TEXT, AT(policy), GROUP_FILTER | GROUP_REPORT, 0, 0, "NAME",
	    "only what was done under this policy" },
	{ "run", 0, TEXT, AT(run), GROUP_FILTER, 0, 0, "ID",
	    "only what this command did; the first digits do" },
	{ "csv", 0, FLAG, AT(csv), GROUP_TABLE, 0, 0, NULL, "comma-separated values" },
	{ "head", 0, TEXTS, AT(heads), GROUP_AUDIT, 0, 0, "FILE",
	    "a seal that was kept elsewhere must fit too (repeatable)" },
	{ "ca", 0, TEXT, AT(ca), GROUP_AUDIT | GROUP_SIGNED, 0, 0, "FILE",
	    "the signer is one of these certificates, or descends from one" },
	{ "archive", 0, TEXT, AT(archive), GROUP_ARCHIVE, 0, 0, "FILE",
	    "where the closed file goes (default: beside the ledger)" },
	{ "by", 0, TEXT, AT(by), GROUP_REPORT, 0, 0, "device|day|slot|policy",
	    "what the text report counts by (default device)" },
	{ "from", 0, TEXT, AT(from), GROUP_REPORT, 0, 0, "URL",
	    "read all stations from this database instead" },
	{ "to", 0, TEXT, AT(to), GROUP_PUSH, 0, 0, "URL",
	    "the database: postgresql://LOGIN@HOST/NAME" },
	{ "follow", 0, FLAG, AT(follow), GROUP_PUSH, 0, 0, NULL, "go on until a signal ends it" },
	{ "client", 0, TEXT, AT(client), GROUP_CENTRAL, 0, 0, "NAME",
	    "whose station it is, or whose may be read" },
	{ "login", 0, TEXT, AT(login), GROUP_CENTRAL, 0, 0, "ROLE",
	    "the role of the station, or of a reader" },
	{ "attest", 0, TEXT, AT(attest), GROUP_ATTEST, 0, 0, "FILE",
	    "write the verdicts as a statement signed by the identity" },
	{ "attest-with", 0, TEXT, AT(attest_with), GROUP_ATTEST, 0, 0, "REF",
	    "sign it with this identity instead" },
	{ "nonce", 0, TEXT, AT(nonce), GROUP_ATTEST | GROUP_SIGNED, 0, 0, "TEXT",
	    "the statement repeats it, which shows that it is no old one" },
	{ "timestamp-request", 0, TEXT, AT(timestamp_request), GROUP_STAMP, 0, 0, "FILE",
	    "write what a time-stamping authority is to be asked (RFC 3161)" },
	{ "timestamp", 0, TEXTS, AT(timestamps), GROUP_STAMPED, 0, 0, "FILE",
	    "the authority's reply, which must be for this (repeatable)" },
	{ "tsa-ca", 0, TEXT, AT(tsa_ca), GROUP_STAMPED, 0, 0, "FILE",
	    "the authority is one of these certificates, or descends from one" },

	{ "json", 0, FLAG, AT(json), GROUP_GLOBAL, 0, 0, NULL, "JSON Lines on stdout" },
	{ "quiet", 'q', COUNT_DOWN, AT(verbosity), GROUP_GLOBAL, 0, 0, NULL, "less on stderr" },
	{ "verbose", 'v', COUNT_UP, AT(verbosity), GROUP_GLOBAL, 0, 0, NULL,
	    "more on stderr; -vv shows each message" },
	{ "no-color", 0, FLAG, AT(no_color), GROUP_GLOBAL, 0, 0, NULL,
	    "no colour (also NO_COLOR)" },
	{ "config", 0, TEXT, AT(config), GROUP_GLOBAL, 0, 0, "FILE",
	    "instead of " SYSCONFDIR "/chaperone/chaperone.yaml" },
	{ "help", 'h', FLAG, AT(wants_help), GROUP_GLOBAL, 0, 0, NULL, "this help" },
	{ "version", 'V', FLAG, AT(wants_version), GROUP_GLOBAL, 0, 0, NULL, "the version" },
};

enum { FIRST_LONG = 1000 };

static bool
takes_value(const struct row *r)
{
	return r->kind == TEXT || r->kind == TEXTS || r->kind == NUMBER;
}

static int
add_text(struct texts *t, const char *text)
{
	const char **grown = reallocarray(t->items, t->n + 1, sizeof(*grown));

	if (!grown)
		return -1;
	t->items = grown;
	t->items[t->n++] = text;
	return 0;
}

/* Nobody writes one on purpose: an unset variable of a script must not choose a device. */
static int
empty_text(const char *before, const char *name, struct error *err)
{
	error_set(err, ERR_USAGE, "%s%s is empty", before, name);
	return error_hint(err,
	    "give it something, or leave it out; is a variable of a script unset?");
}

static int
store(const struct row *r, const char *value, struct options *o, struct error *err)
{
	char *member = (char *)o + r->at;

	if (takes_value(r) && !*value)
		return empty_text("--", r->name, err);
	switch (r->kind) {
	case FLAG:
		*(bool *)member = true;
		return 0;
	case COUNT_UP:
		++*(int *)member;
		return 0;
	case COUNT_DOWN:
		--*(int *)member;
		return 0;
	case TEXT:
		*(const char **)member = value;
		return 0;
	case TEXTS:
		return add_text((struct texts *)member, value) < 0 ? error_memory(err) : 0;
	case NUMBER:
		if (text_number(value, r->min, r->max, (int64_t *)member) == 0)
			return 0;
		return error_set(err, ERR_USAGE, "--%s takes a number from %lld to %lld, not %s",
		    r->name, (long long)r->min, (long long)r->max, value);
	}
	return 0;
}

static void
note_seen(const struct row *r, struct options *o)
{
	size_t bit;

	o->groups_seen |= r->group;
	for (bit = 0; bit < countof(o->seen); bit++)
		if (r->group & 1u << bit)
			o->seen[bit] = r->name;
}

/* getopt_long(3)'s own tables, made from ours. */
struct getopt_tables {
	struct option	longs[countof(rows) + 1];
	char		shorts[3 * countof(rows) + 2];
};

static void
make_tables(struct getopt_tables *t)
{
	char *s = t->shorts;
	size_t i;

	*s++ = ':';
	for (i = 0; i < countof(rows); i++) {
		int value = takes_value(&rows[i]) ? required_argument : no_argument;

		t->longs[i] = (struct option){ rows[i].name, value, NULL, FIRST_LONG + (int)i };
		if (!rows[i].letter)
			continue;
		*s++ = rows[i].letter;
		if (value)
			*s++ = ':';
	}
	*s = '\0';
	t->longs[countof(rows)] = (struct option){ 0 };
}

static const struct row *
find_row(int c)
{
	size_t i;

	if (c >= FIRST_LONG)
		return &rows[c - FIRST_LONG];
	for (i = 0; i < countof(rows); i++)
		if (rows[i].letter && rows[i].letter == c)
			return &rows[i];
	return NULL;
}

/*
 * getopt_long(3) takes any unambiguous beginning. We do not: --passphrase SECRET
 * must not be read as --passphrase-file and then be quoted as a missing file, and
 * what is unambiguous today is not when an option is added.
 */
static bool
is_whole(const char *name, char **argv)
{
	const char *given = argv[optind - 1];
	size_t len = strlen(name);

	if (optarg == given)
		given = argv[optind - 2];
	return strncmp(given, "--", 2) == 0 && strncmp(given + 2, name, len) == 0 &&
	    (given[2 + len] == '\0' || given[2 + len] == '=');
}

static int
unknown_option(const char *given, struct error *err)
{
	const char *nearest = NULL;
	char name[64];
	size_t best = 3, i;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(given, "="), given);
	for (i = 0; strncmp(name, "--", 2) == 0 && i < countof(rows); i++) {
		size_t d = text_distance(name + 2, rows[i].name, best);

		nearest = d < best ? rows[i].name : nearest;
		best = d < best ? d : best;
	}
	/* Without its value: that may be a secret. */
	return nearest ?
	    error_set(err, ERR_USAGE, "unknown option %s; did you mean --%s?", name, nearest) :
	    error_set(err, ERR_USAGE, "unknown option %s", name);
}

int
options_parse(int argc, char **argv, struct options *out, struct error *err)
{
	struct getopt_tables tables;
	int c, i;

	*out = (struct options){ .jobs = -1, .per_controller = -1, .timeout_s = -1, .wait_s = -1,
		.bits = -1, .days = -1, .max_rate = -1 };
	make_tables(&tables);
	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1) {
		const struct row *r = find_row(c);

		if (c == ':')
			return error_set(err, ERR_USAGE, "%s needs a value", argv[optind - 1]);
		if (!r) {
			if (optopt && optopt < FIRST_LONG)
				return error_set(err, ERR_USAGE, "unknown option -%c", optopt);
			return unknown_option(argv[optind - 1], err);
		}
		if (c >= FIRST_LONG && !is_whole(r->name, argv))
			return error_set(err, ERR_USAGE, "unknown option; did you mean --%s?",
			    r->name);
		note_seen(r, out);
		if (store(r, optarg, out, err) < 0)
			return -1;
	}
	out->is_identity_named = out->identity != NULL;
	out->is_organization_named = out->organization != NULL;
	for (i = optind; i < argc; i++) {
		if (!*argv[i])
			return empty_text("", "an argument", err);
		if (add_text(&out->words, argv[i]) < 0)
			return error_memory(err);
	}
	return 0;
}

/* A name may have several rows, and a row several groups: one of them is enough. */
static bool
goes_with(const char *name, unsigned groups)
{
	size_t i;

	for (i = 0; i < countof(rows); i++)
		if (strcmp(rows[i].name, name) == 0 && (rows[i].group & groups))
			return true;
	return false;
}

int
options_check(const struct options *o, unsigned groups, const char *command, struct error *err)
{
	size_t bit;

	groups |= GROUP_GLOBAL;
	for (bit = 0; bit < countof(o->seen); bit++) {
		const char *name = o->seen[bit];

		if (!name || (groups & 1u << bit))
			continue;
		if (!goes_with(name, groups))
			return error_set(err, ERR_USAGE, "--%s does not go with %s", name, command);
	}
	return 0;
}

void
options_clear(struct options *o)
{
	free(o->udids.items);
	free(o->presets.items);
	free(o->profiles.items);
	free(o->restrictions.items);
	free(o->heads.items);
	free(o->http_names.items);
	free(o->timestamps.items);
	free(o->words.items);
	*o = (struct options){ 0 };
}

void
options_print(FILE *out, unsigned groups)
{
	size_t i;

	for (i = 0; i < countof(rows); i++) {
		char left[48];

		if (!(rows[i].group & groups))
			continue;
		if (rows[i].letter)
			snprintf(left, sizeof(left), "-%c, --%s", rows[i].letter, rows[i].name);
		else
			snprintf(left, sizeof(left), "    --%s", rows[i].name);
		if (rows[i].value) {
			size_t used = strlen(left);

			snprintf(left + used, sizeof(left) - used, " %s", rows[i].value);
		}
		fprintf(out, "  %-33s %s\n", left, rows[i].help);
	}
}
