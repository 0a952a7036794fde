/* plistguard: bounds on a property list, checked before libplist parses it */
#include "base/plistguard.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/proplist.h"

enum { DEEPEST = 128, TRAILER = 32, HEADER = 8 };

/* One walk. The first problem stays; every later one is ignored. */
struct walk {
	const uint8_t			*data;
	size_t				 len;
	const struct proplist_limits	*limits;
	struct plistguard_finding	*finding;
	size_t				 nodes;
};

static bool
problem(struct walk *w, enum plistguard_problem what, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static bool
problem(struct walk *w, enum plistguard_problem what, size_t at, const char *fmt, ...)
{
	va_list ap;

	w->finding->problem = what;
	w->finding->offset = at;
	va_start(ap, fmt);
	vsnprintf(w->finding->text, sizeof(w->finding->text), fmt, ap);
	va_end(ap);
	return false;
}

static bool
count_node(struct walk *w, size_t at, size_t depth)
{
	if (depth > w->limits->depth || depth >= DEEPEST)
		return problem(w, PLIST_TOO_DEEP, at, "nested deeper than %zu levels",
		    w->limits->depth);
	if (++w->nodes > w->limits->nodes)
		return problem(w, PLIST_TOO_MANY, at, "more than %zu values", w->limits->nodes);
	return true;
}

/* ---- XML ---------------------------------------------------------------- */

enum element { EL_OTHER, EL_PLIST, EL_DICT, EL_ARRAY };

struct xml {
	struct walk	w;
	size_t		at;
	size_t		depth;
	uint8_t		open[DEEPEST + 2];	/* enum element */
	bool		is_over;		/* </plist> was seen */
};

static bool
starts_with(const struct xml *x, const char *s)
{
	size_t n = strlen(s);

	return x->w.len - x->at >= n && memcmp(x->w.data + x->at, s, n) == 0;
}

static bool
skip_past(struct xml *x, const char *end)
{
	size_t n = strlen(end);
	const uint8_t *found = memmem(x->w.data + x->at, x->w.len - x->at, end, n);

	if (!found)
		return problem(&x->w, PLIST_TRUNCATED, x->w.len, "the document ends early");
	x->at = (size_t)(found - x->w.data) + n;
	return true;
}

/* <!DOCTYPE ... > with quoted identifiers and nothing else. */
static bool
skip_doctype(struct xml *x)
{
	uint8_t quote = 0;

	for (; x->at < x->w.len; x->at++) {
		uint8_t c = x->w.data[x->at];

		if (quote) {
			if (c == quote)
				quote = 0;
		} else if (c == '"' || c == '\'') {
			quote = c;
		} else if (c == '[') {
			return problem(&x->w, PLIST_ENTITIES, x->at,
			    "the document type has an internal subset: entities are refused");
		} else if (c == '>') {
			x->at++;
			return true;
		}
	}
	return problem(&x->w, PLIST_TRUNCATED, x->w.len, "the document ends early");
}

static enum element
element_named(const uint8_t *name, size_t len)
{
	if (len == 5 && memcmp(name, "plist", 5) == 0)
		return EL_PLIST;
	if (len == 4 && memcmp(name, "dict", 4) == 0)
		return EL_DICT;
	if (len == 5 && memcmp(name, "array", 5) == 0)
		return EL_ARRAY;
	return EL_OTHER;
}

static bool
close_element(struct xml *x, size_t start, enum element el)
{
	if (x->depth == 0 || x->open[x->depth - 1] != el)
		return problem(&x->w, PLIST_MALFORMED, start, "a closing tag that nothing opened");
	if (--x->depth == 0)
		x->is_over = true;
	return true;
}

static bool
open_element(struct xml *x, size_t start, enum element el)
{
	/* The plist element itself is no level of nesting: a bare value has depth 0. */
	size_t inside = x->depth ? x->depth - 1 : 0;
	bool in_leaf = x->depth && x->open[x->depth - 1] == EL_OTHER;

	if (x->is_over)
		return problem(&x->w, PLIST_TRAILING, start, "something follows </plist>");
	if (in_leaf || (x->depth == 0) != (el == EL_PLIST))
		return problem(&x->w, PLIST_MALFORMED, start, "an element where none can be");
	if (!count_node(&x->w, start, el == EL_OTHER ? inside : inside + 1))
		return false;
	x->open[x->depth++] = (uint8_t)el;
	return true;
}

/* At '<' of an element: <name ...>, <name/> or </name>. */
static bool
take_tag(struct xml *x)
{
	size_t start = x->at, name, end;
	const uint8_t *gt = memchr(x->w.data + x->at, '>', x->w.len - x->at);
	bool closes, is_empty;
	enum element el;

	if (!gt)
		return problem(&x->w, PLIST_TRUNCATED, x->w.len, "the document ends early");
	end = (size_t)(gt - x->w.data);
	x->at = end + 1;
	name = start + 1;
	closes = x->w.data[name] == '/';
	if (closes)
		name++;
	for (end = name; isalnum(x->w.data[end]); end++)
		continue;
	if (end == name)
		return problem(&x->w, PLIST_MALFORMED, start, "a tag without a name");
	el = element_named(x->w.data + name, end - name);
	is_empty = gt[-1] == '/';
	if (closes)
		return close_element(x, start, el);
	if (!open_element(x, start, el))
		return false;
	return is_empty ? close_element(x, start, el) : true;
}

static bool
take_text(struct xml *x)
{
	bool in_leaf = x->depth && x->open[x->depth - 1] == EL_OTHER;

	for (; x->at < x->w.len && x->w.data[x->at] != '<'; x->at++) {
		uint8_t c = x->w.data[x->at];

		if (c == 0)
			return problem(&x->w, PLIST_MALFORMED, x->at, "a NUL byte");
		if (in_leaf || isspace(c))
			continue;
		if (x->is_over)
			return problem(&x->w, PLIST_TRAILING, x->at, "something follows </plist>");
		return problem(&x->w, PLIST_MALFORMED, x->at, "text where none can be");
	}
	return true;
}

static bool
check_xml(const struct walk *w)
{
	struct xml x = { .w = *w };

	if (w->len >= 3 && memcmp(w->data, "\xEF\xBB\xBF", 3) == 0)
		x.at = 3;
	while (x.at < x.w.len) {
		bool ok;

		if (x.w.data[x.at] != '<')
			ok = take_text(&x);
		else if (starts_with(&x, "<?"))
			ok = skip_past(&x, "?>");
		else if (starts_with(&x, "<!--"))
			ok = skip_past(&x, "-->");
		else if (starts_with(&x, "<![CDATA["))
			ok = skip_past(&x, "]]>");
		else if (starts_with(&x, "<!DOCTYPE"))
			ok = skip_doctype(&x);
		else if (starts_with(&x, "<!"))
			ok = problem(&x.w, PLIST_ENTITIES, x.at,
			    "a declaration: entities are refused");
		else
			ok = take_tag(&x);
		if (!ok)
			return false;
	}
	if (!x.is_over)
		return problem(&x.w, PLIST_TRUNCATED, x.w.len, "the document ends early");
	return true;
}

/* ---- binary ------------------------------------------------------------- */

/* A container on the path from the root to where we are. */
struct level {
	size_t	refs;		/* offset of its references */
	size_t	count;		/* how many */
	size_t	next;
};

struct binary {
	struct walk	w;
	size_t		table;		/* offset of the offset table */
	size_t		objects;
	size_t		offset_size, ref_size;
	size_t		depth;
	struct level	path[DEEPEST];
};

static uint64_t
big_endian(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

static bool
read_trailer(struct binary *b, uint64_t *root)
{
	const uint8_t *t = b->w.data + b->w.len - TRAILER;
	uint64_t objects = big_endian(t + 8, 8), table = big_endian(t + 24, 8);

	b->offset_size = t[6];
	b->ref_size = t[7];
	*root = big_endian(t + 16, 8);
	if (b->offset_size < 1 || b->offset_size > 8 || b->ref_size < 1 || b->ref_size > 8 ||
	    table < HEADER || table > b->w.len - TRAILER || objects == 0 || *root >= objects ||
	    objects > (b->w.len - TRAILER - table) / b->offset_size)
		return problem(&b->w, PLIST_MALFORMED, b->w.len - TRAILER,
		    "the trailer points outside");
	if (table + objects * b->offset_size != b->w.len - TRAILER)
		return problem(&b->w, PLIST_TRAILING, (size_t)table,
		    "bytes between the table and the trailer");
	b->table = (size_t)table;
	b->objects = (size_t)objects;
	return true;
}

/* The count behind a marker; moves *at past it. */
static bool
read_count(struct binary *b, size_t *at, uint64_t *count)
{
	uint8_t marker = b->w.data[*at];
	size_t start = *at, n;

	(*at)++;
	*count = marker & 0x0F;
	if (*count != 0x0F)
		return true;
	if (*at >= b->table || (b->w.data[*at] & 0xF0) != 0x10 || (b->w.data[*at] & 0x0F) > 3)
		return problem(&b->w, PLIST_MALFORMED, start, "a count that cannot be read");
	n = (size_t)1 << (b->w.data[*at] & 0x0F);
	if (n > b->table - *at - 1)
		return problem(&b->w, PLIST_TRUNCATED, start, "the document ends early");
	*count = big_endian(b->w.data + *at + 1, n);
	*at += 1 + n;
	return true;
}

/* Bytes of one element of the kind; 0: no such kind. */
static size_t
unit_size(const struct binary *b, uint8_t kind)
{
	switch (kind) {
	case 0x4: case 0x5: return 1;
	case 0x6: return 2;
	case 0xA: return b->ref_size;
	case 0xD: return 2 * b->ref_size;
	default: return 0;
	}
}

static bool
visit_scalar(struct binary *b, size_t at)
{
	uint8_t marker = b->w.data[at], kind = marker >> 4;
	size_t need;

	if (kind == 0x0 && (marker == 0x00 || marker == 0x08 || marker == 0x09))
		return true;
	need = kind == 0x8 ? (size_t)(marker & 0x0F) + 1 : (size_t)1 << (marker & 0x0F);
	if ((kind != 0x1 && kind != 0x2 && kind != 0x3 && kind != 0x8) || need > 16)
		return problem(&b->w, PLIST_MALFORMED, at,
		    "a value of an unknown kind (0x%02x)", marker);
	if (need > b->table - at - 1)
		return problem(&b->w, PLIST_TRUNCATED, at, "the document ends early");
	return true;
}

static bool
visit(struct binary *b, uint64_t ref)
{
	uint64_t offset, count;
	size_t at, unit;

	if (ref >= b->objects)
		return problem(&b->w, PLIST_MALFORMED, 0, "a reference points outside");
	offset = big_endian(b->w.data + b->table + ref * b->offset_size, b->offset_size);
	if (offset < HEADER || offset >= b->table)
		return problem(&b->w, PLIST_MALFORMED, b->table, "an offset points outside");
	at = (size_t)offset;
	unit = unit_size(b, b->w.data[at] >> 4);
	if (!count_node(&b->w, at, b->depth + (b->w.data[at] >> 4 >= 0xA)))
		return false;
	if (!unit)
		return visit_scalar(b, at);
	if (!read_count(b, &at, &count))
		return false;
	if (count > (b->table - at) / unit)
		return problem(&b->w, PLIST_TRUNCATED, at, "the document ends early");
	if (b->w.data[offset] >> 4 < 0xA)
		return true;
	if (b->depth >= DEEPEST)
		return problem(&b->w, PLIST_TOO_DEEP, at, "nested too deep");
	b->path[b->depth++] = (struct level){
		.refs = at, .count = (size_t)count * (unit / b->ref_size),
	};
	return true;
}

static bool
check_binary(const struct walk *w)
{
	struct binary b = { .w = *w };
	uint64_t root;

	if (w->len < HEADER + TRAILER)
		return problem(&b.w, PLIST_TRUNCATED, w->len, "the document ends early");
	if (!read_trailer(&b, &root) || !visit(&b, root))
		return false;
	while (b.depth > 0) {
		struct level *l = &b.path[b.depth - 1];

		if (l->next == l->count) {
			b.depth--;
			continue;
		}
		if (!visit(&b, big_endian(w->data + l->refs + l->next++ * b.ref_size, b.ref_size)))
			return false;
	}
	return true;
}

bool
plistguard_check(const void *data, size_t len, const struct proplist_limits *limits,
    struct plistguard_finding *finding)
{
	struct walk w = { .data = data, .len = len, .limits = limits, .finding = finding };
	size_t at = 0;

	*finding = (struct plistguard_finding){ 0 };
	if (len > limits->bytes)
		return problem(&w, PLIST_TOO_LARGE, 0, "larger than %zu bytes", limits->bytes);
	if (len >= HEADER && memcmp(data, "bplist00", HEADER) == 0) {
		finding->is_binary = true;
		return check_binary(&w);
	}
	if (len >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0)
		at = 3;
	while (at < len && isspace(w.data[at]))
		at++;
	if (at == len || w.data[at] != '<')
		return problem(&w, PLIST_NOT_A_LIST, at,
		    "not a property list (neither XML nor binary)");
	return check_xml(&w);
}
