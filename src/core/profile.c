/* profile: a configuration profile, read from a file */
#include "core/profile.h"

#include <string.h>
#include <strings.h>

#include "base/blob.h"
#include "base/error.h"
#include "base/proplist.h"
#include "core/canonical.h"
#include "core/keys.h"
#include "core/value.h"

/* Whether the UUID is the one that the content gives. */
static bool
names_its_content(const struct profile *p, profile_digest_fn *digest)
{
	char uuid[TEXT_UUID_MAX];
	auto_blob struct blob bytes = { 0 };

	if (canonical_xml(p->root, CANONICAL_WITHOUT_UUIDS, &bytes) < 0)
		return false;
	canonical_uuid(&bytes, digest, uuid);
	return strcasecmp(uuid, p->uuid) == 0;
}

static char *
copy_of(const char *s)
{
	return s ? strdup(s) : NULL;
}

static int
read_top_level(struct profile *p, struct error *err)
{
	const char *type = dict_get_string(p->root, "PayloadType");
	const char *identifier = dict_get_string(p->root, "PayloadIdentifier");
	const char *uuid = dict_get_string(p->root, "PayloadUUID");

	if (!type || strcmp(type, "Configuration") != 0)
		return error_set(err, ERR_DATA,
		    "not a configuration profile: PayloadType is not Configuration");
	if (!identifier || !*identifier)
		return error_set(err, ERR_DATA, "the profile has no PayloadIdentifier");
	if (!uuid || !*uuid)
		return error_set(err, ERR_DATA, "the profile has no PayloadUUID");
	if (!dict_get_int(p->root, "PayloadVersion", &p->version))
		return error_set(err, ERR_DATA, "the profile has no PayloadVersion");
	p->identifier = strdup(identifier);
	p->uuid = strdup(uuid);
	p->display_name = copy_of(dict_get_string(p->root, "PayloadDisplayName"));
	p->organization = copy_of(dict_get_string(p->root, "PayloadOrganization"));
	dict_get_bool(p->root, "PayloadRemovalDisallowed", &p->is_removal_disallowed);
	return p->identifier && p->uuid ? 0 : error_memory(err);
}

static struct profile_restriction *
find_restriction(struct profile *p, const char *key)
{
	size_t i;

	for (i = 0; i < p->n_restrictions; i++)
		if (strcmp(p->restrictions[i].key, key) == 0)
			return &p->restrictions[i];
	return NULL;
}

static int
add_restriction(struct profile *p, const char *key, plist_t value)
{
	const struct key *fact = key_find(RESTRICTIONS, key);
	struct profile_restriction *r, *grown;

	if (strncmp(key, "Payload", 7) == 0 || (fact && value_is_default(fact, value)))
		return 0;
	/* Only known keys can be there twice without end being in sight. */
	r = fact ? find_restriction(p, key) : NULL;
	if (r) {
		if (value_is_stricter(fact, value, r->value))
			r->value = value;
		return 0;
	}
	if ((p->n_restrictions & (p->n_restrictions - 1)) == 0) {
		size_t room = p->n_restrictions ? 2 * p->n_restrictions : 1;

		grown = reallocarray(p->restrictions, room, sizeof(*grown));
		if (!grown)
			return -1;
		p->restrictions = grown;
	}
	r = &p->restrictions[p->n_restrictions];
	r->key = strdup(key);
	r->value = value;
	if (!r->key)
		return -1;
	p->n_restrictions++;
	return 0;
}

static int
read_restrictions(struct profile *p, plist_t payload)
{
	auto_free plist_dict_iter iter = NULL;

	plist_dict_new_iter(payload, &iter);
	while (iter) {
		auto_free char *key = NULL;
		plist_t value = NULL;

		plist_dict_next_item(payload, iter, &key, &value);
		if (!key || !value)
			return 0;
		if (add_restriction(p, key, value) < 0)
			return -1;
	}
	return -1;
}

static int
compare_restrictions(const void *a, const void *b)
{
	return strcmp(((const struct profile_restriction *)a)->key,
	    ((const struct profile_restriction *)b)->key);
}

static int
read_payloads(struct profile *p)
{
	auto_free plist_array_iter iter = NULL;
	plist_t content = dict_get_array(p->root, "PayloadContent");
	plist_t payload = NULL;

	if (!content)
		return 0;
	plist_array_new_iter(content, &iter);
	if (!iter)
		return -1;
	for (plist_array_next_item(content, iter, &payload); payload;
	    plist_array_next_item(content, iter, &payload)) {
		const char *type = dict_get_string(payload, "PayloadType");

		if (type && strcmp(type, RESTRICTIONS) == 0 && read_restrictions(p, payload) < 0)
			return -1;
	}
	if (p->n_restrictions)
		qsort(p->restrictions, p->n_restrictions, sizeof(*p->restrictions),
		    compare_restrictions);
	return 0;
}

int
profile_read(const void *data, size_t len, profile_digest_fn *digest, struct profile *out,
    struct error *err)
{
	auto_profile struct profile p = { 0 };

	if (proplist_parse(data, len, &PROPLIST_FILE, ERR_DATA, &p.root, err) < 0)
		return -1;
	if (!node_is(p.root, PLIST_DICT))
		return error_set(err, ERR_DATA, "not a configuration profile: no dictionary");
	if (read_top_level(&p, err) < 0)
		return -1;
	if (read_payloads(&p) < 0)
		return error_memory(err);
	p.is_content_addressed = names_its_content(&p, digest);
	profile_clear(out);
	*out = p;
	p = (struct profile){ 0 };
	return 0;
}

void
profile_clear(struct profile *p)
{
	size_t i;

	for (i = 0; i < p->n_restrictions; i++)
		free(p->restrictions[i].key);
	free(p->restrictions);
	free(p->identifier);
	free(p->uuid);
	free(p->display_name);
	free(p->organization);
	if (p->root)
		plist_free(p->root);
	*p = (struct profile){ 0 };
}
