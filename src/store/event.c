/* event: the bytes that are hashed */
#include "store/event.h"

#include <stdio.h>
#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/text.h"
#include "crypto/digest.h"

const char EVENT_NO_PREVIOUS[EVENT_HASH_MAX] =
    "0000000000000000000000000000000000000000000000000000000000000000";

const char *
event_kind_word(enum event_kind kind)
{
	static const char *const words[] = {
		"attach", "job-started", "sent", "acknowledged", "verdict", "signature",
		"policy-loaded", "operator", "note", "closed",
	};

	return kind < countof(words) ? words[kind] : NULL;
}

static const char *
or_nothing(const char *s)
{
	return s ? s : "";
}

int
event_hash(const struct event *e, char out[EVENT_HASH_MAX], struct error *err)
{
	auto_free char *bytes = NULL;
	uint8_t digest[32];
	int len = asprintf(&bytes,
	    "chaperone.ledger/1\n%s\n%lld\n%lld\n%lld\n%s\n%s\n%s\n%s\n%s\n%s\n",
	    or_nothing(e->station), (long long)e->sequence, (long long)e->wall_ms,
	    (long long)e->monotonic_ms, or_nothing(e->boot), or_nothing(e->run),
	    or_nothing(e->device), or_nothing(e->kind), or_nothing(e->previous),
	    or_nothing(e->body));

	if (len < 0) {
		bytes = NULL;
		return error_memory(err);
	}
	digest_sha256(bytes, (size_t)len, digest);
	text_hex(digest, sizeof(digest), out);
	return 0;
}

static bool
is_line(const char *s, size_t limit)
{
	size_t i;

	if (!s)
		return false;
	for (i = 0; s[i]; i++)
		if (i >= limit || (unsigned char)s[i] < 0x20)
			return false;
	return true;
}

bool
event_is_sound(const struct event *e)
{
	return !e->is_cut &&
	    is_line(e->station, EVENT_TEXT_MAX) && is_line(e->boot, EVENT_TEXT_MAX) &&
	    is_line(e->run, EVENT_TEXT_MAX) && is_line(e->kind, EVENT_TEXT_MAX) &&
	    (!e->device || (*e->device && is_line(e->device, EVENT_TEXT_MAX))) &&
	    is_line(e->previous, EVENT_HASH_MAX - 1) && is_line(e->body, EVENT_BODY_MAX);
}
