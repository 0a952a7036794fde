/* cmd_agent: agent: holds the key and signs for the other commands */
#include "cli/command.h"

#include <grp.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/service.h"
#include "base/text.h"
#include "cli/key.h"
#include "cli/output.h"
#include "crypto/agentclient.h"
#include "crypto/agentserver.h"
#include "flow/fleet.h"

enum { DEFAULT_RATE = 600 };

/* ---- telling ---------------------------------------------------------------------- */

static json_t *
message(const char *event)
{
	struct timespec now;
	char at[TEXT_TIME_MAX];

	clock_gettime(CLOCK_REALTIME, &now);
	text_time_utc(now, at);
	return json_pack("{s:s, s:s, s:s}",
	    "schema", "chaperone.agent/1", "at", at, "event", event);
}

static void
tell_json(const struct agent_event *e)
{
	static const char *const words[] = {
		[AGENT_SIGNED] = "signed", [AGENT_TOLD] = "told", [AGENT_REFUSED] = "refused",
		[AGENT_DROPPED] = "dropped",
	};
	json_t *line = message(words[e->kind]);

	json_object_update_new(line, json_pack("{s:s?, s:s?, s:s?, s:I, s:I}",
	    "purpose", e->purpose, "device", e->device, "message", e->why,
	    "uid", (json_int_t)e->peer.uid, "pid", (json_int_t)e->peer.pid));
	output_json_line(stdout, line);
}

/* "pairing challenge of …5C0FE7AE", "seal", "certificate". */
static void
describe(const struct agent_event *e, char *out, size_t size)
{
	char device[64] = "";

	if (e->device)
		text_shorten_id(e->device, device, sizeof(device));
	if (!e->purpose)
		snprintf(out, size, "%s", e->kind == AGENT_TOLD ? "certificate" : "request");
	else
		snprintf(out, size, "%s%s%s", e->purpose,
		    e->device ? " challenge of " : "", device);
}

/* With -q too: what was signed must not go unsaid. */
static void
tell(void *ctx, const struct agent_event *e)
{
	const struct cli *cli = ctx;
	char what[128];

	describe(e, what, sizeof(what));
	if (e->kind == AGENT_SIGNED)
		log_at(LOG_QUIET, "signed: %s, for user %u (process %d)", what,
		    (unsigned)e->peer.uid, (int)e->peer.pid);
	else if (e->kind == AGENT_TOLD)
		log_verbose("told: %s, to user %u (process %d)", what, (unsigned)e->peer.uid,
		    (int)e->peer.pid);
	else
		/* Whoever only looks whether somebody is there asks nothing. */
		log_at(e->kind == AGENT_DROPPED ? LOG_NORMAL : LOG_QUIET,
		    "refused: %s, of user %u (process %d): %s", what, (unsigned)e->peer.uid,
		    (int)e->peer.pid, e->why);
	if (cli->options.json)
		tell_json(e);
}

static void
tell_ready(const struct cli *cli, const struct cert *cert, const char *path, unsigned rate)
{
	if (cli->options.json) {
		json_t *line = message("ready");

		json_object_update_new(line, json_pack("{s:s, s:s, s:s, s:I}",
		    "socket", path, "organization", cert->organization,
		    "sha256", cert->sha256, "max_rate", (json_int_t)rate));
		output_json_line(stdout, line);
	} else {
		printf("%s signs as %s (sha256 %s), at most %u times a minute\n", path,
		    cert->organization, cert->sha256, rate);
	}
	fflush(stdout);
}

static void
tell_end(const struct cli *cli, enum agent_end end)
{
	if (cli->options.json)
		output_json_line(stdout, message(end == AGENT_IDLE ? "idle" : "stopped"));
	log_at(LOG_NORMAL, end == AGENT_IDLE ? "nobody asked for so long: the agent ends" :
	    "the agent is stopped");
}

static void
beat(void *ctx)
{
	(void)ctx;
	(void)notify_hint("WATCHDOG=1");
}

/* ---- setting up -------------------------------------------------------------------- */

static int
take_group(const char *name, struct agent_rules *rules, struct error *err)
{
	const struct group *g = name ? getgrnam(name) : NULL;

	if (!name)
		return 0;
	if (!g)
		return error_set(err, ERR_USAGE, "--group %s: there is no such group", name);
	rules->group = g->gr_gid;
	rules->has_group = true;
	return 0;
}

static int
take_rules(const struct options *o, struct agent_rules *out, struct error *err)
{
	*out = (struct agent_rules){
		.max_rate = o->max_rate > 0 ? (unsigned)o->max_rate : DEFAULT_RATE,
	};
	if (o->idle_timeout) {
		int64_t seconds = text_duration(o->idle_timeout);

		if (seconds <= 0)
			return error_set(err, ERR_USAGE,
			    "--idle-timeout takes 90s, 15m or 8h, not %s", o->idle_timeout);
		out->idle_ms = 1000 * seconds;
	}
	return take_group(o->group, out, err);
}

/* A key, not another agent: a chain of them would only hide who signs. */
static int
check_identity(const struct options *o, struct error *err)
{
	if (!o->identity || !agentclient_is_ref(o->identity))
		return 0;
	error_set(err, ERR_USAGE, "an agent needs the key itself, not %s", o->identity);
	return error_hint(err, "-i FILE.p12, or -i pkcs11:...");
}

static int
open_socket(const struct options *o, const struct agent_rules *rules, struct agentsocket *out,
    struct error *err)
{
	auto_free char *path = NULL;
	struct agentsocket_place place = { .group = rules->group, .has_group = rules->has_group,
		.allow_loose = o->allow_loose_files };
	int fd;

	if (service_socket(&fd, err) < 0)
		return -1;
	if (fd >= 0)
		return agentsocket_adopt(fd, out, err);
	if (!o->socket && agentsocket_default(&path, err) < 0)
		return -1;
	place.path = o->socket ? o->socket : path;
	return agentsocket_listen(&place, out, err);
}

int
cmd_agent(struct cli *cli)
{
	auto_agentsocket struct agentsocket s = { .fd = -1 };
	auto_host struct host host = { 0 };
	struct agentserver a = { .tell = tell, .ctx = cli, .beat = beat,
		.beat_ms = notify_watchdog_ms() };
	struct error err = { 0 };
	enum agent_end end;

	fleet_catch_signals();
	(void)prctl(PR_SET_DUMPABLE, 0);
	/* The socket first: that one is there already is said before a passphrase is asked for. */
	if (check_identity(&cli->options, &err) < 0 ||
	    take_rules(&cli->options, &a.rules, &err) < 0 ||
	    open_socket(&cli->options, &a.rules, &s, &err) < 0 ||
	    key_open(cli, cli->options.identity, &host, &err) < 0)
		return cli_fail(cli, &err);
	a.listener = s.fd;
	a.signer = host.signer;
	a.cert = &host.cert;
	tell_ready(cli, &host.cert, s.path, a.rules.max_rate);
	notify_state("READY=1");
	if (agentserver_run(&a, &end, &err) < 0)
		return cli_fail(cli, &err);
	notify_state("STOPPING=1");
	tell_end(cli, end);
	return 0;
}
