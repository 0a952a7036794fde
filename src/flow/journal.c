/* journal: what is done to devices, written to the ledger as it happens */
#include "flow/journal.h"

#include <string.h>

#include "core/policy.h"
#include "store/json.h"
#include "store/ledger.h"
#include "wire/mux.h"

void
journal_close(struct journal *j)
{
	ledger_close(j->ledger);
	j->ledger = NULL;
	blob_clear(&j->privacy_key);
}

static bool
needs_key(const struct journal *j, const struct policies *policies)
{
	size_t i;

	for (i = 0; policies && i < policies->n; i++)
		if (policies->items[i]->name_privacy == PRIVACY_HASH ||
		    policies->items[i]->serial_privacy == PRIVACY_HASH)
			return true;
	return privacy_needs_key(&j->privacy);
}

int
journal_use_policies(struct journal *j, const struct policies *policies, struct error *err)
{
	if (j->ledger && !j->privacy_key.len && needs_key(j, policies) &&
	    privacy_key(j->key_file, ledger_path(j->ledger), true, &j->privacy_key, err) < 0)
		return -1;
	j->policies = policies;
	return 0;
}

/* Of two ways the one that keeps less. */
static enum privacy_mode
stricter(enum privacy_mode a, enum privacy_mode b)
{
	static const int kept[] = { [PRIVACY_UNSAID] = 3, [PRIVACY_KEEP] = 2, [PRIVACY_HASH] = 1,
		[PRIVACY_OMIT] = 0 };

	return kept[a] < kept[b] ? a : b;
}

/*
 * The station's rules, and those of the policy that the body names. Before it is
 * known whose device it is it may be anybody's: then the strictest of all.
 */
static struct privacy
privacy_of(const struct journal *j, const json_t *body)
{
	struct privacy p = j->privacy;
	const char *name = json_text(body, "policy", NULL);
	size_t i;

	p.key = &j->privacy_key;
	for (i = 0; j->policies && i < j->policies->n; i++) {
		const struct policy *policy = j->policies->items[i];

		if (!name) {
			p.names = stricter(p.names, policy->name_privacy);
			p.serials = stricter(p.serials, policy->serial_privacy);
		} else if (strcmp(policy->name, name) == 0) {
			p.names = policy->name_privacy ? policy->name_privacy : p.names;
			p.serials = policy->serial_privacy ? policy->serial_privacy : p.serials;
		}
	}
	return p;
}

static int
append(struct journal *j, enum event_kind kind, const char *udid, const json_t *body,
    struct error *err)
{
	const struct privacy p = privacy_of(j, body);
	auto_json json_t *private = privacy_is_asked(&p) ? json_deep_copy(body) : NULL;
	struct ledger_entry entry = {
		.kind = kind, .run = j->run, .device = udid, .body = body,
	};
	char device[EVENT_TEXT_MAX];

	if (privacy_is_asked(&p)) {
		if (!private)
			return error_memory(err);
		if (privacy_apply(&p, private, err) < 0 ||
		    (udid && privacy_device(&p, udid, device, err) < 0))
			return -1;
		entry.body = private;
		entry.device = udid ? device : NULL;
	}
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

	if (!j->ledger)
		return 0;
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

	if (rc < 0) {
		*err = why;
		ledger_withdraw(j->ledger, EVENT_SENT);
	}
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
