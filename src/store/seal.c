/* seal: signing a head, and reading what was signed */
#include "store/seal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/signed.h"
#include "store/json.h"
#include "store/ledger.h"

void
seal_clear(struct seal *s)
{
	cert_clear(&s->signer);
	*s = (struct seal){ 0 };
}

static int
append_seal(struct ledger *l, const char *run, const struct ledger_head *head,
    const struct blob *cms, struct error *err)
{
	auto_free char *text = NULL;
	auto_json json_t *body = NULL;
	struct ledger_entry entry = { .kind = EVENT_SIGNATURE, .run = run };

	if (signed_encode(cms, &text, err) < 0)
		return -1;
	body = json_pack("{s:s, s:s, s:I, s:s, s:s}", "schema", "chaperone.signature/1",
	    "purpose", "seal", "sequence", (json_int_t)head->sequence, "hash", head->hash,
	    "cms", text);
	if (!body)
		return error_memory(err);
	entry.body = body;
	return ledger_append(l, &entry, NULL, err);
}

static int
check_validity(const struct cert *signer, int64_t now, struct error *err)
{
	if (now >= signer->not_before && now <= signer->not_after)
		return 0;
	error_set(err, ERR_DATA, "the certificate of %s %s: a seal by it would never be accepted",
	    signer->organization, now > signer->not_after ? "has expired" : "is not valid yet");
	return error_hint(err, now > signer->not_after ?
	    "seal with another identity; what was sealed before stays sealed" :
	    "check this computer's clock");
}

int
seal_make(struct ledger *l, const char *run, sign_fn *sign, void *ctx, struct blob *cms,
    struct error *err)
{
	auto_blob struct blob bytes = { 0 };
	auto_json json_t *content = NULL;
	auto_free char *text = NULL;
	auto_seal struct seal made = { 0 };
	struct ledger_head head;
	struct timespec now;
	char at[TEXT_TIME_MAX];

	if (ledger_head(l, &head, err) < 0)
		return -1;
	/* A new file that continues another has that one's head to seal. */
	if (head.sequence < 1)
		return error_set(err, ERR_USAGE, "the ledger has no event to seal yet");
	clock_gettime(CLOCK_REALTIME, &now);
	text_time_utc(now, at);
	content = json_pack("{s:s, s:s, s:I, s:s, s:s}", "schema", "chaperone.seal/1",
	    "station", head.station, "sequence", (json_int_t)head.sequence, "hash", head.hash,
	    "at", at);
	text = content ? json_dumps(content, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
	if (!text)
		return error_memory(err);
	/* What whoever verifies it would call broken, for ever, does not go on record. */
	if (sign(ctx, text, strlen(text), &bytes, err) < 0 ||
	    seal_read(bytes.data, bytes.len, NULL, &made, err) < 0 ||
	    check_validity(&made.signer, now.tv_sec, err) < 0 ||
	    append_seal(l, run, &head, &bytes, err) < 0)
		return -1;
	if (cms) {
		blob_clear(cms);
		*cms = blob_steal(&bytes);
	}
	return 0;
}

static int
take_seal(const json_t *content, struct seal *out, struct error *err)
{
	const char *station = json_text(content, "station", NULL);
	const char *hash = json_text(content, "hash", NULL);
	const json_t *sequence = json_object_get(content, "sequence");

	if (!json_has_schema(content, "chaperone.seal/1") || !station || !hash ||
	    strlen(hash) != EVENT_HASH_MAX - 1 || !ledgerfile_is_station(station) ||
	    !json_is_integer(sequence))
		return error_set(err, ERR_DATA, "what was signed is no seal of a ledger");
	memcpy(out->hash, hash, EVENT_HASH_MAX);
	snprintf(out->station, sizeof(out->station), "%s", station);
	out->sequence = json_integer_value(sequence);
	return 0;
}

int
seal_read(const void *cms, size_t len, const struct blob *anchors, struct seal *out,
    struct error *err)
{
	auto_signed struct signed_content s = { 0 };
	auto_json json_t *content = NULL;

	if (signed_open(cms, len, anchors, &s, err) < 0)
		return -1;
	content = json_loadb((const char *)s.content.data, s.content.len, JSON_REJECT_DUPLICATES,
	    NULL);
	seal_clear(out);
	if (take_seal(content, out, err) < 0)
		return -1;
	out->signed_at = s.signed_at;
	digest_sha256(cms, len, out->sha256);
	return cert_copy(&s.signer, &out->signer, err);
}

int
seal_of_event(const struct event *e, const struct blob *anchors, struct seal *out,
    struct error *err)
{
	auto_json json_t *body = NULL;
	auto_blob struct blob cms = { 0 };
	const char *purpose, *text;

	if (!e->kind || strcmp(e->kind, "signature") != 0 || !e->body)
		return 1;
	body = json_loads(e->body, JSON_REJECT_DUPLICATES, NULL);
	purpose = json_text(body, "purpose", NULL);
	text = json_text(body, "cms", NULL);
	if (!purpose || strcmp(purpose, "seal") != 0)
		return 1;
	if (!text)
		return error_set(err, ERR_DATA, "the seal is empty");
	if (signed_decode(text, &cms, err) < 0)
		return -1;
	return seal_read(cms.data, cms.len, anchors, out, err);
}
