/* plist_json: a property list's values as JSON */
#include "flow/plist_json.h"

#include <string.h>
#include <time.h>

#include "base/proplist.h"
#include "base/text.h"
#include "crypto/digest.h"

static json_t *
text(const char *s)
{
	char clean[4096];

	if (!s)
		return json_null();
	text_printable(s, strlen(s), clean, sizeof(clean));
	return json_string(clean);
}

static json_t *
data(plist_t node)
{
	const void *bytes = NULL;
	uint8_t digest[32];
	char hex[65];
	size_t len = 0;

	node_data(node, &bytes, &len);
	digest_sha256(bytes, len, digest);
	text_hex(digest, sizeof(digest), hex);
	return json_pack("{s:s, s:I}", "sha256", hex, "bytes", (json_int_t)len);
}

static json_t *
date(plist_t node)
{
	char out[TEXT_TIME_MAX];

	text_time_utc((struct timespec){ .tv_sec = (time_t)node_date(node) }, out);
	return json_string(out);
}

static json_t *
number(plist_t node)
{
	uint64_t n = 0;

	plist_get_uint_val(node, &n);
	return json_integer((json_int_t)n);
}

static json_t *
real(plist_t node)
{
	double d = 0;

	plist_get_real_val(node, &d);
	return json_real(d);	/* NULL for what is no number */
}

static json_t *
array(plist_t node)
{
	json_t *out = json_array();
	uint32_t n = plist_array_get_size(node), i;

	for (i = 0; i < n; i++)
		json_array_append_new(out, plist_to_json(plist_array_get_item(node, i)));
	return out;
}

static json_t *
dictionary(plist_t node)
{
	json_t *out = json_object();
	plist_dict_iter iter = NULL;

	plist_dict_new_iter(node, &iter);
	for (;;) {
		char *key = NULL, clean[1024];
		plist_t value = NULL;

		plist_dict_next_item(node, iter, &key, &value);
		if (!key)
			break;
		text_printable(key, strlen(key), clean, sizeof(clean));
		json_object_set_new(out, clean, plist_to_json(value));
		free(key);
	}
	free(iter);
	return out;
}

/* The depth is bounded: what comes here has passed base/plistguard. */
json_t *
plist_to_json(plist_t node)
{
	uint8_t flag = 0;
	json_t *out = NULL;

	switch (node ? plist_get_node_type(node) : PLIST_NONE) {
	case PLIST_BOOLEAN:
		plist_get_bool_val(node, &flag);
		return json_boolean(flag);
	case PLIST_UINT:
		return number(node);
	case PLIST_REAL:
		out = real(node);
		break;
	case PLIST_STRING:
		return text(node_string(node));
	case PLIST_DATA:
		return data(node);
	case PLIST_DATE:
		return date(node);
	case PLIST_ARRAY:
		return array(node);
	case PLIST_DICT:
		return dictionary(node);
	default:
		break;
	}
	return out ? out : json_null();
}
