/* desired: what a device should be */
#include "core/desired.h"

#include <string.h>

#include "base/error.h"
#include "core/facts.h"

static void
clear_profile(struct desired_profile *p)
{
	blob_clear(&p->bytes);
	blob_clear(&p->content);
	profile_clear(&p->profile);
}

void
desired_clear(struct desired *d)
{
	size_t i;

	for (i = 0; i < d->n_profiles; i++)
		clear_profile(&d->profiles[i]);
	for (i = 0; i < d->n_absent; i++)
		free(d->absent[i]);
	free(d->profiles);
	free(d->absent);
	free(d->adopter);
	*d = (struct desired){ 0 };
}

/* Takes *fresh, also on failure. */
static int
add_profile(struct desired *d, struct desired_profile *fresh, struct error *err)
{
	struct desired_profile *grown;
	size_t i;

	for (i = 0; i < d->n_profiles; i++) {
		if (strcmp(d->profiles[i].profile.identifier, fresh->profile.identifier) != 0)
			continue;
		error_set(err, ERR_USAGE,
		    "two profiles are called %s: the second would replace the first",
		    fresh->profile.identifier);
		clear_profile(fresh);
		return -1;
	}
	grown = reallocarray(d->profiles, d->n_profiles + 1, sizeof(*grown));
	if (!grown) {
		clear_profile(fresh);
		return error_memory(err);
	}
	d->profiles = grown;
	d->profiles[d->n_profiles++] = *fresh;
	return 0;
}

static int
build(struct desired_profile *p, profile_digest_fn *digest, struct error *err)
{
	if (profile_build(&p->spec, digest, &p->bytes, err) < 0)
		return -1;
	return profile_read(p->bytes.data, p->bytes.len, digest, &p->profile, err);
}

int
desired_add_spec(struct desired *d, const struct profile_spec *spec, struct error *err)
{
	struct desired_profile fresh = { .is_built = true, .spec = *spec };

	if (build(&fresh, d->digest, err) < 0) {
		clear_profile(&fresh);
		return -1;
	}
	return add_profile(d, &fresh, err);
}

int
desired_add_file(struct desired *d, const struct blob *raw, const struct blob *content,
    struct error *err)
{
	struct desired_profile fresh = { 0 };

	if (profile_read(content->data, content->len, d->digest, &fresh.profile, err) < 0)
		return -1;
	if (blob_set(&fresh.bytes, raw->data, raw->len) < 0 ||
	    blob_set(&fresh.content, content->data, content->len) < 0) {
		clear_profile(&fresh);
		return error_memory(err);
	}
	return add_profile(d, &fresh, err);
}

int
desired_add_absent(struct desired *d, const char *identifier, struct error *err)
{
	char **grown = reallocarray(d->absent, d->n_absent + 1, sizeof(*grown));
	char *copy = strdup(identifier);

	if (grown)
		d->absent = grown;
	if (!grown || !copy) {
		free(copy);
		return error_memory(err);
	}
	d->absent[d->n_absent++] = copy;
	return 0;
}

int
desired_invert(struct desired *d, struct error *err)
{
	size_t i;

	for (i = 0; i < d->n_profiles; i++)
		if (desired_add_absent(d, d->profiles[i].profile.identifier, err) < 0)
			return -1;
	for (i = 0; i < d->n_profiles; i++)
		clear_profile(&d->profiles[i]);
	d->n_profiles = 0;
	return 0;
}

bool
desired_matches(const char *pattern, const char *identifier)
{
	size_t len = strlen(pattern);

	if (len && pattern[len - 1] == '*')
		return strncmp(pattern, identifier, len - 1) == 0;
	return strcmp(pattern, identifier) == 0;
}

/* The organization is part of what a profile says, and so of its UUID: it is built again. */
static int
rebuild(struct desired_profile *p, const char *organization, profile_digest_fn *digest,
    struct error *err)
{
	struct desired_profile again = { .is_built = true, .spec = p->spec };

	again.spec.organization = organization;
	if (build(&again, digest, err) < 0) {
		clear_profile(&again);
		return -1;
	}
	clear_profile(p);
	*p = again;
	return 0;
}

static bool
is_nobodys(const struct desired_profile *p)
{
	return p->is_built && !p->spec.organization;
}

int
desired_adopt(struct desired *d, const char *organization, struct error *err)
{
	size_t i;

	if (d->adopter || !*organization)
		return 0;
	d->adopter = strdup(organization);
	if (!d->adopter)
		return error_memory(err);
	for (i = 0; i < d->n_profiles; i++)
		if (is_nobodys(&d->profiles[i]) &&
		    rebuild(&d->profiles[i], d->adopter, d->digest, err) < 0)
			return -1;
	return 0;
}

/* As the organization's that the device lists for it; the next device may list another. */
static int
settle_one(struct desired_profile *p, profile_digest_fn *digest, const struct facts *facts,
    struct error *err)
{
	const struct installed_profile *found = facts_find_profile(facts, p->profile.identifier);

	if (!is_nobodys(p) || !found || !found->organization)
		return 0;
	if (rebuild(p, found->organization, digest, err) < 0)
		return -1;
	p->spec.organization = NULL;
	return 0;
}

int
desired_settle(struct desired *d, const struct facts *facts, struct error *err)
{
	size_t i;

	for (i = 0; i < d->n_profiles; i++)
		if (settle_one(&d->profiles[i], d->digest, facts, err) < 0)
			return -1;
	return 0;
}
