/* journal: what a command does to devices, written to the ledger as it happens */
#include "cli/journal.h"

#include <string.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/record.h"
#include "store/json.h"
#include "store/ledger.h"
#include "wire/mux.h"

static int
open_for(const struct cli *cli, struct journal *out, struct error *err)
{
	auto_ledger struct ledger *l = NULL;

	if (record_open(cli, LEDGER_WRITE, &l, err) < 0 || record_operator(cli, l, err) < 0)
		return -1;
	out->ledger = steal_pointer(&l);
	return 0;
}

int
journal_open(const struct cli *cli, bool is_changing, struct journal *out, struct error *err)
{
	const struct options *o = &cli->options;

	out->cli = cli;
	if (o->no_ledger || open_for(cli, out, err) == 0)
		return 0;
	if (is_changing || o->ledger)
		return error_context(err, "the ledger");
	log_at(LOG_NORMAL, "nothing is recorded: %s", err->message);
	*err = (struct error){ 0 };
	return 0;
}

void
journal_close(struct journal *j)
{
	ledger_close(j->ledger);
	j->ledger = NULL;
}

static int
append(struct journal *j, enum event_kind kind, const struct mux_device *device,
    const json_t *body, struct error *err)
{
	const struct ledger_entry entry = {
		.kind = kind, .run = j->cli->run, .device = device->udid, .body = body,
	};

	return ledger_append(j->ledger, &entry, NULL, err);
}

/* Of an event what the ledger's own columns do not tell already. */
static json_t *
body_of(const json_t *message)
{
	static const char *const keys[] = { "step", "profile", "uuid", "purpose" };
	json_t *body = json_object();
	size_t i;

	for (i = 0; i < countof(keys); i++) {
		json_t *value = json_object_get(message, keys[i]);

		if (value)
			json_object_set(body, keys[i], value);
	}
	return body;
}

int
journal_permit(struct journal *j, const struct mux_device *device, const json_t *intent,
    struct error *err)
{
	auto_json json_t *body = body_of(intent);

	return append(j, EVENT_SENT, device, body, err);
}

/* Which event of the ledger a worker's message is; EVENT_KINDS: none. */
static enum event_kind
kind_of(const json_t *message, bool is_result)
{
	const char *event = json_string_value(json_object_get(message, "event"));
	const char *truth = json_string_value(json_object_get(message, "truth"));

	if (is_result)
		return EVENT_VERDICT;
	if (event && strcmp(event, "started") == 0)
		return EVENT_JOB_STARTED;
	if (event && strcmp(event, "signed") == 0)
		return EVENT_SIGNATURE;
	return truth && strcmp(truth, "acknowledged") == 0 ? EVENT_ACKNOWLEDGED : EVENT_KINDS;
}

void
journal_note(struct journal *j, const struct mux_device *device, json_t *message, bool is_result)
{
	enum event_kind kind = kind_of(message, is_result);
	auto_json json_t *body = is_result ? json_incref(message) : body_of(message);

	if (!j->ledger || j->failed.kind != ERR_NONE || kind == EVENT_KINDS)
		return;
	if (kind == EVENT_JOB_STARTED)
		json_object_set_new(body, "command", json_string(j->cli->command->name));
	if (append(j, kind, device, body, &j->failed) < 0)
		error_context(&j->failed, "the ledger");
}
