/* cmd_policy: lints policies and says which attached devices they are for */
#include "cli/command.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/log.h"
#include "cli/config.h"
#include "cli/output.h"
#include "core/policy.h"
#include "flow/fleet.h"
#include "flow/job.h"
#include "flow/policy_file.h"
#include "wire/mux.h"

enum { LIST_MS = 5000, ASK_MS = 15000, ASK_JOBS = 32 };

/* One file: its findings, and its policy when it is good. */
struct checked {
	const char		*path;
	struct policy_findings	 findings;
	const struct policy	*policy;	/* owned by checking.policies */
	struct policy		*loaded;	/* not yet among them */
};

struct checking {
	struct cli	*cli;
	struct checked	*files;
	size_t		 n;
	struct policies	 policies;
	json_t		*devices;	/* chaperone.device/1 of each attached one; NULL: unknown */
	int		 exit_code;
};

static void
end_checking(struct checking *c)
{
	policies_free(&c->policies);
	json_decref(c->devices);
	free(c->files);
}

/* ---- files -------------------------------------------------------------------- */

static void
fail(struct checking *c, int code)
{
	/* A file that cannot be read is told before one that is no good. */
	if (code > c->exit_code)
		c->exit_code = code;
}

/* What is wrong with it beside the others goes to its findings like the rest. */
static void
add_to_others(struct checking *c, struct checked *f)
{
	struct error err = { 0 };
	struct policy_finding *one = &f->findings.items[f->findings.n];

	if (policies_add(&c->policies, f->loaded, &err) == 0) {
		f->policy = c->policies.items[c->policies.n - 1];
		return;
	}
	f->findings.errors++;
	if (f->findings.n < POLICY_FINDINGS_MAX) {
		const char *message = strstr(err.message, ":1:1: ");

		*one = (struct policy_finding){ .is_error = true, .line = 1, .column = 1 };
		snprintf(one->message, sizeof(one->message), "%.230s",
		    message ? message + 6 : err.message);
		f->findings.n++;
	}
}

/* -1: the file cannot even be read; told. */
static int
check_file(struct checking *c, struct checked *f)
{
	struct error err = { 0 };

	if (policy_file_load(f->path, &f->loaded, &f->findings, &err) == 0)
		add_to_others(c, f);
	else if (f->findings.errors == 0) {
		fail(c, cli_fail(c->cli, &err));
		return -1;
	}
	if (f->findings.errors)
		fail(c, EX_DATAERR);
	return 0;
}

/* ---- devices --------------------------------------------------------------------- */

static void
keep_device(void *ctx, const struct mux_device *device, json_t *message, bool is_result)
{
	struct checking *c = ctx;

	(void)device;
	if (is_result)
		json_array_append(c->devices, message);
}

/* No usbmuxd is no failure: a policy can be checked anywhere. */
static void
ask_devices(struct checking *c)
{
	const struct job job = { .kind = JOB_LIST, .signer = -1, .timeout_ms = ASK_MS };
	const struct fleet fleet = {
		.job = &job, .run = c->cli->run, .jobs = ASK_JOBS, .tell = keep_device, .ctx = c,
		.slot_of = config_slots() ? config_slot_of : NULL,
		.slot_ctx = (void *)(uintptr_t)config_slots(),
	};
	auto_free struct mux_device *devices = NULL;
	struct error err = { 0 };
	size_t n = 0;

	/* Of no good policy there is nothing to say. */
	if (c->policies.n == 0)
		return;
	if (mux_list(false, deadline_in(LIST_MS), &devices, &n, &err) < 0 ||
	    (n > 0 && fleet_run(&fleet, devices, n, &err) < 0)) {
		log_at(LOG_NORMAL, "no device is looked at: %s", err.message);
		json_decref(c->devices);
		c->devices = NULL;
	}
}

static enum known
known_of(const json_t *value)
{
	return json_is_boolean(value) ? (json_is_true(value) ? YES : NO) : UNKNOWN;
}

static struct policy_subject
subject_of(const json_t *message)
{
	const json_t *d = json_object_get(message, "device");
	const json_t *t = json_object_get(message, "trust");

	const char *organization = json_string_value(json_object_get(t, "organization"));
	enum known is_supervised = known_of(json_object_get(t, "supervised"));

	/* A locked one says that it is supervised, and not by whom. */
	if (is_supervised == YES && !organization &&
	    json_is_object(json_object_get(message, "error")))
		is_supervised = UNKNOWN;
	return (struct policy_subject){
		.udid = json_string_value(json_object_get(d, "udid")),
		.product = json_string_value(json_object_get(d, "product")),
		.os = json_string_value(json_object_get(d, "os")),
		.serial = json_string_value(json_object_get(d, "serial")),
		.slot = json_string_value(json_object_get(d, "slot")),
		.organization = organization,
		.has_slot_map = config_slots() != NULL,
		.is_supervised = is_supervised,
	};
}

static const char *
match_word(enum policy_match m)
{
	static const char *const words[] = { "no", "os-too-old", "maybe", "yes" };

	return words[m];
}

/* Another policy of these files that is as right, or more so. */
static const struct policy *
better_than(const struct checking *c, const struct policy *p, const struct policy_subject *s)
{
	size_t i;

	for (i = 0; i < c->policies.n; i++) {
		const struct policy *other = c->policies.items[i];

		if (other != p && policy_match(other, s, UNKNOWN) >= MATCH_MAYBE &&
		    policy_weight(other, s) >= policy_weight(p, s))
			return other;
	}
	return NULL;
}

/* ---- telling --------------------------------------------------------------------------- */

static json_t *
device_object(const struct checking *c, const struct policy *p, const json_t *message)
{
	const struct policy_subject s = subject_of(message);
	enum policy_match m = policy_match(p, &s, UNKNOWN);
	const struct policy *other = m >= MATCH_MAYBE ? better_than(c, p, &s) : NULL;
	bool is_equal = other && policy_weight(other, &s) == policy_weight(p, &s);

	return json_pack("{s:O, s:s, s:s?, s:s?}", "device", json_object_get(message, "device"),
	    "match", match_word(m), "rival", is_equal ? other->name : NULL,
	    "yields_to", other && !is_equal ? other->name : NULL);
}

static json_t *
findings_array(const struct policy_findings *f)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < f->n; i++)
		json_array_append_new(array, json_pack("{s:s, s:I, s:I, s:s}",
		    "severity", f->items[i].is_error ? "error" : "warning",
		    "line", (json_int_t)f->items[i].line, "column", (json_int_t)f->items[i].column,
		    "message", f->items[i].message));
	return array;
}

static json_t *
file_object(const struct checking *c, const struct checked *f)
{
	const char *verdict = f->findings.errors ? "error" : f->findings.n ? "warning" : "ok";
	json_t *devices = c->devices ? json_array() : json_null(), *message;
	size_t i;

	json_array_foreach(c->devices, i, message)
		if (f->policy)
			json_array_append_new(devices, device_object(c, f->policy, message));
	return json_pack("{s:s, s:s, s:s?, s:s, s:o, s:o}", "schema", "chaperone.policy/1",
	    "file", f->path, "name", f->policy ? f->policy->name : NULL, "verdict", verdict,
	    "findings", findings_array(&f->findings), "devices", devices);
}

static const char *
text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static void
print_device(const json_t *entry)
{
	const json_t *d = json_object_get(entry, "device");
	const char *match = text(entry, "match"), *rival = text(entry, "rival");
	const char *stronger = text(entry, "yields_to");

	if (strcmp(match, "no") == 0)
		return;
	printf("  %s %s %s: %s", text(d, "udid"), text(d, "product"), text(d, "os"),
	    strcmp(match, "yes") == 0 ? "matches" :
	    strcmp(match, "maybe") == 0 ?
	    "may match, when paired and if its identity supervises it" :
	    "its system is too old");
	if (*rival)
		printf("; so does %s, and neither is more specific", rival);
	if (*stronger)
		printf("; %s is more specific", stronger);
	printf("\n");
}

static void
print_file(const struct checking *c, const struct checked *f)
{
	json_t *object = file_object(c, f), *entry;
	size_t i;

	if (c->cli->options.json) {
		output_json_line(stdout, object);
		return;
	}
	for (i = 0; i < f->findings.n; i++)
		printf("%s:%u:%u: %s: %s\n", f->path, f->findings.items[i].line,
		    f->findings.items[i].column,
		    f->findings.items[i].is_error ? "error" : "warning",
		    f->findings.items[i].message);
	if (f->policy)
		printf("%s: %s is good\n", f->path, f->policy->name);
	json_array_foreach(json_object_get(object, "devices"), i, entry)
		print_device(entry);
	json_decref(object);
}

int
cmd_policy_check(struct cli *cli)
{
	auto_with(end_checking) struct checking c = { .cli = cli, .n = cli->n_args };
	struct error err = { 0 };
	size_t i;

	c.files = calloc(c.n + 1, sizeof(*c.files));
	c.devices = json_array();
	if (!c.files || !c.devices) {
		error_memory(&err);
		return cli_fail(cli, &err);
	}
	for (i = 0; i < c.n; i++) {
		c.files[i].path = cli->args[i];
		if (check_file(&c, &c.files[i]) < 0)
			c.files[i].path = NULL;
	}
	ask_devices(&c);
	for (i = 0; i < c.n; i++)
		if (c.files[i].path)
			print_file(&c, &c.files[i]);
	return c.exit_code;
}
