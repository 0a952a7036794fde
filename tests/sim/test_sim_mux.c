/* the mux server over a real socket: headers, commands, streams cut anywhere, faults */
#include "tests/sim/fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sim/fault.h"
#include "sim/frame.h"
#include "sim/muxserver.h"

enum { HEADER = 16, TURNS = 200 };

struct wire {
	struct fixture	*fixture;
	struct muxserver *server;
	char		 path[64];
	char		 folder[32];
};

static void
on_turn(void *ctx)
{
	struct wire *wire = ctx;

	muxserver_reap(wire->server);
}

static int
set_up(void **state)
{
	struct wire *wire = calloc(1, sizeof(*wire));
	struct error err = { 0 };

	fixture_set_up((void **)&wire->fixture);
	snprintf(wire->folder, sizeof(wire->folder), "/tmp/vbenchXXXXXX");
	assert_non_null(mkdtemp(wire->folder));
	snprintf(wire->path, sizeof(wire->path), "%s/mux", wire->folder);
	wire->server = muxserver_new(wire->fixture->bench, &err);
	assert_int_equal(muxserver_listen_unix(wire->server, wire->path, &err), 0);
	loop_on_turn(wire->fixture->loop, on_turn, wire);
	add_device(wire->fixture, true, NULL);
	*state = wire;
	return 0;
}

static int
tear_down(void **state)
{
	struct wire *wire = *state;

	muxserver_free(wire->server);
	fixture_tear_down((void **)&wire->fixture);
	rmdir(wire->folder);
	free(wire);
	return 0;
}

static struct virtual *
only_device(struct wire *wire)
{
	return wire->fixture->bench->devices[0];
}

static void
turn(struct wire *wire)
{
	struct error err = { 0 };

	assert_int_equal(loop_turn(wire->fixture->loop, 0, &err), 0);
}

static int
dial(struct wire *wire)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", wire->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	turn(wire);
	return fd;
}

static void
put32(struct blob *out, uint32_t value)
{
	const uint8_t bytes[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
		(uint8_t)(value >> 24) };

	assert_int_equal(blob_append(out, bytes, 4), 0);
}

/* Appends a command; the request is freed. */
static void
pack(struct blob *out, uint32_t version, uint32_t tag, plist_t request)
{
	auto_blob struct blob xml = { 0 };

	assert_int_equal(proplist_to_xml(request, &xml), 0);
	plist_free(request);
	put32(out, (uint32_t)(HEADER + xml.len));
	put32(out, version);
	put32(out, 8);
	put32(out, tag);
	assert_int_equal(blob_append(out, xml.data, xml.len), 0);
}

static void
put(struct wire *wire, int fd, const struct blob *bytes)
{
	assert_int_equal(send(fd, bytes->data, bytes->len, MSG_NOSIGNAL), bytes->len);
	turn(wire);
}

/* Up to n bytes; fewer when the peer closed or fell silent. */
static size_t
get(struct wire *wire, int fd, void *data, size_t n)
{
	size_t had = 0;
	int i;

	for (i = 0; i < TURNS && had < n; i++) {
		ssize_t got = recv(fd, (uint8_t *)data + had, n - had, 0);

		if (got == 0)
			break;
		if (got > 0)
			had += (size_t)got;
		else
			turn(wire);
	}
	return had;
}

static bool
is_closed(struct wire *wire, int fd)
{
	char byte;
	int i;

	for (i = 0; i < TURNS; i++) {
		ssize_t got = recv(fd, &byte, 1, 0);

		if (got == 0 || (got < 0 && errno != EAGAIN))
			return true;
		turn(wire);
	}
	return false;
}

static plist_t
get_reply(struct wire *wire, int fd, uint32_t *tag)
{
	uint8_t header[HEADER], body[65536];
	struct error err = { 0 };
	plist_t reply = NULL;
	uint32_t len;

	assert_int_equal(get(wire, fd, header, HEADER), HEADER);
	len = (uint32_t)header[0] | (uint32_t)header[1] << 8 | (uint32_t)header[2] << 16;
	*tag = header[12];
	assert_int_equal(header[4], 1);
	assert_int_equal(header[8], 8);
	assert_true(len > HEADER && len - HEADER < sizeof(body));
	assert_int_equal(get(wire, fd, body, len - HEADER), len - HEADER);
	assert_memory_equal(body, "<?xml", 5);
	assert_int_equal(proplist_parse(body, len - HEADER, &PROPLIST_WIRE, ERR_PROTOCOL, &reply, &err), 0);
	return reply;
}

static uint64_t
get_result(struct wire *wire, int fd)
{
	uint32_t tag;
	auto_plist plist_t reply = get_reply(wire, fd, &tag);
	uint64_t number = UINT64_MAX;

	assert_string_equal(dict_get_string(reply, "MessageType"), "Result");
	assert_true(dict_get_uint(reply, "Number", &number));
	return number;
}

static plist_t
connect_request(uint64_t device_id, uint16_t port)
{
	plist_t request = request_of("MessageType", "Connect");

	plist_dict_set_item(request, "DeviceID", plist_new_uint(device_id));
	plist_dict_set_item(request, "PortNumber", plist_new_uint(htons(port)));
	return request;
}

static plist_t
record_request(const char *type, const char *data)
{
	plist_t request = request_of("MessageType", type);

	dict_set_string(request, "PairRecordID", "some-device");
	if (data)
		dict_set_data(request, "PairRecordData", data, strlen(data));
	return request;
}

static void
commands_are_answered(void **state)
{
	struct wire *wire = *state;
	const uint64_t id = only_device(wire)->device_id;
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
		{ "a record", record_request("SavePairRecord", XML("<dict>" KEY("HostID", STRING("x")) "</dict>")), 0 },
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
	turn(wire);
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
	struct virtual *device = only_device(wire);
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
pack_query(struct blob *out, bool is_binary)
{
	auto_plist plist_t query = request_of("Request", "QueryType");
	char *bin = NULL;
	uint32_t len = 0;

	if (!is_binary) {
		assert_int_equal(frame_pack(query, out), 0);
		return;
	}
	plist_to_bin(query, &bin, &len);
	assert_int_equal(blob_append(out, &(uint32_t){ htonl(len) }, 4), 0);
	assert_int_equal(blob_append(out, bin, len), 0);
	free(bin);
}

static bool
get_type(struct wire *wire, int fd)
{
	auto_blob struct blob bytes = { 0 };
	auto_plist plist_t reply = NULL;
	uint8_t header[4], body[4096];
	size_t len, size;

	if (get(wire, fd, header, 4) != 4)
		return false;
	len = (size_t)header[2] << 8 | header[3];
	if (header[0] || header[1] || len > sizeof(body) || get(wire, fd, body, len) != len)
		return false;
	blob_append(&bytes, header, 4);
	blob_append(&bytes, body, len);
	if (frame_take(&bytes, &reply, &size) != FRAME_WHOLE || !dict_get_string(reply, "Type"))
		return false;
	return strcmp(dict_get_string(reply, "Type"), "com.apple.mobile.lockdown") == 0;
}

static int
dial_lockdown(struct wire *wire)
{
	auto_blob struct blob bytes = { 0 };
	int fd = dial(wire);

	pack(&bytes, 1, 1, connect_request(only_device(wire)->device_id, LOCKDOWN_PORT));
	put(wire, fd, &bytes);
	assert_int_equal(get_result(wire, fd), 0);
	return fd;
}

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
	turn(wire);
}

static void
what_follows_connect_belongs_to_the_stream(void **state)
{
	struct wire *wire = *state;
	auto_blob struct blob bytes = { 0 };
	int fd = dial(wire);

	pack(&bytes, 1, 1, connect_request(only_device(wire)->device_id, LOCKDOWN_PORT));
	pack_query(&bytes, false);
	put(wire, fd, &bytes);
	assert_int_equal(get_result(wire, fd), 0);
	assert_true(get_type(wire, fd));
	close(fd);
	turn(wire);
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

/* ---- faults --------------------------------------------------------------- */

enum outcome { ANSWERED, CLOSED_WITHOUT, CLOSED_HALFWAY, SILENT, SILENT_BYTES, ANSWERED_THEN_CLOSED };

static enum outcome
look_at(struct wire *wire, int fd)
{
	uint8_t data[4096];
	size_t n = get(wire, fd, data, sizeof(data));
	bool closed = is_closed(wire, fd);
	size_t whole = n >= 4 ? 4 + ((size_t)data[0] << 24 | (size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3]) : 0;
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
		{ "hang", { "do", "hang" }, SILENT, SILENT, true },
		{ "hang, but answered before", { "do", "hang", "phase", "after" }, ANSWERED, ANSWERED, true },
		{ "hang in the middle", { "do", "hang", "phase", "middle" }, SILENT_BYTES, SILENT_BYTES, true },
		{ "close", { "do", "close" }, CLOSED_WITHOUT, CLOSED_WITHOUT, true },
		{ "close once it is done", { "do", "close", "phase", "unanswered" }, CLOSED_WITHOUT, CLOSED_WITHOUT, true },
		{ "close in the middle", { "do", "close", "phase", "middle" }, CLOSED_HALFWAY, CLOSED_HALFWAY, true },
		{ "close afterwards", { "do", "close", "phase", "after" }, ANSWERED_THEN_CLOSED, ANSWERED_THEN_CLOSED, true },
		{ "the second message only", { "do", "close", "nth", "2" }, ANSWERED, CLOSED_WITHOUT, true },
		{ "the first message only", { "do", "close", "nth", "1" }, CLOSED_WITHOUT, ANSWERED, true },
		{ "once", { "do", "close", "times", "1" }, CLOSED_WITHOUT, ANSWERED, true },
		{ "another request is spared", { "do", "close", "request", "Pair" }, ANSWERED, ANSWERED, true },
		{ "another service is spared", { "do", "close", "at", "mcinstall" }, ANSWERED, ANSWERED, true },
		{ "by its full name", { "do", "close", "at", "com.apple.mobile.lockdown" }, CLOSED_WITHOUT, CLOSED_WITHOUT, true },
		{ "truncate", { "do", "truncate" }, CLOSED_HALFWAY, CLOSED_HALFWAY, true },
		{ "garbage", { "do", "garbage" }, SILENT_BYTES, SILENT_BYTES, true },
		{ "zero length", { "do", "zero-length" }, SILENT_BYTES, SILENT_BYTES, true },
		{ "oversized length", { "do", "oversized-length" }, SILENT_BYTES, SILENT_BYTES, true },
		{ "an alert where no TLS is", { "do", "tls-alert" }, CLOSED_HALFWAY, CLOSED_HALFWAY, true },
		{ "a goodbye where no TLS is", { "do", "tls-close" }, CLOSED_HALFWAY, CLOSED_HALFWAY, true },
		{ "the first to arrive", { "do", "close", "phase", "arriving", "nth", "1" }, CLOSED_WITHOUT, ANSWERED, true },
		{ "the second to arrive", { "do", "close", "phase", "arriving", "nth", "2" }, ANSWERED, CLOSED_WITHOUT, true },
		{ "silent when half is read", { "do", "hang", "phase", "arriving" }, SILENT, SILENT, true },
		{ "an error is an answer", { "do", "error", "text", "Nonsense" }, ANSWERED, ANSWERED, true },
		{ "a lock is an answer", { "do", "lock", "at", "lockdown" }, ANSWERED, ANSWERED, true },
		{ "unplug", { "do", "unplug" }, CLOSED_WITHOUT, CLOSED_WITHOUT, false },
		{ "restart", { "do", "restart" }, CLOSED_WITHOUT, CLOSED_WITHOUT, false },
	};
	struct wire *wire = *state;
	struct virtual *device = only_device(wire);
	size_t i, at;

	for (i = 0; i < countof(rows); i++) {
		auto_blob struct blob query = { 0 };
		struct fault fault = { 0 };
		struct error err = { 0 };
		int fd;

		row_named(rows[i].name);
		for (at = 0; at < countof(rows[i].keys) && rows[i].keys[at]; at += 2)
			assert_int_equal(fault_set(&fault, rows[i].keys[at], rows[i].keys[at + 1], &err), 0);
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
		turn(wire);
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
	struct virtual *device = only_device(wire);
	struct fault fault = { .kind = FAULT_CLOSE, .phase = FAULT_ARRIVING };
	auto_blob struct blob query = { 0 };
	char byte;
	int fd;

	assert_int_equal(fault_list_add(&device->faults, &fault), 0);
	fd = dial_lockdown(wire);
	pack_query(&query, false);
	put(wire, fd, &query);
	turn(wire);
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
	struct virtual *device = only_device(wire);
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
	turn(wire);
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
		cmocka_unit_test(commands_are_answered),
		cmocka_unit_test(tags_and_versions_are_kept),
		cmocka_unit_test(listeners_hear_of_everything),
		cmocka_unit_test(messages_may_be_cut_anywhere),
		cmocka_unit_test(what_follows_connect_belongs_to_the_stream),
		cmocka_unit_test(nonsense_ends_the_stream),
		cmocka_unit_test(faults_strike),
		cmocka_unit_test(a_key_can_be_missing_or_wrong),
		cmocka_unit_test(a_key_can_be_a_path),
		cmocka_unit_test(what_is_not_read_is_refused),
		cmocka_unit_test(usbmuxd_can_end_and_come_back),
		cmocka_unit_test(error_chains_come_in_all_types),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
