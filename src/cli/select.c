/* select: which of the attached devices a command is about */
#include "cli/select.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/command.h"
#include "flow/fleet.h"
#include "flow/job.h"
#include "wire/mux.h"

enum { LIST_MS = 5000, ASK_MS = 15000, ASK_JOBS = 32 };

/* One attached device, and what it answered when asked for its names. */
struct candidate {
	struct mux_device	device;
	char			serial[64], ecid[32], name[128];
	bool			is_chosen;
};

struct candidates {
	struct candidate	*list;
	size_t			 n;
	bool			 were_asked;
};

static void
clear_candidates(struct candidates *c)
{
	free(c->list);
}

static int
list_candidates(const struct cli *cli, struct candidates *out, struct error *err)
{
	auto_free struct mux_device *devices = NULL;
	size_t n = 0, i;

	if (mux_list(cli->options.network, deadline_in(LIST_MS), &devices, &n, err) < 0)
		return -1;
	out->list = calloc(n + 1, sizeof(*out->list));
	if (!out->list)
		return error_memory(err);
	for (i = 0; i < n; i++)
		out->list[i].device = devices[i];
	out->n = n;
	return 0;
}

/* ---- asking devices for their other names ------------------------------------ */

static void
note_names(void *ctx, const struct mux_device *device, json_t *message, bool is_result)
{
	struct candidates *c = ctx;
	const json_t *names = json_object_get(message, "device");
	const char *serial = json_string_value(json_object_get(names, "serial"));
	const char *ecid = json_string_value(json_object_get(names, "ecid"));
	const char *name = json_string_value(json_object_get(names, "name"));
	size_t i;

	for (i = 0; is_result && i < c->n; i++) {
		struct candidate *d = &c->list[i];

		if (d->device.handle != device->handle)
			continue;
		snprintf(d->serial, sizeof(d->serial), "%s", serial ? serial : "");
		snprintf(d->ecid, sizeof(d->ecid), "%s", ecid ? ecid : "");
		snprintf(d->name, sizeof(d->name), "%s", name ? name : "");
	}
}

static int
ask_names(const struct cli *cli, struct candidates *c, struct error *err)
{
	const struct job job = { .kind = JOB_LIST, .signer = -1, .timeout_ms = ASK_MS };
	const struct fleet fleet = {
		.job = &job, .run = cli->run, .jobs = ASK_JOBS, .tell = note_names, .ctx = c,
	};
	auto_free struct mux_device *devices = calloc(c->n + 1, sizeof(*devices));
	size_t i;

	if (!devices)
		return error_memory(err);
	for (i = 0; i < c->n; i++)
		devices[i] = c->list[i].device;
	c->were_asked = true;
	return fleet_run(&fleet, devices, c->n, err);
}

/* ---- matching ------------------------------------------------------------------ */

/* "0x1C2D3E", "1c2d3e" or decimal, as people copy an ECID from elsewhere. */
static bool
is_ecid(const char *id, const char *ecid)
{
	char *end;
	unsigned long long n;

	if (!*ecid)
		return false;
	n = strtoull(ecid, NULL, 16);
	return (strtoull(id, &end, 16) == n && !*end) || (strtoull(id, &end, 10) == n && !*end);
}

/* A newer UDID ends in the ECID, so nobody has to be asked for that. */
static bool
is_ecid_of_udid(const char *id, const char *udid)
{
	const char *dash = strchr(udid, '-');

	return dash && dash - udid == 8 && strlen(dash + 1) == 16 && is_ecid(id, dash + 1);
}

static bool
names_udid(const char *id, const char *udid)
{
	return text_same_udid(udid, id) || is_ecid_of_udid(id, udid);
}

/* What only the device itself can tell. */
static bool
names_otherwise(const char *id, const char *serial, const char *ecid)
{
	return strcasecmp(serial, id) == 0 || is_ecid(id, ecid);
}

bool
select_wants(const struct cli *cli, const char *udid, const char *serial, const char *ecid)
{
	const struct texts *ids = &cli->options.udids;
	size_t i;

	for (i = 0; i < ids->n; i++)
		if (names_udid(ids->items[i], udid) ||
		    names_otherwise(ids->items[i], serial ? serial : "", ecid ? ecid : ""))
			return true;
	return ids->n == 0;
}

static size_t
choose(struct candidates *c, const char *id, bool by_name)
{
	size_t matched = 0, i;

	for (i = 0; i < c->n; i++) {
		struct candidate *d = &c->list[i];
		bool is_it = by_name ? names_otherwise(id, d->serial, d->ecid) :
		    names_udid(id, d->device.udid);

		matched += is_it;
		d->is_chosen = d->is_chosen || is_it;
	}
	return matched;
}

static int
choose_one(const struct cli *cli, struct candidates *c, const char *id, bool *is_found,
    struct error *err)
{
	size_t matched = choose(c, id, false);

	if (matched == 0) {
		if (!c->were_asked && ask_names(cli, c, err) < 0)
			return -1;
		matched = choose(c, id, true);
	}
	if (matched > 1) {
		error_set(err, ERR_USAGE, "%s names %zu attached devices", id, matched);
		return error_hint(err, "name the device by its UDID: chaperone list shows them");
	}
	*is_found = matched == 1;
	return 0;
}

/* Its owner may change a name, and two may have the same: it chooses nothing. */
static void
not_found(const struct candidates *c, const char *id, struct error *err)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (*id && strcmp(c->list[i].name, id) == 0) {
			error_set(err, ERR_LINK, "%s is a device's name; its UDID is %s", id,
			    c->list[i].device.udid);
			error_hint(err, "name the device by its UDID, serial number or ECID");
			return;
		}
	error_set(err, ERR_LINK, "no attached device is called %s", id);
}

static int
choose_by_id(const struct cli *cli, struct candidates *c, bool *all_found, struct error *err)
{
	const struct texts *ids = &cli->options.udids;
	size_t i;

	*all_found = true;
	for (i = 0; i < ids->n && *all_found; i++) {
		if (choose_one(cli, c, ids->items[i], all_found, err) < 0)
			return -1;
		if (!*all_found)
			not_found(c, ids->items[i], err);
	}
	return 0;
}

static int
choose_all(const struct cli *cli, struct candidates *c, bool is_changing, struct error *err)
{
	size_t i;

	if (is_changing && !cli->options.all && c->n > 1) {
		error_set(err, ERR_USAGE,
		    "%zu devices are attached: say which (-u ID), or all (-a)", c->n);
		return error_hint(err, "chaperone list shows them");
	}
	for (i = 0; i < c->n; i++)
		c->list[i].is_chosen = true;
	if (c->n == 0)
		error_set(err, ERR_LINK, "no device is attached");
	return 0;
}

static int
take_chosen(const struct candidates *c, struct mux_device **out, size_t *n, struct error *err)
{
	auto_free struct mux_device *devices = calloc(c->n + 1, sizeof(*devices));
	size_t used = 0, i;

	if (!devices)
		return error_memory(err);
	for (i = 0; i < c->n; i++)
		if (c->list[i].is_chosen)
			devices[used++] = c->list[i].device;
	*out = steal_pointer(&devices);
	*n = used;
	return 0;
}

int
select_devices(const struct cli *cli, bool is_changing, struct mux_device **out, size_t *n,
    struct error *err)
{
	auto_with(clear_candidates) struct candidates c = { 0 };
	bool all_found = true;
	int rc;

	if (cli->options.all && cli->options.udids.n)
		return error_set(err, ERR_USAGE, "-a and -u exclude each other");
	if (list_candidates(cli, &c, err) < 0)
		return -1;
	rc = cli->options.udids.n ? choose_by_id(cli, &c, &all_found, err) :
	    choose_all(cli, &c, is_changing, err);
	if (rc < 0)
		return -1;
	if (!all_found) {
		*n = 0;
		return 0;
	}
	return take_chosen(&c, out, n, err);
}
