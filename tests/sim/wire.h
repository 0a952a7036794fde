/* wire: a bench behind its usbmuxd socket, and a client of it that counts bytes */
#ifndef TESTS_SIM_WIRE_H
#define TESTS_SIM_WIRE_H

#include "tests/sim/fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sim/frame.h"
#include "sim/muxserver.h"

enum { HEADER = 16, TURNS = 200 };

struct wire {
	struct fixture	*fixture;
	struct muxserver *server;
	char		 path[64];
	char		 folder[32];
};

static inline void
on_turn(void *ctx)
{
	struct wire *wire = ctx;

	muxserver_reap(wire->server);
}

static inline int
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

static inline int
tear_down(void **state)
{
	struct wire *wire = *state;

	muxserver_free(wire->server);
	fixture_tear_down((void **)&wire->fixture);
	rmdir(wire->folder);
	free(wire);
	return 0;
}

static inline int
dial(struct wire *wire)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", wire->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	turn(wire->fixture);
	return fd;
}

static inline void
put32(struct blob *out, uint32_t value)
{
	const uint8_t bytes[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
		(uint8_t)(value >> 24) };

	assert_int_equal(blob_append(out, bytes, 4), 0);
}

/* Appends a command; the request is freed. */
static inline void
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

static inline void
put(struct wire *wire, int fd, const struct blob *bytes)
{
	assert_int_equal(send(fd, bytes->data, bytes->len, MSG_NOSIGNAL), bytes->len);
	turn(wire->fixture);
}

/* Up to n bytes; fewer when the peer closed or fell silent. */
static inline size_t
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
			turn(wire->fixture);
	}
	return had;
}

static inline bool
is_closed(struct wire *wire, int fd)
{
	char byte;
	int i;

	for (i = 0; i < TURNS; i++) {
		ssize_t got = recv(fd, &byte, 1, 0);

		if (got == 0 || (got < 0 && errno != EAGAIN))
			return true;
		turn(wire->fixture);
	}
	return false;
}

static inline plist_t
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
	assert_int_equal(proplist_parse(body, len - HEADER, &PROPLIST_WIRE, ERR_PROTOCOL, &reply,
	    &err), 0);
	return reply;
}

static inline uint64_t
get_result(struct wire *wire, int fd)
{
	uint32_t tag;
	auto_plist plist_t reply = get_reply(wire, fd, &tag);
	uint64_t number = UINT64_MAX;

	assert_string_equal(dict_get_string(reply, "MessageType"), "Result");
	assert_true(dict_get_uint(reply, "Number", &number));
	return number;
}

static inline plist_t
connect_request(uint64_t device_id, uint16_t port)
{
	plist_t request = request_of("MessageType", "Connect");

	plist_dict_set_item(request, "DeviceID", plist_new_uint(device_id));
	plist_dict_set_item(request, "PortNumber", plist_new_uint(htons(port)));
	return request;
}

static inline plist_t
record_request(const char *type, const char *data)
{
	plist_t request = request_of("MessageType", type);

	dict_set_string(request, "PairRecordID", "some-device");
	if (data)
		dict_set_data(request, "PairRecordData", data, strlen(data));
	return request;
}

static inline void
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

static inline bool
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

static inline int
dial_lockdown(struct wire *wire)
{
	auto_blob struct blob bytes = { 0 };
	int fd = dial(wire);

	pack(&bytes, 1, 1, connect_request(only_device(wire->fixture)->device_id, LOCKDOWN_PORT));
	put(wire, fd, &bytes);
	assert_int_equal(get_result(wire, fd), 0);
	return fd;
}

#endif
