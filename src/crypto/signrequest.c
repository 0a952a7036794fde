/* signrequest: two packets, written and read */
#include "crypto/signrequest.h"

#include <assert.h>
#include <string.h>

#include "base/clean.h"

enum {
	MAGIC_REQUEST = 0x43485251,	/* "CHRQ" */
	MAGIC_ANSWER = 0x43485241,	/* "CHRA" */
	MAGIC_AGENT = 0x43484147,	/* "CHAG" */
	FORMAT = 1,
};

struct header {
	uint32_t	magic;
	uint16_t	version, kind;
	uint32_t	length;
};

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void
put16(uint8_t *p, uint16_t n)
{
	p[0] = (uint8_t)(n >> 8);
	p[1] = (uint8_t)n;
}

static void
put32(uint8_t *p, uint32_t n)
{
	put16(p, (uint16_t)(n >> 16));
	put16(p + 2, (uint16_t)n);
}

/* The header of a packet whose length says exactly what follows it. */
static bool
get_header(const uint8_t *packet, size_t len, uint32_t magic, size_t most, struct header *h)
{
	if (len < SIGNREQUEST_HEADER)
		return false;
	h->magic = get32(packet);
	h->version = get16(packet + 4);
	h->kind = get16(packet + 6);
	h->length = get32(packet + 8);
	return h->magic == magic && h->version == FORMAT && h->length <= most &&
	    h->length == len - SIGNREQUEST_HEADER;
}

static size_t
put_packet(uint32_t magic, uint16_t kind, const void *body, size_t len, uint8_t *out)
{
	put32(out, magic);
	put16(out + 4, FORMAT);
	put16(out + 6, kind);
	put32(out + 8, (uint32_t)len);
	if (len)
		memcpy(out + SIGNREQUEST_HEADER, body, len);
	return SIGNREQUEST_HEADER + len;
}

static const char *const words[] = {
	[SIGNER_PAIR] = "pairing", [SIGNER_ESCALATE] = "escalation",
	[SIGNER_SEAL] = "seal", [SIGNER_STATEMENT] = "statement", [SIGNER_PROFILE] = "profile",
};

const char *
signer_purpose_word(int purpose)
{
	return purpose > 0 && purpose < (int)countof(words) ? words[purpose] : NULL;
}

bool
signer_is_document(int purpose)
{
	return purpose == SIGNER_SEAL || purpose == SIGNER_STATEMENT || purpose == SIGNER_PROFILE;
}

/*
 * A challenge has its bounds, a document is a digest, and who asks for the
 * certificate has neither.
 */
static bool
is_shape_of(int purpose, size_t len)
{
	if (purpose == SIGNREQUEST_CERTIFICATE)
		return len == 0;
	if (signer_is_document(purpose))
		return len == SIGNER_DIGEST;
	return signer_purpose_word(purpose) && len > 0 && len <= SIGNER_CHALLENGE_MAX;
}

bool
signrequest_parse(const void *packet, size_t len, struct signrequest *out)
{
	struct header h;

	if (!get_header(packet, len, MAGIC_REQUEST, SIGNER_CHALLENGE_MAX, &h) ||
	    !is_shape_of(h.kind, h.length))
		return false;
	out->purpose = h.kind;
	out->challenge = (const uint8_t *)packet + SIGNREQUEST_HEADER;
	out->len = h.length;
	return true;
}

bool
signanswer_parse(const void *packet, size_t len, struct signanswer *out)
{
	struct header h;

	if (!get_header(packet, len, MAGIC_ANSWER, SIGNER_ANSWER_MAX, &h) || h.length == 0)
		return false;
	out->status = h.kind;
	out->body = (const uint8_t *)packet + SIGNREQUEST_HEADER;
	out->len = h.length;
	return true;
}

size_t
signrequest_write(const struct signrequest *r, uint8_t out[SIGNREQUEST_MAX])
{
	assert(r->len <= SIGNER_CHALLENGE_MAX);
	return put_packet(MAGIC_REQUEST, (uint16_t)r->purpose, r->challenge, r->len, out);
}

size_t
signanswer_write(const struct signanswer *a, uint8_t out[SIGNANSWER_MAX])
{
	assert(a->len <= SIGNER_ANSWER_MAX);
	return put_packet(MAGIC_ANSWER, (uint16_t)a->status, a->body, a->len, out);
}

/* ---- agents ------------------------------------------------------------------ */

static bool
is_device(const char *device)
{
	const char *allowed = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-";
	size_t len = strnlen(device, AGENTREQUEST_DEVICE), i;

	if (len == 0 || len == AGENTREQUEST_DEVICE)
		return false;
	for (i = 0; i < len; i++)
		if (!strchr(allowed, device[i]))
			return false;
	for (; i < AGENTREQUEST_DEVICE; i++)
		if (device[i])
			return false;
	return true;
}

static bool
is_all_zero(const char *device)
{
	static const char nothing[AGENTREQUEST_DEVICE];

	return memcmp(device, nothing, AGENTREQUEST_DEVICE) == 0;
}

/* Each purpose has one shape: what it is for, and how long it is. */
static bool
is_shape_right(const struct agentrequest *r)
{
	if (!is_shape_of(r->purpose, r->len))
		return false;
	return r->purpose == SIGNREQUEST_CERTIFICATE || signer_is_document(r->purpose) ?
	    is_all_zero(r->device) : is_device(r->device);
}

bool
agentrequest_parse(const void *packet, size_t len, struct agentrequest *out)
{
	static const size_t most = AGENTREQUEST_DEVICE + SIGNER_CHALLENGE_MAX;
	const uint8_t *body = (const uint8_t *)packet + SIGNREQUEST_HEADER;
	struct agentrequest r;
	struct header h;

	if (!get_header(packet, len, MAGIC_AGENT, most, &h) || h.length < AGENTREQUEST_DEVICE)
		return false;
	r.purpose = h.kind;
	memcpy(r.device, body, AGENTREQUEST_DEVICE);
	r.challenge = body + AGENTREQUEST_DEVICE;
	r.len = h.length - AGENTREQUEST_DEVICE;
	if (!is_shape_right(&r))
		return false;
	*out = r;
	return true;
}

size_t
agentrequest_write(const struct agentrequest *r, uint8_t out[AGENTREQUEST_MAX])
{
	uint8_t body[AGENTREQUEST_DEVICE + SIGNER_CHALLENGE_MAX];

	assert(r->len <= SIGNER_CHALLENGE_MAX);
	memcpy(body, r->device, AGENTREQUEST_DEVICE);
	if (r->len)
		memcpy(body + AGENTREQUEST_DEVICE, r->challenge, r->len);
	return put_packet(MAGIC_AGENT, (uint16_t)r->purpose, body,
	    AGENTREQUEST_DEVICE + r->len, out);
}

/* ---- challenges -------------------------------------------------------------- */

bool
signrequest_is_document(const void *challenge, size_t len)
{
	static const char *const signs[] = { "<?xml", "<plist", "<dict", "bplist", "Payload" };
	uint8_t letters[SIGNER_CHALLENGE_MAX];
	const uint8_t *p = challenge;
	size_t i, n = 0;

	/* Without NUL bytes, so that UTF-16 and UTF-32 read like UTF-8. */
	for (i = 0; i < len && n < sizeof(letters); i++)
		if (p[i])
			letters[n++] = p[i];
	for (i = 0; i < countof(signs); i++)
		if (memmem(letters, n, signs[i], strlen(signs[i])))
			return true;
	return false;
}
