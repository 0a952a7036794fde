/* cmd_profile_diff: profile diff: two profiles, or one and that of a device */
#include "cli/command.h"

#include <jansson.h>
#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/log.h"
#include "cli/host.h"
#include "cli/output.h"
#include "cli/profile_file.h"
#include "cli/select.h"
#include "core/desired.h"
#include "core/profile.h"
#include "core/profile_diff.h"
#include "crypto/digest.h"
#include "flow/fleet.h"
#include "flow/job.h"
#include "flow/report.h"
#include "wire/mux.h"

enum { DEFAULT_TIMEOUT_S = 60 };

static void
print_changes(const json_t *changes)
{
	const json_t *c;
	size_t i;

	json_array_foreach(changes, i, c) {
		const char *path = json_string_value(json_object_get(c, "path"));
		const char *before = json_string_value(json_object_get(c, "before"));
		const char *after = json_string_value(json_object_get(c, "after"));

		if (before && after)
			printf("~ %s: %s -> %s\n", path, before, after);
		else
			printf("%c %s: %s\n", after ? '+' : '-', path, after ? after : before);
	}
}

/* ---- two files ---------------------------------------------------------------------- */

static int
diff_files(const struct cli *cli, struct error *err)
{
	auto_profile_file struct profile_file fa = { 0 }, fb = { 0 };
	auto_profile struct profile a = { 0 }, b = { 0 };
	auto_profile_changes struct profile_changes c = { 0 };
	json_t *changes;

	if (profile_file_load(cli->args[0], &fa, &a, err) < 0 ||
	    profile_file_load(cli->args[1], &fb, &b, err) < 0 ||
	    profile_diff(a.root, b.root, &c, err) < 0)
		return -1;
	changes = report_changes(&c);
	if (cli->options.json)
		output_json_line(stdout, json_pack("{s:s, s:b, s:O}", "schema", "chaperone.diff/1",
		    "same", c.n == 0, "changes", changes));
	else
		print_changes(changes);
	json_decref(changes);
	return c.n > 0;
}

/* ---- a file and a device -------------------------------------------------------------- */

struct showing {
	const struct cli	*cli;
	int			 exit_code;
};

static void
print_device(const json_t *result)
{
	const json_t *untold = json_object_get(result, "untold"), *line;
	const json_t *error = json_object_get(result, "error");
	const char *hint = json_string_value(json_object_get(error, "hint"));
	size_t i;

	if (json_is_object(error)) {
		log_at(LOG_NORMAL, "%s", json_string_value(json_object_get(error, "message")));
		if (hint)
			log_at(LOG_NORMAL, "hint: %s", hint);
		return;
	}
	print_changes(json_object_get(result, "changes"));
	if (json_is_false(json_object_get(result, "listed")))
		printf("the device lists no profile of that name\n");
	json_array_foreach(untold, i, line)
		printf("? not told: %s\n", json_string_value(line));
}

static void
on_message(void *ctx, const struct mux_device *device, json_t *message, bool is_result)
{
	struct showing *s = ctx;

	(void)device;
	if (!is_result)
		return;
	if (s->cli->options.json)
		output_json_line(stdout, json_incref(message));
	else
		print_device(message);
	s->exit_code = json_is_null(json_object_get(message, "same")) ? output_exit_code(message)
	    : json_is_false(json_object_get(message, "same"));
}

static int
run_job(struct cli *cli, const struct job *job, struct signer *signer,
    const struct mux_device *device, struct error *err)
{
	struct showing s = { .cli = cli };
	const struct fleet fleet = {
		.job = job, .signer = signer, .run = cli->run, .jobs = 1,
		.tell = on_message, .ctx = &s,
	};

	return fleet_run(&fleet, device, 1, err) < 0 ? -1 : s.exit_code;
}

static int
select_one(const struct cli *cli, struct mux_device **out, struct error *err)
{
	size_t n = 0;

	if (select_devices(cli, true, out, &n, err) < 0)
		return -1;
	if (n > 1)
		return error_set(err, ERR_USAGE, "profile diff looks at one device, not at %zu", n);
	return (int)n;
}

static int
diff_device(struct cli *cli, struct error *err)
{
	const struct options *o = &cli->options;
	auto_profile_file struct profile_file f = { 0 };
	auto_profile struct profile p = { 0 };
	auto_desired struct desired desired = { .digest = digest_sha256 };
	auto_host struct host host = { 0 };
	auto_free struct mux_device *device = NULL;
	struct job job = { .kind = JOB_DIFF, .desired = &desired, .signer = -1,
		.timeout_ms = 1000 * (o->timeout_s > 0 ? o->timeout_s : DEFAULT_TIMEOUT_S),
		.person_ms = 1000 * (o->wait_s > 0 ? o->wait_s : 0) };
	int n;

	if (profile_file_load(cli->args[0], &f, &p, err) < 0 ||
	    desired_add_file(&desired, &f.raw, &f.envelope.content, err) < 0 ||
	    host_open(o, &host, err) < 0)
		return -1;
	fleet_catch_signals();
	n = select_one(cli, &device, err);
	if (n < 0)
		return -1;
	if (n == 0) {
		error_hint(err, "plug the device in; chaperone list shows what is attached");
		return cli_fail_as(cli, EXIT_NO_DEVICE, err);
	}
	job.certificate = host.signer ? &host.cert.der : NULL;
	return run_job(cli, &job, host.signer, device, err);
}

int
cmd_profile_diff(struct cli *cli)
{
	bool is_device = cli->options.udids.n || cli->options.all;
	struct error err = { 0 };
	int rc;

	if (cli->n_args == 2 && is_device) {
		error_set(&err, ERR_USAGE, "either a second file or a device, not both");
		return cli_fail(cli, &err);
	}
	if (cli->n_args == 1 && !is_device) {
		error_set(&err, ERR_USAGE, "profile diff needs something to compare with");
		error_hint(&err, "a second file, or a device: -u ID");
		return cli_fail(cli, &err);
	}
	rc = is_device ? diff_device(cli, &err) : diff_files(cli, &err);
	return rc < 0 ? cli_fail(cli, &err) : rc;
}
