/* journal: what is done to devices, written to the ledger as it happens */
#include "flow/journal.h"

#include <string.h>

#include "store/json.h"
#include "store/ledger.h"
#include "wire/mux.h"

void
journal_close(struct journal *j)
{
	ledger_close(j->ledger);
	j->ledger = NULL;
}

static int
append(struct journal *j, enum event_kind kind, const char *udid, const json_t *body,
    struct error *err)
{
	const struct ledger_entry entry = {
		.kind = kind, .run = j->run, .device = udid, .body = body,
	};

	return j->is_batched ? ledger_add(j->ledger, &entry, err) :
	    ledger_append(j->ledger, &entry, NULL, err);
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

	return append(j, EVENT_SENT, device->udid, body, err);
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
journal_add(struct journal *j, enum event_kind kind, const char *udid, json_t *body)
{
	/* A commit that failed may succeed the next time; an event that is lost is lost. */
	bool has_failed = j->is_batched ? j->is_incomplete : j->failed.kind != ERR_NONE;

	if (j->ledger && !has_failed && append(j, kind, udid, body, &j->failed) < 0) {
		error_context(&j->failed, "the ledger");
		j->is_incomplete = true;
	}
	json_decref(body);
}

int
journal_commit(struct journal *j, struct error *err)
{
	struct error why = { 0 };
	int rc = j->ledger ? ledger_commit(j->ledger, &why) : 0;

	if (rc < 0)
		*err = why;
	if (!j->is_incomplete)
		j->failed = why;
	return rc;
}

void
journal_note(struct journal *j, const struct mux_device *device, json_t *message, bool is_result)
{
	enum event_kind kind = kind_of(message, is_result);
	json_t *body;

	if (kind == EVENT_KINDS)
		return;
	body = is_result ? json_incref(message) : body_of(message);
	if (kind == EVENT_JOB_STARTED)
		json_object_set_new(body, "command", json_string(j->command));
	journal_add(j, kind, device->udid, body);
}
