/* statement: made and read; the signature is crypto's business */
#include "store/statement.h"

#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/text.h"
#include "crypto/signed.h"
#include "store/json.h"

void
statement_clear(struct statement *s)
{
	json_decref(s->content);
	cert_clear(&s->signer);
	*s = (struct statement){ 0 };
}

static bool
is_nonce(const char *s)
{
	char clean[STATEMENT_NONCE_MAX];

	if (!*s || strlen(s) >= sizeof(clean))
		return false;
	text_printable(s, strlen(s), clean, sizeof(clean));
	return strcmp(s, clean) == 0;
}

int
statement_check_nonce(const char *nonce, struct error *err)
{
	return is_nonce(nonce) ? 0 : error_set(err, ERR_USAGE,
	    "a nonce is one line of at most %d bytes", STATEMENT_NONCE_MAX - 1);
}

int
statement_make(const struct statement_claim *claim, sign_fn *sign, void *ctx,
    struct blob *out, struct error *err)
{
	char at[TEXT_TIME_MAX], nonce[TEXT_UUID_MAX];
	auto_json json_t *content = NULL;
	auto_free char *text = NULL;
	struct timespec now;

	if (claim->nonce && statement_check_nonce(claim->nonce, err) < 0)
		return -1;
	clock_gettime(CLOCK_REALTIME, &now);
	text_time_utc(now, at);
	text_uuid_random(nonce);
	content = json_pack("{s:s, s:s, s:s, s:s, s:O, s:O}", "schema", "chaperone.statement/1",
	    "at", at, "station", claim->station, "nonce", claim->nonce ? claim->nonce : nonce,
	    "profiles", claim->profiles, "results", claim->results);
	text = content ? json_dumps(content, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
	if (!text)
		return error_memory(err);
	return sign(ctx, text, strlen(text), out, err);
}

int
statement_read(const void *data, size_t len, const struct blob *anchors, const char *nonce,
    struct statement *out, struct error *err)
{
	auto_signed struct signed_content s = { 0 };
	auto_json json_t *content = NULL;
	const char *said;

	if (signed_open(data, len, anchors, &s, err) < 0)
		return -1;
	content = json_loadb((const char *)s.content.data, s.content.len, JSON_REJECT_DUPLICATES,
	    NULL);
	if (!json_has_schema(content, "chaperone.statement/1") ||
	    !json_is_array(json_object_get(content, "results")) ||
	    !json_text(content, "at", NULL) || !json_text(content, "station", NULL))
		return error_set(err, ERR_DATA, "it is signed, but what it says is no statement");
	said = json_text(content, "nonce", NULL);
	if (nonce && (!said || strcmp(nonce, said) != 0))
		return error_set(err, ERR_DATA,
		    "the statement repeats another nonce: it answers another question");
	statement_clear(out);
	*out = (struct statement){ .content = steal_pointer(&content), .signed_at = s.signed_at,
		.is_trusted = s.is_trusted };
	return cert_copy(&s.signer, &out->signer, err);
}
