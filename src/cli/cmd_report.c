/* cmd_report: the ledger as a page for a manager, as text, or as JSON */
#include "cli/command.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/record.h"
#include "report/limits.h"
#include "report/page.h"
#include "report/tally.h"
#include "store/audit.h"
#include "store/central.h"
#include "store/json.h"

/* ---- counting -------------------------------------------------------------------- */

/* Days as the wall beside the bench counts them. */
static int64_t
local_day(int64_t wall_ms)
{
	time_t at = (time_t)(wall_ms / 1000);
	struct tm tm;

	localtime_r(&at, &tm);
	return ((int64_t)at + tm.tm_gmtoff - ((int64_t)at + tm.tm_gmtoff < 0 ? 86399 : 0)) / 86400;
}

/* A slot is a number or a name. */
static const char *
slot_text(const json_t *device, char number[24])
{
	const json_t *slot = json_object_get(device, "slot");

	if (!json_is_integer(slot))
		return json_string_value(slot);
	snprintf(number, 24, "%lld", (long long)json_integer_value(slot));
	return number;
}

/* What the verdict was about, or, of remove, what it took off: a line each. */
static int
profiles_text(const json_t *body, bool is_removal, struct blob *out)
{
	const json_t *p;
	size_t i;

	json_array_foreach(json_object_get(body, "profiles"), i, p) {
		const char *id = json_text(p, "identifier", NULL);
		const char *action = json_text(p, "action", NULL);

		if (!id || (is_removal ? !action || strcmp(action, "removed") != 0 :
		    !json_is_string(json_object_get(p, "expected_uuid"))))
			continue;
		if (blob_append(out, id, strlen(id)) < 0 || blob_append(out, "\n", 1) < 0)
			return -1;
	}
	return blob_append(out, "", 1);
}

static int
count_verdict(void *ctx, const struct event *e, struct error *err)
{
	auto_json json_t *body = json_loads(e->body, 0, NULL);
	const json_t *device = json_object_get(body, "device");
	const json_t *duration = json_object_get(body, "duration_ms"), *restriction;
	size_t i;
	char number[24];
	const char *command = json_text(body, "command", NULL);
	auto_blob struct blob profiles = { 0 };
	struct observation o = {
		.at_ms = e->wall_ms, .day = local_day(e->wall_ms), .device = e->device,
		.station = e->station, .name = json_text(device, "name", NULL),
		.serial = json_text(device, "serial", NULL),
		.model = json_text(device, "model", NULL),
		.os = json_text(device, "os", NULL), .slot = slot_text(device, number),
		.policy = json_text(body, "policy", NULL), .command = command,
		.verdict = json_text(body, "verdict", NULL),
		.reason = json_text(body, "reason", NULL),
		.truth = json_text(body, "truth", NULL),
		.duration_ms = json_is_integer(duration) ? json_integer_value(duration) : -1,
		.is_changed = json_is_true(json_object_get(body, "changed")),
	};

	if (profiles_text(body, command && strcmp(command, "remove") == 0, &profiles) < 0)
		return error_memory(err);
	o.profiles = (const char *)profiles.data;
	if (tally_add(ctx, &o, err) < 0)
		return -1;
	json_array_foreach(json_object_get(body, "restrictions"), i, restriction) {
		const char *key = json_text(restriction, "key", NULL);
		auto_free char *want = json_dumps(json_object_get(restriction, "want"),
		    JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);

		if (key && want && tally_add_setting(ctx, &o, key, want, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- as text ------------------------------------------------------------------------ */

/* --by to what it counts; NULL: no such word. */
static const struct tally_groups *
groups_of(const struct tally *t, const char *by)
{
	if (strcmp(by, "device") == 0)
		return &t->by_device;
	if (strcmp(by, "day") == 0)
		return &t->by_day;
	if (strcmp(by, "slot") == 0)
		return &t->by_slot;
	return strcmp(by, "policy") == 0 ? &t->by_policy : NULL;
}

static void
key_text(const char *by, const char *key, char *out, size_t size)
{
	time_t at = (time_t)(strtoll(key, NULL, 10) * 86400);
	struct tm tm;

	if (strcmp(by, "day") != 0) {
		text_printable(key, strlen(key), out, size);
		return;
	}
	gmtime_r(&at, &tm);
	if (!strftime(out, size, "%Y-%m-%d", &tm))
		*out = '\0';
}

static void
print_limits(const struct tally *t)
{
	struct limit limits[LIMITS_MAX];
	size_t n = limits_of(t, limits), i;

	printf("\n%-58s %s\n", "what was asked", "devices");
	for (i = 0; i < t->by_setting.n; i++)
		printf("%-58.200s %7lld\n", t->by_setting.items[i].key,
		    (long long)t->by_setting.items[i].total);
	printf("\n");
	for (i = 0; i < n; i++) {
		char claim[LIMIT_CLAIM_MAX];

		limit_claim(&limits[i], t, claim);
		printf("%s %s\n", claim, limits[i].detail);
	}
}

static void
print_text(const struct tally *t, const char *by)
{
	const struct tally_groups *g = groups_of(t, by);
	size_t i;

	printf("%lld of %zu devices are known to be compliant\n",
	    (long long)t->devices_now[VERDICT_COMPLIANT], t->n_devices);
	for (i = 0; i < TALLY_AGES; i++)
		printf("  %-16s %lld\n", tally_age_word(i), (long long)t->ages[i]);
	if (t->n_durations == 0)
		printf("%lld jobs\n", (long long)t->jobs);
	else
		printf("%lld jobs, half of them within %lld ms, 19 of 20 within %lld ms\n",
		    (long long)t->jobs, (long long)t->median_ms, (long long)t->p95_ms);
	for (i = 0; i < t->by_reason.n; i++)
		printf("  %-20s %lld\n", t->by_reason.items[i].key,
		    (long long)t->by_reason.items[i].total);
	printf("\n%-28s %10s %13s %8s %7s\n", by, "compliant", "noncompliant", "blocked", "failed");
	for (i = 0; i < g->n; i++) {
		const int64_t *n = g->items[i].n;
		char key[64];

		key_text(by, g->items[i].key, key, sizeof(key));
		printf("%-28s %10lld %13lld %8lld %7lld\n", key, (long long)n[0], (long long)n[1],
		    (long long)n[2], (long long)n[3]);
	}
	print_limits(t);
}

/* ---- as JSON ------------------------------------------------------------------------- */

static json_t *
counts_object(const int64_t n[TALLY_VERDICTS])
{
	json_t *object = json_object();
	int v;

	for (v = 0; v < TALLY_VERDICTS; v++)
		json_object_set_new(object, verdict_word((enum verdict)v),
		    json_integer((json_int_t)n[v]));
	return object;
}

static json_t *
groups_array(const struct tally_groups *g, const char *by)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < g->n; i++) {
		char key[256];

		key_text(by, g->items[i].key, key, sizeof(key));
		json_array_append_new(array, json_pack("{s:s, s:o, s:I}",
		    "key", key, "verdicts", counts_object(g->items[i].n),
		    "jobs", (json_int_t)g->items[i].total));
	}
	return array;
}

static json_t *
devices_array(const struct tally *t)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < t->n_devices; i++) {
		const struct tally_device *d = &t->devices[i];

		json_array_append_new(array, json_pack(
		    "{s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, "
		    "s:s, s:s?, s:s?, s:b, s:I, s:I, s:I}",
		    "device", d->device, "name", d->name, "serial", d->serial, "model", d->model,
		    "os", d->os, "station", d->station, "policy", d->policy,
		    "verdict", verdict_word(d->verdict), "reason", d->reason, "truth", d->truth,
		    "removed", d->was_removed, "at_ms", (json_int_t)d->at_ms,
		    "compliant_ms", (json_int_t)d->compliant_ms, "jobs", (json_int_t)d->jobs));
	}
	return array;
}

static json_t *
settings_array(const struct tally *t)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < t->by_setting.n; i++)
		json_array_append_new(array, json_pack("{s:s, s:I}",
		    "setting", t->by_setting.items[i].key,
		    "devices", (json_int_t)t->by_setting.items[i].total));
	return array;
}

static json_t *
limits_array(const struct tally *t)
{
	struct limit limits[LIMITS_MAX];
	size_t n = limits_of(t, limits), i;
	json_t *array = json_array();

	for (i = 0; i < n; i++)
		json_array_append_new(array, json_pack("{s:s, s:s, s:I}", "claim", limits[i].claim,
		    "detail", limits[i].detail, "devices", (json_int_t)limits[i].devices));
	return array;
}

static json_t *
report_object(const struct tally *t, const char *by)
{
	json_t *ages = json_object();
	size_t i;

	for (i = 0; i < TALLY_AGES; i++)
		json_object_set_new(ages, tally_age_word(i), json_integer((json_int_t)t->ages[i]));
	return json_pack("{s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:{s:I, s:I, s:I}, "
	    "s:o, s:s, s:o, s:o, s:o, s:o}",
	    "schema", "chaperone.report/1", "from_ms", (json_int_t)t->first_ms,
	    "to_ms", (json_int_t)t->last_ms, "jobs", (json_int_t)t->jobs,
	    "verdicts", counts_object(t->verdicts), "devices_now", counts_object(t->devices_now),
	    "last_compliant", ages, "duration_ms", "median", (json_int_t)t->median_ms,
	    "p95", (json_int_t)t->p95_ms, "longest", (json_int_t)t->longest_ms,
	    "reasons", groups_array(&t->by_reason, "reason"), "by", by,
	    "groups", groups_array(groups_of(t, by), by), "devices", devices_array(t),
	    "settings", settings_array(t), "limits", limits_array(t));
}

/* ---- as a page ------------------------------------------------------------------------- */

/* One sentence on what the report stands on. */
static int
judge_evidence(struct ledger *l, char *out, size_t size, int *is_broken, struct error *err)
{
	struct audit_result r;

	if (audit_run(l, NULL, NULL, NULL, &r, err) < 0)
		return -1;
	*is_broken = r.findings > 0;
	if (r.findings)
		snprintf(out, size, "THE RECORD IS BROKEN: %zu findings in events %lld to %lld. "
		    "Run chaperone ledger verify before relying on any of this.",
		    r.findings, (long long)r.first, (long long)r.last);
	else
		snprintf(out, size, "The record holds: %lld events, each chained to the one "
		    "before it by SHA-256, %s. Head: %s.", (long long)r.events,
		    r.sealed ? "sealed by signature" : "not sealed by a signature yet", r.hash);
	return 0;
}

static int
write_page(const struct cli *cli, struct ledger *l, const struct tally *t, int64_t now_ms,
    struct error *err)
{
	auto_free char *text = NULL;
	char evidence[320];
	struct ledger_head head = { 0 };
	struct page_about about = {
		.title = cli->options.organization,
		.policy = cli->options.policy, .evidence = evidence, .now_ms = now_ms,
	};
	size_t len = 0;
	FILE *out;

	if (!l) {
		about.source = "a database of many stations";
		snprintf(evidence, sizeof(evidence),
		    "Each event carries its hash; the chains are checked "
		    "where the ledgers are, with chaperone ledger verify.");
	} else if (ledger_head(l, &head, err) < 0 ||
	    judge_evidence(l, evidence, sizeof(evidence), &about.is_broken, err) < 0) {
		return -1;
	} else {
		about.source = ledger_path(l);
		about.stations = head.station;
	}
	out = open_memstream(&text, &len);
	if (!out)
		return error_memory(err);
	page_write(out, t, &about);
	if (fclose(out) != 0)
		return error_memory(err);
	return file_write(cli->options.output, text, len, 0600, cli->options.overwrite, err);
}

/* ---- the command ------------------------------------------------------------------------- */

/* *l stays NULL when the verdicts come from a database. */
static int
read_verdicts(const struct cli *cli, struct ledger **l, struct tally *t, struct error *err)
{
	auto_central struct central *c = NULL;
	struct ledger_filter filter;

	if (record_filter(cli, &filter, err) < 0)
		return -1;
	filter.kind = "verdict";
	if (!cli->options.from)
		return record_open(cli, LEDGER_READ, l, err) < 0 ||
		    ledger_each(*l, &filter, count_verdict, t, err) < 0 ? -1 : 0;
	if (cli->options.ledger)
		return error_set(err, ERR_USAGE, "--from and --ledger exclude each other");
	return central_open(cli->options.from, &c, err) < 0 ||
	    central_each(c, &filter, count_verdict, t, err) < 0 ? -1 : 0;
}

int
cmd_report(struct cli *cli)
{
	const struct options *o = &cli->options;
	const char *by = o->by ? o->by : "device";
	auto_ledger struct ledger *l = NULL;
	auto_tally struct tally t = { 0 };
	struct error err = { 0 };
	int64_t now_ms = (int64_t)time(NULL) * 1000;

	if (!groups_of(&t, by)) {
		error_set(&err, ERR_USAGE, "--by %s: it is device, day, slot or policy", by);
		return cli_fail(cli, &err);
	}
	if (read_verdicts(cli, &l, &t, &err) < 0)
		return cli_fail(cli, &err);
	tally_finish(&t, now_ms);
	if (o->output && write_page(cli, l, &t, now_ms, &err) < 0)
		return cli_fail(cli, &err);
	if (o->output && strcmp(o->output, "-") == 0)
		return 0;
	if (o->json)
		output_json_line(stdout, report_object(&t, by));
	else if (!o->output)
		print_text(&t, by);
	return 0;
}
