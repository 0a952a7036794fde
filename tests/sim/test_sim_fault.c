/* faults: what a device does wrong when it is told to, over a real socket */
#include "tests/sim/wire.h"

#include "sim/fault.h"

enum outcome { ANSWERED, CLOSED_WITHOUT, CLOSED_HALFWAY, SILENT, SILENT_BYTES,
	ANSWERED_THEN_CLOSED };

static enum outcome
look_at(struct wire *wire, int fd)
{
	uint8_t data[4096];
	size_t n = get(wire, fd, data, sizeof(data));
	bool closed = is_closed(wire, fd);
	size_t whole = n >= 4 ? 4 + ((size_t)data[0] << 24 | (size_t)data[1] << 16 |
	    (size_t)data[2] << 8 | data[3]) : 0;
	bool is_whole = n >= 4 && n == whole && n > 4 && memcmp(data + 4, "<?xml", 5) == 0;

	if (n == 0)
		return closed ? CLOSED_WITHOUT : SILENT;
	if (is_whole)
		return closed ? ANSWERED_THEN_CLOSED : ANSWERED;
	return closed ? CLOSED_HALFWAY : SILENT_BYTES;
}

static void
faults_strike(void **state)
{
	static const struct {
		const char *name;
		const char *keys[8];
		enum outcome first, second;
		bool stays_attached;
	} rows[] = {
		{ "hang", { "do", "hang" },
		    SILENT, SILENT, true },
		{ "hang, but answered before", { "do", "hang", "phase", "after" },
		    ANSWERED, ANSWERED, true },
		{ "hang in the middle", { "do", "hang", "phase", "middle" },
		    SILENT_BYTES, SILENT_BYTES, true },
		{ "close", { "do", "close" },
		    CLOSED_WITHOUT, CLOSED_WITHOUT, true },
		{ "close once it is done", { "do", "close", "phase", "unanswered" },
		    CLOSED_WITHOUT, CLOSED_WITHOUT, true },
		{ "close in the middle", { "do", "close", "phase", "middle" },
		    CLOSED_HALFWAY, CLOSED_HALFWAY, true },
		{ "close afterwards", { "do", "close", "phase", "after" },
		    ANSWERED_THEN_CLOSED, ANSWERED_THEN_CLOSED, true },
		{ "the second message only", { "do", "close", "nth", "2" },
		    ANSWERED, CLOSED_WITHOUT, true },
		{ "the first message only", { "do", "close", "nth", "1" },
		    CLOSED_WITHOUT, ANSWERED, true },
		{ "once", { "do", "close", "times", "1" },
		    CLOSED_WITHOUT, ANSWERED, true },
		{ "another request is spared", { "do", "close", "request", "Pair" },
		    ANSWERED, ANSWERED, true },
		{ "another service is spared", { "do", "close", "at", "mcinstall" },
		    ANSWERED, ANSWERED, true },
		{ "by its full name", { "do", "close", "at", "com.apple.mobile.lockdown" },
		    CLOSED_WITHOUT, CLOSED_WITHOUT, true },
		{ "truncate", { "do", "truncate" },
		    CLOSED_HALFWAY, CLOSED_HALFWAY, true },
		{ "garbage", { "do", "garbage" },
		    SILENT_BYTES, SILENT_BYTES, true },
		{ "zero length", { "do", "zero-length" },
		    SILENT_BYTES, SILENT_BYTES, true },
		{ "oversized length", { "do", "oversized-length" },
		    SILENT_BYTES, SILENT_BYTES, true },
		{ "an alert where no TLS is", { "do", "tls-alert" },
		    CLOSED_HALFWAY, CLOSED_HALFWAY, true },
		{ "a goodbye where no TLS is", { "do", "tls-close" },
		    CLOSED_HALFWAY, CLOSED_HALFWAY, true },
		{ "the first to arrive", { "do", "close", "phase", "arriving", "nth", "1" },
		    CLOSED_WITHOUT, ANSWERED, true },
		{ "the second to arrive", { "do", "close", "phase", "arriving", "nth", "2" },
		    ANSWERED, CLOSED_WITHOUT, true },
		{ "silent when half is read", { "do", "hang", "phase", "arriving" },
		    SILENT, SILENT, true },
		{ "an error is an answer", { "do", "error", "text", "Nonsense" },
		    ANSWERED, ANSWERED, true },
		{ "a lock is an answer", { "do", "lock", "at", "lockdown" },
		    ANSWERED, ANSWERED, true },
		{ "unplug", { "do", "unplug" },
		    CLOSED_WITHOUT, CLOSED_WITHOUT, false },
		{ "restart", { "do", "restart" },
		    CLOSED_WITHOUT, CLOSED_WITHOUT, false },
	};
	struct wire *wire = *state;
	struct virtual *device = only_device(wire->fixture);
	size_t i, at;

	for (i = 0; i < countof(rows); i++) {
		auto_blob struct blob query = { 0 };
		struct fault fault = { 0 };
		struct error err = { 0 };
		int fd;

		row_named(rows[i].name);
		for (at = 0; at < countof(rows[i].keys) && rows[i].keys[at]; at += 2)
			assert_int_equal(fault_set(&fault, rows[i].keys[at], rows[i].keys[at + 1],
			    &err), 0);
		assert_int_equal(fault_list_add(&device->faults, &fault), 0);
		pack_query(&query, false);
		fd = dial_lockdown(wire);
		put(wire, fd, &query);
		assert_int_equal(look_at(wire, fd), rows[i].first);
		close(fd);
		assert_int_equal(device->device_id != 0, rows[i].stays_attached);
		virtual_attach(device);
		fd = dial_lockdown(wire);
		put(wire, fd, &query);
		assert_int_equal(look_at(wire, fd), rows[i].second);
		close(fd);
		virtual_attach(device);
		virtual_unlock(device);
		fault_list_clear(&device->faults);
		turn(wire->fixture);
	}
}

static void
a_key_can_be_missing_or_wrong(void **state)
{
	plist_t reply = plist_new_dict(), inner = plist_new_dict();
	struct fault fault = { 0 };
	struct error err = { 0 };

	(void)state;
	dict_set_string(reply, "Status", "Acknowledged");
	dict_set_string(inner, "PayloadUUID", "x");
	plist_dict_set_item(reply, "ProfileMetadata", inner);
	fault_set(&fault, "do", "wrong-type", &err);
	fault_set(&fault, "key", "PayloadUUID", &err);
	fault_spoil(&fault, reply);
	assert_true(node_is(dict_get(inner, "PayloadUUID"), PLIST_UINT));
	fault_set(&fault, "do", "missing-key", &err);
	fault_spoil(&fault, reply);
	assert_null(dict_get(inner, "PayloadUUID"));
	fault_clear(&fault);
	fault_set(&fault, "do", "missing-key", &err);
	fault_spoil(&fault, reply);
	assert_null(dict_get(reply, "Status"));
	fault_clear(&fault);
	plist_free(reply);
	assert_int_equal(fault_set(&fault, "do", "explode", &err), -1);
	assert_int_equal(fault_set(&fault, "whom", "me", &err), -1);
	assert_int_equal(fault_check(&fault, &err), -1);
}

static void
a_key_can_be_a_path(void **state)
{
	plist_t reply = plist_new_dict(), names = plist_new_array(), inner = plist_new_dict();
	static const struct {
		const char *name, *kind, *path;
	} rows[] = {
		{ "an item of another type", "wrong-type", "Names/1" },
		{ "a missing item", "missing-key", "Names/0" },
		{ "a key two levels down", "missing-key", "Inner/Status" },
		{ "an item that is not there", "missing-key", "Names/7" },
		{ "a way through a text", "missing-key", "Status/Inner/Status" },
		{ "a way that ends early", "wrong-type", "Elsewhere/Status" },
	};
	size_t i;

	(void)state;
	plist_array_append_item(names, plist_new_string("a"));
	plist_array_append_item(names, plist_new_string("b"));
	plist_dict_set_item(reply, "Names", names);
	dict_set_string(inner, "Status", "x");
	plist_dict_set_item(reply, "Inner", inner);
	dict_set_string(reply, "Status", "y");
	for (i = 0; i < countof(rows); i++) {
		struct fault fault = { 0 };
		struct error err = { 0 };

		row_named(rows[i].name);
		fault_set(&fault, "do", rows[i].kind, &err);
		fault_set(&fault, "key", rows[i].path, &err);
		fault_spoil(&fault, reply);
		fault_clear(&fault);
	}
	assert_int_equal(plist_array_get_size(names), 1);
	assert_true(node_is(plist_array_get_item(names, 0), PLIST_UINT));
	assert_null(dict_get(inner, "Status"));
	assert_string_equal(dict_get_string(reply, "Status"), "y");
	plist_free(reply);
}

/* What was sent and never read comes back as a reset, as from a device that is gone. */
static void
what_is_not_read_is_refused(void **state)
{
	struct wire *wire = *state;
	struct virtual *device = only_device(wire->fixture);
	struct fault fault = { .kind = FAULT_CLOSE, .phase = FAULT_ARRIVING };
	auto_blob struct blob query = { 0 };
	char byte;
	int fd;

	assert_int_equal(fault_list_add(&device->faults, &fault), 0);
	fd = dial_lockdown(wire);
	pack_query(&query, false);
	put(wire, fd, &query);
	turn(wire->fixture);
	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(fd);
	fault.request = strdup("QueryType");
	fault.kind = FAULT_CLOSE;
	fault.phase = FAULT_ARRIVING;
	assert_int_equal(fault_check(&fault, &(struct error){ 0 }), -1);
	fault_clear(&fault);
	fault_list_clear(&device->faults);
}

static void
usbmuxd_can_end_and_come_back(void **state)
{
	struct wire *wire = *state;
	struct virtual *device = only_device(wire->fixture);
	struct error err = { 0 };
	auto_blob struct blob query = { 0 };
	int fd;

	virtual_detach(device);
	virtual_attach(device);
	assert_true(device->device_id > 1);
	fd = dial_lockdown(wire);
	muxserver_stop(wire->server);
	muxserver_stop(wire->server);
	assert_int_equal(access(wire->path, F_OK), -1);
	assert_true(is_closed(wire, fd));
	close(fd);
	assert_int_equal(muxserver_start(wire->server, &err), 0);
	assert_int_equal(muxserver_start(wire->server, &err), 0);
	assert_int_equal(device->device_id, 1);
	fd = dial_lockdown(wire);
	pack_query(&query, false);
	put(wire, fd, &query);
	assert_int_equal(look_at(wire, fd), ANSWERED);
	close(fd);
	turn(wire->fixture);
}

static void
error_chains_come_in_all_types(void **state)
{
	struct fault fault = { .kind = FAULT_ERROR, .links = 20 };
	struct error err = { 0 };
	auto_plist plist_t reals = NULL, strings = NULL;

	(void)state;
	fault_set(&fault, "code", "4001", &err);
	fault_set(&fault, "code-type", "real", &err);
	reals = fault_chain(&fault);
	assert_int_equal(plist_array_get_size(reals), 20);
	assert_true(node_is(dict_get(plist_array_get_item(reals, 0), "ErrorCode"), PLIST_REAL));
	fault_set(&fault, "code-type", "string", &err);
	strings = fault_chain(&fault);
	assert_string_equal(dict_get_string(plist_array_get_item(strings, 0), "ErrorCode"), "4001");
	fault_clear(&fault);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_strike),
		cmocka_unit_test(a_key_can_be_missing_or_wrong),
		cmocka_unit_test(a_key_can_be_a_path),
		cmocka_unit_test(what_is_not_read_is_refused),
		cmocka_unit_test(usbmuxd_can_end_and_come_back),
		cmocka_unit_test(error_chains_come_in_all_types),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
