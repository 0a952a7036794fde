/* cmd_audit: ledger verify: does the chain hold, and where does it break */
#include "cli/command.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/output.h"
#include "cli/record.h"
#include "cli/stamp.h"
#include "store/audit.h"
#include "store/json.h"

enum { SEAL_FILE_MAX = 1 << 20, HEADS_MAX = 64, EXIT_BROKEN = 1 };

/* What the options say is known; the bytes behind struct audit_known. */
struct known {
	struct audit_head heads[HEADS_MAX];
	struct blob	anchors;
	struct stamps	stamps;
	struct audit_stamp *digests;	/* of the stamps that are genuine, in their order */
};

static void
known_clear(struct known *k)
{
	size_t i;

	for (i = 0; i < HEADS_MAX; i++)
		blob_clear(&k->heads[i].cms);
	blob_clear(&k->anchors);
	stamps_clear(&k->stamps);
	free(k->digests);
}

#define auto_known	auto_with(known_clear)

static int
read_stamps(const struct options *o, struct known *k, struct audit_known *out,
    struct error *err)
{
	size_t i;

	if (stamps_open(o, &k->stamps, err) < 0)
		return -1;
	k->digests = calloc(k->stamps.n + 1, sizeof(*k->digests));
	if (!k->digests)
		return error_memory(err);
	for (i = 0; i < k->stamps.n; i++)
		memcpy(k->digests[i].digest, k->stamps.items[i].digest,
		    sizeof(k->digests[i].digest));
	out->stamps = k->digests;
	out->n_stamps = k->stamps.n;
	return 0;
}

static int
read_known(const struct options *o, struct known *k, struct audit_known *out,
    struct error *err)
{
	size_t i;

	if (o->heads.n > HEADS_MAX)
		return error_set(err, ERR_USAGE, "at most %d seals can be given", HEADS_MAX);
	for (i = 0; i < o->heads.n; i++)
		if (file_read(o->heads.items[i], SEAL_FILE_MAX, FILE_ANY,
		    &k->heads[i].cms, err) < 0)
			return -1;
	if (o->ca && file_read(o->ca, SEAL_FILE_MAX, FILE_ANY, &k->anchors, err) < 0)
		return -1;
	out->heads = k->heads;
	out->n_heads = o->heads.n;
	out->anchors = o->ca ? &k->anchors : NULL;
	return read_stamps(o, k, out, err);
}

/* ---- telling ------------------------------------------------------------------------ */

struct telling {
	const struct cli	*cli;
	const char		*file;
};

static void
tell_finding(void *ctx, const struct audit_finding *f)
{
	const struct telling *t = ctx;

	if (t->cli->options.json)
		output_json_line(stdout, json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}",
		    "schema", "chaperone.finding/1", "file", t->file,
		    "kind", audit_kind_word(f->kind), "first", (json_int_t)f->first,
		    "last", (json_int_t)f->last, "message", f->text));
	else
		printf("%s: %s\n", audit_kind_word(f->kind), f->text);
}

static void
tell_result(const struct telling *t, const char *station, const struct audit_result *r,
    bool has_anchors)
{
	bool holds = r->findings == 0;

	if (t->cli->options.json) {
		output_json_line(stdout, json_pack(
		    "{s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:s, s:I, s:I, s:I}",
		    "schema", "chaperone.audit/1", "file", t->file,
		    "station", station, "holds", holds,
		    "first", (json_int_t)r->first, "last", (json_int_t)r->last,
		    "events", (json_int_t)r->events, "hash", r->hash, "seals", (json_int_t)r->seals,
		    "sealed", (json_int_t)r->sealed, "findings", (json_int_t)r->findings));
		return;
	}
	if (r->last >= r->first)
		printf("%s: station %s, events %lld to %lld: ", t->file, station,
		    (long long)r->first, (long long)r->last);
	else
		printf("%s: station %s, no event yet, the next is %lld: ", t->file, station,
		    (long long)r->first);
	if (holds)
		printf("the chain holds\n");
	else
		printf("the chain is BROKEN, %zu finding%s\n", r->findings,
		    r->findings == 1 ? "" : "s");
	if (r->sealed)
		printf("sealed up to event %lld by %zu seal%s%s\n", (long long)r->sealed, r->seals,
		    r->seals == 1 ? "" : "s",
		    has_anchors ? "" : " (whoever signed: --ca FILE says who may)");
	else
		printf("no seal: whoever can write the file could have made all of it anew\n");
	printf("head: %s\n", r->hash);
}

/* What a time stamp shows of the chain; false: nothing. */
static bool
tell_stamp(const struct cli *cli, const struct known *k, size_t i)
{
	const struct error *wrong = &k->stamps.errors[i];
	struct telling t = { cli, k->stamps.files[i] };
	struct audit_finding f = { .kind = AUDIT_TIMESTAMP };
	char when[CERT_TEXT_MAX + 64];
	auto_json json_t *stamp = NULL;
	json_t *object;

	if (wrong->kind != ERR_NONE)
		snprintf(f.text, sizeof(f.text), "%s", wrong->message);
	else if (!k->digests[i].sealed)
		snprintf(f.text, sizeof(f.text),
		    "%s: the time stamp is for none of the seals that hold", k->stamps.files[i]);
	if (f.text[0]) {
		tell_finding(&t, &f);
		return false;
	}
	stamp_text(&k->stamps.items[i], when, sizeof(when));
	if (!cli->options.json) {
		printf("everything up to event %lld existed at %s\n",
		    (long long)k->digests[i].sealed, when);
		return true;
	}
	object = json_pack("{s:s, s:I}", "schema", "chaperone.timestamp/1",
	    "sealed", (json_int_t)k->digests[i].sealed);
	stamp = stamp_object(&k->stamps, i);
	json_object_update(object, stamp);
	output_json_line(stdout, object);
	return true;
}

/* A seal whose event none of the files has is no proof of anything. */
static size_t
tell_unplaced(const struct cli *cli, const struct known *k)
{
	size_t i, n = 0;

	for (i = 0; i < cli->options.heads.n; i++) {
		struct telling t = { cli, cli->options.heads.items[i] };
		struct audit_finding f = { .kind = AUDIT_SEAL, .first = k->heads[i].sequence,
			.last = k->heads[i].sequence };

		if (k->heads[i].is_judged)
			continue;
		snprintf(f.text, sizeof(f.text),
		    "%s seals event %lld, which is in none of the files: name its archive too",
		    t.file, (long long)f.first);
		tell_finding(&t, &f);
		n++;
	}
	return n;
}

/* ---- the command ---------------------------------------------------------------------- */

static int
audit_one(struct cli *cli, struct audit_known *known, struct audit_result *r,
    struct error *err)
{
	auto_ledger struct ledger *l = NULL;
	struct ledger_head head = { .station = "" };
	struct telling t = { .cli = cli };
	struct error ignored = { 0 };

	if (record_open(cli, LEDGER_READ, &l, err) < 0)
		return -1;
	t.file = ledger_path(l);
	if (audit_run(l, known, tell_finding, &t, r, err) < 0)
		return -1;
	/* A damaged end does not hide whose ledger it is. */
	if (ledger_head(l, &head, &ignored) < 0)
		head.station = "?";
	tell_result(&t, head.station, r, known->anchors != NULL);
	return 0;
}

/* Archives first, oldest first: each must continue the one before it. */
int
cmd_ledger_verify(struct cli *cli)
{
	auto_known struct known k = { 0 };
	struct audit_known known = { 0 };
	struct audit_result r = { 0 };
	char carried[EVENT_HASH_MAX];
	struct error err = { 0 };
	size_t findings = 0, j;
	unsigned i;

	if (read_known(&cli->options, &k, &known, &err) < 0)
		return cli_fail(cli, &err);
	for (i = 0; i < (cli->n_args ? cli->n_args : 1); i++) {
		if (cli->n_args)
			cli->options.ledger = cli->args[i];
		known.has_more = i + 1 < cli->n_args;
		if (audit_one(cli, &known, &r, &err) < 0)
			return cli_fail(cli, &err);
		findings += r.findings;
		memcpy(carried, r.hash, sizeof(carried));
		known.carried = carried;
		known.first = r.last + 1;
	}
	findings += tell_unplaced(cli, &k);
	for (j = 0; j < k.stamps.n; j++)
		findings += !tell_stamp(cli, &k, j);
	return findings ? EXIT_BROKEN : 0;
}
