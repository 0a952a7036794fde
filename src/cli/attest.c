/* attest: verify --attest: the verdicts of a command as a signed statement */
#include "cli/attest.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/clients.h"
#include "cli/command.h"
#include "cli/key.h"
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
		return o->attest_with || o->nonce ? error_set(err, ERR_USAGE,
		    "--attest-with and --nonce are for a statement: --attest FILE") : 0;
	if (strcmp(o->attest, "-") == 0)
		return error_set(err, ERR_USAGE, "a statement goes to a file; standard output has the verdicts");
	if (o->nonce && statement_check_nonce(o->nonce, err) < 0)
		return -1;
	/* Before devices are looked at; writing looks again. */
	if (!o->overwrite && access(o->attest, F_OK) == 0)
		return error_hint((error_set_sys(err, ERR_CREATE, EEXIST, "%s", o->attest), err),
		    "--overwrite replaces it");
	return 0;
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
	error_set(err, ERR_USAGE, clients->n ? "the policies have several identities, and a statement one" :
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

static json_t *
wanted_profiles(const struct desired *desired)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; desired && i < desired->n_profiles; i++)
		json_array_append_new(array, wanted_profile(&desired->profiles[i]));
	return array;
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
    const struct desired *desired, struct journal *journal, struct error *err)
{
	auto_json json_t *profiles = wanted_profiles(desired);
	struct key_use use = { .signer = signer, .purpose = SIGNER_STATEMENT };
	auto_blob struct blob cms = { 0 };
	char station[STATION_NAME_MAX];
	const struct statement_claim claim = { .station = station, .nonce = cli->options.nonce,
		.results = a->results, .profiles = profiles };

	station_name(cli, journal, station);
	if (statement_make(&claim, key_sign, &use, &cms, err) < 0)
		return error_context(err, "the statement");
	note_signature(journal, &cms);
	if (file_write(a->file, cms.data, cms.len, 0644, cli->options.overwrite, err) < 0)
		return -1;
	log_at(LOG_NORMAL, "statement of %zu device%s: %s", json_array_size(a->results),
	    json_array_size(a->results) == 1 ? "" : "s", a->file);
	return 0;
}
