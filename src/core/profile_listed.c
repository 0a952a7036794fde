/* profile_listed: a profile against what a device tells of the one it has */
#include "core/profile_listed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/proplist.h"
#include "base/text.h"
#include "core/facts.h"
#include "core/keys.h"
#include "core/profile.h"
#include "core/reported.h"
#include "core/value.h"

enum { SHOWN = 200 };

struct comparison {
	const struct profile	*profile;
	const struct facts	*facts;
	const struct installed_profile *found;	/* NULL: not listed */
	plist_t			 reported;	/* what this profile restricts there */
	bool			 has_reported;	/* that was told; reported may be NULL: nothing */
	struct profile_listing	*out;
	bool			 has_failed;	/* out of memory */
};

/* ---- differences ----------------------------------------------------------------- */

static char *
copy(struct comparison *c, const char *text)
{
	char *made = text ? strdup(text) : NULL;

	c->has_failed |= text && !made;
	return made;
}

/* before or after may be NULL: the key is on one side only. */
static void
add(struct comparison *c, const char *path, const char *before, const char *after)
{
	struct profile_changes *all = &c->out->changes;
	struct profile_change *grown = reallocarray(all->items, all->n + 1, sizeof(*grown));

	if (!grown) {
		c->has_failed = true;
		return;
	}
	all->items = grown;
	all->room = all->n + 1;
	grown[all->n++] = (struct profile_change){
		.kind = !before ? PROFILE_ADDED : !after ? PROFILE_REMOVED : PROFILE_CHANGED,
		.path = copy(c, path), .before = copy(c, before), .after = copy(c, after),
	};
}

static void
untold(struct comparison *c, const char *what)
{
	struct profile_listing *l = c->out;
	char **grown = reallocarray(l->untold, l->n_untold + 1, sizeof(*grown));

	if (!grown) {
		c->has_failed = true;
		return;
	}
	l->untold = grown;
	grown[l->n_untold++] = copy(c, what);
}

/* ---- the device's list --------------------------------------------------------------- */

static void
compare_text(struct comparison *c, const char *path, const char *wanted, const char *listed)
{
	char ours[1024];

	if (!listed && !wanted)
		return;
	/* The list has texts made printable: like is compared with like. */
	text_printable(wanted ? wanted : "", wanted ? strlen(wanted) : 0, ours, sizeof(ours));
	if (!listed || strcmp(listed, ours) != 0)
		add(c, path, wanted ? ours : NULL, listed);
}

static void
compare_head(struct comparison *c)
{
	const struct profile *p = c->profile;
	const struct installed_profile *f = c->found;
	char ours[32], theirs[32];

	if (!f->uuid || strcasecmp(f->uuid, p->uuid) != 0)
		compare_text(c, "PayloadUUID", p->uuid, f->uuid ? f->uuid : "-");
	if (f->version >= 0 && f->version != p->version) {
		snprintf(ours, sizeof(ours), "%lld", (long long)p->version);
		snprintf(theirs, sizeof(theirs), "%lld", (long long)f->version);
		add(c, "PayloadVersion", ours, theirs);
	}
	/* A profile without a name is listed by whatever the device likes. */
	if (p->display_name && f->display_name)
		compare_text(c, "PayloadDisplayName", p->display_name, f->display_name);
	compare_text(c, "PayloadOrganization", p->organization, f->organization);
	if (f->is_removal_disallowed == UNKNOWN)
		untold(c, "whether it can be removed by the person holding the device");
	else if ((f->is_removal_disallowed == YES) != p->is_removal_disallowed)
		add(c, "PayloadRemovalDisallowed", p->is_removal_disallowed ? "true" : "false",
		    p->is_removal_disallowed ? "false" : "true");
}

/* ---- restrictions ----------------------------------------------------------------------- */

static void
add_restriction(struct comparison *c, const char *key, plist_t before, plist_t after)
{
	char path[SHOWN], ours[SHOWN], theirs[SHOWN], name[SHOWN];

	text_printable(key, strlen(key), name, sizeof(name));
	snprintf(path, sizeof(path), RESTRICTIONS ".%.120s", name);
	if (before)
		value_text(before, ours, sizeof(ours));
	if (after)
		value_text(after, theirs, sizeof(theirs));
	add(c, path, before ? ours : NULL, after ? theirs : NULL);
}

/* Set in the profile at all, also where it equals the default and restricts nothing. */
static bool
is_set(const struct profile *p, const char *key)
{
	plist_t content = dict_get_array(p->root, "PayloadContent");
	uint32_t n = content ? plist_array_get_size(content) : 0, i;

	for (i = 0; i < n; i++) {
		plist_t payload = plist_array_get_item(content, i);
		const char *type = dict_get_string(payload, "PayloadType");

		if (type && strcmp(type, RESTRICTIONS) == 0 && dict_get(payload, key))
			return true;
	}
	return false;
}

static bool
is_brought_along(const struct profile *p, const char *key)
{
	size_t i;

	for (i = 0; i < p->n_restrictions; i++)
		if (reported_brings_along(p->restrictions[i].key, key))
			return true;
	return false;
}

static void
compare_reported(struct comparison *c)
{
	const struct profile *p = c->profile;
	char **keys = NULL;
	size_t n = 0, i;

	for (i = 0; i < p->n_restrictions; i++) {
		const struct profile_restriction *r = &p->restrictions[i];
		plist_t value = reported_value(c->reported, r->key);

		if (!value && !reported_is_expected(r->key, c->facts->os))
			continue;	/* tell_untold() has it */
		if (!reported_agrees(c->reported, r->key, r->value, value))
			add_restriction(c, r->key, r->value, value);
	}
	if (reported_keys(c->reported, &keys, &n) < 0)
		c->has_failed = true;
	for (i = 0; i < n; i++) {
		if (!is_set(p, keys[i]) && !is_brought_along(p, keys[i]))
			add_restriction(c, keys[i], NULL, reported_value(c->reported, keys[i]));
		free(keys[i]);
	}
	free(keys);
}

/* ---- what remains unknown ---------------------------------------------------------------- */

static void
tell_unreported(struct comparison *c)
{
	const struct profile *p = c->profile;
	char line[SHOWN + 60], name[SHOWN];
	size_t i;

	for (i = 0; i < p->n_restrictions; i++) {
		const char *key = p->restrictions[i].key;

		if (reported_is_expected(key, c->facts->os) || reported_value(c->reported, key))
			continue;
		text_printable(key, strlen(key), name, sizeof(name));
		snprintf(line, sizeof(line), "%s: this device does not report it", name);
		untold(c, line);
	}
}

static void
tell_untold(struct comparison *c)
{
	plist_t content = dict_get_array(c->profile->root, "PayloadContent");
	uint32_t n = content ? plist_array_get_size(content) : 0, i;
	char line[SHOWN + 60], name[SHOWN];

	if (!c->has_reported)
		untold(c, c->facts->answers_restrictions == NO ?
		    "what it restricts: this device does not answer that" :
		    "what it restricts: the device tells that only to its supervisor (-i)");
	else
		tell_unreported(c);
	for (i = 0; i < n; i++) {
		const char *type = dict_get_string(plist_array_get_item(content, i), "PayloadType");

		if (!type || strcmp(type, RESTRICTIONS) == 0)
			continue;
		text_printable(type, strlen(type), name, sizeof(name));
		snprintf(line, sizeof(line), "what its payload %s holds", name);
		untold(c, line);
	}
	if (dict_get(c->profile->root, "RemovalDate") ||
	    dict_get(c->profile->root, "DurationUntilRemoval"))
		untold(c, "when it ends");
}

int
profile_compare_listed(const struct profile *p, const struct facts *facts,
    struct profile_listing *out, struct error *err)
{
	auto_profile_listing struct profile_listing l = { 0 };
	struct comparison c = {
		.profile = p, .facts = facts, .out = &l,
		.found = facts_find_profile(facts, p->identifier),
		.reported = dict_get_dict(facts->by_profile, p->identifier),
		.has_reported = facts->by_profile != NULL,
	};

	l.is_listed = c.found != NULL;
	if (!c.found) {
		char name[SHOWN];

		text_printable(p->identifier, strlen(p->identifier), name, sizeof(name));
		add(&c, "PayloadIdentifier", name, NULL);
	} else {
		l.is_proven = p->is_content_addressed && c.found->uuid &&
		    strcasecmp(c.found->uuid, p->uuid) == 0;
		compare_head(&c);
		if (c.has_reported)
			compare_reported(&c);
		if (!l.is_proven)
			tell_untold(&c);
	}
	if (c.has_failed)
		return error_memory(err);
	profile_listing_clear(out);
	*out = l;
	l = (struct profile_listing){ 0 };
	return 0;
}

void
profile_listing_clear(struct profile_listing *l)
{
	size_t i;

	profile_changes_clear(&l->changes);
	for (i = 0; i < l->n_untold; i++)
		free(l->untold[i]);
	free(l->untold);
	*l = (struct profile_listing){ 0 };
}
