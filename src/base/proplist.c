/* proplist: property lists from strangers, checked before libplist sees them */
#include "base/proplist.h"

#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/plistguard.h"

const struct proplist_limits PROPLIST_WIRE = { .bytes = 16u << 20, .depth = 64, .nodes = 200000 };
const struct proplist_limits PROPLIST_FILE = { .bytes = 16u << 20, .depth = 64, .nodes = 100000 };

int
proplist_parse(const void *data, size_t len, const struct proplist_limits *limits, int kind,
    plist_t *out, struct error *err)
{
	auto_plist plist_t list = NULL;
	struct plistguard_finding finding;

	if (!plistguard_check(data, len, limits, &finding))
		return error_set(err, (enum error_kind)kind, "%s", finding.text);
	if (finding.is_binary)
		plist_from_bin(data, (uint32_t)len, &list);
	else
		plist_from_xml(data, (uint32_t)len, &list);
	if (!list || plist_get_node_type(list) == PLIST_NONE)
		return error_set(err, (enum error_kind)kind,
		    "not a property list that can be read");
	*out = steal_pointer(&list);
	return 0;
}

int
proplist_to_xml(plist_t list, struct blob *out)
{
	char *xml = NULL;
	uint32_t len = 0;
	int rc;

	plist_to_xml(list, &xml, &len);
	if (!xml)
		return -1;
	rc = blob_set(out, xml, len);
	explicit_bzero(xml, len);
	free(xml);
	return rc;
}

bool
node_is(plist_t node, plist_type type)
{
	return node && plist_get_node_type(node) == type;
}

plist_t
dict_get(plist_t dict, const char *key)
{
	return node_is(dict, PLIST_DICT) ? plist_dict_get_item(dict, key) : NULL;
}

static plist_t
get_typed(plist_t dict, const char *key, plist_type type)
{
	plist_t node = dict_get(dict, key);

	return node_is(node, type) ? node : NULL;
}

plist_t
dict_get_dict(plist_t dict, const char *key)
{
	return get_typed(dict, key, PLIST_DICT);
}

plist_t
dict_get_array(plist_t dict, const char *key)
{
	return get_typed(dict, key, PLIST_ARRAY);
}

const char *
node_string(plist_t node)
{
	return node_is(node, PLIST_STRING) ? plist_get_string_ptr(node, NULL) : NULL;
}

const char *
dict_get_string(plist_t dict, const char *key)
{
	return node_string(dict_get(dict, key));
}

bool
dict_get_bool(plist_t dict, const char *key, bool *out)
{
	plist_t node = get_typed(dict, key, PLIST_BOOLEAN);
	uint8_t value = 0;

	if (!node)
		return false;
	plist_get_bool_val(node, &value);
	*out = value != 0;
	return true;
}

bool
dict_get_uint(plist_t dict, const char *key, uint64_t *out)
{
	plist_t node = get_typed(dict, key, PLIST_UINT);

	if (!node)
		return false;
	plist_get_uint_val(node, out);
	return true;
}

bool
dict_get_int(plist_t dict, const char *key, int64_t *out)
{
	plist_t node = dict_get(dict, key);
	uint64_t value = 0;
	double real = 0;

	if (node_is(node, PLIST_UINT)) {
		plist_get_uint_val(node, &value);
		*out = (int64_t)value;
		return true;
	}
	if (!node_is(node, PLIST_REAL))
		return false;
	plist_get_real_val(node, &real);
	if (!(real > -9e15 && real < 9e15) || (double)(int64_t)real != real)
		return false;
	*out = (int64_t)real;
	return true;
}

bool
node_data(plist_t node, const void **data, size_t *len)
{
	uint64_t n = 0;
	const char *bytes;

	if (!node_is(node, PLIST_DATA))
		return false;
	bytes = plist_get_data_ptr(node, &n);
	*data = bytes;
	*len = bytes ? (size_t)n : 0;
	return true;
}

/*
 * A binary property list of one date: eight bytes of magic, one that says that a
 * date follows, and its seconds since 2001 as a double, high byte first.
 */
int64_t
node_date(plist_t node)
{
	enum { AT = 9, SIZE = 8 };
	const double first = -62135596800.0, last = 253402300799.0, epoch = 978307200.0;
	char *bytes = NULL;
	uint32_t len = 0;
	uint64_t bits = 0;
	double seconds = 0;
	size_t i;

	if (!node_is(node, PLIST_DATE))
		return 0;
	plist_to_bin(node, &bytes, &len);
	for (i = 0; len >= AT + SIZE && i < SIZE; i++)
		bits = bits << 8 | (uint8_t)bytes[AT + i];
	plist_to_bin_free(bytes);
	memcpy(&seconds, &bits, sizeof(seconds));
	seconds += epoch;
	/* Neither for what is no number. */
	return !(seconds > first) ? (int64_t)first :
	    seconds > last ? (int64_t)last : (int64_t)seconds;
}

bool
dict_get_data(plist_t dict, const char *key, const void **data, size_t *len)
{
	return node_data(dict_get(dict, key), data, len);
}

static bool
set_item(plist_t dict, const char *key, plist_t value)
{
	if (!value || !dict) {
		plist_free(value);
		return false;
	}
	plist_dict_set_item(dict, key, value);
	return true;
}

bool
dict_set_string(plist_t dict, const char *key, const char *value)
{
	return set_item(dict, key, plist_new_string(value));
}

bool
dict_set_bool(plist_t dict, const char *key, bool value)
{
	return set_item(dict, key, plist_new_bool(value));
}

bool
dict_set_data(plist_t dict, const char *key, const void *data, size_t len)
{
	return set_item(dict, key, plist_new_data(data, len));
}
