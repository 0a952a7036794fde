/* lint: gathers findings; the rules themselves are in lint_*.c */
#include "core/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/proplist.h"
#include "base/text.h"
#include "core/linter.h"

const struct lint_rule lint_rules[LINT_RULE_COUNT] = {
#define LINT_ROW(id, severity, text)	{ #id, LINT_##severity, text },
	LINT_RULES(LINT_ROW)
#undef LINT_ROW
};

enum { PATH_MAX_TEXT = 400, KEY_MAX_TEXT = 80, MESSAGE_MAX = 480, PATH_DEPTH = 12 };

const char *
lint_severity_word(enum lint_severity s)
{
	return s == LINT_ERROR ? "error" : s == LINT_WARNING ? "warning" : "note";
}

enum lint_severity
lint_verdict(const struct lint_report *r)
{
	return r->errors ? LINT_ERROR : r->warnings ? LINT_WARNING : LINT_NOTE;
}

void
lint_report_clear(struct lint_report *r)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		free(r->findings[i].path);
		free(r->findings[i].message);
	}
	free(r->findings);
	*r = (struct lint_report){ 0 };
}

/* ---- adding --------------------------------------------------------------- */

void
lint_fail(struct linter *l)
{
	l->has_failed = true;
	error_memory(l->err);
}

bool
lint_is_full(const struct linter *l)
{
	return l->report->n >= LINT_FINDINGS_MAX;
}

struct lint_text
lint_text(const char *foreign)
{
	struct lint_text t;

	text_printable(foreign ? foreign : "", foreign ? strlen(foreign) : 0, t.s, sizeof(t.s));
	return t;
}

static void
count(struct lint_report *r, enum lint_severity severity)
{
	if (severity == LINT_ERROR)
		r->errors++;
	else if (severity == LINT_WARNING)
		r->warnings++;
	else
		r->notes++;
}

/* The way from the root, outermost first; what is too deep is cut in front. */
static void
write_path(const struct place *place, char out[PATH_MAX_TEXT])
{
	const struct place *way[PATH_DEPTH];
	size_t n = 0, used = 0;

	out[0] = '\0';
	for (; place && place->up && n < PATH_DEPTH; place = place->up)
		way[n++] = place;
	if (place && place->up)
		used = (size_t)snprintf(out, PATH_MAX_TEXT, "…");
	while (n-- > 0 && used < PATH_MAX_TEXT) {
		char key[KEY_MAX_TEXT];

		if (!way[n]->key) {
			used += (size_t)snprintf(out + used, PATH_MAX_TEXT - used, "[%zu]",
			    way[n]->index);
			continue;
		}
		text_printable(way[n]->key, strlen(way[n]->key), key, sizeof(key));
		used += (size_t)snprintf(out + used, PATH_MAX_TEXT - used, "%s%s",
		    used ? "." : "", key);
	}
}

static void
add(struct linter *l, enum lint_rule_number rule, int severity, size_t offset, const char *path,
    const char *fmt, va_list ap) __attribute__((format(printf, 6, 0)));

static void
add(struct linter *l, enum lint_rule_number rule, int severity, size_t offset, const char *path,
    const char *fmt, va_list ap)
{
	struct lint_report *r = l->report;
	enum lint_severity s = severity == LINT_USUAL ? lint_rules[rule].severity
	    : (enum lint_severity)severity;
	char cut[MESSAGE_MAX], message[MESSAGE_MAX + 4], where[PATH_MAX_TEXT + 4];
	struct lint_finding *f;

	count(r, s);
	if (l->has_failed || lint_is_full(l)) {
		r->left_out++;
		return;
	}
	if (r->n == r->room) {
		size_t room = r->room ? 2 * r->room : 16;
		struct lint_finding *grown = reallocarray(r->findings, room, sizeof(*grown));

		if (!grown) {
			lint_fail(l);
			return;
		}
		r->findings = grown;
		r->room = room;
	}
	/* Cutting to size can leave half a character. */
	vsnprintf(cut, sizeof(cut), fmt, ap);
	text_printable(cut, strlen(cut), message, sizeof(message));
	text_printable(path, strlen(path), where, sizeof(where));
	f = &r->findings[r->n];
	*f = (struct lint_finding){
		.rule = &lint_rules[rule], .severity = s, .path = strdup(where),
		.message = strdup(message), .offset = offset,
	};
	r->n++;
	if (!f->path || !f->message)
		lint_fail(l);
}

void
lint_add(struct linter *l, enum lint_rule_number rule, int severity, const struct place *place,
    const char *fmt, ...)
{
	char path[PATH_MAX_TEXT] = "";
	const struct place *known = place;
	size_t offset = 0;
	va_list ap;

	/* Where the place itself was not found, what holds it was. */
	while (known && known->at == OUTLINE_NONE)
		known = known->up;
	if (known && known->at < l->outline.n)
		offset = l->outline.nodes[known->at].offset;
	if (!lint_is_full(l))
		write_path(place, path);
	va_start(ap, fmt);
	add(l, rule, severity, offset, path, fmt, ap);
	va_end(ap);
}

void
lint_add_at(struct linter *l, enum lint_rule_number rule, int severity, size_t offset,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(l, rule, severity, offset, "", fmt, ap);
	va_end(ap);
}

/* ---- places --------------------------------------------------------------- */

struct place
lint_get(struct linter *l, const struct place *dict, const char *key)
{
	struct place p = { .up = dict, .key = key, .at = OUTLINE_NONE };

	p.node = dict_get(dict->node, key);
	if (p.node && dict->at != OUTLINE_NONE)
		p.at = outline_child(&l->outline, dict->at, key);
	return p;
}

struct lint_walk
lint_walk(struct linter *l, const struct place *in)
{
	struct lint_walk w = { .in = in, .next = OUTLINE_NONE };
	plist_dict_iter dict = NULL;
	plist_array_iter array = NULL;

	if (node_is(in->node, PLIST_DICT))
		plist_dict_new_iter(in->node, &dict);
	else if (node_is(in->node, PLIST_ARRAY))
		plist_array_new_iter(in->node, &array);
	else
		w.is_over = true;
	w.iter = dict ? dict : array;
	if (!w.iter && !w.is_over) {
		lint_fail(l);
		w.is_over = true;
	}
	if (in->at != OUTLINE_NONE)
		w.next = l->outline.nodes[in->at].first;
	return w;
}

/* A file can be made in which no key is found where it should be: give up then. */
static uint32_t
position(struct linter *l, const struct lint_walk *w)
{
	enum { PATIENCE = 100 };
	uint32_t at = OUTLINE_NONE;
	size_t len = 0;
	const char *key;

	if (w->in->at == OUTLINE_NONE)
		return OUTLINE_NONE;
	if (!w->key)
		return w->next;
	key = w->next == OUTLINE_NONE ? NULL : outline_key(&l->outline, w->next, &len);
	if (key && strlen(w->key) == len && memcmp(key, w->key, len) == 0)
		return w->next;
	if (l->misses++ < PATIENCE)
		at = outline_child(&l->outline, w->in->at, w->key);
	return at;
}

bool
lint_next(struct linter *l, struct lint_walk *w)
{
	plist_t node = NULL;

	if (w->is_over || l->has_failed)
		return false;
	free(steal_pointer(&w->key));
	if (node_is(w->in->node, PLIST_DICT))
		plist_dict_next_item(w->in->node, w->iter, &w->key, &node);
	else
		plist_array_next_item(w->in->node, w->iter, &node);
	if (!node || (node_is(w->in->node, PLIST_DICT) && !w->key)) {
		w->is_over = true;
		return false;
	}
	w->place = (struct place){
		.up = w->in, .key = w->key, .index = w->index++, .node = node,
		.at = position(l, w),
	};
	if (w->place.at != OUTLINE_NONE)
		w->next = l->outline.nodes[w->place.at].next;
	return true;
}

void
lint_walk_clear(struct lint_walk *w)
{
	free(w->key);
	free(w->iter);
	w->key = NULL;
	w->iter = NULL;
}

bool
lint_is(const struct place *p, bool value)
{
	uint8_t truth = 0;

	if (!node_is(p->node, PLIST_BOOLEAN))
		return false;
	plist_get_bool_val(p->node, &truth);
	return (truth != 0) == value;
}

static int
compare_key(const void *key, const void *restriction)
{
	return strcmp(key, ((const struct lint_restriction *)restriction)->key);
}

const struct lint_restriction *
lint_restriction(const struct linter *l, const char *key)
{
	const struct lint_restriction *r = NULL;

	if (l->n_restrictions)
		r = bsearch(key, l->restrictions, l->n_restrictions, sizeof(*r), compare_key);
	while (r && r > l->restrictions && strcmp(r[-1].key, key) == 0)
		r--;
	return r;
}

bool
lint_restricts(const struct linter *l, const char *key, bool value, const struct place **where)
{
	const struct lint_restriction *r = lint_restriction(l, key);
	const struct lint_restriction *end;

	if (!r)
		return false;
	end = l->restrictions + l->n_restrictions;
	for (; r < end && strcmp(r->key, key) == 0; r++) {
		if (!lint_is(&r->place, value))
			continue;
		if (where)
			*where = &r->place;
		return true;
	}
	return false;
}

const struct lint_payload *
lint_payload_of(const struct linter *l, const char *type, size_t *i)
{
	while (*i < l->n_payloads) {
		const struct lint_payload *p = &l->payloads[(*i)++];

		if (p->type && strcmp(p->type, type) == 0)
			return p;
	}
	return NULL;
}

/* ---- what there is --------------------------------------------------------- */

static bool
gather_payloads(struct linter *l)
{
	auto_lint_walk struct lint_walk w = lint_walk(l, &l->content);
	size_t n = node_is(l->content.node, PLIST_ARRAY) ?
	    plist_array_get_size(l->content.node) : 0;

	l->payloads = calloc(n + 1, sizeof(*l->payloads));
	if (!l->payloads) {
		lint_fail(l);
		return false;
	}
	while (l->n_payloads < n && lint_next(l, &w)) {
		struct lint_payload *p = &l->payloads[l->n_payloads];

		if (!node_is(w.place.node, PLIST_DICT)) {
			lint_add(l, LINT_T009, LINT_USUAL, &w.place,
			    "this payload is no dictionary: the device refuses the profile");
			continue;
		}
		p->place = w.place;
		p->type = dict_get_string(p->place.node, "PayloadType");
		p->fact = p->type ? payload_type_find(p->type) : NULL;
		l->n_payloads++;
	}
	return true;
}

static bool
keep_restriction(struct linter *l, const struct lint_walk *w)
{
	struct lint_restriction *r;

	if (l->n_restrictions == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct lint_restriction *grown =
		    reallocarray(l->restrictions, room, sizeof(*grown));

		if (!grown)
			return false;
		l->restrictions = grown;
		l->room = room;
	}
	r = &l->restrictions[l->n_restrictions];
	r->key = strdup(w->key);
	r->fact = key_find(RESTRICTIONS, w->key);
	r->place = w->place;
	r->place.key = r->key;
	if (!r->key)
		return false;
	l->n_restrictions++;
	return true;
}

static int
compare_restrictions(const void *a, const void *b)
{
	const struct lint_restriction *x = a, *y = b;
	int rc = strcmp(x->key, y->key);

	if (rc == 0 && x->place.up != y->place.up)
		rc = x->place.up < y->place.up ? -1 : 1;
	return rc;
}

static void
gather_restrictions(struct linter *l)
{
	const struct lint_payload *p;
	size_t i = 0;

	while ((p = lint_payload_of(l, RESTRICTIONS, &i))) {
		auto_lint_walk struct lint_walk w = lint_walk(l, &p->place);

		while (lint_next(l, &w)) {
			/* A dictionary's entries have keys.
			 * NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker) */
			if (strncmp(w.key, "Payload", 7) == 0)
				continue;
			if (!keep_restriction(l, &w)) {
				lint_fail(l);
				return;
			}
		}
	}
	if (l->n_restrictions)
		qsort(l->restrictions, l->n_restrictions, sizeof(*l->restrictions),
		    compare_restrictions);
}

static void
ask_all(struct linter *l)
{
	l->top = (struct place){ .at = 0, .node = l->root };
	l->content = lint_get(l, &l->top, "PayloadContent");
	if (!gather_payloads(l))
		return;
	gather_restrictions(l);
	lint_top_level(l);
	lint_removal(l);
	lint_payloads(l);
	lint_keys(l);
	lint_restrictions(l);
	lint_apps(l);
	lint_companions(l);
	lint_device(l);
}

/* ---- order and lines -------------------------------------------------------- */

static int
compare_findings(const void *a, const void *b)
{
	const struct lint_finding *x = a, *y = b;
	int rc;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	rc = strcmp(x->rule->id, y->rule->id);
	return rc ? rc : strcmp(x->path, y->path);
}

/* One pass over the file for all of them; columns count characters. */
static void
set_lines(struct lint_report *r, const uint8_t *data, size_t len)
{
	size_t at = 0, line = 1, column = 1, i;

	for (i = 0; i < r->n; i++) {
		struct lint_finding *f = &r->findings[i];

		for (; at < f->offset && at < len; at++) {
			if (data[at] == '\n') {
				line++;
				column = 1;
			} else if ((data[at] & 0xC0) != 0x80) {
				column++;
			}
		}
		if (f->offset || *f->path) {
			f->line = line;
			f->column = column;
		}
	}
}

static void
release(struct linter *l)
{
	size_t i;

	for (i = 0; i < l->n_restrictions; i++)
		free((char *)(uintptr_t)l->restrictions[i].key);
	free(l->restrictions);
	free(l->payloads);
	if (l->root)
		plist_free(l->root);
	outline_clear(&l->outline);
	blob_clear(&l->converted);
}

int
lint_profile(const void *data, size_t len, const struct lint_signature *signature,
    const struct lint_target *target, struct lint_report *out, struct error *err)
{
	auto_lint_report struct lint_report report = { 0 };
	struct linter l = {
		.signature = signature, .target = target, .report = &report, .err = err,
	};
	bool is_xml = !(len >= 8 && memcmp(data, "bplist00", 8) == 0);

	lint_wrapper(&l);
	if (len > 0 || signature->wrapper <= LINT_WRAPPER_ALTERED)
		if (lint_file(&l, data, len))
			ask_all(&l);
	if (report.n)
		qsort(report.findings, report.n, sizeof(*report.findings), compare_findings);
	if (is_xml && l.converted.len)
		set_lines(&report, l.converted.data, l.converted.len);
	else if (is_xml)
		set_lines(&report, data, len);
	release(&l);
	if (l.has_failed)
		return -1;
	lint_report_clear(out);
	*out = report;
	report = (struct lint_report){ 0 };
	return 0;
}
