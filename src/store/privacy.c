/* privacy: names and numbers left out of event bodies, or replaced by keyed hashes */
#include "store/privacy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "store/json.h"

enum { KEY_MIN = 16, KEY_FILE_MAX = 4096, SECRETS_MAX = 64, DEPTH_MAX = 32, FOUND_IN_TEXT_MIN = 3 };

/* A value that must not appear, and what stands for it. */
struct secret {
	char	*value;
	char	 token[EVENT_TEXT_MAX];	/* "" when it is left out */
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

void
privacy_token(const struct blob *key, const char *text, char out[EVENT_TEXT_MAX])
{
	uint8_t mac[32];

	digest_hmac_sha256(key->data, key->len, text, strlen(text), mac);
	memcpy(out, "hmac:", 5);
	text_hex(mac, 16, out + 5);
}

bool
privacy_is_asked(const struct privacy *p)
{
	return p->names > PRIVACY_KEEP || p->serials > PRIVACY_KEEP || p->udids > PRIVACY_KEEP;
}

bool
privacy_needs_key(const struct privacy *p)
{
	return p->names == PRIVACY_HASH || p->serials == PRIVACY_HASH || p->udids > PRIVACY_KEEP;
}

/* ---- the key ------------------------------------------------------------------------------- */

static char *
path_beside(const char *ledger)
{
	const char *slash = strrchr(ledger, '/');
	char *path = NULL;
	int len = slash ? (int)(slash - ledger) + 1 : 0;

	return asprintf(&path, "%.*sprivacy.key", len, ledger) < 0 ? NULL : path;
}

static int
make_key(const char *path, struct error *err)
{
	uint8_t bits[32];
	char text[2 * sizeof(bits) + 2];
	struct error why = { 0 };
	int rc;

	if (getrandom(bits, sizeof(bits), 0) != sizeof(bits))
		return error_set_sys(err, ERR_SOFTWARE, errno, "random bits for %s", path);
	text_hex(bits, sizeof(bits), text);
	text[2 * sizeof(bits)] = '\n';
	rc = file_write(path, text, 2 * sizeof(bits) + 1, 0600, false, &why);
	explicit_bzero(bits, sizeof(bits));
	explicit_bzero(text, sizeof(text));
	/* Another process was quicker: then its key is the key. */
	if (rc == 0 || access(path, F_OK) == 0)
		return 0;
	*err = why;
	return -1;
}

int
privacy_key(const char *path, const char *ledger, bool may_create, struct blob *out,
    struct error *err)
{
	auto_free char *beside = path ? strdup(path) : path_beside(ledger);
	auto_blob struct blob key = { 0 };

	if (!beside)
		return error_memory(err);
	if (may_create && access(beside, F_OK) < 0 && errno == ENOENT && make_key(beside, err) < 0)
		return error_context(err, "the key of the record's privacy");
	if (file_read(beside, KEY_FILE_MAX, FILE_PRIVATE, &key, err) < 0)
		return error_context(err, "the key of the record's privacy");
	if (key.len > 0 && key.data[key.len - 1] == '\n')
		key.len--;
	if (key.len < KEY_MIN)
		return error_set(err, ERR_DATA, "%s: a key has %d bytes or more", beside, KEY_MIN);
	blob_clear(out);
	*out = key;
	key = (struct blob){ 0 };
	return 0;
}

/* ---- what must not appear ------------------------------------------------------------- */

static int
add_secret(const struct privacy *p, struct secrets *s, enum privacy_mode mode, const char *value,
    struct error *err)
{
	struct secret *item = &s->items[s->n];

	if (s->n == SECRETS_MAX)
		return error_set(err, ERR_USAGE,
		    "an event with that many devices cannot be made private");
	*item = (struct secret){ .value = strdup(value) };
	if (!item->value)
		return error_memory(err);
	s->n++;
	if (mode == PRIVACY_HASH)
		privacy_token(p->key, value, item->token);
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

		if (mode > PRIVACY_KEEP && text && *text && add_secret(p, s, mode, text, err) < 0)
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

/*
 * What is named by these is a word of ours, of the policy, or of the device's
 * make. An iPad is often called iPad: that must not take its product away.
 */
static bool
is_own_word(const char *key)
{
	static const char *const keys[] = {
		"schema", "at", "run", "command", "verdict", "reason", "truth", "policy",
		"steps", "action", "product", "model", "class", "os", "build", "location",
		"slot", "connection", "activation",
		"identifier", "uuid", "expected_uuid", "key", "domain",
	};
	size_t i;

	for (i = 0; i < countof(keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
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

		if (is_own_word(key))
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
	if (!privacy_needs_key(p) || (p->key && p->key->len >= KEY_MIN))
		return 0;
	return error_set(err, ERR_USAGE,
	    "hashing names or serial numbers takes a key of %d bytes or more", KEY_MIN);
}

int
privacy_apply(const struct privacy *p, json_t *body, struct error *err)
{
	auto_secrets struct secrets s = { .n = 0 };

	if (check(p, err) < 0)
		return -1;
	if (!privacy_is_asked(p))
		return 0;
	if (collect(p, body, 0, &s, err) < 0)
		return -1;
	return clean(body, &s, err);
}

int
privacy_device(const struct privacy *p, const char *udid, char out[EVENT_TEXT_MAX],
    struct error *err)
{
	char canonical[EVENT_TEXT_MAX];

	if (check(p, err) < 0)
		return -1;
	text_canonical_udid(udid, canonical, sizeof(canonical));
	if (p->udids <= PRIVACY_KEEP) {
		memcpy(out, canonical, sizeof(canonical));
		return 0;
	}
	privacy_token(p->key, canonical, out);
	return 0;
}
