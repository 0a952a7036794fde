/* cmd_station: the unattended bench: every device that is plugged in, by policy */
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/error.h"
#include "cli/clients.h"
#include "cli/config.h"
#include "cli/output.h"
#include "cli/page.h"
#include "cli/record.h"
#include "cli/screen.h"
#include "crypto/launcher.h"
#include "flow/journal.h"
#include "station/slots.h"
#include "station/station.h"
#include "store/ledger.h"

#define POLICIES	SYSCONFDIR "/chaperone/policies.d"

enum {
	DEFAULT_JOBS = 32,
	DEFAULT_PER_CONTROLLER = 8,
	DEFAULT_TIMEOUT_S = 60,
	LEDGER_BUSY_MS = 1000,
};

struct running {
	struct cli	*cli;
	struct launcher	*launcher;
	struct screen	*screen;	/* NULL: no terminal, or --json */
	struct web	*page;		/* NULL: no --http */
};

/* ---- policies, and who we are under each of them --------------------------------- */

static int
load(void *ctx, struct station_side *out, struct error *err)
{
	const struct running *r = ctx;
	const struct options *o = &r->cli->options;
	struct clients *c = calloc(1, sizeof(*c));

	if (!c)
		return error_memory(err);
	c->launcher = r->launcher;
	if (clients_open(o, o->policies ? o->policies : POLICIES, c, err) < 0) {
		free(c);
		return -1;
	}
	*out = (struct station_side){
		.policies = &c->policies, .identities = c->for_fleet, .n_identities = c->n,
		.owner = c,
	};
	return 0;
}

static void
release(void *ctx, struct station_side *side)
{
	(void)ctx;
	clients_close(side->owner);
	free(side->owner);
}

/* ---- what people and programs see --------------------------------------------------- */

static void
tell(void *ctx, const json_t *event)
{
	const struct running *r = ctx;

	if (r->cli->options.json)
		output_json_line(stdout, json_incref((json_t *)(uintptr_t)event));
	else if (!r->screen)
		output_station_event(event, r->cli->color);
}

static void
show(void *ctx, const struct station_view *view)
{
	const struct running *r = ctx;

	if (r->screen)
		screen_show(r->screen, view->board);
	if (r->page)
		page_publish(r->page, view);
}

/* ---- only one --------------------------------------------------------------------------- */

/*
 * Two stations would work on the same devices. The lock is on a file beside the
 * ledger: on the ledger itself it would be one of SQLite's own.
 */
static int
lock(const struct journal *journal, int *out, struct error *err)
{
	auto_free char *path = NULL;
	auto_fd int fd = -1;

	if (asprintf(&path, "%s.station", ledger_path(journal->ledger)) < 0) {
		path = NULL;
		return error_memory(err);
	}
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_set_sys(err, ERR_CREATE, errno, "%s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		error_set(err, ERR_UNAVAILABLE, "another station is at work with this ledger");
		return error_hint(err, "one station does the work of a whole bench; "
		    "see systemctl status chaperone-station");
	}
	*out = steal_fd(&fd);
	return 0;
}

/* ---- the command -------------------------------------------------------------------------- */

static int
run(struct running *r, struct journal *journal, struct slots *slots, struct error *err)
{
	const struct options *o = &r->cli->options;
	const struct station_guest guest = page_guest(r->page);
	struct ledger_head head;
	struct station_options options = {
		.run = r->cli->run, .journal = journal, .slots = slots,
		.hooks = config_hooks(),
		.jobs = o->jobs > 0 ? (unsigned)o->jobs : DEFAULT_JOBS,
		.per_controller = o->per_controller >= 0 ? (unsigned)o->per_controller :
		    DEFAULT_PER_CONTROLLER,
		.timeout_ms = 1000 * (o->timeout_s > 0 ? o->timeout_s : DEFAULT_TIMEOUT_S),
		.load = load, .release = release, .tell = tell, .show = show, .ctx = r,
		.guest = r->page ? &guest : NULL,
	};

	if (ledger_head(journal->ledger, &head, err) < 0)
		return -1;
	options.name = head.station;
	return station_run(&options, err);
}

static int
open_page(const struct options *o, struct web **out, struct error *err)
{
	if (o->http)
		return page_open(o->http, &o->http_names, out, err);
	return o->http_names.n == 0 ? 0 :
	    error_set(err, ERR_USAGE, "--http-name says nothing without --http");
}

static bool
wants_screen(const struct cli *cli)
{
	return !cli->options.json && cli->options.verbosity <= 0 && isatty(STDOUT_FILENO);
}

static void
clean_launcher(struct launcher **l)
{
	launcher_stop(*l);
}

int
cmd_station(struct cli *cli)
{
	auto_with(clean_launcher) struct launcher *launcher = NULL;
	auto_with(screen_close) struct screen *screen = NULL;
	auto_journal struct journal journal = { 0 };
	auto_slots struct slots slots = { 0 };
	auto_with(page_close) struct web *page = NULL;
	struct running r = { .cli = cli };
	struct error err = { 0 };
	auto_fd int only = -1;

	/* Nobody sits here to be asked for a passphrase, and at a reload less so. */
	cli->options.is_unattended = true;
	/* Before there is anything that a signer should not begin with. */
	if (launcher_start(&launcher, &err) < 0)
		return cli_fail(cli, &err);
	r.launcher = launcher;
	/* What policies say of privacy comes with them. */
	record_journal(cli, NULL, &journal);
	if (record_check_journal(cli, true, &journal, &err) < 0 ||
	    lock(&journal, &only, &err) < 0 || config_copy_slots(&slots, &err) < 0)
		return cli_fail(cli, &err);
	if (open_page(&cli->options, &page, &err) < 0)
		return cli_fail(cli, &err);
	r.page = page;
	if (wants_screen(cli) && screen_open(cli->color, &screen, &err) < 0)
		return cli_fail(cli, &err);
	r.screen = screen;
	journal.is_batched = true;
	/* Its loop serves the page and the devices too, and tries again by itself. */
	ledger_set_busy(journal.ledger, LEDGER_BUSY_MS);
	if (run(&r, &journal, &slots, &err) < 0) {
		screen_close(&screen);
		return cli_fail(cli, &err);
	}
	return 0;
}
