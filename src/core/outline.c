/* outline: where in a file each key and value of a property list stands */
#include "core/outline.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { DEEPEST = 130 };

/* A container that is open while reading. */
struct open {
	uint32_t	node;
	uint32_t	last;		/* the child before, or OUTLINE_NONE */
	/* binary only */
	size_t		refs, count, done;
};

struct reader {
	struct outline	*o;
	struct error	*err;
	size_t		 at;
	size_t		 depth;
	struct open	 open[DEEPEST];
	/* XML: the key that waits for its value */
	bool		 has_key;
	struct outline_node key;
	/* binary */
	size_t		 table, offset_size, ref_size;
};

static int
trouble(struct reader *r, size_t at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int
trouble(struct reader *r, size_t at, const char *fmt, ...)
{
	va_list ap;

	r->o->trouble = at;
	va_start(ap, fmt);
	vsnprintf(r->o->why, sizeof(r->o->why), fmt, ap);
	va_end(ap);
	return error_set(r->err, ERR_DATA, "%s", r->o->why);
}

static int
add_node(struct reader *r, struct outline_node node)
{
	struct outline *o = r->o;
	struct open *in = r->depth ? &r->open[r->depth - 1] : NULL;

	if (o->n == o->room) {
		size_t room = o->room ? 2 * o->room : 64;
		struct outline_node *grown = reallocarray(o->nodes, room, sizeof(*grown));

		if (!grown)
			return error_memory(r->err);
		o->nodes = grown;
		o->room = room;
	}
	node.next = node.first = OUTLINE_NONE;
	if (in) {
		if (in->last != OUTLINE_NONE)
			o->nodes[in->last].next = (uint32_t)o->n;
		else
			o->nodes[in->node].first = (uint32_t)o->n;
		in->last = (uint32_t)o->n;
	}
	o->nodes[o->n++] = node;
	return 0;
}

static int
enter(struct reader *r, size_t at)
{
	if (r->depth == DEEPEST)
		return trouble(r, at, "nested too deep");
	r->open[r->depth++] = (struct open){
		.node = (uint32_t)r->o->n - 1, .last = OUTLINE_NONE,
	};
	return 0;
}

/* ---- XML ---------------------------------------------------------------- */

static bool
starts_with(const struct reader *r, const char *s)
{
	size_t n = strlen(s);

	return r->o->len - r->at >= n && memcmp(r->o->data + r->at, s, n) == 0;
}

static int
skip_past(struct reader *r, const char *end)
{
	const uint8_t *found = memmem(r->o->data + r->at, r->o->len - r->at, end, strlen(end));

	if (!found)
		return trouble(r, r->o->len, "the document ends early");
	r->at = (size_t)(found - r->o->data) + strlen(end);
	return 0;
}

struct tag {
	const char	*name;
	size_t		 name_len;
	size_t		 start;		/* offset of '<' */
	bool		 closes, is_empty;
};

static int
take_tag(struct reader *r, struct tag *tag)
{
	const uint8_t *data = r->o->data;
	const uint8_t *gt = memchr(data + r->at, '>', r->o->len - r->at);
	size_t name = r->at + 1, end;

	if (!gt)
		return trouble(r, r->o->len, "the document ends early");
	tag->start = r->at;
	tag->closes = data[name] == '/';
	if (tag->closes)
		name++;
	for (end = name; isalnum(data[end]); end++)
		continue;
	tag->name = (const char *)data + name;
	tag->name_len = end - name;
	tag->is_empty = gt[-1] == '/';
	r->at = (size_t)(gt - data) + 1;
	return 0;
}

static bool
is_named(const struct tag *t, const char *name)
{
	return strlen(name) == t->name_len && memcmp(t->name, name, t->name_len) == 0;
}

/* &amp; and its like, and &#65; below 128; other escapes stay as they are. */
static size_t
decode_escape(const char *s, size_t len, char *out)
{
	static const struct {
		const char *escape;
		char c;
	} known[] = {
		{ "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' },
		{ "&quot;", '"' }, { "&apos;", '\'' },
	};
	unsigned code = 0;
	int used = 0;
	char copy[12];
	size_t i;

	for (i = 0; i < countof(known); i++)
		if (len >= strlen(known[i].escape) &&
		    memcmp(s, known[i].escape, strlen(known[i].escape)) == 0) {
			*out = known[i].c;
			return strlen(known[i].escape);
		}
	snprintf(copy, sizeof(copy), "%.*s", (int)(len < 11 ? len : 11), s);
	if ((sscanf(copy, "&#x%5x;%n", &code, &used) == 1 ||
		sscanf(copy, "&#%5u;%n", &code, &used) == 1) &&
	    used > 0 && code > 0 && code < 128) {
		*out = (char)code;
		return (size_t)used;
	}
	*out = *s;
	return 1;
}

/* Between the tags of a key: text, comments and CDATA sections. */
static int
decode_key(struct reader *r, const char *s, size_t len)
{
	struct blob *texts = &r->o->texts;
	size_t start = texts->len, i = 0;

	while (i < len) {
		const char *end;
		char c = 0;
		size_t n;

		if (len - i >= 9 && memcmp(s + i, "<![CDATA[", 9) == 0) {
			end = memmem(s + i, len - i, "]]>", 3);
			n = end ? (size_t)(end - s) - i - 9 : len - i - 9;
			if (blob_append(texts, s + i + 9, n) < 0)
				return error_memory(r->err);
			i += n + 9 + (end ? 3 : 0);
			continue;
		}
		if (len - i >= 4 && memcmp(s + i, "<!--", 4) == 0) {
			end = memmem(s + i, len - i, "-->", 3);
			i = end ? (size_t)(end - s) + 3 : len;
			continue;
		}
		n = s[i] == '&' ? decode_escape(s + i, len - i, &c) : 1;
		if (blob_append(texts, s[i] == '&' ? &c : s + i, 1) < 0)
			return error_memory(r->err);
		i += n;
	}
	r->key.key = (uint32_t)start;
	r->key.key_len = (uint32_t)(texts->len - start);
	r->key.is_key_decoded = true;
	return 0;
}

/* Past the text of a leaf to its closing tag, which must have the same name. */
static int
take_leaf(struct reader *r, const struct tag *opening, size_t *text_end)
{
	struct tag closing = { 0 };

	for (;;) {
		const uint8_t *lt = memchr(r->o->data + r->at, '<', r->o->len - r->at);

		if (!lt)
			return trouble(r, r->o->len, "the document ends early");
		r->at = (size_t)(lt - r->o->data);
		if (starts_with(r, "<![CDATA[")) {
			if (skip_past(r, "]]>") < 0)
				return -1;
		} else if (starts_with(r, "<!--")) {
			if (skip_past(r, "-->") < 0)
				return -1;
		} else if (starts_with(r, "<?")) {
			if (skip_past(r, "?>") < 0)
				return -1;
		} else {
			break;
		}
	}
	*text_end = r->at;
	if (take_tag(r, &closing) < 0)
		return -1;
	if (!closing.closes || closing.name_len != opening->name_len ||
	    memcmp(closing.name, opening->name, opening->name_len) != 0)
		return trouble(r, *text_end, "<%.*s> is not closed by its own tag",
		    (int)opening->name_len, opening->name);
	return 0;
}

static bool
in_dict(const struct reader *r)
{
	return r->depth && r->o->nodes[r->open[r->depth - 1].node].kind == OUTLINE_DICT;
}

static int
take_key(struct reader *r, const struct tag *t)
{
	size_t start = r->at, end = start;
	const char *text = (const char *)r->o->data + start;

	if (!in_dict(r))
		return trouble(r, t->start, "a <key> outside a dictionary");
	if (r->has_key)
		return trouble(r, t->start, "a key follows a key: the value is missing");
	if (!t->is_empty && take_leaf(r, t, &end) < 0)
		return -1;
	r->has_key = true;
	r->key = (struct outline_node){
		.offset = (uint32_t)t->start,
		.key = (uint32_t)start, .key_len = (uint32_t)(end - start),
	};
	if (memchr(text, '&', end - start) || memchr(text, '<', end - start))
		return decode_key(r, text, end - start);
	return 0;
}

static int
take_value(struct reader *r, const struct tag *t)
{
	static const char *const leaves[] = {
		"string", "integer", "real", "date", "data", "true", "false",
	};
	struct outline_node node = r->key;
	size_t i, end;

	if (in_dict(r) && !r->has_key)
		return trouble(r, t->start, "a value without a key");
	if (!r->has_key)
		node = (struct outline_node){ .offset = (uint32_t)t->start, .key = OUTLINE_NONE };
	r->has_key = false;
	node.kind = is_named(t, "dict") ? OUTLINE_DICT : is_named(t, "array") ? OUTLINE_ARRAY
	    : OUTLINE_SCALAR;
	if (add_node(r, node) < 0)
		return -1;
	if (node.kind != OUTLINE_SCALAR)
		return t->is_empty ? 0 : enter(r, t->start);
	for (i = 0; i < countof(leaves); i++)
		if (is_named(t, leaves[i]))
			return t->is_empty ? 0 : take_leaf(r, t, &end);
	return trouble(r, t->start, "<%.*s> is no element of a property list",
	    (int)t->name_len, t->name);
}

static int
leave(struct reader *r, const struct tag *t)
{
	if (r->has_key)
		return trouble(r, t->start, "the last key has no value");
	if (r->depth == 0 || !is_named(t, in_dict(r) ? "dict" : "array"))
		return trouble(r, t->start, "a closing tag that nothing opened");
	r->depth--;
	return 0;
}

static int
take_markup(struct reader *r)
{
	struct tag t = { 0 };

	if (starts_with(r, "<?"))
		return skip_past(r, "?>");
	if (starts_with(r, "<!--"))
		return skip_past(r, "-->");
	if (starts_with(r, "<!"))
		return skip_past(r, ">");
	if (take_tag(r, &t) < 0)
		return -1;
	if (is_named(&t, "plist"))
		return 0;
	if (t.closes)
		return leave(r, &t);
	if (r->depth == 0 && r->o->n > 0)
		return trouble(r, t.start, "a second value in <plist>");
	return is_named(&t, "key") ? take_key(r, &t) : take_value(r, &t);
}

static int
read_xml(struct reader *r)
{
	for (;;) {
		const uint8_t *lt = memchr(r->o->data + r->at, '<', r->o->len - r->at);

		if (!lt)
			return 0;
		r->at = (size_t)(lt - r->o->data);
		if (take_markup(r) < 0)
			return -1;
	}
}

/* ---- binary ------------------------------------------------------------- */

static uint64_t
big_endian(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

/* The guard has been everywhere: references and counts stay inside. */
static size_t
object_at(const struct reader *r, uint64_t ref)
{
	return (size_t)big_endian(r->o->data + r->table + ref * r->offset_size, r->offset_size);
}

static size_t
count_at(const struct reader *r, size_t at, size_t *body)
{
	size_t n = r->o->data[at] & 0x0F, width;

	*body = at + 1;
	if (n != 0x0F)
		return n;
	width = (size_t)1 << (r->o->data[at + 1] & 0x0F);
	*body = at + 2 + width;
	return (size_t)big_endian(r->o->data + at + 2, width);
}

/* A key is ASCII, or UTF-16 of which we keep what is ASCII. */
static int
binary_key(struct reader *r, size_t at, struct outline_node *node)
{
	uint8_t kind = r->o->data[at] >> 4;
	size_t body, n = count_at(r, at, &body), i;

	if (kind == 0x5) {
		node->key = (uint32_t)body;
		node->key_len = (uint32_t)n;
		return 0;
	}
	if (kind != 0x6)
		return trouble(r, at, "a key that is no text");
	node->key = (uint32_t)r->o->texts.len;
	node->is_key_decoded = true;
	for (i = 0; i < n; i++) {
		uint64_t unit = big_endian(r->o->data + body + 2 * i, 2);
		char c = unit < 128 ? (char)unit : '?';

		if (blob_append(&r->o->texts, &c, 1) < 0)
			return error_memory(r->err);
	}
	node->key_len = (uint32_t)(r->o->texts.len - node->key);
	return 0;
}

static int
binary_value(struct reader *r, uint64_t ref, struct outline_node node)
{
	size_t at = object_at(r, ref), body, n;
	uint8_t kind = r->o->data[at] >> 4;

	node.offset = (uint32_t)at;
	node.kind = kind == 0xD ? OUTLINE_DICT : kind == 0xA ? OUTLINE_ARRAY : OUTLINE_SCALAR;
	if (add_node(r, node) < 0)
		return -1;
	if (node.kind == OUTLINE_SCALAR)
		return 0;
	if (enter(r, at) < 0)
		return -1;
	n = count_at(r, at, &body);
	r->open[r->depth - 1].refs = body;
	r->open[r->depth - 1].count = n;
	return 0;
}

static int
read_binary(struct reader *r)
{
	const uint8_t *data = r->o->data, *trailer = data + r->o->len - 32;
	struct outline_node bare = { .key = OUTLINE_NONE };

	r->offset_size = trailer[6];
	r->ref_size = trailer[7];
	r->table = (size_t)big_endian(trailer + 24, 8);
	if (binary_value(r, big_endian(trailer + 16, 8), bare) < 0)
		return -1;
	while (r->depth) {
		struct open *in = &r->open[r->depth - 1];
		struct outline_node node = bare;
		size_t value = in->refs + in->done * r->ref_size;

		if (in->done == in->count) {
			r->depth--;
			continue;
		}
		if (in_dict(r)) {
			uint64_t key = big_endian(data + value, r->ref_size);

			if (binary_key(r, object_at(r, key), &node) < 0)
				return -1;
			value += in->count * r->ref_size;
		}
		in->done++;
		if (binary_value(r, big_endian(data + value, r->ref_size), node) < 0)
			return -1;
	}
	return 0;
}

/* ---- the whole, and questions about it ------------------------------------ */

int
outline_read(const void *data, size_t len, struct outline *out, struct error *err)
{
	auto_free struct reader *r = calloc(1, sizeof(*r));

	if (!r)
		return error_memory(err);
	outline_clear(out);
	out->data = data;
	out->len = len;
	out->is_binary = len >= 8 && memcmp(data, "bplist00", 8) == 0;
	r->o = out;
	r->err = err;
	if ((out->is_binary ? read_binary(r) : read_xml(r)) < 0)
		return -1;
	return out->n ? 0 : trouble(r, 0, "the document is empty");
}

void
outline_clear(struct outline *o)
{
	free(o->nodes);
	blob_clear(&o->texts);
	*o = (struct outline){ 0 };
}

const char *
outline_key(const struct outline *o, uint32_t node, size_t *len)
{
	const struct outline_node *n = &o->nodes[node];

	if (n->key == OUTLINE_NONE)
		return NULL;
	*len = n->key_len;
	if (n->key_len == 0)
		return "";
	return (const char *)(n->is_key_decoded ? o->texts.data : o->data) + n->key;
}

static bool
has_key(const struct outline *o, uint32_t node, const char *key)
{
	size_t len = 0;
	const char *text = outline_key(o, node, &len);

	return text && strlen(key) == len && memcmp(text, key, len) == 0;
}

uint32_t
outline_child(const struct outline *o, uint32_t dict, const char *key)
{
	uint32_t found = OUTLINE_NONE, at;

	for (at = o->nodes[dict].first; at != OUTLINE_NONE; at = o->nodes[at].next)
		if (has_key(o, at, key))
			found = at;
	return found;
}

struct sorted {
	const char	*key;
	size_t		 len;
	uint32_t	 node;
};

static int
compare_sorted(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;
	size_t n = x->len < y->len ? x->len : y->len;
	int rc = n ? memcmp(x->key, y->key, n) : 0;

	if (rc == 0 && x->len != y->len)
		rc = x->len < y->len ? -1 : 1;
	return rc ? rc : x->node < y->node ? -1 : 1;
}

int
outline_duplicates(const struct outline *o, uint32_t dict, void (*found)(void *ctx, uint32_t node),
    void *ctx)
{
	auto_free struct sorted *all = NULL;
	size_t n = 0, i;
	uint32_t at;

	for (at = o->nodes[dict].first; at != OUTLINE_NONE; at = o->nodes[at].next)
		n++;
	if (n < 2 || o->nodes[dict].kind != OUTLINE_DICT)
		return 0;
	all = calloc(n, sizeof(*all));
	if (!all)
		return -1;
	n = 0;
	for (at = o->nodes[dict].first; at != OUTLINE_NONE; at = o->nodes[at].next) {
		all[n].key = outline_key(o, at, &all[n].len);
		all[n++].node = at;
	}
	qsort(all, n, sizeof(*all), compare_sorted);
	for (i = 1; i < n; i++)
		if (all[i].len == all[i - 1].len &&
		    memcmp(all[i].key, all[i - 1].key, all[i].len) == 0)
			found(ctx, all[i].node);
	return 0;
}
