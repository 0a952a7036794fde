/* output: results for people, and JSON lines for programs */
#include "cli/output.h"

#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/log.h"
#include "base/text.h"
#include "core/verdict.h"

enum paint { PLAIN, BOLD, DIM, GREEN, YELLOW, RED };

static const char *
code(enum paint p)
{
	static const char *const codes[] = {
		"", "\033[1m", "\033[2m", "\033[32m", "\033[33m", "\033[31m",
	};

	return codes[p];
}

static void
put(bool color, enum paint p, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void
put(bool color, enum paint p, const char *fmt, ...)
{
	bool paints = color && p != PLAIN;
	va_list ap;

	if (paints)
		fputs(code(p), stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	if (paints)
		fputs("\033[0m", stdout);
}

bool
output_wants_color(FILE *out, bool is_forbidden)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return !is_forbidden && isatty(fileno(out)) && !(no && *no) &&
	    !(term && strcmp(term, "dumb") == 0);
}

bool
output_is_abandoned(void)
{
	struct pollfd pfd = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLERR);
}

void
output_json_line(FILE *out, json_t *object)
{
	if (object) {
		json_dumpf(object, out, JSON_COMPACT);
		fputc('\n', out);
		fflush(out);
	}
	json_decref(object);
}

/* ---- looking things up ------------------------------------------------------ */

static const json_t *
at(const json_t *object, const char *a, const char *b)
{
	const json_t *found = json_object_get(object, a);

	return b ? json_object_get(found, b) : found;
}

static const char *
text_at(const json_t *object, const char *a, const char *b)
{
	return json_string_value(at(object, a, b));
}

static const char *
or_dash(const char *s)
{
	return s && *s ? s : "-";
}

static void
put_padded(bool color, enum paint p, const char *s, int columns)
{
	int pad = columns - (int)text_columns(s);

	put(color, p, "%s", s);
	printf("%*s", pad > 0 ? pad + 1 : 1, "");
}

/* "Front desk, iPad (10th generation), iOS 18.1, 00008101-…" */
static void
put_device(const json_t *result, bool color)
{
	const char *name = text_at(result, "device", "name");
	const char *model = text_at(result, "device", "model");
	const char *product = text_at(result, "device", "product");
	const char *os = text_at(result, "device", "os");

	put(color, BOLD, "%s", or_dash(name));
	if (model || product)
		printf("  %s", model ? model : product);
	if (os)
		printf(", iOS %s", os);
	put(color, DIM, "  %s", or_dash(text_at(result, "device", "udid")));
	printf("\n");
}

/* ---- results ----------------------------------------------------------------- */

static enum paint
paint_of(const char *verdict)
{
	if (!verdict || strcmp(verdict, "failed") == 0)
		return RED;
	return strcmp(verdict, "compliant") == 0 ? GREEN : YELLOW;
}

static const char *
mark_of(const char *verdict)
{
	if (!verdict || strcmp(verdict, "failed") == 0)
		return "✘";
	return strcmp(verdict, "compliant") == 0 ? "✔" : "!";
}

/* What the verdict rests on, in words a person would use. */
static const char *
truth_phrase(const char *truth, const char *command, bool is_changed)
{
	bool is_removal = strcmp(command, "remove") == 0;

	if (!truth || strcmp(command, "pair") == 0 || strcmp(command, "unpair") == 0)
		return NULL;
	if (strcmp(truth, "effective") == 0)
		return "the device itself reports the restriction in force";
	if (strcmp(truth, "present") == 0)
		return !is_removal ?
		    "the device lists it as active; it does not tell whether it is in force" :
		    is_changed ? "the device no longer lists it" : "the device does not list it";
	if (strcmp(truth, "acknowledged") == 0)
		return "the device acknowledged a change before this";
	return "a change was sent before this; whether it was made is not known";
}

/* It was acknowledged, and yet the device's own list is without it. */
static bool
is_unfounded(const json_t *profile, const char *action, bool is_present)
{
	return json_is_false(json_object_get(profile, "present")) && !is_present &&
	    (strcmp(action, "installed") == 0 || strcmp(action, "replaced") == 0);
}

static void
put_profiles(const json_t *result)
{
	const json_t *profiles = json_object_get(result, "profiles"), *p;
	size_t i;

	json_array_foreach(profiles, i, p) {
		const char *action = json_string_value(json_object_get(p, "action"));
		bool is_present = json_is_true(json_object_get(p, "present"));

		if (!action || strcmp(action, "none") == 0)
			action = is_present ? "present" : "not on the device";
		else if (is_unfounded(p, action, is_present))
			action = "acknowledged, but the device does not list it";
		printf("    %s: %s\n", or_dash(text_at(p, "identifier", NULL)), action);
	}
}

static void
put_value(const char *before, const json_t *value)
{
	auto_free char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	printf("%s%s", before, text ? text : "?");
}

static void
put_restrictions(const json_t *result)
{
	const json_t *restrictions = json_object_get(result, "restrictions"), *r;
	size_t i;

	json_array_foreach(restrictions, i, r) {
		const json_t *reported = json_object_get(r, "reported");

		printf("    %s: ", or_dash(text_at(r, "key", NULL)));
		put_value("wanted ", json_object_get(r, "want"));
		if (reported && !json_is_null(reported))
			put_value(", reported ", reported);
		else
			printf(", not reported");
		printf("\n");
	}
}

/* What lint says of a profile on this device: nobody could say it before. */
static void
put_lint(const json_t *result, bool color)
{
	const json_t *findings = json_object_get(result, "lint"), *f;
	size_t i;

	json_array_foreach(findings, i, f) {
		const char *severity = or_dash(text_at(f, "severity", NULL));
		const char *path = text_at(f, "path", NULL);

		printf("    ");
		put(color, strcmp(severity, "error") == 0 ? RED : YELLOW, "%s", severity);
		printf(" %s: %s: %s", or_dash(text_at(f, "rule", NULL)),
		    or_dash(text_at(f, "identifier", NULL)), or_dash(text_at(f, "message", NULL)));
		printf(path && *path ? " [%s]\n" : "\n", path);
	}
}

static void
put_chain(const json_t *result)
{
	const json_t *chain = at(result, "error", "chain"), *link;
	size_t i;

	json_array_foreach(chain, i, link)
		printf("    device: %s %lld %s\n", or_dash(text_at(link, "domain", NULL)),
		    (long long)json_integer_value(json_object_get(link, "code")),
		    or_dash(text_at(link, "text", NULL)));
}

void
output_result(const json_t *result, bool color)
{
	const char *verdict = text_at(result, "verdict", NULL);
	const char *reason = text_at(result, "reason", NULL);
	const char *command = text_at(result, "command", NULL);
	const char *message = text_at(result, "error", "message");
	const char *hint = text_at(result, "error", "hint");
	const char *truth = truth_phrase(text_at(result, "truth", NULL), command ? command : "",
	    json_is_true(json_object_get(result, "changed")));

	put(color, paint_of(verdict), "%s %s", mark_of(verdict), or_dash(verdict));
	if (reason)
		put(color, paint_of(verdict), " (%s)", reason);
	printf("  ");
	put_device(result, color);
	if (message)
		printf("    %s\n", message);
	put_chain(result);
	if (hint)
		printf("    hint: %s\n", hint);
	put_lint(result, color);
	put_profiles(result);
	put_restrictions(result);
	if (truth)
		printf("    truth: %s (%s)\n", text_at(result, "truth", NULL), truth);
	fflush(stdout);
}

int
output_exit_code(const json_t *result)
{
	const char *verdict = text_at(result, "verdict", NULL);
	int v;

	for (v = VERDICT_COMPLIANT; v < VERDICT_FAILED; v++)
		if (verdict && strcmp(verdict, verdict_word((enum verdict)v)) == 0)
			return v;
	return VERDICT_FAILED;
}

/* ---- list and show -------------------------------------------------------------- */

static const char *
yes_no(const json_t *value)
{
	if (json_is_true(value))
		return "yes";
	return json_is_false(value) ? "no" : "?";
}

/* "yes, ours" is what a bench looks for; the organization has its own column. */
static const char *
supervised_word(const json_t *device)
{
	if (json_is_true(at(device, "trust", "ours")))
		return "ours";
	return yes_no(at(device, "trust", "supervised"));
}

enum { LIST_COLUMNS = 8, LIST_CELL = 300 };

struct list_row {
	char	cells[LIST_COLUMNS][LIST_CELL];
};

static void
fill_list_row(const json_t *device, struct list_row *out)
{
	const char *model = text_at(device, "device", "model");
	const char *port = text_at(device, "device", "location");
	const char *cells[LIST_COLUMNS] = {
		or_dash(text_at(device, "device", "udid")),
		or_dash(text_at(device, "device", "name")),
		model ? model : or_dash(text_at(device, "device", "product")),
		or_dash(text_at(device, "device", "os")),
		port ? port : or_dash(text_at(device, "device", "connection")),
		json_is_false(at(device, "trust", "supervised")) ? "not supervised" : "?",
		yes_no(at(device, "trust", "paired")), yes_no(at(device, "trust", "locked")),
	};
	char supervised[LIST_CELL];
	size_t i;

	if (json_is_true(at(device, "trust", "supervised"))) {
		snprintf(supervised, sizeof(supervised), "%s%s",
		    or_dash(text_at(device, "trust", "organization")),
		    strcmp(supervised_word(device), "ours") == 0 ? " (ours)" : "");
		cells[5] = supervised;
	}
	for (i = 0; i < LIST_COLUMNS; i++)
		snprintf(out->cells[i], LIST_CELL, "%s", cells[i]);
}

/* As wide as what is in them; nothing follows the last. */
static void
put_list_row(const struct list_row *row, const size_t widths[LIST_COLUMNS], enum paint name,
    enum paint others, bool color)
{
	size_t i;

	for (i = 0; i + 1 < LIST_COLUMNS; i++)
		put_padded(color, i == 1 ? name : others, row->cells[i], (int)widths[i] + 1);
	put(color, others, "%s\n", row->cells[i]);
}

int
output_list(json_t *const *devices, size_t n, bool color)
{
	static const struct list_row head = { {
		"UDID", "NAME", "MODEL", "OS", "PORT", "SUPERVISED BY", "PAIRED", "LOCKED",
	} };
	auto_free struct list_row *rows = calloc(n + 1, sizeof(*rows));
	size_t widths[LIST_COLUMNS] = { 0 }, i, k;

	if (!rows)
		return -1;
	rows[0] = head;
	for (i = 0; i < n; i++)
		fill_list_row(devices[i], &rows[i + 1]);
	for (i = 0; i <= n; i++)
		for (k = 0; k < LIST_COLUMNS; k++)
			if (text_columns(rows[i].cells[k]) > widths[k])
				widths[k] = text_columns(rows[i].cells[k]);
	for (i = 0; i <= n; i++)
		put_list_row(&rows[i], widths, i ? BOLD : DIM, i ? PLAIN : DIM, color);
	fflush(stdout);
	return 0;
}

static void
put_field(const char *name, const char *value)
{
	printf("  %-14s %s\n", name, or_dash(value));
}

/* What the list does not say is not known; only a "no" of its own is one. */
static const char *
active_words(const json_t *profile)
{
	const json_t *active = json_object_get(profile, "active");

	if (json_is_true(active))
		return "";
	return json_is_false(active) ? ", not active" : ", active or not is not told";
}

static void
put_version(const json_t *version)
{
	if (json_is_integer(version))
		printf(", version %lld", (long long)json_integer_value(version));
}

static void
put_installed(const json_t *device, bool color)
{
	const json_t *profiles = json_object_get(device, "profiles"), *p;
	size_t i;

	if (!json_is_array(profiles)) {
		put_field("profiles", "not known");
		return;
	}
	printf("  %-14s %zu\n", "profiles", json_array_size(profiles));
	json_array_foreach(profiles, i, p) {
		printf("    ");
		put(color, BOLD, "%s", or_dash(text_at(p, "display_name", NULL)));
		printf("  %s\n      %s", or_dash(text_at(p, "identifier", NULL)),
		    or_dash(text_at(p, "uuid", NULL)));
		put_version(json_object_get(p, "version"));
		printf(", by %s%s%s\n", or_dash(text_at(p, "organization", NULL)),
		    json_is_true(json_object_get(p, "removal_disallowed")) ? ", locked" : "",
		    active_words(p));
	}
}

static void
put_cloud(const json_t *device)
{
	json_t *cloud = json_object_get(device, "cloud_configuration"), *value;
	const char *key;

	if (!json_is_object(cloud))
		return;
	printf("  cloud configuration\n");
	json_object_foreach(cloud, key, value) {
		auto_free char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

		printf("    %s: %s\n", key, text ? text : "?");
	}
}

void
output_device(const json_t *device, bool color)
{
	static const char *const fields[] = {
		"serial", "ecid", "product", "build", "location", "connection",
	};
	const char *message = text_at(device, "error", "message");
	size_t i;

	put_device(device, color);
	for (i = 0; i < countof(fields); i++)
		put_field(fields[i], text_at(device, "device", fields[i]));
	put_field("paired", yes_no(at(device, "trust", "paired")));
	put_field("supervised", supervised_word(device));
	put_field("organization", text_at(device, "trust", "organization"));
	put_field("locked", yes_no(at(device, "trust", "locked")));
	put_field("activation", text_at(device, "trust", "activation"));
	put_installed(device, color);
	put_cloud(device);
	if (message)
		printf("  %s\n  hint: %s\n", message, or_dash(text_at(device, "error", "hint")));
	fflush(stdout);
}

void
output_event(const json_t *event, bool color)
{
	const char *what = text_at(event, "event", NULL);
	const char *at_time = text_at(event, "at", NULL);

	put(color, DIM, "%s ", or_dash(at_time));
	put_padded(color, what && strcmp(what, "attached") == 0 ? GREEN : YELLOW, or_dash(what), 9);
	put_device(event, color);
	fflush(stdout);
}

static enum paint
paint_of_event(const json_t *event)
{
	const char *what = text_at(event, "event", NULL);
	const char *verdict = text_at(event, "verdict", NULL);

	if (what && (strcmp(what, "error") == 0 ||
	    (strcmp(what, "policy") == 0 && text_at(event, "error", "message"))))
		return RED;
	if (!verdict)
		return DIM;
	return strcmp(verdict, "compliant") == 0 ? GREEN :
	    strcmp(verdict, "blocked") == 0 ? YELLOW : RED;
}

/* So that journalctl -p warning shows what needs somebody. */
static const char *
priority_of_event(const json_t *event)
{
	enum paint paint = paint_of_event(event);

	return paint == RED || paint == YELLOW ? "<4>" : "<6>";
}

static void
put_policies(const json_t *event, bool color)
{
	const char *problem = text_at(event, "error", "message");
	const json_t *policy;
	size_t i;

	if (problem)
		put(color, RED, "the old ones stay in force: %s", problem);
	else
		json_array_foreach(json_object_get(event, "policies"), i, policy)
			put(color, DIM, "%s%s", i ? ", " : "",
			    or_dash(text_at(policy, "name", NULL)));
}

/* What is said of the device, or of the station. */
static void
put_said(const json_t *event, bool color)
{
	const char *verdict = text_at(event, "verdict", NULL);
	const char *reason = text_at(event, "reason", NULL);
	const char *message = text_at(event, "message", NULL), *hint = text_at(event, "hint", NULL);
	const char *waits_for = text_at(event, "for", NULL);

	if (verdict)
		put(color, paint_of_event(event), "%s%s%s",
		    verdict, reason ? ": " : "", reason ? reason : "");
	else if (message)
		put(color, paint_of_event(event), "%s%s%s",
		    message, hint ? "; " : "", hint ? hint : "");
	else if (waits_for)
		put(color, DIM, "for %s", waits_for);
	else if (json_object_get(event, "policies"))
		put_policies(event, color);
}

void
output_station_event(const json_t *event, bool color)
{
	const char *what = text_at(event, "event", NULL), *slot = text_at(event, "device", "slot");
	const char *name = text_at(event, "device", "name");
	const char *udid = text_at(event, "device", "udid");

	if (what && strcmp(what, "step") == 0)
		return;
	if (log_is_journal(STDOUT_FILENO))
		fputs(priority_of_event(event), stdout);
	else
		put(color, DIM, "%s ", or_dash(text_at(event, "at", NULL)));
	put_padded(color, paint_of_event(event), or_dash(what), 9);
	if (slot)
		printf("slot %s  ", slot);
	if (udid)
		printf("%s  ", udid);
	if (name)
		printf("%s  ", name);
	put_said(event, color);
	printf("\n");
	fflush(stdout);
}
