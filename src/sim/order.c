/* order: the table of commands */
#include "sim/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/text.h"
#include "sim/dump.h"
#include "sim/fault.h"
#include "sim/host.h"
#include "sim/installed.h"
#include "sim/loop.h"
#include "sim/muxserver.h"
#include "sim/virtual.h"
#include "sim/vprofile.h"

static const char *
text_of(json_t *command, const char *key)
{
	return json_string_value(json_object_get(command, key));
}

/* The devices a command is for: one, or all when it names none. */
struct range {
	size_t	first, end;
};

static int
range_of(const struct bench *bench, json_t *command, struct range *out, struct error *err)
{
	const char *which = text_of(command, "device");
	struct virtual *device;

	*out = (struct range){ 0, bench->n_devices };
	if (!which || strcmp(which, "all") == 0)
		return 0;
	device = bench_find(bench, which);
	if (!device)
		return error_set(err, ERR_USAGE, "there is no device \"%s\"", which);
	*out = (struct range){ device->position, device->position + 1 };
	return 0;
}

/* ---- commands for one device ---------------------------------------------- */

static int
do_plug(struct virtual *device, json_t *command, struct error *err)
{
	(void)command, (void)err;
	virtual_attach(device);
	return 0;
}

static int
do_unplug(struct virtual *device, json_t *command, struct error *err)
{
	(void)command, (void)err;
	virtual_detach(device);
	return 0;
}

static int
do_restart(struct virtual *device, json_t *command, struct error *err)
{
	(void)command, (void)err;
	virtual_meet(device, FATE_RESTART);
	return 0;
}

static int
do_erase(struct virtual *device, json_t *command, struct error *err)
{
	(void)command, (void)err;
	virtual_meet(device, FATE_ERASE);
	return 0;
}

static int
do_lock(struct virtual *device, json_t *command, struct error *err)
{
	(void)command, (void)err;
	virtual_lock(device);
	return 0;
}

static int
do_unlock(struct virtual *device, json_t *command, struct error *err)
{
	(void)command, (void)err;
	virtual_unlock(device);
	return 0;
}

static int
do_set_up(struct virtual *device, json_t *command, struct error *err)
{
	(void)command, (void)err;
	device->is_set_up = true;
	return 0;
}

static int
do_tap(struct virtual *device, json_t *command, struct error *err)
{
	const char *answer = text_of(command, "answer");

	if (!answer || (strcmp(answer, "trust") != 0 && strcmp(answer, "deny") != 0))
		return error_set(err, ERR_USAGE, "tap what: trust or deny?");
	if (virtual_tap(device, strcmp(answer, "trust") == 0) < 0)
		return error_set(err, ERR_USAGE, "%s: no trust dialog is showing", device->name);
	return 0;
}

static int
do_approve(struct virtual *device, json_t *command, struct error *err)
{
	struct vrefusal refusal;

	if (installed_approve(device, text_of(command, "profile"), &refusal) == 0)
		return 0;
	if (refusal.code)
		return error_set(err, ERR_USAGE, "%s: %s %u", device->name, refusal.domain,
		    refusal.code);
	return error_set(err, ERR_USAGE, "%s: no profile waits for the user", device->name);
}

static int
do_remove(struct virtual *device, json_t *command, struct error *err)
{
	const char *identifier = text_of(command, "profile");

	if (!identifier || !installed_remove(device, identifier))
		return error_set(err, ERR_USAGE, "%s: no such profile", device->name);
	return 0;
}

static int
add_fault(struct fault **list, json_t *command, struct error *err)
{
	struct fault fault = { 0 };
	const char *key;
	json_t *value;
	char number[32];
	int rc = 0;

	json_object_foreach(command, key, value) {
		if (strcmp(key, "command") == 0 || strcmp(key, "device") == 0)
			continue;
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
		if (rc == 0)
			rc = fault_set(&fault, key,
			    json_is_string(value) ? json_string_value(value) : number, err);
	}
	if (rc == 0)
		rc = fault_check(&fault, err);
	if (rc == 0 && fault_list_add(list, &fault) < 0)
		rc = error_memory(err);
	fault_clear(&fault);
	return rc;
}

static int
do_fault(struct virtual *device, json_t *command, struct error *err)
{
	return add_fault(&device->faults, command, err);
}

static int
do_clear_faults(struct virtual *device, json_t *command, struct error *err)
{
	(void)command, (void)err;
	fault_list_clear(&device->faults);
	return 0;
}

static int
set_truth(bool *member, const char *value, struct error *err)
{
	if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return error_set(err, ERR_USAGE, "\"%s\" is neither true nor false", value);
	*member = strcmp(value, "true") == 0;
	return 0;
}

static int
set_number(uint64_t *member, const char *value, struct error *err)
{
	int64_t number;

	if (text_number(value, 0, 3600000, &number) < 0)
		return error_set(err, ERR_USAGE, "\"%s\" is no number", value);
	*member = (uint64_t)number;
	return 0;
}

static int
set_trust(struct virtual *device, const char *value, struct error *err)
{
	static const char *const names[] = { [TRUST_ASK] = "ask", [TRUST_ACCEPT] = "accept",
		[TRUST_DENY] = "deny" };
	size_t i;

	for (i = 0; i < countof(names); i++) {
		if (strcmp(names[i], value) == 0) {
			device->trust = (enum trust)i;
			return 0;
		}
	}
	return error_set(err, ERR_USAGE, "trust is ask, accept or deny");
}

static int
do_set(struct virtual *device, json_t *command, struct error *err)
{
	const char *key, *value;
	json_t *node;
	int rc = 0;

	json_object_foreach(command, key, node) {
		value = json_string_value(node);
		if (strcmp(key, "command") == 0 || strcmp(key, "device") == 0 || rc < 0)
			continue;
		if (!value)
			rc = error_set(err, ERR_USAGE, "%s: values are texts", key);
		else if (strcmp(key, "queries") == 0)
			rc = set_truth(&device->has_queries, value, err);
		else if (strcmp(key, "activated") == 0)
			rc = set_truth(&device->is_activated, value, err);
		else if (strcmp(key, "set-up") == 0)
			rc = set_truth(&device->is_set_up, value, err);
		else if (strcmp(key, "passcode") == 0)
			rc = set_truth(&device->has_passcode, value, err);
		else if (strcmp(key, "latency-ms") == 0)
			rc = set_number(&device->latency_ms, value, err);
		else if (strcmp(key, "idle-ms") == 0)
			rc = set_number(&device->idle_ms, value, err);
		else if (strcmp(key, "trust") == 0)
			rc = set_trust(device, value, err);
		else
			rc = error_set(err, ERR_USAGE, "there is no setting \"%s\"", key);
	}
	return rc;
}

static const struct {
	const char	*name;
	int		(*run)(struct virtual *device, json_t *command, struct error *err);
} for_devices[] = {
	{ "plug", do_plug },
	{ "unplug", do_unplug },
	{ "restart", do_restart },
	{ "erase", do_erase },
	{ "lock", do_lock },
	{ "unlock", do_unlock },
	{ "finish-setup", do_set_up },
	{ "tap", do_tap },
	{ "approve", do_approve },
	{ "remove", do_remove },
	{ "fault", do_fault },
	{ "clear-faults", do_clear_faults },
	{ "set", do_set },
};

static int
run_for_devices(struct bench *bench, json_t *command, size_t which, struct error *err)
{
	struct range range;
	size_t i;

	if (range_of(bench, command, &range, err) < 0)
		return -1;
	for (i = range.first; i < range.end; i++)
		if (for_devices[which].run(bench->devices[i], command, err) < 0)
			return -1;
	return 0;
}

/* ---- commands for the bench ----------------------------------------------- */

static json_t *
on_state(struct bench *bench, json_t *command, struct error *err)
{
	const char *which = text_of(command, "device");
	struct virtual *device = which ? bench_find(bench, which) : NULL;
	json_t *state;

	if (which && !device) {
		error_set(err, ERR_USAGE, "there is no device \"%s\"", which);
		return NULL;
	}
	state = device ? dump_device(device) : dump_bench(bench);
	return json_pack("{s:o}", device ? "device" : "bench", state);
}

static json_t *
on_counters(struct bench *bench, json_t *command, struct error *err)
{
	(void)command, (void)err;
	return json_pack("{s:o, s:I}", "counters", dump_counters(&bench->total),
	    "mux-commands", (json_int_t)bench->mux_commands);
}

static json_t *
on_reset_counters(struct bench *bench, json_t *command, struct error *err)
{
	(void)command, (void)err;
	bench_reset_counters(bench);
	return json_object();
}

/* A fault at usbmuxd is of no device: this keeps it with the bench. */
static json_t *
on_mux_fault(struct bench *bench, json_t *command, struct error *err)
{
	return add_fault(&bench->faults, command, err) < 0 ? NULL : json_object();
}

static json_t *
on_clear_mux_faults(struct bench *bench, json_t *command, struct error *err)
{
	(void)command, (void)err;
	fault_list_clear(&bench->faults);
	return json_object();
}

static json_t *
on_stop_mux(struct bench *bench, json_t *command, struct error *err)
{
	(void)command, (void)err;
	if (bench->usbmuxd)
		muxserver_stop(bench->usbmuxd);
	return json_object();
}

static json_t *
on_start_mux(struct bench *bench, json_t *command, struct error *err)
{
	(void)command;
	if (bench->usbmuxd && muxserver_start(bench->usbmuxd, err) < 0)
		return NULL;
	return json_object();
}

static int
parse_moment(const char *text, int64_t *out)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

	if (end && !*end) {
		*out = (int64_t)timegm(&tm);
		return 0;
	}
	return text_number(text, 0, INT64_MAX / 2, out);
}

static json_t *
on_clock(struct bench *bench, json_t *command, struct error *err)
{
	const char *set = text_of(command, "set"), *advance = text_of(command, "advance");
	int64_t offset = bench->clock_offset_s, at, by;

	if (set && parse_moment(set, &at) == 0) {
		bench_move_clock(bench, at - (int64_t)time(NULL));
	} else if (advance && (by = text_duration(advance)) >= 0) {
		bench_move_clock(bench, offset + by);
	} else if (set || advance) {
		error_set(err, ERR_USAGE, "clock: set a moment (2026-11-24T09:30:00Z, or seconds "
		    "since 1970) or advance a duration (8h, 45m)");
		return NULL;
	}
	return json_pack("{s:I}", "clock", (json_int_t)bench_now(bench));
}

static json_t *
on_quit(struct bench *bench, json_t *command, struct error *err)
{
	(void)command, (void)err;
	loop_stop(bench->loop);
	return json_object();
}

static const struct {
	const char	*name;
	json_t		*(*run)(struct bench *bench, json_t *command, struct error *err);
} for_bench[] = {
	{ "state", on_state },
	{ "counters", on_counters },
	{ "reset-counters", on_reset_counters },
	{ "bench-fault", on_mux_fault },
	{ "clear-bench-faults", on_clear_mux_faults },
	{ "stop-usbmuxd", on_stop_mux },
	{ "start-usbmuxd", on_start_mux },
	{ "clock", on_clock },
	{ "quit", on_quit },
};

json_t *
order_run(struct bench *bench, json_t *command, struct error *err)
{
	const char *name = text_of(command, "command");
	size_t i;

	for (i = 0; name && i < countof(for_bench); i++)
		if (strcmp(for_bench[i].name, name) == 0)
			return for_bench[i].run(bench, command, err);
	for (i = 0; name && i < countof(for_devices); i++)
		if (strcmp(for_devices[i].name, name) == 0)
			return run_for_devices(bench, command, i, err) < 0 ? NULL : json_object();
	error_set(err, ERR_USAGE, "there is no command \"%s\"", name ? name : "");
	return NULL;
}

/* ---- waiting -------------------------------------------------------------- */

/* -1: unknown condition. */
static int
is_met(const struct virtual *device, const char *condition, const char *profile)
{
	const struct host *host = device->hosts;

	if (strcmp(condition, "attached") == 0)
		return device->device_id != 0;
	if (strcmp(condition, "detached") == 0)
		return device->device_id == 0;
	if (strcmp(condition, "dialog") == 0)
		return device->dialog == DIALOG_SHOWING;
	if (strcmp(condition, "idle") == 0)
		return device->streams == NULL;
	if (strcmp(condition, "pending") == 0)
		return device->pending != NULL;
	if (strcmp(condition, "locked") == 0)
		return device->is_locked;
	if (strcmp(condition, "trusted") == 0) {
		while (host && host->is_revoked)
			host = host->next;
		return host != NULL;
	}
	if (profile && strcmp(condition, "installed") == 0)
		return installed_find(device, profile) != NULL;
	if (profile && strcmp(condition, "removed") == 0)
		return installed_find(device, profile) == NULL;
	return -1;
}

int
order_is_met(const struct bench *bench, json_t *command, struct error *err)
{
	const char *condition = text_of(command, "for");
	struct range range;
	size_t i;

	if (range_of(bench, command, &range, err) < 0)
		return -1;
	for (i = range.first; condition && i < range.end; i++) {
		int met = is_met(bench->devices[i], condition, text_of(command, "profile"));

		if (met < 0)
			condition = NULL;
		else if (met == 0)
			return 0;
	}
	return condition ? 1
	    : error_set(err, ERR_USAGE, "wait for what: attached, detached, dialog, idle, pending, "
	    "locked, trusted, or installed or removed with a profile?");
}
