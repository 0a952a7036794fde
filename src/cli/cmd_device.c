/* cmd_device: the commands that work on attached devices: one job for each */
#include "cli/command.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
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
#include "crypto/signer.h"
#include "flow/fleet.h"
#include "flow/job.h"
#include "flow/journal.h"
#include "wire/mux.h"

enum {
	DEFAULT_JOBS = 32,
	DEFAULT_TIMEOUT_S = 60,
	DIALOG_WAIT_S = 60,	/* pair --dialog: somebody stands there to tap */
};

static const struct kind {
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

/* A running command: who works for whom, what it wants, and what has been told. */
struct work {
	struct cli		*cli;
	const struct kind	*kind;
	bool			 is_changing;
	struct host		 host;		/* one identity, or */
	struct clients		 clients;	/* those of the policies */
	struct attest		 attest;
	struct signer		*attester;	/* whose signature it bears; borrowed */
	struct desired		 desired;
	struct journal		 journal;
	struct job		 job;
	bool			 is_opened;	/* the ledger, or why it is not is known */
	bool			 is_known;	/* who we are */
	struct progress		*progress;
	json_t			*rows;		/* of list, until they can be sorted */
	json_t			*results;	/* to be shown when they are on record */
	int			 exit_code;
};

static void
clear_work(struct work *w)
{
	/* It may go while the ledger is closed. */
	signer_dismiss(w->host.signer);
	json_decref(w->rows);
	json_decref(w->results);
	journal_close(&w->journal);
	desired_clear(&w->desired);
	host_close(&w->host);
	clients_close(&w->clients);
	attest_close(&w->attest);
}

/* ---- what is told ----------------------------------------------------------------- */

static void
show_result(struct work *w, json_t *message)
{
	if (w->cli->options.json) {
		output_json_line(stdout, json_incref(message));
		return;
	}
	progress_clear(w->progress);
	if (w->job.kind == JOB_LIST)
		json_array_append(w->rows, message);
	else if (w->job.kind == JOB_SHOW)
		output_device(message, w->cli->color);
	else
		output_result(message, w->cli->color);
	progress_draw(w->progress);
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
	struct work *w = ctx;
	int code;

	journal_note(&w->journal, device, message, is_result);
	if (!is_result) {
		progress_event(w->progress, device->udid, message);
		return;
	}
	progress_done(w->progress, device->udid);
	code = exit_code_of(w->job.kind, message);
	if (code > w->exit_code)
		w->exit_code = code;
	json_array_append(w->results, message);
	attest_add(&w->attest, message);
}

static int
on_intent(void *ctx, const struct mux_device *device, const json_t *intent, struct error *err)
{
	struct work *w = ctx;

	return journal_permit(&w->journal, device, intent, err);
}

/* A verdict is on record before anybody reads it; one that cannot be is told all the same. */
static int
on_commit(void *ctx, struct error *err)
{
	struct work *w = ctx;
	int rc = journal_commit(&w->journal, err);
	json_t *message;
	size_t i;

	json_array_foreach(w->results, i, message)
		show_result(w, message);
	json_array_clear(w->results);
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
	(void)output_list(sorted, n, color);
}

/* ---- before devices ------------------------------------------------------------------ */

static bool
is_by_policy(const struct work *w)
{
	return w->kind->has_desired && w->cli->options.policy;
}

/* What is asked, and a signer that will decrypt the key when it is waited for. */
static int
begin(struct work *w, struct error *err)
{
	const struct options *o = &w->cli->options;

	if (attest_open(w->cli, &w->attest, err) < 0)
		return -1;
	if (is_by_policy(w) && (desire_check_policy(w->cli, err) < 0 ||
	    clients_open(o, o->policy, &w->clients, err) < 0))
		return -1;
	if (!is_by_policy(w) && (w->kind->uses_identity || o->is_identity_named) &&
	    host_begin(o, &w->host, err) < 0)
		return -1;
	if (attest_choose(&w->attest, &w->host, &w->clients, &w->attester, err) < 0)
		return -1;
	return w->kind->has_desired && !is_by_policy(w) ?
	    desire_from_options(w->cli, &w->desired, err) : 0;
}

static void
open_record(struct work *w)
{
	if (w->is_opened)
		return;
	w->is_opened = true;
	if (w->kind->is_recorded)
		record_journal(w->cli, &w->clients.policies, &w->journal);
	w->journal.is_batched = true;
}

/*
 * The ledger is opened, and then the identity waited for: a wrong passphrase
 * must not leave half a job behind.
 */
static int
know(struct work *w, struct error *err)
{
	if (w->is_known)
		return 0;
	open_record(w);
	if (host_await(&w->host, err) < 0 ||
	    desired_adopt(&w->desired, w->host.cert.organization, err) < 0)
		return -1;
	if (w->host.signer)
		w->job.certificate = &w->host.cert.der;
	w->is_known = true;
	return 0;
}

/*
 * fleet's complete: workers have begun, and are not heard before this. The ledger
 * first: without it no key is loaded, and so nothing signed that is not on record.
 */
static int
on_complete(void *ctx, struct error *err)
{
	struct work *w = ctx;

	open_record(w);
	if (w->kind->is_recorded &&
	    record_check_journal(w->cli, w->is_changing, &w->journal, err) < 0)
		return -1;
	return know(w, err);
}

/* A person at a prompt may take longer than a device waits: then the identity comes first. */
static int
select_and_know(struct work *w, struct mux_device **devices, size_t *n, struct error *err)
{
	struct error unknown = { 0 };
	int rc;

	if (!host_is_at_hand(&w->cli->options) && know(w, err) < 0)
		return -1;
	rc = select_devices(w->cli, w->is_changing, devices, n, err);
	if ((rc == 0 && *n > 0) || know(w, &unknown) == 0)
		return rc;
	*err = unknown;
	return -1;
}

static struct job
make_job(struct work *w)
{
	const struct options *o = &w->cli->options;
	int64_t wait_s = o->wait_s >= 0 ? o->wait_s : o->dialog ? DIALOG_WAIT_S : 0;

	return (struct job){
		.kind = o->dry_run ? JOB_PLAN : w->kind->kind, .desired = &w->desired, .signer = -1,
		.policies = w->clients.policies.n ? &w->clients.policies : NULL,
		.may_ask_person = o->dialog, .is_forced = o->force,
		.timeout_ms = 1000 * (o->timeout_s > 0 ? o->timeout_s : DEFAULT_TIMEOUT_S),
		.person_ms = 1000 * wait_s,
	};
}

/* ---- the command ------------------------------------------------------------------ */

static int
no_device(const struct cli *cli, struct error *why)
{
	if (!why->hint)
		error_hint(why, "plug a device in; chaperone list shows what is attached");
	return cli_fail_as(cli, EXIT_NO_DEVICE, why);
}

static int
make_statement(struct work *w, struct error *err)
{
	const struct wanted wanted = { .desired = &w->desired, .clients = &w->clients };
	struct journal *journal = &w->journal;
	int rc = attest_write(&w->attest, w->cli, w->attester, &wanted, journal, err);

	/* The devices' verdicts are on record by now; the signature follows them. */
	if (rc == 0 && journal->ledger && journal->failed.kind == ERR_NONE)
		(void)journal_commit(journal, &(struct error){ 0 });
	return rc;
}

static int
run_fleet(struct work *w, const struct mux_device *devices, size_t n, struct error *err)
{
	const struct options *o = &w->cli->options;
	bool is_live = progress_is_welcome() && o->verbosity == 0;
	bool is_recorded = w->kind->is_recorded && !o->no_ledger;
	const struct fleet fleet = {
		.job = &w->job, .signer = w->host.signer, .run = w->cli->run,
		.identities = w->clients.for_fleet, .n_identities = w->clients.n,
		.jobs = o->jobs > 0 ? (unsigned)o->jobs : DEFAULT_JOBS, .wants_steps = is_live,
		.complete = on_complete, .permit = is_recorded ? on_intent : NULL,
		.commit = on_commit, .tell = on_message, .ctx = w,
		.slot_of = config_slots() ? config_slot_of : NULL,
		.slot_ctx = (void *)(uintptr_t)config_slots(),
	};
	int rc;

	w->rows = json_array();
	w->results = json_array();
	if (progress_new(n, is_live, o->verbosity < 0, &w->progress, err) < 0)
		return -1;
	rc = fleet_run(&fleet, devices, n, err);
	progress_free(w->progress);
	print_rows(w->rows, w->cli->color);
	return rc;
}

static int
run_jobs(struct work *w, const struct mux_device *devices, size_t n)
{
	struct error err = { 0 };

	if (run_fleet(w, devices, n, &err) < 0)
		return cli_fail(w->cli, &err);
	/* Of a command that was stopped there is no statement: it would say less than was asked. */
	if (w->attest.file && !deadline_interrupted() && make_statement(w, &err) < 0)
		return cli_fail(w->cli, &err);
	/* The devices are as told, but it is not on record. */
	if (w->journal.failed.kind != ERR_NONE)
		return cli_fail(w->cli, &w->journal.failed);
	/* Each device's verdict was told; that of the command is: somebody stopped it. */
	return deadline_interrupted() ? EXIT_INTERRUPTED : w->exit_code;
}

static const struct kind *
find_kind(const char *name)
{
	const struct kind *k = kinds;

	while (strcmp(k->name, name) != 0)
		k++;
	return k;
}

int
cmd_device(struct cli *cli)
{
	auto_with(clear_work) struct work w = { .cli = cli, .kind = find_kind(cli->command->name) };
	auto_free struct mux_device *devices = NULL;
	struct error err = { 0 };
	size_t n = 0;

	w.is_changing = w.kind->is_changing && !cli->options.dry_run;
	fleet_catch_signals();
	if (begin(&w, &err) < 0)
		return cli_fail(cli, &err);
	w.job = make_job(&w);
	if (select_and_know(&w, &devices, &n, &err) < 0)
		return cli_fail(cli, &err);
	if (n == 0)
		return w.kind->kind == JOB_LIST && !cli->options.udids.n ? 0 : no_device(cli, &err);
	return run_jobs(&w, devices, n);
}
