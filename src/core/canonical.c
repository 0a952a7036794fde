/* canonical: one way, and only one, to write a property list as XML */
#include "core/canonical.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/blob.h"
#include "base/proplist.h"

enum { DEEPEST = 160, EPOCH_2001 = 978307200, DATA_PER_LINE = 45 };

static const char HEAD[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
    "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
    "<plist version=\"1.0\">\n";

struct writer {
	struct blob	*out;
	int		 flags;
};

static int write_node(struct writer *w, plist_t node, size_t depth, bool is_payload);

static int
put(struct writer *w, const char *s)
{
	return blob_append(w->out, s, strlen(s));
}

static int
put_indent(struct writer *w, size_t depth)
{
	static const char tabs[] = "\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t";

	for (; depth > sizeof(tabs) - 1; depth -= sizeof(tabs) - 1)
		if (put(w, tabs) < 0)
			return -1;
	return blob_append(w->out, tabs, depth);
}

static int
put_escaped(struct writer *w, const char *s)
{
	for (;;) {
		size_t plain = strcspn(s, "&<>");

		if (blob_append(w->out, s, plain) < 0)
			return -1;
		s += plain;
		if (!*s)
			return 0;
		if (put(w, *s == '&' ? "&amp;" : *s == '<' ? "&lt;" : "&gt;") < 0)
			return -1;
		s++;
	}
}

static int
put_element(struct writer *w, size_t depth, const char *name, const char *text)
{
	if (put_indent(w, depth) < 0 || put(w, "<") < 0 || put(w, name) < 0 || put(w, ">") < 0 ||
	    put_escaped(w, text) < 0 || put(w, "</") < 0 || put(w, name) < 0 || put(w, ">\n") < 0)
		return -1;
	return 0;
}

/* The shortest of two precisions that reads back as the same number. */
static int
put_real(struct writer *w, size_t depth, double value)
{
	char text[64];
	size_t i;

	snprintf(text, sizeof(text), "%.15g", value);
	if (strtod(text, NULL) != value)
		snprintf(text, sizeof(text), "%.17g", value);
	/* Whatever the locale writes between the digits is a point here. */
	for (i = 0; text[i]; i++) {
		size_t n = strspn(text + i, "+-0123456789abcdefinx");

		i += n;
		if (!text[i])
			break;
		n = strcspn(text + i, "+-0123456789abcdefinx");
		text[i] = '.';
		memmove(text + i + 1, text + i + n, strlen(text + i + n) + 1);
	}
	return put_element(w, depth, "real", text);
}

static int
put_data(struct writer *w, size_t depth, const uint8_t *p, size_t len)
{
	static const char digit[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i, at = 0;

	if (put_indent(w, depth) < 0 || put(w, "<data>\n") < 0)
		return -1;
	while (at < len) {
		char line[DATA_PER_LINE / 3 * 4 + 2];
		size_t n = 0, here = len - at < DATA_PER_LINE ? len - at : DATA_PER_LINE;

		for (i = 0; i < here; i += 3) {
			size_t left = here - i;
			uint32_t v = (uint32_t)p[at + i] << 16;

			v |= left > 1 ? (uint32_t)p[at + i + 1] << 8 : 0;
			v |= left > 2 ? p[at + i + 2] : 0;
			line[n++] = digit[v >> 18];
			line[n++] = digit[v >> 12 & 63];
			line[n++] = left > 1 ? digit[v >> 6 & 63] : '=';
			line[n++] = left > 2 ? digit[v & 63] : '=';
		}
		line[n++] = '\n';
		if (put_indent(w, depth) < 0 || blob_append(w->out, line, n) < 0)
			return -1;
		at += here;
	}
	return put_indent(w, depth) < 0 || put(w, "</data>\n") < 0 ? -1 : 0;
}

struct entry {
	char	*key;
	plist_t	 value;
};

static int
compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

static void
free_entries(struct entry *entries, size_t n)
{
	while (n--)
		free(entries[n].key);
	free(entries);
}

/* The dictionary's entries in the order of their keys. */
static int
sorted_entries(plist_t dict, struct entry **out, size_t *n)
{
	auto_free plist_dict_iter iter = NULL;
	uint32_t size = plist_dict_get_size(dict);
	struct entry *entries = calloc((size_t)size + 1, sizeof(*entries));

	plist_dict_new_iter(dict, &iter);
	if (!entries || !iter) {
		free(entries);
		return -1;
	}
	for (*n = 0; *n < size; ++*n) {
		plist_dict_next_item(dict, iter, &entries[*n].key, &entries[*n].value);
		if (!entries[*n].key || !entries[*n].value) {
			free(entries[*n].key);
			break;
		}
	}
	qsort(entries, *n, sizeof(*entries), compare_entries);
	*out = entries;
	return 0;
}

/* depth 0 is the root; its PayloadContent holds the payloads, one level each. */
static bool
is_left_out(const struct writer *w, const struct entry *e, size_t depth, bool is_payload)
{
	return (w->flags & CANONICAL_WITHOUT_UUIDS) && (depth == 0 || is_payload) &&
	    strcmp(e->key, "PayloadUUID") == 0;
}

static int
write_dict(struct writer *w, plist_t dict, size_t depth, bool is_payload)
{
	struct entry *entries;
	size_t n, i;
	int rc = 0;

	if (plist_dict_get_size(dict) == 0)
		return put_indent(w, depth) < 0 || put(w, "<dict/>\n") < 0 ? -1 : 0;
	if (sorted_entries(dict, &entries, &n) < 0)
		return -1;
	if (put_indent(w, depth) < 0 || put(w, "<dict>\n") < 0)
		rc = -1;
	for (i = 0; rc == 0 && i < n; i++) {
		bool holds_payloads = depth == 0 && strcmp(entries[i].key, "PayloadContent") == 0;

		if (is_left_out(w, &entries[i], depth, is_payload))
			continue;
		if (put_element(w, depth + 1, "key", entries[i].key) < 0 ||
		    write_node(w, entries[i].value, depth + 1, holds_payloads) < 0)
			rc = -1;
	}
	if (rc == 0 && (put_indent(w, depth) < 0 || put(w, "</dict>\n") < 0))
		rc = -1;
	free_entries(entries, n);
	return rc;
}

static int
write_array(struct writer *w, plist_t array, size_t depth, bool holds_payloads)
{
	auto_free plist_array_iter iter = NULL;
	plist_t item = NULL;

	if (plist_array_get_size(array) == 0)
		return put_indent(w, depth) < 0 || put(w, "<array/>\n") < 0 ? -1 : 0;
	plist_array_new_iter(array, &iter);
	if (!iter || put_indent(w, depth) < 0 || put(w, "<array>\n") < 0)
		return -1;
	for (;;) {
		plist_array_next_item(array, iter, &item);
		if (!item)
			break;
		if (write_node(w, item, depth + 1, holds_payloads) < 0)
			return -1;
	}
	return put_indent(w, depth) < 0 || put(w, "</array>\n") < 0 ? -1 : 0;
}

static int
write_number(struct writer *w, plist_t node, size_t depth)
{
	uint64_t value = 0;
	char text[32];

	plist_get_uint_val(node, &value);
	snprintf(text, sizeof(text), "%" PRId64, (int64_t)value);
	return put_element(w, depth, "integer", text);
}

static int
write_scalar(struct writer *w, plist_t node, size_t depth)
{
	const void *data = NULL;
	const char *text;
	char date[CANONICAL_DATE_MAX];
	uint8_t truth = 0;
	double real = 0;
	size_t len = 0;

	switch (plist_get_node_type(node)) {
	case PLIST_BOOLEAN:
		plist_get_bool_val(node, &truth);
		return put_indent(w, depth) < 0 ||
		    put(w, truth ? "<true/>\n" : "<false/>\n") < 0 ? -1 : 0;
	case PLIST_UINT:
		return write_number(w, node, depth);
	case PLIST_REAL:
		plist_get_real_val(node, &real);
		return put_real(w, depth, real);
	case PLIST_STRING:
		text = node_string(node);
		return put_element(w, depth, "string", text ? text : "");
	case PLIST_DATE:
		canonical_date(node_date(node), date);
		return put_element(w, depth, "date", date);
	case PLIST_DATA:
		node_data(node, &data, &len);
		return put_data(w, depth, data, len);
	default:
		return -1;
	}
}

/* is_payload: a payload, or the array of them. */
static int
write_node(struct writer *w, plist_t node, size_t depth, bool is_payload)
{
	if (depth > DEEPEST)
		return -1;
	switch (plist_get_node_type(node)) {
	case PLIST_DICT:
		return write_dict(w, node, depth, is_payload);
	case PLIST_ARRAY:
		return write_array(w, node, depth, is_payload && depth == 1);
	default:
		return write_scalar(w, node, depth);
	}
}

int
canonical_xml(plist_t list, int flags, struct blob *out)
{
	struct writer w = { .out = out, .flags = flags };

	if (put(&w, HEAD) < 0 || write_node(&w, list, 0, false) < 0 || put(&w, "</plist>\n") < 0)
		return -1;
	return 0;
}

void
canonical_uuid(const struct blob *bytes, profile_digest_fn *digest, char out[TEXT_UUID_MAX])
{
	uint8_t hash[32];

	digest(bytes->data, bytes->len, hash);
	hash[6] = (uint8_t)((hash[6] & 0x0F) | 0x80);
	hash[8] = (uint8_t)((hash[8] & 0x3F) | 0x80);
	text_uuid(hash, out);
}

void
canonical_date(int64_t at, char out[CANONICAL_DATE_MAX])
{
	time_t seconds = (time_t)at;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(out, CANONICAL_DATE_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

plist_t
canonical_new_date(int64_t at)
{
	if (at < EPOCH_2001 || at - EPOCH_2001 > INT32_MAX)
		return NULL;
	return plist_new_date((int32_t)(at - EPOCH_2001), 0);
}
