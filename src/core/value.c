/* value: a key's value, read from text, and compared with the key's default and range */
#include "core/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"
#include "base/text.h"
#include "core/canonical.h"
#include "core/keys.h"

const char *
value_wanted(const struct key *key)
{
	switch (key->type) {
	case KEY_BOOL: return "true or false";
	case KEY_INT: return "a whole number";
	case KEY_REAL: return "a number";
	case KEY_STRING: return "a text";
	case KEY_DATE: return "a date";
	case KEY_DATA: return "data";
	case KEY_STRINGS: return "a list of texts";
	case KEY_INTS: return "a list of whole numbers";
	case KEY_DICTS: return "a list of dictionaries";
	case KEY_PAGES: return "a list of lists of dictionaries";
	case KEY_DICT: case KEY_MAP: return "a dictionary";
	case KEY_ANY: break;
	}
	return "anything";
}

/* "300", "1.5": digits and one point, whatever the locale. */
static bool
number_from_text(const char *text, double *out)
{
	int64_t whole = 0;
	double scale = 1, fraction = 0;
	size_t n = strspn(text, "-0123456789");
	char digits[24];
	const char *p;

	if (n == 0 || n >= sizeof(digits) || (text[n] && text[n] != '.'))
		return false;
	memcpy(digits, text, n);
	digits[n] = '\0';
	if (text_number(digits, INT64_MIN / 16, INT64_MAX / 16, &whole) < 0)
		return false;
	for (p = text + n + (text[n] == '.'); *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		scale /= 10;
		fraction += (*p - '0') * scale;
	}
	*out = (double)whole + (text[0] == '-' ? -fraction : fraction);
	return text[n] != '.' || text[n + 1];
}

/* What a device would show, and XML can hold. */
static bool
is_plain(const char *text)
{
	size_t len = strlen(text);

	return text_xml_fault(text, len) == len && !strpbrk(text, "\t\n\r");
}

static plist_t
list_from_text(const char *text)
{
	auto_plist plist_t list = plist_new_array();

	while (list && *text) {
		size_t n = strcspn(text, ",");
		auto_free char *item = strndup(text, n);
		plist_t node;

		if (n == 0 || !item)
			return NULL;
		node = plist_new_string(item);
		if (!node)
			return NULL;
		plist_array_append_item(list, node);
		text += n;
		if (*text == ',' && !*++text)
			return NULL;
	}
	return steal_pointer(&list);
}

static plist_t
node_from_text(const struct key *key, const char *text)
{
	int64_t whole;
	double real;

	switch (key->type) {
	case KEY_BOOL:
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			return NULL;
		return plist_new_bool(text[0] == 't');
	case KEY_INT:
		if (text_number(text, 0, INT64_MAX, &whole) < 0)
			return NULL;
		return plist_new_uint((uint64_t)whole);
	case KEY_REAL:
		return number_from_text(text, &real) ? plist_new_real(real) : NULL;
	case KEY_STRING:
		return is_plain(text) ? plist_new_string(text) : NULL;
	case KEY_STRINGS:
		return is_plain(text) ? list_from_text(text) : NULL;
	default:
		return NULL;
	}
}

int
value_from_text(const struct key *key, const char *text, plist_t *out, struct error *err)
{
	auto_plist plist_t node = node_from_text(key, text);

	if (!node)
		return error_set(err, ERR_USAGE, "%s wants %s", key->path, value_wanted(key));
	if (!value_in_range(key, node))
		return error_set(err, ERR_USAGE, "%s: %s is not in %s",
		    key->path, text, key->range);
	*out = steal_pointer(&node);
	return 0;
}

static bool
all_items(plist_t array, bool (*fits)(plist_t item, const void *what), const void *what)
{
	auto_free plist_array_iter iter = NULL;
	plist_t item = NULL;

	plist_array_new_iter(array, &iter);
	if (!iter)
		return false;
	for (;;) {
		plist_array_next_item(array, iter, &item);
		if (!item)
			return true;
		if (!fits(item, what))
			return false;
	}
}

static bool
is_of_type(plist_t item, const void *type)
{
	return node_is(item, *(const plist_type *)type);
}

static bool
all_items_are(plist_t array, plist_type type)
{
	return node_is(array, PLIST_ARRAY) && all_items(array, is_of_type, &type);
}

bool
value_has_type(const struct key *key, plist_t value)
{
	switch (key->type) {
	case KEY_BOOL: return node_is(value, PLIST_BOOLEAN);
	case KEY_INT: return node_is(value, PLIST_UINT);
	case KEY_REAL: return node_is(value, PLIST_REAL) || node_is(value, PLIST_UINT);
	case KEY_STRING: return node_is(value, PLIST_STRING);
	case KEY_DATE: return node_is(value, PLIST_DATE);
	case KEY_DATA: return node_is(value, PLIST_DATA);
	case KEY_STRINGS: return all_items_are(value, PLIST_STRING);
	case KEY_INTS: return all_items_are(value, PLIST_UINT);
	case KEY_DICTS: return all_items_are(value, PLIST_DICT);
	case KEY_PAGES: return all_items_are(value, PLIST_ARRAY);
	case KEY_DICT: case KEY_MAP: return node_is(value, PLIST_DICT);
	case KEY_ANY: break;
	}
	return true;
}

static bool
number_of(plist_t value, double *out)
{
	uint64_t whole = 0;

	if (node_is(value, PLIST_REAL)) {
		plist_get_real_val(value, out);
		return true;
	}
	if (!node_is(value, PLIST_UINT))
		return false;
	plist_get_uint_val(value, &whole);
	*out = (double)(int64_t)whole;
	return true;
}

/* One of "a|b|c", as text or as number. */
static bool
is_one_of(plist_t value, const void *range)
{
	const char *text = node_string(value), *choices = range;
	double number = 0, choice;

	if (!text && !number_of(value, &number))
		return false;
	while (*choices) {
		char one[64];
		size_t n = strcspn(choices, "|");

		snprintf(one, sizeof(one), "%.*s", (int)n, choices);
		if (text ? strcmp(text, one) == 0
		    : number_from_text(one, &choice) && choice >= number && choice <= number)
			return true;
		choices += n + (choices[n] == '|');
	}
	return false;
}

bool
value_in_range(const struct key *key, plist_t value)
{
	const char *dots = key->range ? strstr(key->range, "..") : NULL;
	double number = 0, from, to;
	char low[32];

	if (!key->range || key->type == KEY_DICT || key->type == KEY_DICTS ||
	    key->type == KEY_PAGES)
		return true;
	if (!dots)
		return node_is(value, PLIST_ARRAY) ? all_items(value, is_one_of, key->range)
		    : is_one_of(value, key->range);
	snprintf(low, sizeof(low), "%.*s", (int)(dots - key->range), key->range);
	if (!number_from_text(low, &from) || !number_from_text(dots + 2, &to))
		return false;
	if (node_is(value, PLIST_ARRAY))
		number = plist_array_get_size(value);
	else if (!number_of(value, &number))
		return false;
	return number >= from && number <= to;
}

bool
value_is_default(const struct key *key, plist_t value)
{
	uint8_t truth = 0;

	if (!key->fallback)
		return node_is(value, PLIST_ARRAY) && key->combine == COMBINE_UNION &&
		    plist_array_get_size(value) == 0;
	if (key->type != KEY_BOOL)
		return is_one_of(value, key->fallback);
	if (!node_is(value, PLIST_BOOLEAN))
		return false;
	plist_get_bool_val(value, &truth);
	return (truth != 0) == (key->fallback[0] == 't');
}

bool
value_is_equal(plist_t a, plist_t b)
{
	double x, y;

	if (number_of(a, &x) && number_of(b, &y))
		return x <= y && x >= y;
	return plist_compare_node_value(a, b);
}

bool
value_is_stricter(const struct key *key, plist_t a, plist_t b)
{
	double x, y;

	if (key->combine == COMBINE_MIN)
		return number_of(a, &x) && number_of(b, &y) && x < y;
	return (key->combine == COMBINE_FALSE || key->combine == COMBINE_TRUE) &&
	    !value_is_default(key, a) && value_is_default(key, b);
}

static void
list_text(plist_t array, char *out, size_t size)
{
	enum { SHOWN = 5 };
	uint32_t n = plist_array_get_size(array), i;
	size_t used = 0;

	out[0] = '\0';
	for (i = 0; i < n && i < SHOWN && used < size; i++) {
		char item[128];

		value_text(plist_array_get_item(array, i), item, sizeof(item));
		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", item);
	}
	if (n > SHOWN && used < size)
		snprintf(out + used, size - used, " and %u more", (unsigned)(n - SHOWN));
}

void
value_text(plist_t value, char *out, size_t size)
{
	const char *text = node_string(value);
	uint64_t whole = 0;
	uint8_t truth = 0;
	double real = 0;
	char date[CANONICAL_DATE_MAX];

	switch (value ? plist_get_node_type(value) : PLIST_NONE) {
	case PLIST_BOOLEAN:
		plist_get_bool_val(value, &truth);
		snprintf(out, size, "%s", truth ? "true" : "false");
		return;
	case PLIST_UINT:
		plist_get_uint_val(value, &whole);
		snprintf(out, size, "%" PRId64, (int64_t)whole);
		return;
	case PLIST_REAL:
		plist_get_real_val(value, &real);
		snprintf(out, size, "%.10g", real);
		return;
	case PLIST_STRING:
		text_printable(text ? text : "", text ? strlen(text) : 0, out, size);
		return;
	case PLIST_DATE:
		canonical_date(node_date(value), date);
		snprintf(out, size, "%s", date);
		return;
	case PLIST_ARRAY:
		list_text(value, out, size);
		return;
	case PLIST_DICT:
		snprintf(out, size, "a dictionary of %u keys",
		    (unsigned)plist_dict_get_size(value));
		return;
	default:
		snprintf(out, size, "data");
		return;
	}
}
