/* cmd_device: the commands that work on attached devices: one job for each */
#include "cli/command.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/log.h"
#include "cli/attest.h"
#include "cli/clients.h"
#include "cli/config.h"
#include "cli/desire.h"
#include "cli/host.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/record.h"
#include "cli/select.h"
#include "core/desired.h"
#include "core/verdict.h"
#include "crypto/signer.h"
#include "flow/fleet.h"
#include "flow/job.h"
#include "flow/journal.h"
#include "flow/report.h"
#include "wire/mux.h"

enum {
	DEFAULT_JOBS = 32,
	DEFAULT_TIMEOUT_S = 60,
	DIALOG_WAIT_S = 60,	/* pair --dialog: somebody stands there to tap */
};

static const struct {
	const char	*name;
	enum job_kind	 kind;
	bool		 is_changing, has_desired, uses_identity, is_recorded;
} kinds[] = {
	{ "list", JOB_LIST, false, false, false, false },
	{ "show", JOB_SHOW, false, false, false, false },
	{ "verify", JOB_VERIFY, false, true, true, true },
	{ "plan", JOB_PLAN, false, true, true, false },
	{ "apply", JOB_APPLY, true, true, true, true },
	{ "remove", JOB_REMOVE, true, true, true, true },
	{ "pair", JOB_PAIR, true, false, true, true },
	{ "unpair", JOB_UNPAIR, true, false, false, true },
};

/* A running command: who is at work, and what has been told. */
struct showing {
	struct cli		*cli;
	enum job_kind		 kind;
	struct progress		*progress;
	json_t			*rows;		/* of list, until they can be sorted */
	json_t			*results;	/* to be shown when they are on record */
	struct journal		*journal;
	struct attest		*attest;
	int			 exit_code;
};

static void
show_result(struct showing *s, json_t *message)
{
	if (s->cli->options.json) {
		output_json_line(stdout, json_incref(message));
		return;
	}
	progress_clear(s->progress);
	if (s->kind == JOB_LIST)
		json_array_append(s->rows, message);
	else if (s->kind == JOB_SHOW)
		output_device(message, s->cli->color);
	else
		output_result(message, s->cli->color);
	progress_draw(s->progress);
}

/* list and show tell what can be known; what cannot is no failure of theirs. */
static int
exit_code_of(enum job_kind kind, const json_t *message)
{
	return kind == JOB_LIST || kind == JOB_SHOW ? 0 : output_exit_code(message);
}

static void
on_message(void *ctx, const struct mux_device *device, json_t *message, bool is_result)
{
	struct showing *s = ctx;
	int code;

	journal_note(s->journal, device, message, is_result);
	if (!is_result) {
		progress_event(s->progress, device->udid, message);
		return;
	}
	progress_done(s->progress, device->udid);
	code = exit_code_of(s->kind, message);
	if (code > s->exit_code)
		s->exit_code = code;
	json_array_append(s->results, message);
	attest_add(s->attest, message);
}

static int
on_intent(void *ctx, const struct mux_device *device, const json_t *intent, struct error *err)
{
	struct showing *s = ctx;

	return journal_permit(s->journal, device, intent, err);
}

/* A verdict is on record before anybody reads it; one that cannot be is told all the same. */
static int
on_commit(void *ctx, struct error *err)
{
	struct showing *s = ctx;
	int rc = journal_commit(s->journal, err);
	json_t *message;
	size_t i;

	json_array_foreach(s->results, i, message)
		show_result(s, message);
	json_array_clear(s->results);
	return rc;
}

/* ---- list: sorted by port, so that the order is that of the bench ---------------- */

static int
compare_rows(const void *a, const void *b)
{
	static const char *const keys[] = { "location", "udid" };
	size_t i;

	for (i = 0; i < countof(keys); i++) {
		const json_t *da = json_object_get(*(json_t *const *)a, "device");
		const json_t *db = json_object_get(*(json_t *const *)b, "device");
		const char *x = json_string_value(json_object_get(da, keys[i]));
		const char *y = json_string_value(json_object_get(db, keys[i]));
		int order = strcmp(x ? x : "", y ? y : "");

		if (order)
			return order;
	}
	return 0;
}

static void
print_rows(const json_t *rows, bool color)
{
	size_t n = json_array_size(rows), i;
	auto_free json_t **sorted = calloc(n + 1, sizeof(*sorted));

	if (!sorted || n == 0)
		return;
	for (i = 0; i < n; i++)
		sorted[i] = json_array_get(rows, i);
	qsort(sorted, n, sizeof(*sorted), compare_rows);
	output_list_header(color);
	for (i = 0; i < n; i++)
		output_list_row(sorted[i], color);
}

/* ---- the command ------------------------------------------------------------------ */

static int
no_device(const struct cli *cli, struct error *why)
{
	error_hint(why, "plug a device in; chaperone list shows what is attached");
	return cli_fail_as(cli, EXIT_NO_DEVICE, why);
}

/* Who works for whom: one identity, or those of the policies. */
struct side {
	struct host	host;
	struct clients	clients;
	struct attest	attest;
	struct signer	*attester;	/* whose signature it bears; borrowed */
};

static void
close_side(struct side *s)
{
	host_close(&s->host);
	clients_close(&s->clients);
	attest_close(&s->attest);
}

static struct job
make_job(const struct cli *cli, enum job_kind kind, struct desired *desired,
    const struct side *side)
{
	const struct options *o = &cli->options;
	int64_t wait_s = o->wait_s >= 0 ? o->wait_s : o->dialog ? DIALOG_WAIT_S : 0;

	return (struct job){
		.kind = kind, .desired = desired, .signer = -1,
		.certificate = side->host.signer ? &side->host.cert.der : NULL,
		.policies = side->clients.policies.n ? &side->clients.policies : NULL,
		.may_ask_person = o->dialog, .is_forced = o->force,
		.timeout_ms = 1000 * (o->timeout_s > 0 ? o->timeout_s : DEFAULT_TIMEOUT_S),
		.person_ms = 1000 * wait_s,
	};
}

static int
make_statement(const struct cli *cli, const struct job *job, const struct side *side,
    struct journal *journal, struct error *err)
{
	const struct wanted wanted = { .desired = job->desired, .clients = &side->clients };
	int rc = attest_write(&side->attest, cli, side->attester, &wanted, journal, err);

	/* The devices' verdicts are on record by now; the signature follows them. */
	if (rc == 0 && journal->ledger && journal->failed.kind == ERR_NONE)
		(void)journal_commit(journal, &(struct error){ 0 });
	return rc;
}

static int
run_jobs(struct cli *cli, const struct job *job, struct side *side,
    struct journal *journal, const struct mux_device *devices, size_t n)
{
	const struct options *o = &cli->options;
	bool is_live = progress_is_welcome() && o->verbosity == 0;
	struct showing s = { .cli = cli, .kind = job->kind, .journal = journal,
		.attest = &side->attest };
	const struct fleet fleet = {
		.job = job, .signer = side->host.signer, .run = cli->run,
		.identities = side->clients.for_fleet, .n_identities = side->clients.n,
		.jobs = o->jobs > 0 ? (unsigned)o->jobs : DEFAULT_JOBS, .wants_steps = is_live,
		.permit = journal->ledger ? on_intent : NULL, .commit = on_commit,
		.tell = on_message, .ctx = &s,
		.slot_of = config_slots() ? config_slot_of : NULL, .slot_ctx = (void *)(uintptr_t)config_slots(),
	};
	struct error err = { 0 };
	int rc;

	s.rows = json_array();
	s.results = json_array();
	if (progress_new(n, is_live, o->verbosity < 0, &s.progress, &err) < 0)
		return cli_fail(cli, &err);
	rc = fleet_run(&fleet, devices, n, &err);
	progress_free(s.progress);
	print_rows(s.rows, cli->color);
	json_decref(s.rows);
	json_decref(s.results);
	if (rc < 0)
		return cli_fail(cli, &err);
	/* Of a command that was stopped there is no statement: it would say less than was asked. */
	if (side->attest.file && !deadline_interrupted() && make_statement(cli, job, side, journal,
	    &err) < 0)
		return cli_fail(cli, &err);
	/* The devices are as told, but it is not on record. */
	if (journal->failed.kind != ERR_NONE)
		return cli_fail(cli, &journal->failed);
	/* Each device's verdict was told; that of the command is: somebody stopped it. */
	return deadline_interrupted() ? EXIT_INTERRUPTED : s.exit_code;
}

/*
 * The identities first: a wrong passphrase must not leave half a job behind.
 * While the signer decrypts its key, the ledger is opened.
 */
static int
open_side(struct cli *cli, size_t k, struct side *side, struct desired *desired,
    struct journal *journal, struct error *err)
{
	const struct options *o = &cli->options;
	bool by_policy = kinds[k].has_desired && o->policy;

	if (attest_open(cli, &side->attest, err) < 0)
		return -1;
	if (by_policy && (desire_check_policy(cli, err) < 0 ||
	    clients_open(o, o->policy, &side->clients, err) < 0))
		return -1;
	if (!by_policy && (kinds[k].uses_identity || o->is_identity_named) &&
	    host_begin(o, &side->host, err) < 0)
		return -1;
	if (kinds[k].is_recorded)
		record_journal(cli, &side->clients.policies, journal);
	if (host_await(&side->host, err) < 0 ||
	    attest_choose(&side->attest, &side->host, &side->clients, &side->attester, err) < 0)
		return -1;
	return kinds[k].has_desired && !by_policy ?
	    desire_from_options(cli, &side->host.cert, desired, err) : 0;
}

int
cmd_device(struct cli *cli)
{
	auto_with(close_side) struct side side = { 0 };
	auto_desired struct desired desired = { 0 };
	auto_free struct mux_device *devices = NULL;
	auto_journal struct journal journal = { 0 };
	struct error err = { 0 };
	struct job job;
	size_t n = 0, k = 0;
	bool is_changing;
	int code;

	while (strcmp(kinds[k].name, cli->command->name) != 0)
		k++;
	is_changing = kinds[k].is_changing && !cli->options.dry_run;
	fleet_catch_signals();
	if (open_side(cli, k, &side, &desired, &journal, &err) < 0)
		return cli_fail(cli, &err);
	if (select_devices(cli, is_changing, &devices, &n, &err) < 0)
		return cli_fail(cli, &err);
	if (n == 0)
		return kinds[k].kind == JOB_LIST && !cli->options.udids.n ? 0 : no_device(cli, &err);
	if (kinds[k].is_recorded &&
	    record_check_journal(cli, is_changing, &journal, &err) < 0)
		return cli_fail(cli, &err);
	journal.is_batched = true;
	job = make_job(cli, cli->options.dry_run ? JOB_PLAN : kinds[k].kind, &desired, &side);
	code = run_jobs(cli, &job, &side, &journal, devices, n);
	/* It may go while the ledger is closed. */
	signer_dismiss(side.host.signer);
	return code;
}
