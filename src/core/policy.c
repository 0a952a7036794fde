/* policy: matching, weighing, and what the winner asks of a device */
#include "core/policy.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/text.h"
#include "core/desired.h"

/* One bit for each kind of condition: the more telling, the higher. */
enum {
	WEIGHT_ORGANIZATION	= 1 << 0,
	WEIGHT_OS		= 1 << 1,
	WEIGHT_PRODUCT_PATTERN	= 1 << 2,
	WEIGHT_PRODUCT		= 1 << 3,
	WEIGHT_SERIAL_PATTERN	= 1 << 4,
	WEIGHT_SLOT		= 1 << 5,
	WEIGHT_SERIAL		= 1 << 6,
	WEIGHT_UDID		= 1 << 7,
};

static void
clear_texts(struct policy_texts *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		free(t->items[i]);
	free(t->items);
}

static void
clear_profile(struct policy_profile *p)
{
	free(p->preset);
	free(p->app);
	free(p->file);
	free(p->identifier);
	blob_clear(&p->raw);
	blob_clear(&p->content);
}

void
policy_clear(struct policy *p)
{
	struct policy_texts *lists[] = {
		&p->organizations, &p->serials, &p->products, &p->udids, &p->slots, &p->absent,
	};
	char *texts[] = {
		p->path, p->name, p->organization, p->identity, p->passphrase_file, p->timezone,
		p->on_attach, p->on_verdict, p->on_detach,
	};
	size_t i;

	for (i = 0; i < countof(lists); i++)
		clear_texts(lists[i]);
	for (i = 0; i < countof(texts); i++)
		free(texts[i]);
	for (i = 0; i < p->n_profiles; i++)
		clear_profile(&p->profiles[i]);
	free(p->profiles);
	free(p->window.except);
	zone_clear(&p->zone);
	*p = (struct policy){ 0 };
}

/* ---- matching ---------------------------------------------------------------- */

static bool
same_character(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

bool
policy_pattern_fits(const char *pattern, const char *text)
{
	const char *star = NULL, *again = NULL;

	/* One star at a time: what the last one took can grow, earlier ones need not. */
	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			again = text;
		} else if (*pattern && (*pattern == '?' || same_character(*pattern, *text))) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++again;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

static bool
is_pattern(const char *s)
{
	return strpbrk(s, "*?") != NULL;
}

typedef bool fits_fn(const char *condition, const char *fact);

/* Names of people's making are compared as they are written. */
static bool
is_same(const char *condition, const char *fact)
{
	return strcmp(condition, fact) == 0;
}

static bool
is_listed(const struct policy_texts *list, const char *fact, fits_fn *fits)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (fits(list->items[i], fact))
			return true;
	return false;
}

/* One condition: no list, no condition; no fact, no answer. */
static enum policy_match
match_list(const struct policy_texts *list, const char *fact, fits_fn *fits)
{
	if (list->n == 0)
		return MATCH_YES;
	if (!fact)
		return MATCH_MAYBE;
	return is_listed(list, fact, fits) ? MATCH_YES : MATCH_NO;
}

static enum policy_match
match_slot(const struct policy *p, const struct policy_subject *s)
{
	enum policy_match m = match_list(&p->slots, s->slot, policy_pattern_fits);

	return m == MATCH_MAYBE && s->has_slot_map ? MATCH_NO : m;
}

static enum policy_match
match_os(const struct policy *p, const struct policy_subject *s)
{
	if (p->os.n == 0)
		return MATCH_YES;
	if (!s->os)
		return MATCH_MAYBE;
	switch (osrange_check(&p->os, s->os)) {
	case OS_TOO_OLD:
		return MATCH_TOO_OLD;
	case OS_TOO_NEW:
		return MATCH_NO;
	default:
		return MATCH_YES;
	}
}

/* Whose it is: by name when the policy names somebody, by our identity always. */
static enum policy_match
match_owner(const struct policy *p, const struct policy_subject *s, enum known is_ours)
{
	if (p->organizations.n == 0) {
		if (is_ours != UNKNOWN)
			return is_ours == YES ? MATCH_YES : MATCH_NO;
		return p->identity || s->is_supervised == UNKNOWN ? MATCH_MAYBE : MATCH_YES;
	}
	if (s->is_supervised == NO)
		return MATCH_NO;
	if (!s->organization && s->is_supervised == YES)
		return MATCH_NO;	/* it has told everything, and no name was in it */
	return match_list(&p->organizations, s->organization, is_same);
}

/* Everything but whose it is. */
static enum policy_match
match_rest(const struct policy *p, const struct policy_subject *s)
{
	const enum policy_match all[] = {
		match_list(&p->udids, s->udid, text_same_udid),
		match_list(&p->serials, s->serial, policy_pattern_fits),
		match_list(&p->products, s->product, policy_pattern_fits),
		match_slot(p, s),
		match_os(p, s),
	};
	enum policy_match least = MATCH_YES;
	size_t i;

	for (i = 0; i < countof(all); i++)
		if (all[i] < least)
			least = all[i];
	return least;
}

enum policy_match
policy_match(const struct policy *p, const struct policy_subject *s, enum known is_ours)
{
	enum policy_match owner = match_owner(p, s, is_ours), rest = match_rest(p, s);

	return owner < rest ? owner : rest;
}

/* ---- weighing ----------------------------------------------------------------- */

static unsigned
weigh_patterns(const struct policy_texts *list, const char *fact, unsigned exact, unsigned pattern)
{
	unsigned best = 0;
	size_t i;

	for (i = 0; i < list->n; i++) {
		unsigned weight = is_pattern(list->items[i]) ? pattern : exact;

		if (weight > best && (!fact || policy_pattern_fits(list->items[i], fact)))
			best = weight;
	}
	return best;
}

unsigned
policy_weight(const struct policy *p, const struct policy_subject *s)
{
	return (p->udids.n ? WEIGHT_UDID : 0) |
	    weigh_patterns(&p->serials, s->serial, WEIGHT_SERIAL, WEIGHT_SERIAL_PATTERN) |
	    weigh_patterns(&p->products, s->product, WEIGHT_PRODUCT, WEIGHT_PRODUCT_PATTERN) |
	    (p->slots.n ? WEIGHT_SLOT : 0) | (p->os.n ? WEIGHT_OS : 0) |
	    (p->organizations.n ? WEIGHT_ORGANIZATION : 0);
}

struct policy_choice
policies_choose(const struct policies *policies, const struct policy_subject *s,
    const enum known *is_ours)
{
	struct policy_choice choice = { 0 };
	unsigned best = 0;
	size_t i;

	for (i = 0; i < policies->n; i++) {
		const struct policy *p = policies->items[i];
		enum policy_match m = policy_match(p, s, is_ours[i]);
		unsigned weight = policy_weight(p, s);

		choice.is_too_old |= m == MATCH_TOO_OLD;
		choice.is_unsupervised |= s->is_supervised == NO && match_rest(p, s) == MATCH_YES;
		if (m != MATCH_YES)
			continue;
		if (choice.policy && weight == best)
			choice.rival = p;
		if (choice.policy && weight <= best)
			continue;
		choice.policy = p;
		choice.rival = NULL;
		best = weight;
	}
	if (choice.policy)
		choice.is_too_old = choice.is_unsupervised = false;
	return choice;
}

size_t
policies_rank(const struct policies *policies, const struct policy_subject *s,
    const struct policy **order)
{
	size_t n = 0, i, at;

	for (i = 0; i < policies->n; i++) {
		const struct policy *p = policies->items[i];

		if (policy_match(p, s, UNKNOWN) < MATCH_MAYBE)
			continue;
		for (at = n++;
		    at > 0 && policy_weight(order[at - 1], s) < policy_weight(p, s); at--)
			order[at] = order[at - 1];
		order[at] = p;
	}
	return n;
}

/* ---- collisions ----------------------------------------------------------------- */

/* Whether everything in a is also in b; nothing given means everything. */
static bool
is_within(const struct policy_texts *a, const struct policy_texts *b, fits_fn *same)
{
	size_t i;

	if (b->n == 0)
		return true;
	if (a->n == 0)
		return false;
	for (i = 0; i < a->n; i++)
		if (!is_listed(b, a->items[i], same))
			return false;
	return true;
}

static bool
is_same_anyhow(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

static bool
is_same_range(const struct osrange *a, const struct osrange *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (a->terms[i].operator != b->terms[i].operator ||
		    text_compare_versions(a->terms[i].version, b->terms[i].version) != 0)
			return false;
	return true;
}

/* Every device of a is one of b. */
static bool
is_covered(const struct policy *a, const struct policy *b)
{
	return is_within(&a->organizations, &b->organizations, is_same) &&
	    is_within(&a->udids, &b->udids, text_same_udid) &&
	    is_within(&a->serials, &b->serials, is_same_anyhow) &&
	    is_within(&a->products, &b->products, is_same_anyhow) &&
	    is_within(&a->slots, &b->slots, is_same_anyhow) &&
	    is_same_range(&a->os, &b->os);
}

/* The heaviest that the policy can weigh: which kinds of conditions it has. */
static unsigned
general_weight(const struct policy *p)
{
	const struct policy_subject nobody = { 0 };

	return policy_weight(p, &nobody);
}

/* The same name in both lists, or no condition in either. */
static bool
name_same(const struct policy_texts *a, const struct policy_texts *b, fits_fn *same)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (is_listed(b, a->items[i], same))
			return true;
	return a->n == 0 && b->n == 0;
}

static bool
have_same_identity(const struct policy *a, const struct policy *b)
{
	return a->identity == b->identity ||
	    (a->identity && b->identity && strcmp(a->identity, b->identity) == 0);
}

bool
policies_collide(const struct policy *a, const struct policy *b)
{
	bool is_same_client = a->organizations.n || b->organizations.n ?
	    name_same(&a->organizations, &b->organizations, is_same) : have_same_identity(a, b);

	if (!is_same_client || general_weight(a) != general_weight(b))
		return false;
	return is_covered(a, b) || is_covered(b, a) ||
	    (name_same(&a->udids, &b->udids, text_same_udid) &&
	    name_same(&a->serials, &b->serials, is_same_anyhow) &&
	    name_same(&a->slots, &b->slots, is_same_anyhow) &&
	    name_same(&a->products, &b->products, is_same_anyhow) &&
	    is_same_range(&a->os, &b->os));
}

/* ---- what the device should be --------------------------------------------------- */

static int
desire_preset(const struct policy *p, const struct policy_profile *profile, int64_t removal_at,
    const char *organization, struct desired *out, struct error *err)
{
	const struct profile_spec spec = {
		.presets = (const char *const *)&profile->preset, .n_presets = 1,
		.organization = p->organization ? p->organization : organization,
		.is_removable = p->is_removable, .removal_at = removal_at, .app = profile->app,
	};

	return desired_add_spec(out, &spec, err);
}

static int
desire_profile(const struct policy *p, const struct policy_profile *profile, int64_t removal_at,
    const char *organization, struct desired *out, struct error *err)
{
	if (profile->preset)
		return desire_preset(p, profile, removal_at, organization, out, err);
	return desired_add_file(out, &profile->raw, &profile->content, err);
}

int
policy_desire(const struct policy *p, enum policy_purpose purpose, int64_t now,
    const char *organization, struct desired *out, struct error *err)
{
	struct window_state window = { .is_open = true, .until = INT64_MAX };
	size_t i;

	if (p->has_window)
		window = window_at(&p->window, now);
	for (i = 0; i < p->n_profiles; i++) {
		const struct policy_profile *profile = &p->profiles[i];
		bool is_bound = p->has_window && !profile->is_always;
		bool is_wanted = purpose == POLICY_KEEP && (window.is_open || !is_bound);
		int64_t removal_at = is_bound && window.until != INT64_MAX ? window.until : 0;
		int rc = is_wanted ?
		    desire_profile(p, profile, removal_at, organization, out, err) :
		    desired_add_absent(out, profile->identifier, err);

		if (rc < 0)
			return -1;
	}
	for (i = 0; purpose == POLICY_KEEP && i < p->absent.n; i++)
		if (desired_add_absent(out, p->absent.items[i], err) < 0)
			return -1;
	return 0;
}

int64_t
policy_next_boundary(const struct policy *p, int64_t now)
{
	return p->has_window ? window_at(&p->window, now).until : INT64_MAX;
}
