/* base: texts, durations, identifiers, and the guard in front of libplist */
#include "tests/unit/table.h"

#include <string.h>

#include "base/blob.h"
#include "base/error.h"
#include "base/library.h"
#include "base/proplist.h"
#include "base/text.h"

static void
foreign_text_is_made_printable(void **state)
{
	static const struct {
		const char *name, *in, *want;
		size_t len, size;
	} rows[] = {
		{ "plain text stays", "Front desk", "Front desk", 10, 64 },
		{ "accents and CJK stay", "Büro 東京", "Büro 東京", 12, 64 },
		{ "escape sequences lose their escape",
		  "\033[31mred", "\xEF\xBF\xBD[31mred", 8, 64 },
		{ "a right-to-left override is replaced",
		  "a\xE2\x80\xAE" "b", "a\xEF\xBF\xBD" "b", 5, 64 },
		{ "a newline is replaced", "a\nb", "a\xEF\xBF\xBD" "b", 3, 64 },
		{ "C1 CSI is replaced", "a\xC2\x9B" "b", "a\xEF\xBF\xBD" "b", 4, 64 },
		{ "invalid UTF-8 is replaced byte by byte",
		  "\xFF\xC3", "\xEF\xBF\xBD\xEF\xBF\xBD", 2, 64 },
		{ "an overlong slash is no slash", "\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD", 2, 64 },
		{ "a surrogate is replaced",
		  "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", 3, 64 },
		{ "NUL inside is replaced", "a\0b", "a\xEF\xBF\xBD" "b", 3, 64 },
		{ "what fits exactly is not cut", "abcdefg", "abcdefg", 7, 8 },
		{ "what does not fit ends in an ellipsis", "abcdefgh", "abcd\xE2\x80\xA6", 8, 8 },
		{ "a character is never cut in two",
		  "ab\xC3\xBC\xC3\xBC\xC3\xBC", "ab\xC3\xBC\xE2\x80\xA6", 8, 8 },
		{ "nothing is nothing", "", "", 0, 4 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[64];

		row_named(rows[i].name);
		text_printable(rows[i].in, rows[i].len, out, rows[i].size);
		assert_string_equal(out, rows[i].want);
	}
}

static void
characters_take_their_columns(void **state)
{
	static const struct {
		const char *name, *text;
		size_t columns, fitting;	/* bytes, into five columns */
	} rows[] = {
		{ "nothing", "", 0, 0 },
		{ "letters", "Reception", 9, 5 },
		{ "accents, of one character or of two", "Bu\xCC\x88ro B\xC3\xBCro", 9, 7 },
		{ "ideographs take two", "東京駅", 6, 6 },
		{ "and are not cut in two", "a東京駅", 7, 7 },
		{ "Hangul too", "서울", 4, 6 },
		{ "an emoji takes two", "Anna \xF0\x9F\x8E\x89", 7, 5 },
		{ "marks and ellipses take one", "✓ ✗ …", 5, 11 },
		{ "what is no UTF-8 takes one for each byte", "\xFF\xFE", 2, 2 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		row_named(rows[i].name);
		assert_int_equal(text_columns(rows[i].text), rows[i].columns);
		assert_int_equal(text_fitting(rows[i].text, 5), rows[i].fitting);
	}
}

static void
durations_are_read(void **state)
{
	static const struct {
		const char *in;
		int64_t want;
	} rows[] = {
		{ "8h", 28800 }, { "45m", 2700 }, { "90s", 90 }, { "1h30m", 5400 },
		{ "2d", 172800 },
		{ "", -1 }, { "0h", -1 }, { "8", -1 }, { "h", -1 }, { "-1h", -1 }, { "1m1h", -1 },
		{ "1h1h", -1 }, { "8 h", -1 }, { "99999999999999999999h", -1 },
		{ "9999d", -1 }, { "1.5h", -1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		row_named(rows[i].in);
		assert_int_equal(text_duration(rows[i].in), rows[i].want);
	}
}

static void
versions_compare_by_number(void **state)
{
	(void)state;
	assert_int_equal(text_compare_versions("18.1", "18.1.0"), 0);
	assert_true(text_compare_versions("18.10", "18.9") > 0);
	assert_true(text_compare_versions("9.3.1", "10.0") < 0);
	assert_true(text_compare_versions("17", "17.0.1") < 0);
}

static void
ids_are_shortened_to_their_end(void **state)
{
	static const struct {
		const char *id, *want;
	} rows[] = {
		{ "00008101-0006B82F5C0FE7AE", "\xE2\x80\xA6" "5C0FE7AE" },
		{ "2b6f0cc904d137be2e1730235f5664094b831186", "\xE2\x80\xA6" "4b831186" },
		{ "hmac:91d5", "hmac:91d5" },
		{ "", "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[32];

		row_named(rows[i].id);
		text_shorten_id(rows[i].id, out, sizeof(out));
		assert_string_equal(out, rows[i].want);
	}
}

static void
udids_compare_without_the_dash(void **state)
{
	char out[64];

	(void)state;
	assert_true(text_same_udid("00008030-001C2D3E4F50002E", "00008030001c2d3e4f50002e"));
	assert_false(text_same_udid("00008030-001C2D3E4F50002E", "00008030-001C2D3E4F50002F"));
	assert_false(text_same_udid("00008030", "00008030-001C2D3E4F50002E"));
	text_canonical_udid("00008030001c2d3e4f50002e", out, sizeof(out));
	assert_string_equal(out, "00008030-001C2D3E4F50002E");
}

static void
misspellings_are_measured(void **state)
{
	(void)state;
	assert_int_equal(text_distance("allowChat", "allowChat", 3), 0);
	assert_int_equal(text_distance("allowChta", "allowChat", 3), 1);
	assert_int_equal(text_distance("alowChat", "allowChat", 3), 1);
	assert_int_equal(text_distance("allowchat", "allowChat", 3), 1);
	assert_int_equal(text_distance("kitten", "sitting", 3), 3);
	assert_int_equal(text_distance("a", "abcdefgh", 3), 4);
}

#define XML(body)                                                                  \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                              \
	"<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "                   \
	"\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"                     \
	"<plist version=\"1.0\">" body "</plist>\n"

static void
property_lists_are_guarded(void **state)
{
	static const struct {
		const char *name, *text, *message;	/* NULL: accepted */
	} rows[] = {
		{ "a dictionary", XML("<dict><key>a</key><string>b</string></dict>"), NULL },
		{ "an empty dictionary", XML("<dict/>"), NULL },
		{ "nested containers",
		  XML("<array><dict><key>a</key><array/></dict></array>"), NULL },
		{ "a comment and a CDATA section",
		  XML("<!-- <dict> --><string><![CDATA[<dict>]]></string>"), NULL },
		{ "an entity declaration",
		  "<?xml version=\"1.0\"?><!DOCTYPE plist [<!ENTITY a \"b\">]>"
		  "<plist><string>&a;</string></plist>",
		  "internal subset" },
		{ "an entity declaration outside the DTD",
		  "<?xml version=\"1.0\"?><!ENTITY a \"b\"><plist><string>a</string></plist>",
		  "entities" },
		{ "a truncated document",
		  "<?xml version=\"1.0\"?><plist><dict><key>a</key>", "ends early" },
		{ "a truncated tag", "<?xml version=\"1.0\"?><plist><dict", "ends early" },
		{ "an element after the end", XML("<dict/>") "<dict/>", "follows" },
		{ "text after the end", XML("<dict/>") "garbage", "follows" },
		{ "crossed tags", XML("<array><dict></array></dict>"), "nothing opened" },
		{ "an element inside a string", XML("<string><dict/></string>"), "where none" },
		{ "text inside a dictionary", XML("<dict>text</dict>"), "where none" },
		{ "JSON", "{\"a\": 1}", "not a property list" },
		{ "nothing", "", "not a property list" },
		{ "a binary list that is only its magic", "bplist00", "ends early" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auto_plist plist_t list = NULL;
		struct error err = { 0 };
		int rc;

		row_named(rows[i].name);
		rc = proplist_parse(rows[i].text, strlen(rows[i].text), &PROPLIST_FILE, ERR_DATA,
		    &list, &err);
		if (rows[i].message) {
			assert_int_equal(rc, -1);
			assert_int_equal(err.kind, ERR_DATA);
			assert_non_null(strstr(err.message, rows[i].message));
		} else {
			assert_int_equal(rc, 0);
			assert_non_null(list);
		}
	}
}

static void
nesting_is_bounded(void **state)
{
	auto_blob struct blob deep = { 0 };
	auto_plist plist_t list = NULL;
	struct error err = { 0 };
	size_t i;

	(void)state;
	assert_int_equal(blob_append(&deep, "<plist>", 7), 0);
	for (i = 0; i < 1000000; i++)
		assert_int_equal(blob_append(&deep, "<array>", 7), 0);
	assert_int_equal(proplist_parse(deep.data, deep.len, &PROPLIST_FILE, ERR_DATA, &list,
	    &err), -1);
	assert_non_null(strstr(err.message, "deeper"));
}

/* 40 arrays, each holding the next one ten times: 10^40 values in 500 bytes. */
static void
shared_references_do_not_unfold_without_end(void **state)
{
	enum { LEVELS = 40, WIDTH = 10 };
	uint8_t list[8 + LEVELS * (WIDTH + 1) + LEVELS * 2 + 32];
	plist_t parsed = NULL;
	struct error err = { 0 };
	size_t at = 8, i, table;

	(void)state;
	memcpy(list, "bplist00", 8);
	for (i = 0; i < LEVELS; i++) {
		list[at] = i == LEVELS - 1 ? 0xA0 : 0xA0 | WIDTH;
		memset(list + at + 1, (int)i + 1, WIDTH);
		at += WIDTH + 1;
	}
	table = at;
	for (i = 0; i < LEVELS; i++) {
		size_t offset = 8 + i * (WIDTH + 1);

		list[at++] = (uint8_t)(offset >> 8);
		list[at++] = (uint8_t)offset;
	}
	memset(list + at, 0, 32);
	list[at + 6] = 2;
	list[at + 7] = 1;
	list[at + 15] = LEVELS;
	list[at + 30] = (uint8_t)(table >> 8);
	list[at + 31] = (uint8_t)table;
	assert_int_equal(proplist_parse(list, sizeof(list), &PROPLIST_WIRE, ERR_PROTOCOL, &parsed,
	    &err), -1);
	assert_non_null(strstr(err.message, "more than"));
}

static void
every_cut_of_a_binary_list_is_survived(void **state)
{
	auto_plist plist_t dict = plist_new_dict();
	char *bin = NULL;
	uint32_t len = 0, cut;

	(void)state;
	plist_dict_set_item(dict, "name",
	    plist_new_string("a string longer than fifteen characters"));
	plist_dict_set_item(dict, "list", plist_new_array());
	plist_dict_set_item(dict, "number", plist_new_uint(1u << 20));
	plist_to_bin(dict, &bin, &len);
	for (cut = 0; cut <= len; cut++) {
		auto_plist plist_t list = NULL;
		struct error err = { 0 };
		int rc = proplist_parse(bin, cut, &PROPLIST_WIRE, ERR_PROTOCOL, &list, &err);

		assert_int_equal(rc, cut == len ? 0 : -1);
	}
	free(bin);
}

static void
dates_are_read_beyond_32_bits(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} rows[] = {
		{ "1932-12-13T20:45:52Z", -1169176448 },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2001-01-01T00:00:00Z", 978307200 },
		{ "2026-11-24T15:30:00Z", 1795534200 },
		{ "2038-01-19T03:14:08Z", INT64_C(2147483648) },
		{ "2069-01-19T03:14:08Z", INT64_C(3125790848) },
		{ "2100-01-01T00:00:00Z", INT64_C(4102444800) },
		{ "9999-12-31T23:59:59Z", INT64_C(253402300799) },
	};
	auto_plist plist_t text = plist_new_string("2100-01-01T00:00:00Z");
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auto_plist plist_t node = NULL;
		char xml[128];

		row_named(rows[i].text);
		snprintf(xml, sizeof(xml), "<plist><date>%s</date></plist>", rows[i].text);
		plist_from_xml(xml, (uint32_t)strlen(xml), &node);
		assert_true(node_is(node, PLIST_DATE));
		assert_int_equal(node_date(node), rows[i].seconds);
	}
	assert_int_equal(node_date(text), 0);
	assert_int_equal(node_date(NULL), 0);
}

static void
blobs_grow_and_give_away(void **state)
{
	auto_blob struct blob a = { 0 };
	struct blob b;

	(void)state;
	assert_int_equal(blob_set(&a, "hello", 5), 0);
	assert_int_equal(blob_append(&a, " world", 6), 0);
	blob_drop_front(&a, 6);
	assert_int_equal(a.len, 5);
	assert_memory_equal(a.data, "world", 5);
	b = blob_steal(&a);
	assert_null(a.data);
	assert_int_equal(b.len, 5);
	blob_clear(&b);
	assert_int_equal(blob_append(&a, NULL, 0), 0);
	assert_int_equal(blob_reserve(&a, SIZE_MAX), -1);
}

static void
context_never_overflows(void **state)
{
	struct error err = { 0 };
	int i;

	(void)state;
	error_set(&err, ERR_LINK, "the connection closed");
	for (i = 0; i < 100; i++)
		error_context(&err, "layer %d", i);
	assert_true(strlen(err.message) < sizeof(err.message));
	assert_int_equal(err.kind, ERR_LINK);
}

static void
libraries_are_loaded_whole_or_not_at_all(void **state)
{
	static const struct {
		const char	*name, *soname, *second;
		enum error_kind	 want;
	} rows[] = {
		{ "all symbols are there", "libplist-2.0.so.3", "plist_new_dict", ERR_NONE },
		{ "one symbol is missing", "libplist-2.0.so.3", "plist_no_such", ERR_UNAVAILABLE },
		{ "the library is missing", "libnone.so.0", "plist_new_dict", ERR_UNAVAILABLE },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void (*first)(plist_t) = NULL;
		plist_t (*second)(void) = NULL;
		const struct library_symbol symbols[] = {
			{ "plist_free", &first }, { rows[i].second, &second },
		};
		struct error err = { 0 };

		row_named(rows[i].name);
		assert_int_equal(library_load(rows[i].soname, "install it", symbols, 2, &err),
		    rows[i].want == ERR_NONE ? 0 : -1);
		assert_int_equal(err.kind, rows[i].want);
		assert_int_equal(first != NULL && second != NULL, rows[i].want == ERR_NONE);
		assert_int_equal(first == NULL && second == NULL, rows[i].want != ERR_NONE);
		if (rows[i].want == ERR_NONE)
			first(second());
		else
			assert_string_equal(err.hint, "install it");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(foreign_text_is_made_printable),
		cmocka_unit_test(characters_take_their_columns),
		cmocka_unit_test(durations_are_read),
		cmocka_unit_test(versions_compare_by_number),
		cmocka_unit_test(udids_compare_without_the_dash),
		cmocka_unit_test(ids_are_shortened_to_their_end),
		cmocka_unit_test(misspellings_are_measured),
		cmocka_unit_test(property_lists_are_guarded),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(shared_references_do_not_unfold_without_end),
		cmocka_unit_test(every_cut_of_a_binary_list_is_survived),
		cmocka_unit_test(dates_are_read_beyond_32_bits),
		cmocka_unit_test(blobs_grow_and_give_away),
		cmocka_unit_test(libraries_are_loaded_whole_or_not_at_all),
		cmocka_unit_test(context_never_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
