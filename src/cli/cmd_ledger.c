/* cmd_ledger: the record: listed, shown, exported, sealed, closed */
#include "cli/command.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/key.h"
#include "cli/output.h"
#include "cli/record.h"
#include "cli/stamp.h"
#include "store/json.h"
#include "store/seal.h"

enum { SUMMARY_MAX = 512 };

/* ---- list ------------------------------------------------------------------------ */

static void
local_time(int64_t wall_ms, char *out, size_t size)
{
	time_t at = (time_t)(wall_ms / 1000);
	struct tm tm;

	localtime_r(&at, &tm);
	if (!strftime(out, size, "%Y-%m-%d %H:%M:%S", &tm))
		out[0] = '\0';
}

static void
print_row(const struct event *e, const json_t *body)
{
	char when[32], device[48] = "-", what[SUMMARY_MAX];

	local_time(e->wall_ms, when, sizeof(when));
	if (e->device)
		text_shorten_id(e->device, device, sizeof(device));
	record_summary(e->kind, body, what, sizeof(what));
	printf("%6lld  %s  %-8.8s  %-13s  %-13s  %s\n", (long long)e->sequence, when,
	    e->run, e->kind, device, what);
}

/* RFC 4180; and no cell begins as a formula would, since these go into spreadsheets. */
static void
print_cell(const char *text, const char *end)
{
	const char *p;

	putchar('"');
	if (text && *text && strchr("=+-@\t\r", *text))
		putchar('\'');
	for (p = text ? text : ""; *p; p++) {
		if (*p == '"')
			putchar('"');
		putchar(*p);
	}
	printf("\"%s", end);
}

static void
print_csv(const struct event *e, const json_t *body)
{
	char at[TEXT_TIME_MAX], what[SUMMARY_MAX];

	text_time_utc((struct timespec){ .tv_sec = e->wall_ms / 1000,
	    .tv_nsec = e->wall_ms % 1000 * 1000000 }, at);
	record_summary(e->kind, body, what, sizeof(what));
	printf("%lld,%s,", (long long)e->sequence, at);
	print_cell(e->station, ",");
	print_cell(e->run, ",");
	print_cell(e->kind, ",");
	print_cell(e->device, ",");
	print_cell(json_text(body, "device", "serial"), ",");
	print_cell(json_text(body, "device", "name"), ",");
	print_cell(json_text(body, "verdict", NULL), ",");
	print_cell(json_text(body, "reason", NULL), ",");
	print_cell(json_text(body, "truth", NULL), ",");
	print_cell(json_text(body, "policy", NULL), ",");
	print_cell(what, "\r\n");
}

/* What is being printed, and how much of it there was. */
struct printing {
	const struct cli	*cli;
	bool			 is_whole;	/* bodies too */
	size_t			 n;
};

static void
print_whole(const struct event *e, const json_t *body)
{
	auto_free char *text = json_dumps(body, JSON_INDENT(2) | JSON_SORT_KEYS);
	const char *line = text ? text : "";

	print_row(e, body);
	while (*line) {
		int len = (int)strcspn(line, "\n");

		printf("          %.*s\n", len, line);
		line += len + (line[len] == '\n');
	}
}

static int
print_event(void *ctx, const struct event *e, struct error *err)
{
	struct printing *p = ctx;
	auto_json json_t *body = NULL;

	(void)err;
	if (p->cli->options.json) {
		output_json_line(stdout, record_object(e));
		p->n++;
		return 0;
	}
	body = json_loads(e->body, 0, NULL);
	if (p->n++ == 0 && p->cli->options.csv)
		printf("sequence,at,station,run,kind,device,serial,name,"
		    "verdict,reason,truth,policy,what\r\n");
	if (p->cli->options.csv)
		print_csv(e, body);
	else if (p->is_whole)
		print_whole(e, body);
	else
		print_row(e, body);
	return 0;
}

int
cmd_ledger_list(struct cli *cli)
{
	auto_ledger struct ledger *l = NULL;
	struct printing p = { .cli = cli };
	struct ledger_filter filter;
	struct error err = { 0 };

	if (cli->options.csv && cli->options.json) {
		error_set(&err, ERR_USAGE, "--csv and --json exclude each other");
		return cli_fail(cli, &err);
	}
	if (record_filter(cli, &filter, &err) < 0 || record_open(cli, LEDGER_READ, &l, &err) < 0 ||
	    ledger_each(l, &filter, print_event, &p, &err) < 0)
		return cli_fail(cli, &err);
	return 0;
}

int
cmd_ledger_show(struct cli *cli)
{
	struct printing p = { .cli = cli, .is_whole = true };
	auto_ledger struct ledger *l = NULL;
	struct ledger_filter filter;
	struct error err = { 0 };

	cli->options.run = cli->args[0];
	if (record_filter(cli, &filter, &err) < 0 || record_open(cli, LEDGER_READ, &l, &err) < 0 ||
	    ledger_each(l, &filter, print_event, &p, &err) < 0)
		return cli_fail(cli, &err);
	if (p.n == 0) {
		error_set(&err, ERR_NOINPUT, "the ledger has no run %s", cli->args[0]);
		error_hint(&err, "chaperone ledger list names the runs");
		return cli_fail(cli, &err);
	}
	return 0;
}

/* ---- export ------------------------------------------------------------------------ */

/* As stored: text is the body byte for byte, so that hashes can be made from it. */
static int
export_event(void *ctx, const struct event *e, struct error *err)
{
	FILE *out = ctx;
	auto_json json_t *line = json_pack(
	    "{s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:s?, s:s, s:s, s:s, s:s}",
	    "schema", "chaperone.export/1", "station", e->station,
	    "sequence", (json_int_t)e->sequence, "wall_ms", (json_int_t)e->wall_ms,
	    "monotonic_ms", (json_int_t)e->monotonic_ms, "boot", e->boot, "run", e->run,
	    "device", e->device, "kind", e->kind, "text", e->body, "previous", e->previous,
	    "hash", e->hash);

	if (!line)
		return error_memory(err);
	if (json_dumpf(line, out, JSON_COMPACT) < 0 || fputc('\n', out) < 0)
		return error_set(err, ERR_IO, "the export cannot be written");
	return 0;
}

int
cmd_ledger_export(struct cli *cli)
{
	const struct options *o = &cli->options;
	auto_ledger struct ledger *l = NULL;
	auto_free char *text = NULL;
	struct ledger_filter filter;
	struct error err = { 0 };
	size_t len = 0;
	FILE *out = o->output && strcmp(o->output, "-") != 0 ? open_memstream(&text, &len) : stdout;
	int rc = 0;

	if (!out)
		rc = error_memory(&err);
	if (rc < 0 || record_filter(cli, &filter, &err) < 0 ||
	    record_open(cli, LEDGER_READ, &l, &err) < 0 ||
	    ledger_each(l, &filter, export_event, out, &err) < 0)
		rc = -1;
	if (out && out != stdout && fclose(out) != 0 && rc == 0)
		rc = error_memory(&err);
	if (rc == 0 && out != stdout)
		rc = file_write(o->output, text, len, 0600, o->overwrite, &err);
	return rc < 0 ? cli_fail(cli, &err) : 0;
}

/* A misspelt name must not make an empty ledger, and seal that. */
static int
check_is_there(const char *path, struct error *err)
{
	return path && access(path, F_OK) < 0 ?
	    error_set_sys(err, ERR_NOINPUT, errno, "%s", path) : 0;
}

/* ---- seal ---------------------------------------------------------------------------- */

int
cmd_ledger_seal(struct cli *cli)
{
	const struct options *o = &cli->options;
	auto_host struct host host = { 0 };
	auto_ledger struct ledger *l = NULL;
	auto_blob struct blob cms = { 0 };
	struct key_use use = { .purpose = SIGNER_SEAL };
	struct ledger_head head;
	struct error err = { 0 };

	if (check_is_there(o->ledger, &err) < 0 ||
	    (o->output && file_check_new(o->output, o->overwrite, &err) < 0) ||
	    stamp_check_request(o, &err) < 0 || key_open(cli, o->identity, &host, &err) < 0)
		return cli_fail(cli, &err);
	use.signer = host.signer;
	if (record_open(cli, LEDGER_WRITE, &l, &err) < 0 || ledger_head(l, &head, &err) < 0 ||
	    seal_make(l, cli->run, key_sign, &use, &cms, &err) < 0)
		return cli_fail(cli, &err);
	if ((o->output && file_write(o->output, cms.data, cms.len, 0644, o->overwrite, &err) < 0) ||
	    stamp_write_request(o, &cms, &err) < 0)
		return cli_fail(cli, &err);
	if (o->output && strcmp(o->output, "-") == 0)
		return 0;
	if (o->json)
		output_json_line(stdout, json_pack("{s:s, s:s, s:I, s:s, s:s, s:s?}",
		    "schema", "chaperone.sealed/1", "station", head.station,
		    "sequence", (json_int_t)head.sequence, "hash", head.hash,
		    "signer", host.cert.sha256, "file", o->output));
	else
		printf("sealed up to event %lld of %s, by %s\n", (long long)head.sequence,
		    head.station, host.cert.organization);
	return 0;
}

/* ---- rotate ---------------------------------------------------------------------------- */

int
cmd_ledger_rotate(struct cli *cli)
{
	struct ledger *l = NULL;
	auto_free char *moved = NULL;
	struct error err = { 0 };

	if (record_open(cli, LEDGER_WRITE, &l, &err) < 0)
		return cli_fail(cli, &err);
	if (record_operator(cli, l, &err) < 0 || ledger_commit(l, &err) < 0) {
		ledger_close(l);
		return cli_fail(cli, &err);
	}
	if (ledger_rotate(l, cli->run, cli->options.archive, &moved, &err) < 0)
		return cli_fail(cli, &err);
	if (cli->options.json)
		output_json_line(stdout, json_pack("{s:s, s:s}", "schema", "chaperone.rotated/1",
		    "archive", moved));
	else
		printf("closed: %s\n", moved);
	return 0;
}
