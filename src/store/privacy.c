/* privacy: names and numbers left out of event bodies, or replaced by keyed hashes */
#include "store/privacy.h"

#include <stdio.h>
#include <string.h>

#include "base/blob.h"
#include "base/error.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "store/json.h"

enum { KEY_MIN = 16, SECRETS_MAX = 64, TOKEN_MAX = 48, DEPTH_MAX = 32, FOUND_IN_TEXT_MIN = 3 };

/* A value that must not appear, and what stands for it. */
struct secret {
	char	*value;
	char	 token[TOKEN_MAX];	/* "" when it is left out */
};

struct secrets {
	struct secret	items[SECRETS_MAX];
	size_t		n;
};

static void
secrets_clear(struct secrets *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		free(s->items[i].value);
	s->n = 0;
}

#define auto_secrets	auto_with(secrets_clear)

static enum privacy_mode
mode_of(const struct privacy *p, const char *key)
{
	static const char *const serials[] = {
		"serial", "ecid", "imei", "imei2", "meid", "phone_number", "wifi_address",
		"bluetooth_address",
	};
	size_t i;

	if (strcmp(key, "name") == 0)
		return p->names;
	if (strcmp(key, "udid") == 0)
		return p->udids == PRIVACY_OMIT ? PRIVACY_HASH : p->udids;
	for (i = 0; i < countof(serials); i++)
		if (strcmp(key, serials[i]) == 0)
			return p->serials;
	return PRIVACY_KEEP;
}

static void
make_token(const struct privacy *p, const char *value, char out[TOKEN_MAX])
{
	uint8_t mac[32];

	digest_hmac_sha256(p->key->data, p->key->len, value, strlen(value), mac);
	memcpy(out, "hmac:", 5);
	text_hex(mac, 16, out + 5);
}

/* ---- what must not appear ------------------------------------------------------------- */

static int
add_secret(const struct privacy *p, struct secrets *s, enum privacy_mode mode, const char *value,
    struct error *err)
{
	struct secret *item = &s->items[s->n];

	if (s->n == SECRETS_MAX)
		return error_set(err, ERR_USAGE, "an event with that many devices cannot be made private");
	*item = (struct secret){ .value = strdup(value) };
	if (!item->value)
		return error_memory(err);
	s->n++;
	if (mode == PRIVACY_HASH)
		make_token(p, value, item->token);
	return 0;
}

static int
collect_device(const struct privacy *p, const json_t *device, struct secrets *s,
    struct error *err)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)device, key, value) {
		enum privacy_mode mode = mode_of(p, key);
		const char *text = json_string_value(value);

		if (mode != PRIVACY_KEEP && text && *text && add_secret(p, s, mode, text, err) < 0)
			return -1;
	}
	return 0;
}

static int
collect(const struct privacy *p, const json_t *at, int depth, struct secrets *s,
    struct error *err)
{
	const char *key;
	json_t *value;
	size_t i;

	if (depth > DEPTH_MAX)
		return error_set(err, ERR_USAGE, "the event is nested too deeply");
	json_array_foreach(at, i, value)
		if (collect(p, value, depth + 1, s, err) < 0)
			return -1;
	json_object_foreach((json_t *)at, key, value) {
		if (strcmp(key, "device") == 0 && json_is_object(value) &&
		    collect_device(p, value, s, err) < 0)
			return -1;
		if (collect(p, value, depth + 1, s, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- putting something else there --------------------------------------------------------- */

/* The text with every occurrence replaced; NULL when memory runs out. */
static char *
replace_all(const char *text, const struct secret *secret)
{
	const char *with = secret->token[0] ? secret->token : "[left out]", *hit, *p;
	size_t len = strlen(secret->value), n = 0, room;
	char *out, *o;

	for (p = text; (p = strstr(p, secret->value)); p += len)
		n++;
	room = strlen(text) + n * strlen(with) + 1;
	out = o = malloc(room);
	if (!out)
		return NULL;
	for (p = text; (hit = strstr(p, secret->value)); p = hit + len) {
		o = mempcpy(o, p, (size_t)(hit - p));
		o = mempcpy(o, with, strlen(with));
	}
	memcpy(o, p, strlen(p) + 1);
	return out;
}

/* What a text becomes: itself, nothing, a token, or itself with parts replaced. */
static json_t *
cleaned(const char *text, const struct secrets *s)
{
	auto_free char *now = strdup(text);
	size_t i;

	for (i = 0; now && i < s->n; i++) {
		const struct secret *secret = &s->items[i];
		char *next;

		if (strcmp(text, secret->value) == 0)
			return secret->token[0] ? json_string(secret->token) : json_null();
		/* A name of one letter would tear every word apart. */
		if (strlen(secret->value) < FOUND_IN_TEXT_MIN || !strstr(now, secret->value))
			continue;
		next = replace_all(now, secret);
		free(now);
		now = next;
	}
	return now ? json_string(now) : NULL;
}

static int	clean(json_t *at, const struct secrets *s, struct error *err);

/* The new value of what is at value, or NULL: memory. A reference of the caller's. */
static json_t *
clean_value(json_t *value, const struct secrets *s, struct error *err)
{
	if (json_is_string(value))
		return cleaned(json_string_value(value), s);
	return clean(value, s, err) < 0 ? NULL : json_incref(value);
}

/* Depth was checked when the values were collected. */
static int
clean(json_t *at, const struct secrets *s, struct error *err)
{
	const char *key;
	json_t *value;
	void *next;
	size_t i;

	json_array_foreach(at, i, value) {
		json_t *now = clean_value(value, s, err);

		if (!now || json_array_set_new(at, i, now) < 0)
			return error_memory(err);
	}
	json_object_foreach_safe(at, next, key, value) {
		json_t *now;

		/* The schema, verdict and command are our own words. */
		if (strcmp(key, "schema") == 0 || strcmp(key, "verdict") == 0)
			continue;
		now = clean_value(value, s, err);
		if (!now || json_object_set_new(at, key, now) < 0)
			return error_memory(err);
	}
	return 0;
}

static int
check(const struct privacy *p, struct error *err)
{
	bool hashes = p->names == PRIVACY_HASH || p->serials == PRIVACY_HASH ||
	    p->udids != PRIVACY_KEEP;

	if (!hashes || (p->key && p->key->len >= KEY_MIN))
		return 0;
	return error_set(err, ERR_USAGE, "hashing names or serial numbers takes a key of %d bytes or more",
	    KEY_MIN);
}

int
privacy_apply(const struct privacy *p, json_t *body, struct error *err)
{
	auto_secrets struct secrets s = { .n = 0 };

	if (check(p, err) < 0)
		return -1;
	if (p->names == PRIVACY_KEEP && p->serials == PRIVACY_KEEP && p->udids == PRIVACY_KEEP)
		return 0;
	if (collect(p, body, 0, &s, err) < 0)
		return -1;
	return clean(body, &s, err);
}

int
privacy_device(const struct privacy *p, const char *udid, char out[EVENT_TEXT_MAX],
    struct error *err)
{
	char canonical[EVENT_TEXT_MAX], token[TOKEN_MAX];

	if (check(p, err) < 0)
		return -1;
	text_canonical_udid(udid, canonical, sizeof(canonical));
	if (p->udids == PRIVACY_KEEP) {
		memcpy(out, canonical, sizeof(canonical));
		return 0;
	}
	make_token(p, canonical, token);
	snprintf(out, EVENT_TEXT_MAX, "%s", token);
	return 0;
}
