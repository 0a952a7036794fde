/* privacy: what the record leaves out or hashes, wherever it is said */
#include "tests/unit/table.h"

#include <jansson.h>
#include <string.h>

#include "base/blob.h"
#include "base/error.h"
#include "store/event.h"
#include "store/privacy.h"

#define UDID "00008030-001C2D3E4F50002E"

static void
names_and_serials_are_kept_out(void **state)
{
	static const char body[] = "{\"device\":{\"name\":\"Anna's iPad\",\"os\":\"18.1\","
	    "\"serial\":\"F9FXK0ABCD12\",\"udid\":\"" UDID "\"},"
	    "\"error\":{\"message\":\"Anna's iPad (F9FXK0ABCD12): locked\"},"
	    "\"verdict\":\"blocked\"}";
	static const struct {
		const char *name;
		struct privacy p;
		const char *want[3], *unwanted[3];
	} rows[] = {
		{ "everything kept", { 0 }, { "Anna", "F9FXK0ABCD12", UDID }, { NULL } },
		{ "the name left out, everywhere", { .names = PRIVACY_OMIT },
		  { "\"name\":null", "[left out] (F9FXK0ABCD12): locked" }, { "Anna" } },
		{ "the serial number hashed, everywhere", { .serials = PRIVACY_HASH },
		  { "\"serial\":\"hmac:", "Anna's iPad (hmac:" }, { "F9FXK0ABCD12" } },
		{ "all of it hashed", { PRIVACY_HASH, PRIVACY_HASH, PRIVACY_HASH, NULL },
		  { "\"os\":\"18.1\"", "\"verdict\":\"blocked\"" },
		  { "Anna", "F9FXK0ABCD12", UDID } },
		{ "a UDID left out is hashed", { .udids = PRIVACY_OMIT },
		  { "\"udid\":\"hmac:" }, { UDID } },
	};
	uint8_t bytes[16] = "0123456789abcde";
	struct blob key = { .data = bytes, .len = sizeof(bytes) };
	size_t i, j;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		struct privacy p = rows[i].p;
		json_t *object = json_loads(body, 0, NULL);
		struct error err = { 0 };
		auto_free char *text = NULL;

		row_named(rows[i].name);
		p.key = &key;
		assert_int_equal(privacy_apply(&p, object, &err), 0);
		text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
		for (j = 0; j < 3 && rows[i].want[j]; j++)
			assert_non_null(strstr(text, rows[i].want[j]));
		for (j = 0; j < 3 && rows[i].unwanted[j]; j++)
			assert_null(strstr(text, rows[i].unwanted[j]));
		json_decref(object);
	}
}

/* Most are called so, and what they are must not go with what they are called. */
static void
a_device_called_ipad_stays_an_ipad(void **state)
{
	const struct privacy p = { .names = PRIVACY_OMIT };
	json_t *body = json_loads("{\"device\":{\"name\":\"iPad\",\"class\":\"iPad\","
	    "\"product\":\"iPad13,18\"},\"error\":{\"message\":\"iPad: locked\"}}", 0, NULL);
	auto_free char *text = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(privacy_apply(&p, body, &err), 0);
	text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(text, "{\"device\":{\"class\":\"iPad\",\"name\":null,"
	    "\"product\":\"iPad13,18\"},\"error\":{\"message\":\"[left out]: locked\"}}");
	json_decref(body);
}

static void
hashing_takes_a_key(void **state)
{
	uint8_t bytes[16] = "0123456789abcde";
	struct blob key = { .data = bytes, .len = sizeof(bytes) };
	struct privacy p = { .udids = PRIVACY_HASH };
	char a[EVENT_TEXT_MAX], b[EVENT_TEXT_MAX];
	struct error err = { 0 };

	(void)state;
	assert_int_equal(privacy_device(&p, UDID, a, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	p.key = &key;
	assert_int_equal(privacy_device(&p, UDID, a, &err), 0);
	assert_int_equal(privacy_device(&p, "00008030001c2d3e4f50002e", b, &err), 0);
	assert_string_equal(a, b);
	bytes[0] = 'x';
	assert_int_equal(privacy_device(&p, UDID, b, &err), 0);
	assert_string_not_equal(a, b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_serials_are_kept_out),
		cmocka_unit_test(a_device_called_ipad_stays_an_ipad),
		cmocka_unit_test(hashing_takes_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
