/* attest: verify --attest: the verdicts of a command as a signed statement */
#include "cli/attest.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/clients.h"
#include "cli/command.h"
#include "cli/key.h"
#include "cli/stamp.h"
#include "cli/when.h"
#include "core/desired.h"
#include "crypto/digest.h"
#include "flow/journal.h"
#include "store/json.h"
#include "store/ledger.h"
#include "store/statement.h"

enum { STATION_NAME_MAX = 256, HASH_TEXT = 65 };

static int
check_options(const struct options *o, struct error *err)
{
	if (!o->attest)
		return o->attest_with || o->nonce || o->timestamp_request ?
		    error_set(err, ERR_USAGE, "--attest-with, --nonce and --timestamp-request "
		    "are for a statement: --attest FILE") : 0;
	if (strcmp(o->attest, "-") == 0)
		return error_set(err, ERR_USAGE,
		    "a statement goes to a file; standard output has the verdicts");
	if (o->nonce && statement_check_nonce(o->nonce, err) < 0)
		return -1;
	/* Before devices are looked at; writing looks again. */
	return file_check_new(o->attest, o->overwrite, err) < 0 ? -1 : stamp_check_request(o, err);
}

int
attest_open(const struct cli *cli, struct attest *a, struct error *err)
{
	const struct options *o = &cli->options;

	if (check_options(o, err) < 0)
		return -1;
	if (!o->attest)
		return 0;
	if (o->attest_with && key_open(cli, o->attest_with, &a->own, err) < 0)
		return -1;
	a->results = json_array();
	a->file = o->attest;
	return a->results ? 0 : error_memory(err);
}

void
attest_close(struct attest *a)
{
	host_close(&a->own);
	json_decref(a->results);
	*a = (struct attest){ 0 };
}

int
attest_choose(const struct attest *a, const struct host *host, const struct clients *clients,
    struct signer **out, struct error *err)
{
	if (!a->file)
		return 0;
	*out = a->own.signer ? a->own.signer : host->signer ? host->signer :
	    clients->n == 1 ? clients->identities[0].signer : NULL;
	if (*out)
		return 0;
	error_set(err, ERR_USAGE, clients->n ?
	    "the policies have several identities, and a statement one" :
	    "a statement needs an identity that signs it");
	return error_hint(err, "name it: --attest-with REF");
}

void
attest_add(struct attest *a, const json_t *result)
{
	if (a->results)
		json_array_append(a->results, (json_t *)(uintptr_t)result);
}

/* ---- the statement ---------------------------------------------------------------- */

/* What went, or would go, to the device, byte for byte. */
static json_t *
wanted_profile(const struct desired_profile *p)
{
	uint8_t digest[32];
	char hex[HASH_TEXT];

	digest_sha256(p->bytes.data, p->bytes.len, digest);
	text_hex(digest, sizeof(digest), hex);
	return json_pack("{s:s, s:s, s:s}", "identifier", p->profile.identifier,
	    "uuid", p->profile.uuid, "sha256", hex);
}

static bool
has_uuid(const json_t *array, const char *uuid)
{
	const char *other;
	json_t *p;
	size_t i;

	json_array_foreach(array, i, p) {
		other = json_text(p, "uuid", NULL);
		if (other && strcmp(other, uuid) == 0)
			return true;
	}
	return false;
}

static void
add_wanted(json_t *array, const struct desired *desired)
{
	size_t i;

	for (i = 0; i < desired->n_profiles; i++)
		if (!has_uuid(array, desired->profiles[i].profile.uuid))
			json_array_append_new(array, wanted_profile(&desired->profiles[i]));
}

/* What the policy of a result wanted when the device was read, built once more. */
static int
add_of_policy(json_t *array, const struct clients *clients, const json_t *result,
    struct error *err)
{
	const char *name = json_text(result, "policy", NULL), *at = json_text(result, "at", NULL);
	auto_desired struct desired desired = { .digest = digest_sha256 };
	const struct policy *p = NULL;
	const char *organization = NULL;
	int64_t moment = 0;
	size_t i;

	for (i = 0; name && i < clients->policies.n; i++)
		if (strcmp(clients->policies.items[i]->name, name) == 0)
			p = clients->policies.items[i];
	if (!p || !at)
		return 0;
	if (p->identity_index < clients->n)
		organization = clients->identities[p->identity_index].cert.organization;
	if (when_moment("at", at, time(NULL), &moment, err) < 0 ||
	    policy_desire(p, POLICY_KEEP, moment, organization && *organization ? organization :
		NULL, &desired, err) < 0)
		return -1;
	add_wanted(array, &desired);
	return 0;
}

/*
 * A device whose label only it knows (desired_settle()) was measured by another
 * profile than this computer can build: named, but without the bytes' digest.
 */
static void
add_expected(json_t *array, const json_t *result)
{
	json_t *p, *identifier, *uuid;
	size_t i;

	json_array_foreach(json_object_get(result, "profiles"), i, p) {
		identifier = json_object_get(p, "identifier");
		uuid = json_object_get(p, "expected_uuid");
		if (json_is_string(uuid) && !has_uuid(array, json_string_value(uuid)))
			json_array_append_new(array, json_pack("{s:O, s:O, s:n}",
			    "identifier", identifier, "uuid", uuid, "sha256"));
	}
}

static int
wanted_profiles(const json_t *results, const struct desired *desired,
    const struct clients *clients, json_t **out, struct error *err)
{
	auto_json json_t *array = json_array();
	json_t *result;
	size_t i;

	if (!array)
		return error_memory(err);
	add_wanted(array, desired);
	json_array_foreach(results, i, result)
		if (add_of_policy(array, clients, result, err) < 0)
			return -1;
	json_array_foreach(results, i, result)
		add_expected(array, result);
	*out = steal_pointer(&array);
	return 0;
}

/* The ledger's, which the record goes by; without one, this computer's name. */
static void
station_name(const struct cli *cli, const struct journal *journal, char out[STATION_NAME_MAX])
{
	struct ledger_head head;
	struct error ignored = { 0 };

	if (journal->ledger && ledger_head(journal->ledger, &head, &ignored) == 0)
		snprintf(out, STATION_NAME_MAX, "%s", head.station);
	else if (cli->options.station)
		snprintf(out, STATION_NAME_MAX, "%s", cli->options.station);
	else if (gethostname(out, STATION_NAME_MAX - 1) < 0)
		snprintf(out, STATION_NAME_MAX, "unnamed");
	out[STATION_NAME_MAX - 1] = '\0';
}

static void
note_signature(struct journal *journal, const struct blob *cms)
{
	uint8_t digest[32];
	char hex[HASH_TEXT];

	digest_sha256(cms->data, cms->len, digest);
	text_hex(digest, sizeof(digest), hex);
	journal_add(journal, EVENT_SIGNATURE, NULL, json_pack("{s:s, s:s}", "purpose", "statement",
	    "sha256", hex));
}

int
attest_write(const struct attest *a, const struct cli *cli, struct signer *signer,
    const struct wanted *wanted, struct journal *journal, struct error *err)
{
	auto_json json_t *profiles = NULL;
	struct key_use use = { .signer = signer, .purpose = SIGNER_STATEMENT };
	auto_blob struct blob cms = { 0 };
	char station[STATION_NAME_MAX];
	struct statement_claim claim = { .station = station, .nonce = cli->options.nonce,
		.results = a->results };

	if (wanted_profiles(a->results, wanted->desired, wanted->clients, &profiles, err) < 0)
		return error_context(err, "the statement");
	claim.profiles = profiles;
	station_name(cli, journal, station);
	if (statement_make(&claim, key_sign, &use, &cms, err) < 0)
		return error_context(err, "the statement");
	note_signature(journal, &cms);
	if (file_write(a->file, cms.data, cms.len, 0644, cli->options.overwrite, err) < 0 ||
	    stamp_write_request(&cli->options, &cms, err) < 0)
		return -1;
	log_at(LOG_NORMAL, "statement of %zu device%s: %s", json_array_size(a->results),
	    json_array_size(a->results) == 1 ? "" : "s", a->file);
	return 0;
}
