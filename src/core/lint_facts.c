/* lint_facts: what one device would make of a profile, beyond what any would */
#include "core/lint_facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"
#include "base/text.h"
#include "core/facts.h"
#include "core/lint.h"
#include "core/profile.h"
#include "core/reported.h"

/* The wrapper has been judged before, and every device judges it alike. */
static const struct lint_signature NO_WORD_ON_IT = {
	.wrapper = LINT_WRAPPER_SIGNED, .is_chain_complete = true,
};

/* What the device has installed, in lint's terms. */
struct neighbours {
	struct lint_installed	*items;
	char			***keys;	/* of each */
	size_t			 n;
};

static void
clear_neighbours(struct neighbours *all)
{
	size_t i, k;

	for (i = 0; i < all->n; i++) {
		for (k = 0; k < all->items[i].n_keys; k++)
			free(all->keys[i][k]);
		free(all->keys[i]);
	}
	free(all->items);
	free(all->keys);
	*all = (struct neighbours){ 0 };
}

/* ---- the same name and the same UUID: the same content? ---------------------------- */

/* The list has texts made printable: like is compared with like. */
static bool
differs(const char *listed, const char *wanted)
{
	char printable[1024];

	if (!listed || !wanted)
		return false;
	text_printable(wanted, strlen(wanted), printable, sizeof(printable));
	return strcmp(listed, printable) != 0;
}

/* A restriction that the device has from this profile in another value, or not at all. */
static bool
restricts_otherwise(const struct profile *p, plist_t reported)
{
	size_t i;

	for (i = 0; i < p->n_restrictions; i++) {
		const struct profile_restriction *r = &p->restrictions[i];
		plist_t value = reported_value(reported, r->key);

		/* That a key is not reported may be the system's age: no proof. */
		if (value && !reported_agrees(reported, r->key, r->value, value))
			return true;
	}
	return false;
}

static enum lint_answer
has_same_content(const struct installed_profile *found, const struct profile *p, plist_t reported)
{
	if (differs(found->display_name, p->display_name) ||
	    differs(found->organization, p->organization) ||
	    (found->is_removal_disallowed != UNKNOWN &&
		(found->is_removal_disallowed == YES) != p->is_removal_disallowed) ||
	    (found->version >= 0 && found->version != p->version) ||
	    restricts_otherwise(p, reported))
		return LINT_NO;
	return LINT_UNKNOWN;
}

/* ---- the device in lint's terms ------------------------------------------------------- */

static int
gather_neighbours(const struct lint_subject *s, const struct facts *f, struct neighbours *out)
{
	size_t i;

	out->items = calloc(f->n_profiles + 1, sizeof(*out->items));
	out->keys = calloc(f->n_profiles + 1, sizeof(*out->keys));
	if (!out->items || !out->keys)
		return -1;
	for (i = 0; i < f->n_profiles; i++) {
		const struct installed_profile *found = &f->profiles[i];
		plist_t reported = dict_get_dict(f->by_profile, found->identifier);
		struct lint_installed *item = &out->items[out->n];

		if (reported_keys(reported, &out->keys[out->n], &item->n_keys) < 0)
			return -1;
		item->identifier = found->identifier;
		item->uuid = found->uuid;
		item->keys = (const char *const *)out->keys[out->n];
		if (strcmp(found->identifier, s->profile->identifier) == 0)
			item->has_same_content = has_same_content(found, s->profile, reported);
		out->n++;
	}
	return 0;
}

static enum lint_answer
answer_of(enum known k)
{
	return k == UNKNOWN ? LINT_UNKNOWN : k == YES ? LINT_YES : LINT_NO;
}

static struct lint_target
target_of(const struct facts *f, const struct neighbours *all, int64_t now)
{
	plist_t hosts = dict_get_array(f->cloud, "SupervisorHostCertificates");
	struct lint_target t = {
		.os = f->os, .supervised = answer_of(f->is_supervised), .now = now,
		.installed = all->items, .n_installed = all->n,
	};

	if (f->cloud || f->is_supervised == NO)
		t.has_host_certificate = hosts && plist_array_get_size(hosts) ? LINT_YES : LINT_NO;
	if (f->device_class)
		t.is_phone = strcmp(f->device_class, "iPhone") == 0 ? LINT_YES : LINT_NO;
	return t;
}

/* ---- what is new ------------------------------------------------------------------------ */

static bool
is_known(const struct lint_finding *f, const struct lint_report *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->findings[i].rule == f->rule && r->findings[i].severity >= f->severity &&
		    strcmp(r->findings[i].path, f->path) == 0)
			return true;
	return false;
}

static void
drop(struct lint_report *r, size_t i)
{
	free(r->findings[i].path);
	free(r->findings[i].message);
	r->n--;
	memmove(&r->findings[i], &r->findings[i + 1], (r->n - i) * sizeof(*r->findings));
}

/* Keeps what the other does not have; counts are of what is kept. */
static void
subtract(struct lint_report *r, const struct lint_report *other)
{
	size_t i = 0;

	r->errors = r->warnings = r->notes = r->left_out = 0;
	while (i < r->n) {
		const struct lint_finding *f = &r->findings[i];

		if (f->severity == LINT_NOTE || is_known(f, other)) {
			drop(r, i);
			continue;
		}
		if (f->severity == LINT_ERROR)
			r->errors++;
		else
			r->warnings++;
		i++;
	}
}

int
lint_with_facts(const struct lint_subject *s, const struct facts *facts, struct lint_report *out,
    struct error *err)
{
	const struct lint_target any = { .now = s->now, .supervised = LINT_YES };
	auto_with(clear_neighbours) struct neighbours all = { 0 };
	auto_lint_report struct lint_report here = { 0 }, anywhere = { 0 };
	struct lint_target target;

	if (gather_neighbours(s, facts, &all) < 0)
		return error_memory(err);
	target = target_of(facts, &all, s->now);
	if (lint_profile(s->data, s->len, &NO_WORD_ON_IT, &target, &here, err) < 0)
		return -1;
	if (here.n && lint_profile(s->data, s->len, &NO_WORD_ON_IT, &any, &anywhere, err) < 0)
		return -1;
	subtract(&here, &anywhere);
	lint_report_clear(out);
	*out = here;
	here = (struct lint_report){ 0 };
	return 0;
}
