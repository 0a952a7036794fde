/* tally: counting */
#include "report/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const int64_t DAY_MS = 86400000;

static const struct {
	int64_t		 days;		/* up to; 0: any */
	const char	*word;
} ages[TALLY_AGES] = {
	{ 1, "within a day" }, { 7, "within a week" }, { 30, "within 30 days" },
	{ 0, "longer ago" }, { 0, "never" },
};

static const struct {
	int64_t		 ms;		/* less than; 0: any */
	const char	*word;
} times[TALLY_TIMES] = {
	{ 100, "0.1 s" }, { 200, "0.2 s" }, { 300, "0.3 s" }, { 500, "0.5 s" }, { 1000, "1 s" },
	{ 2000, "2 s" }, { 5000, "5 s" }, { 30000, "30 s" }, { 0, "more" },
};

const char *
tally_age_word(size_t i)
{
	return ages[i].word;
}

const char *
tally_time_word(size_t i)
{
	return times[i].word;
}

bool
tally_is_compliant(const struct tally_device *d)
{
	return d->verdict == VERDICT_COMPLIANT && !d->was_removed;
}

/* ---- groups: a hash table in front of an array ------------------------------------- */

static size_t
hash_of(const char *s)
{
	uint64_t h = 0xcbf29ce484222325U;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3U;
	return (size_t)(h ^ h >> 32);
}

static size_t
find_slot(const struct tally_groups *g, const char *key)
{
	size_t i = hash_of(key) % g->slots;

	while (g->index[i] && strcmp(g->items[g->index[i] - 1].key, key) != 0)
		i = (i + 1) % g->slots;
	return i;
}

static int
grow(struct tally_groups *g)
{
	size_t room = g->room ? 2 * g->room : 32, i;
	struct tally_group *items = reallocarray(g->items, room, sizeof(*items));
	size_t *index;

	if (!items)
		return -1;
	g->items = items;
	index = calloc(2 * room, sizeof(*index));
	if (!index)
		return -1;
	free(g->index);
	g->index = index;
	g->slots = 2 * room;
	g->room = room;
	for (i = 0; i < g->n; i++)
		g->index[find_slot(g, g->items[i].key)] = i + 1;
	return 0;
}

/* The position of key, made when it is new; -1 out of memory. */
static int
find_group(struct tally_groups *g, const char *key, size_t *at)
{
	size_t slot;

	if (g->n == g->room && grow(g) < 0)
		return -1;
	slot = find_slot(g, key);
	if (!g->index[slot]) {
		g->items[g->n] = (struct tally_group){ .key = strdup(key) };
		if (!g->items[g->n].key)
			return -1;
		g->index[slot] = ++g->n;
	}
	*at = g->index[slot] - 1;
	return 0;
}

static int
count(struct tally_groups *g, const char *key, enum verdict v)
{
	size_t at;

	if (!key)
		return 0;
	if (find_group(g, key, &at) < 0)
		return -1;
	g->items[at].n[v]++;
	g->items[at].total++;
	return 0;
}

static void
groups_clear(struct tally_groups *g)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		free(g->items[i].key);
	free(g->items);
	free(g->index);
	*g = (struct tally_groups){ 0 };
}

/* ---- devices ----------------------------------------------------------------------- */

/* What is known replaces what was known; what is unknown does not. */
static int
keep(char **at, const char *text)
{
	char *copy;

	if (!text || (*at && strcmp(*at, text) == 0))
		return 0;
	copy = strdup(text);
	if (!copy)
		return -1;
	free(*at);
	*at = copy;
	return 0;
}

static int
find_device(struct tally *t, const char *device, struct tally_device **out)
{
	size_t at;

	if (find_group(&t->by_device, device, &at) < 0)
		return -1;
	if (at == t->n_devices) {
		if (t->n_devices == t->room) {
			size_t room = t->room ? 2 * t->room : 32;
			struct tally_device *grown = reallocarray(t->devices, room, sizeof(*grown));

			if (!grown)
				return -1;
			t->devices = grown;
			t->room = room;
		}
		t->devices[t->n_devices++] = (struct tally_device){ 0 };
	}
	*out = &t->devices[at];
	return keep(&(*out)->device, device);
}

/* NULL: nothing was judged of it yet. */
static struct tally_device *
known_device(struct tally *t, const char *device)
{
	size_t slot;

	if (t->by_device.n == 0)
		return NULL;
	slot = find_slot(&t->by_device, device);
	return t->by_device.index[slot] ? &t->devices[t->by_device.index[slot] - 1] : NULL;
}

/* Whether a line of the one is a line of the other; who does not know assumes it. */
static bool
shares_line(const char *a, const char *b)
{
	size_t n, m;
	const char *p;

	if (!a || !b)
		return true;
	for (; *a; a += n + (a[n] == '\n')) {
		n = strcspn(a, "\n");
		for (p = b; *p; p += m + (p[m] == '\n')) {
			m = strcspn(p, "\n");
			if (n > 0 && m == n && strncmp(a, p, n) == 0)
				return true;
		}
	}
	return false;
}

static int
update_device(struct tally *t, const struct observation *o, enum verdict v)
{
	struct tally_device *d;

	if (find_device(t, o->device, &d) < 0 || keep(&d->name, o->name) < 0 ||
	    keep(&d->serial, o->serial) < 0 || keep(&d->model, o->model) < 0 ||
	    keep(&d->os, o->os) < 0 || keep(&d->station, o->station) < 0 ||
	    keep(&d->slot, o->slot) < 0 || keep(&d->policy, o->policy) < 0)
		return -1;
	free(steal_pointer(&d->reason));
	free(steal_pointer(&d->truth));
	free(steal_pointer(&d->profiles));
	if (keep(&d->reason, o->reason) < 0 || keep(&d->truth, o->truth) < 0 ||
	    keep(&d->profiles, o->profiles) < 0)
		return -1;
	d->verdict = v;
	d->was_removed = false;
	d->at_ms = o->at_ms;
	d->jobs++;
	if (v == VERDICT_COMPLIANT)
		d->compliant_ms = o->at_ms;
	else
		d->troubles++;
	return 0;
}

static int
add_duration(struct tally *t, int64_t ms)
{
	if (ms < 0)
		return 0;
	if (t->n_durations == t->durations_room) {
		size_t room = t->durations_room ? 2 * t->durations_room : 256;
		int64_t *grown = reallocarray(t->durations, room, sizeof(*grown));

		if (!grown)
			return -1;
		t->durations = grown;
		t->durations_room = room;
	}
	t->durations[t->n_durations++] = ms;
	return 0;
}

/* ---- adding -------------------------------------------------------------------------- */

static int
verdict_number(const char *word)
{
	int v;

	for (v = 0; word && v < TALLY_VERDICTS; v++)
		if (strcmp(verdict_word((enum verdict)v), word) == 0)
			return v;
	return -1;
}

static int
add_judging(struct tally *t, const struct observation *o, enum verdict v)
{
	char day[24];

	snprintf(day, sizeof(day), "%lld", (long long)o->day);
	if (update_device(t, o, v) < 0 || count(&t->by_device, o->device, v) < 0 ||
	    count(&t->by_day, day, v) < 0 || count(&t->by_slot, o->slot, v) < 0 ||
	    count(&t->by_policy, o->policy, v) < 0 || count(&t->by_reason, o->reason, v) < 0 ||
	    add_duration(t, o->duration_ms) < 0)
		return -1;
	if (t->jobs == 0) {
		t->first_ms = o->at_ms;
		t->first_day = t->last_day = o->day;
	}
	t->last_ms = o->at_ms;
	/* A clock that was set back makes no negative time. */
	t->first_day = o->day < t->first_day ? o->day : t->first_day;
	t->last_day = o->day > t->last_day ? o->day : t->last_day;
	t->verdicts[v]++;
	t->jobs++;
	t->changes += o->is_changed;
	return 0;
}

int
tally_add(struct tally *t, const struct observation *o, struct error *err)
{
	int v = verdict_number(o->verdict);
	struct tally_device *d;

	if (v < 0 || !o->command || !o->device)
		return 0;
	if (strcmp(o->command, "apply") == 0 || strcmp(o->command, "verify") == 0)
		return add_judging(t, o, (enum verdict)v) < 0 ? error_memory(err) : 0;
	if (strcmp(o->command, "remove") != 0 || !o->is_changed)
		return 0;
	d = known_device(t, o->device);
	if (d && shares_line(o->profiles, d->profiles))
		d->was_removed = true;
	return 0;
}

int
tally_add_setting(struct tally *t, const struct observation *o, const char *key,
    const char *want, struct error *err)
{
	auto_free char *setting = NULL, *once = NULL;
	size_t before = t->asked.n, at;

	if (!o->command || !o->device || verdict_number(o->verdict) < 0 ||
	    (strcmp(o->command, "apply") != 0 && strcmp(o->command, "verify") != 0))
		return 0;
	if (asprintf(&setting, "%s=%s", key, want) < 0)
		setting = NULL;
	if (!setting || asprintf(&once, "%s\n%s", o->device, setting) < 0)
		once = NULL;
	if (!once || find_group(&t->asked, once, &at) < 0)
		return error_memory(err);
	if (t->asked.n > before && count(&t->by_setting, setting, VERDICT_COMPLIANT) < 0)
		return error_memory(err);
	return 0;
}

/* ---- summing up ------------------------------------------------------------------------- */

static int
compare_numbers(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t
troubles(const struct tally_group *g)
{
	return g->total - g->n[VERDICT_COMPLIANT];
}

static int
by_trouble(const void *a, const void *b)
{
	const struct tally_group *x = a, *y = b;

	if (troubles(x) != troubles(y))
		return troubles(x) < troubles(y) ? 1 : -1;
	return strcmp(x->key, y->key);
}

static int
by_total(const void *a, const void *b)
{
	const struct tally_group *x = a, *y = b;

	return x->total != y->total ? (x->total < y->total ? 1 : -1) : strcmp(x->key, y->key);
}

static int
by_failure(const void *a, const void *b)
{
	const struct tally_group *x = a, *y = b;

	if (x->n[VERDICT_FAILED] != y->n[VERDICT_FAILED])
		return x->n[VERDICT_FAILED] < y->n[VERDICT_FAILED] ? 1 : -1;
	return by_trouble(a, b);
}

static int
by_number(const void *a, const void *b)
{
	int64_t x = strtoll(((const struct tally_group *)a)->key, NULL, 10);
	int64_t y = strtoll(((const struct tally_group *)b)->key, NULL, 10);

	return (x > y) - (x < y);
}

/* What needs a person comes first: then the oldest. */
static int
by_need(const void *a, const void *b)
{
	const struct tally_device *x = a, *y = b;
	int nx = tally_is_compliant(x) ? 0 : 1 + (int)x->verdict;
	int ny = tally_is_compliant(y) ? 0 : 1 + (int)y->verdict;

	if (nx != ny)
		return ny - nx;
	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	return strcmp(x->device, y->device);
}

/* Sorting breaks the index: nothing is added after this. */
static void
sort_groups(struct tally_groups *g, int (*compare)(const void *, const void *))
{
	free(g->index);
	g->index = NULL;
	if (g->n)
		qsort(g->items, g->n, sizeof(*g->items), compare);
}

static size_t
age_of(const struct tally_device *d, int64_t now_ms)
{
	size_t i;

	if (!d->compliant_ms)
		return TALLY_AGES - 1;
	for (i = 0; i < TALLY_AGES - 2; i++)
		if (now_ms - d->compliant_ms <= ages[i].days * DAY_MS)
			return i;
	return TALLY_AGES - 2;
}

static void
sum_durations(struct tally *t)
{
	size_t n = t->n_durations, i, k = 0;

	if (n == 0)
		return;
	qsort(t->durations, n, sizeof(*t->durations), compare_numbers);
	for (i = 0; i < n; i++) {
		while (times[k].ms && t->durations[i] >= times[k].ms)
			k++;
		t->times[k]++;
	}
	/* Nearest rank: so many of a hundred took at most so long. */
	t->median_ms = t->durations[(n + 1) / 2 - 1];
	t->p95_ms = t->durations[(n * 95 + 99) / 100 - 1];
	t->longest_ms = t->durations[n - 1];
}

void
tally_finish(struct tally *t, int64_t now_ms)
{
	size_t i;

	for (i = 0; i < t->n_devices; i++) {
		const struct tally_device *d = &t->devices[i];

		t->devices_now[d->was_removed ? VERDICT_NONCOMPLIANT : d->verdict]++;
		t->ages[age_of(d, now_ms)]++;
	}
	sort_groups(&t->by_device, by_trouble);
	sort_groups(&t->by_day, by_number);
	sort_groups(&t->by_slot, by_failure);
	sort_groups(&t->by_policy, by_trouble);
	sort_groups(&t->by_reason, by_trouble);
	sort_groups(&t->by_setting, by_total);
	if (t->n_devices)
		qsort(t->devices, t->n_devices, sizeof(*t->devices), by_need);
	sum_durations(t);
}

static void
device_clear(struct tally_device *d)
{
	char *texts[] = { d->device, d->name, d->serial, d->model, d->os, d->station, d->slot,
		d->policy, d->reason, d->truth, d->profiles };
	size_t i;

	for (i = 0; i < countof(texts); i++)
		free(texts[i]);
}

void
tally_clear(struct tally *t)
{
	struct tally_groups *groups[] = { &t->by_device, &t->by_day, &t->by_slot, &t->by_policy,
		&t->by_reason, &t->by_setting, &t->asked };
	size_t i;

	for (i = 0; i < t->n_devices; i++)
		device_clear(&t->devices[i]);
	for (i = 0; i < countof(groups); i++)
		groups_clear(groups[i]);
	free(t->devices);
	free(t->durations);
	*t = (struct tally){ 0 };
}
