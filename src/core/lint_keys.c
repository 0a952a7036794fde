/* lint_keys: the rules about single keys (K001 to K010, K013) and secrets (X020) */
#include <stdio.h>
#include <string.h>

#include "base/proplist.h"
#include "base/text.h"
#include "core/linter.h"
#include "core/value.h"

enum { PATH_LENGTH = 160 };

/* One payload being walked through. */
struct visit {
	struct linter	*l;
	const char	*payload;
	size_t		 n_supervised;		/* keys for K005, told together */
	char		 supervised[160];
};

static void visit_dict(struct visit *v, const struct place *dict, const char *inside);

static void
unknown_key(struct visit *v, const struct place *p, const char *inside)
{
	size_t distance = 0;
	int severity = key_is_slip(v->payload, inside, p->key) ? LINT_ERROR : LINT_USUAL;
	const struct key *near = NULL;

	if (!lint_is_full(v->l))
		near = key_nearest(v->payload, inside, p->key, &distance);
	if (near)
		lint_add(v->l, LINT_K001, severity, p, "the device ignores %s: did you mean %s?",
		    lint_text(p->key).s, near->path + strlen(inside));
	else
		lint_add(v->l, LINT_K001, severity, p,
		    "the device ignores %s: %s knows no such key",
		    lint_text(p->key).s, v->payload);
}

static void
judge_type(struct visit *v, const struct place *p, const struct key *key)
{
	const char *effect = key->type == KEY_BOOL ? "devices may read it as something else"
	    : "the device refuses the payload";

	lint_add(v->l, LINT_K002, LINT_USUAL, p, "%s must be %s: %s",
	    key->path, value_wanted(key), effect);
}

static void
judge_range(struct visit *v, const struct place *p, const struct key *key)
{
	char text[128] = "this";

	/* The lines of a phone have a rule of their own. */
	if (value_in_range(key, p->node) || strncmp(key->path, "deniedICCIDs", 12) == 0)
		return;
	if (!key->is_secret)
		value_text(p->node, text, sizeof(text));
	lint_add(v->l, LINT_K003, LINT_USUAL, p, "%s cannot be %s: the range is %s",
	    key->path, text, key->range);
}

static void
judge_supervision(struct visit *v, const struct place *p, const struct key *key)
{
	const struct lint_target *t = v->l->target;
	size_t used = strlen(v->supervised);

	if (t->supervised == LINT_YES || !key_needs_supervision(key, t->os))
		return;
	if (t->supervised == LINT_NO) {
		lint_add(v->l, LINT_K005, LINT_USUAL, p,
		    "an unsupervised device ignores %s without a word", key->path);
		return;
	}
	v->n_supervised++;
	if (v->n_supervised <= 3)
		snprintf(v->supervised + used, sizeof(v->supervised) - used, "%s%s",
		    used ? ", " : "", key->path);
}

static void
judge_age(struct visit *v, const struct place *p, const struct key *key)
{
	const char *os = v->l->target->os;
	const char *instead = key->replacement ? key->replacement : "";

	if (key->is_old_name) {
		lint_add(v->l, LINT_K013, LINT_USUAL, p, "%s is the old name of %s (since iOS %s)",
		    key->path, instead, key->deprecated);
	}
	if (!os)
		return;
	if (text_compare_versions(key->introduced, os) > 0)
		lint_add(v->l, LINT_K006, LINT_USUAL, p, "%s came with iOS %s: iOS %s ignores it",
		    key->path, key->introduced, lint_text(os).s);
	else if (key->removed && text_compare_versions(key->removed, os) <= 0)
		lint_add(v->l, LINT_K008, LINT_USUAL, p,
		    "%s was removed in iOS %s: it does nothing%s%s",
		    key->path, key->removed, *instead ? "; instead: " : "", instead);
	else if (key->deprecated && !key->is_old_name &&
	    text_compare_versions(key->deprecated, os) <= 0)
		lint_add(v->l, LINT_K007, LINT_USUAL, p,
		    "%s is deprecated since iOS %s: it still works, a later system may drop it%s%s",
		    key->path, key->deprecated, *instead ? "; instead: " : "", instead);
}

static void
visit_items(struct visit *v, const struct place *array, const char *inside, size_t levels)
{
	auto_lint_walk struct lint_walk w = lint_walk(v->l, array);

	while (lint_next(v->l, &w)) {
		if (levels > 1)
			visit_items(v, &w.place, inside, levels - 1);
		else if (node_is(w.place.node, PLIST_DICT))
			visit_dict(v, &w.place, inside);
		else
			lint_add(v->l, LINT_K002, LINT_USUAL, &w.place,
			    "a dictionary is wanted here: the device refuses the payload");
	}
}

static void
visit_inside(struct visit *v, const struct place *p, const struct key *key)
{
	char inside[PATH_LENGTH];

	if (!key->range)
		return;
	snprintf(inside, sizeof(inside), "%s.", key->range);
	if (key->type == KEY_DICT)
		visit_dict(v, p, inside);
	else if (key->type == KEY_DICTS || key->type == KEY_PAGES)
		visit_items(v, p, inside, key->type == KEY_PAGES ? 2 : 1);
}

static void
visit_key(struct visit *v, const struct place *p, const char *inside)
{
	char path[PATH_LENGTH];
	const struct key *key = NULL;
	const char *secret = node_string(p->node);

	if (snprintf(path, sizeof(path), "%s%s", inside, p->key) < (int)sizeof(path))
		key = key_find(v->payload, path);
	if (!key && !*inside)
		key = key_find("*", p->key);
	if (!key) {
		unknown_key(v, p, inside);
		return;
	}
	if (!key->introduced) {
		lint_add(v->l, LINT_K009, LINT_USUAL, p, "%s is a key of %s: iOS ignores it",
		    key->path, key->elsewhere);
		return;
	}
	judge_age(v, p, key);
	judge_supervision(v, p, key);
	if (key->is_mdm_only)
		lint_add(v->l, LINT_K010, LINT_USUAL, p,
		    "%s counts in profiles from an MDM only, not in one installed over USB",
		    key->path);
	if (key->is_secret && secret && *secret)
		lint_add(v->l, LINT_X020, LINT_USUAL, p,
		    "%s is in clear in this file: keep the file private", key->path);
	/* An identifier or UUID that is no text is missing, which C001 does not see. */
	if (!value_has_type(key, p->node))
		judge_type(v, p, key);
	else if (key->type == KEY_DICT || key->type == KEY_DICTS || key->type == KEY_PAGES)
		visit_inside(v, p, key);
	else
		judge_range(v, p, key);
}

static void
look_for_required(struct visit *v, const struct place *dict, const char *inside)
{
	size_t n, i, prefix = strlen(inside);
	const struct key *rows = key_all(v->payload, &n);

	for (i = 0; i < n; i++) {
		const char *name = rows[i].path + prefix;

		if (!rows[i].is_required || strncmp(rows[i].path, inside, prefix) != 0 ||
		    strchr(name, '.'))
			continue;
		if (!dict_get(dict->node, name))
			lint_add(v->l, LINT_K004, LINT_USUAL, dict,
			    "%s is missing: the device refuses the payload", rows[i].path);
	}
}

static void
visit_dict(struct visit *v, const struct place *dict, const char *inside)
{
	auto_lint_walk struct lint_walk w = lint_walk(v->l, dict);

	look_for_required(v, dict, inside);
	while (lint_next(v->l, &w))
		visit_key(v, &w.place, inside);
}

/* Of payloads whose keys are not in the table only the common ones are judged. */
static void
visit_common(struct visit *v, const struct place *dict)
{
	size_t n, i;
	const struct key *rows = key_all("*", &n);

	for (i = 0; i < n; i++) {
		struct place p = lint_get(v->l, dict, rows[i].path);

		if (p.node && !value_has_type(&rows[i], p.node))
			judge_type(v, &p, &rows[i]);
	}
}

void
lint_keys(struct linter *l)
{
	size_t i, n;

	for (i = 0; i < l->n_payloads; i++) {
		const struct lint_payload *p = &l->payloads[i];
		struct visit v = { .l = l, .payload = p->type };

		if (!p->type || !key_all(p->type, &n) || strcmp(p->type, "*") == 0 ||
		    strcmp(p->type, "Configuration") == 0)
			visit_common(&v, &p->place);
		else
			visit_dict(&v, &p->place, "");
		if (v.n_supervised)
			lint_add(l, LINT_K005, LINT_NOTE, &p->place,
			    "%zu key%s only on supervised devices: %s%s", v.n_supervised,
			    v.n_supervised == 1 ? " works" : "s work", v.supervised,
			    v.n_supervised > 3 ? ", …" : "");
	}
}
