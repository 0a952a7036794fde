/* the mux server over a real socket: headers, commands, streams cut anywhere */
#include "tests/sim/wire.h"

static void
commands_are_answered(void **state)
{
	struct wire *wire = *state;
	const uint64_t id = only_device(wire->fixture)->device_id;
	const struct {
		const char *name;
		plist_t request;
		uint64_t want;
	} rows[] = {
		{ "an unknown command", request_of("MessageType", "Nonsense"), 1 },
		{ "no command at all", plist_new_dict(), 1 },
		{ "a device that is not there", connect_request(id + 100, LOCKDOWN_PORT), 2 },
		{ "a port that is closed", connect_request(id, 50001), 3 },
		{ "a record that is not there", record_request("ReadPairRecord", NULL), 2 },
		{ "a record that is no list", record_request("SavePairRecord", "nonsense"), 22 },
		{ "a record without data", record_request("SavePairRecord", NULL), 22 },
		{ "a record", record_request("SavePairRecord",
		    XML("<dict>" KEY("HostID", STRING("x")) "</dict>")), 0 },
		{ "a record removed", record_request("DeletePairRecord", NULL), 0 },
		{ "removed twice", record_request("DeletePairRecord", NULL), 2 },
		{ "lockdown's port", connect_request(id, LOCKDOWN_PORT), 0 },
	};
	int fd = dial(wire);
	size_t i;

	/* All on one connection: no failure costs it. */
	for (i = 0; i < countof(rows); i++) {
		auto_blob struct blob bytes = { 0 };

		row_named(rows[i].name);
		pack(&bytes, 1, 1, rows[i].request);
		put(wire, fd, &bytes);
		assert_int_equal(get_result(wire, fd), rows[i].want);
	}
	close(fd);
	turn(wire->fixture);
}

static void
tags_and_versions_are_kept(void **state)
{
	struct wire *wire = *state;
	auto_blob struct blob bytes = { 0 };
	auto_plist plist_t reply = NULL;
	uint8_t old[20];
	uint32_t tag;
	int fd = dial(wire);

	pack(&bytes, 7, 3, request_of("MessageType", "ReadBUID"));
	put(wire, fd, &bytes);
	assert_int_equal(get(wire, fd, old, sizeof(old)), sizeof(old));
	assert_int_equal(old[8], 1);		/* RESULT */
	assert_int_equal(old[16], 6);		/* BADVERSION */
	bytes.len = 0;
	pack(&bytes, 1, 42, request_of("MessageType", "ReadBUID"));
	put(wire, fd, &bytes);
	reply = get_reply(wire, fd, &tag);
	assert_int_equal(tag, 42);
	assert_string_equal(dict_get_string(reply, "BUID"), wire->fixture->bench->buid);
	assert_null(dict_get(reply, "MessageType"));
	bytes.len = 0;
	put32(&bytes, 65537);
	put32(&bytes, 1);
	put32(&bytes, 8);
	put32(&bytes, 1);
	put(wire, fd, &bytes);
	assert_true(is_closed(wire, fd));
	close(fd);
}

static void
listeners_hear_of_everything(void **state)
{
	struct wire *wire = *state;
	struct virtual *device = only_device(wire->fixture);
	static const char *const types[] = { "Attached", "Detached", "Attached" };
	auto_blob struct blob bytes = { 0 };
	uint64_t ids[3] = { 0 };
	uint32_t tag;
	int fd = dial(wire);
	size_t i;

	pack(&bytes, 1, 1, request_of("MessageType", "Listen"));
	put(wire, fd, &bytes);
	assert_int_equal(get_result(wire, fd), 0);
	virtual_detach(device);
	virtual_attach(device);
	for (i = 0; i < countof(types); i++) {
		auto_plist plist_t event = get_reply(wire, fd, &tag);

		assert_int_equal(tag, 0);
		assert_string_equal(dict_get_string(event, "MessageType"), types[i]);
		assert_true(dict_get_uint(event, "DeviceID", &ids[i]));
	}
	assert_true(ids[0] == ids[1] && ids[1] != ids[2]);
	bytes.len = 0;
	pack(&bytes, 1, 2, request_of("MessageType", "ListDevices"));
	put(wire, fd, &bytes);
	assert_int_equal(get_result(wire, fd), 1);
	assert_true(is_closed(wire, fd));
	close(fd);
}

/* ---- streams -------------------------------------------------------------- */

static void
messages_may_be_cut_anywhere(void **state)
{
	struct wire *wire = *state;
	int is_binary, fd = dial_lockdown(wire);

	for (is_binary = 0; is_binary < 2; is_binary++) {
		auto_blob struct blob query = { 0 };
		size_t cut;

		pack_query(&query, is_binary);
		for (cut = 0; cut <= query.len; cut++) {
			struct blob head = { .data = query.data, .len = cut };
			struct blob tail = { .data = query.data + cut, .len = query.len - cut };

			put(wire, fd, &head);
			put(wire, fd, &tail);
			assert_true(get_type(wire, fd));
		}
	}
	close(fd);
	turn(wire->fixture);
}

static void
what_follows_connect_belongs_to_the_stream(void **state)
{
	struct wire *wire = *state;
	auto_blob struct blob bytes = { 0 };
	int fd = dial(wire);

	pack(&bytes, 1, 1, connect_request(only_device(wire->fixture)->device_id, LOCKDOWN_PORT));
	pack_query(&bytes, false);
	put(wire, fd, &bytes);
	assert_int_equal(get_result(wire, fd), 0);
	assert_true(get_type(wire, fd));
	close(fd);
	turn(wire->fixture);
}

static void
nonsense_ends_the_stream(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		const char *bytes;
	} rows[] = {
		{ "a message of no length", 4, "\0\0\0\0" },
		{ "a length beyond reason", 4, "\x7f\xff\xff\xff" },
		{ "a body that is no list", 9, "\0\0\0\x05hello" },
	};
	struct wire *wire = *state;
	size_t i;

	for (i = 0; i < countof(rows); i++) {
		auto_blob struct blob bytes = { 0 };
		int fd = dial_lockdown(wire);

		row_named(rows[i].name);
		assert_int_equal(blob_set(&bytes, rows[i].bytes, rows[i].len), 0);
		put(wire, fd, &bytes);
		assert_true(is_closed(wire, fd));
		close(fd);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_answered),
		cmocka_unit_test(tags_and_versions_are_kept),
		cmocka_unit_test(listeners_hear_of_everything),
		cmocka_unit_test(messages_may_be_cut_anywhere),
		cmocka_unit_test(what_follows_connect_belongs_to_the_stream),
		cmocka_unit_test(nonsense_ends_the_stream),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
