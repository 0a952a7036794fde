/* cmd_central: ledger push and central-init: many stations, one record */
#include "cli/command.h"

#include <jansson.h>
#include <stdio.h>

#include "base/deadline.h"
#include "base/error.h"
#include "base/log.h"
#include "cli/output.h"
#include "cli/record.h"
#include "flow/fleet.h"
#include "store/central.h"

enum { LOOK_AGAIN_MS = 1000, BACK_OFF_FIRST_MS = 1000, BACK_OFF_MOST_MS = 60000 };

static int
need_url(const struct cli *cli, struct error *err)
{
	if (cli->options.to)
		return 0;
	error_set(err, ERR_USAGE, "%s needs --to postgresql://...", cli->command->name);
	return error_hint(err, "for instance --to postgresql://bench-1@db.example.com/chaperone");
}

static void
tell(const struct cli *cli, const struct central_pushed *p)
{
	if (cli->options.json)
		output_json_line(stdout, json_pack("{s:s, s:I, s:I}",
		    "schema", "chaperone.pushed/1", "events", (json_int_t)p->events,
		    "sequence", (json_int_t)p->sequence));
	else
		printf("%lld events sent; all up to %lld are there\n", (long long)p->events,
		    (long long)p->sequence);
	fflush(stdout);
}

/*
 * After weeks of outage the ledger may have been closed several times: its
 * archives go first. *found is the next of them, or NULL.
 */
static int
push_file(const struct cli *cli, struct central *c, const char *archive,
    struct central_pushed *sum, char **found, struct error *err)
{
	const struct ledger_place place = { .path = archive };
	struct central_pushed pushed = { 0 };
	auto_ledger struct ledger *l = NULL;
	int rc;

	/* Opened anew each time: a rotation may have exchanged the file. */
	rc = archive ? ledger_open(&place, LEDGER_READ, &l, err) :
	    record_open(cli, LEDGER_READ, &l, err);
	if (rc < 0)
		return -1;
	rc = central_push(c, l, &pushed, err);
	sum->events += pushed.events;
	sum->sequence = pushed.sequence;
	if (rc < 0 && pushed.lacks)
		*found = ledger_find_archive(ledger_path(l), pushed.lacks);
	return rc;
}

static int
push_all(const struct cli *cli, struct central *c, struct central_pushed *sum, struct error *err)
{
	for (;;) {
		auto_free char *archive = NULL, *none = NULL;
		struct error why = { 0 };
		int64_t before = sum->sequence;

		if (push_file(cli, c, NULL, sum, &archive, &why) == 0)
			return 0;
		if (!archive) {
			*err = why;
			return -1;
		}
		log_at(LOG_NORMAL, "the archive %s comes first", archive);
		if (push_file(cli, c, archive, sum, &none, err) < 0)
			return error_context(err, "%s", archive);
		if (sum->sequence <= before)
			return error_set(err, ERR_DATA, "%s has nothing of what comes next",
			    archive);
	}
}

/* *c is opened when it is not, and closed when it broke. */
static int
push_once(struct cli *cli, struct central **c, struct central_pushed *pushed, struct error *err)
{
	if (!*c && central_open(cli->options.to, c, err) < 0)
		return -1;
	if (push_all(cli, *c, pushed, err) == 0)
		return 0;
	central_close(steal_pointer(c));
	return -1;
}

/* Until a signal; whatever a network or a server does for weeks is waited out. */
static int
follow(struct cli *cli, struct central **c)
{
	int64_t back_off = BACK_OFF_FIRST_MS;

	fleet_catch_signals();
	for (;;) {
		struct central_pushed pushed = { 0 };
		struct error err = { 0 }, ignored = { 0 };
		int rc = push_once(cli, c, &pushed, &err);

		if (pushed.events)
			tell(cli, &pushed);
		if (rc < 0 && err.kind != ERR_UNAVAILABLE)
			return cli_fail(cli, &err);
		if (rc < 0)
			log_at(LOG_NORMAL, "%s; next try in %lld s", err.message,
			    (long long)back_off / 1000);
		if (deadline_pause(deadline_in(rc < 0 ? back_off : LOOK_AGAIN_MS), &ignored) < 0)
			return 0;
		back_off = rc == 0 ? BACK_OFF_FIRST_MS :
		    2 * back_off < BACK_OFF_MOST_MS ? 2 * back_off : BACK_OFF_MOST_MS;
	}
}

int
cmd_ledger_push(struct cli *cli)
{
	auto_central struct central *c = NULL;
	struct central_pushed pushed = { 0 };
	struct error err = { 0 };

	if (need_url(cli, &err) < 0)
		return cli_fail(cli, &err);
	if (cli->options.follow)
		return follow(cli, &c);
	if (push_once(cli, &c, &pushed, &err) < 0)
		return cli_fail(cli, &err);
	tell(cli, &pushed);
	return 0;
}

int
cmd_ledger_central_init(struct cli *cli)
{
	const struct options *o = &cli->options;
	auto_central struct central *c = NULL;
	struct error err = { 0 };
	int rc = 0;

	if ((o->station || o->login) && (!o->client || !o->login)) {
		error_set(&err, ERR_USAGE, "a station or reader needs --client and --login");
		return cli_fail(cli, &err);
	}
	if (need_url(cli, &err) < 0 || central_open(o->to, &c, &err) < 0 ||
	    central_init(c, &err) < 0)
		return cli_fail(cli, &err);
	if (o->station)
		rc = central_add_station(c, o->station, o->client, o->login, &err);
	else if (o->login)
		rc = central_add_reader(c, o->client, o->login, &err);
	return rc < 0 ? cli_fail(cli, &err) : 0;
}
