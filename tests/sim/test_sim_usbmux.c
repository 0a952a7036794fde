/* the mux over USB: versions, connections, windows, long packets, resets */
#include "tests/sim/usbhost.h"

#include "sim/frame.h"
#include "sim/stream.h"

/* A service that answers {Size: n} with a string of that length. */
static void
handle(void *state, struct call *call)
{
	uint64_t size = 0;
	auto_free char *text = NULL;

	(void)state;
	dict_get_uint(call->request, "Size", &size);
	text = calloc(1, size + 1);
	assert_non_null(text);
	memset(text, 'x', size);
	call->reply = plist_new_dict();
	dict_set_string(call->reply, "Text", text);
	call->next = size ? CALL_GO_ON : CALL_CLOSE;
}

static const struct service echo = {
	.name = "echo", .label = "echo", .request_key = "Request", .works_locked = true,
	.handle = handle, .refuse = service_refuse_plainly,
};

/* Imported, configured, versions agreed. */
static void
begin(struct usbhost *host, uint32_t device_version)
{
	only_device(host->fixture)->mux_version = device_version;
	assert_int_equal(import(host, "1-1"), 0);
	assert_int_equal(choose_configuration(host, 4), 0);
	assert_int_equal(handshake(host, 2), device_version);
}

static struct link
link_to_echo(struct usbhost *host, uint16_t window)
{
	struct link link = { .from = 1, .window = window,
		.port = virtual_open_port(only_device(host->fixture), &echo, NULL) };

	assert_true(open_link(host, &link));
	return link;
}

static void
ask_for(uint64_t size, struct blob *out)
{
	auto_plist plist_t request = plist_new_dict();

	plist_dict_set_item(request, "Size", plist_new_uint(size));
	assert_int_equal(frame_pack(request, out), 0);
}

/* Collects data until the frame is whole; acknowledges each segment if told to. */
static void
collect(struct usbhost *host, struct link *link, bool acknowledge, struct blob *out)
{
	while (out->len < 4 || out->len < 4 + take_32(out->data)) {
		auto_heard struct heard heard = { 0 };

		hear(host, &heard);
		assert_int_equal(heard.flags, 0x10);
		assert_int_equal(heard.seq, link->ack);
		assert_int_equal(heard.ack, link->seq);
		assert_int_equal(heard.window, 512);
		assert_int_equal(blob_append(out, heard.data.data, heard.data.len), 0);
		link->ack += (uint32_t)heard.data.len;
		if (acknowledge)
			assert_int_equal(say(host, link, 0x10, "", 0), 0);
	}
}

static void
converse(struct usbhost *host, struct link *link, uint64_t size)
{
	auto_blob struct blob request = { 0 }, answer = { 0 };
	auto_plist plist_t reply = NULL;
	size_t taken;

	ask_for(size, &request);
	assert_int_equal(say(host, link, 0x10, request.data, request.len), 0);
	link->seq += (uint32_t)request.len;
	collect(host, link, true, &answer);
	assert_int_equal(frame_take(&answer, &reply, &taken), FRAME_WHOLE);
	assert_int_equal(strlen(dict_get_string(reply, "Text")), size);
}

/* ---- versions -------------------------------------------------------------------------- */

static void
both_versions_are_spoken(void **state)
{
	struct usbhost *host = *state;
	uint32_t version;

	for (version = 1; version <= 2; version++) {
		struct link link;

		row_named(version == 1 ? "version 1" : "version 2");
		begin(host, version);
		link = link_to_echo(host, 512);
		converse(host, &link, 10);
		close(host->fd);
		host->fd = -1;
		turn(host->fixture);
	}
}

static void
a_host_of_version_1_is_followed(void **state)
{
	struct usbhost *host = *state;

	assert_int_equal(import(host, "1-1"), 0);
	assert_int_equal(choose_configuration(host, 4), 0);
	assert_int_equal(handshake(host, 1), 1);
}

static void
another_usbmuxd_begins_anew(void **state)
{
	struct usbhost *host = *state;
	struct link link;

	begin(host, 2);
	link = link_to_echo(host, 512);
	assert_non_null(only_device(host->fixture)->streams);
	/* Killed and started again: it says VERSION, and knows no connection. */
	assert_int_equal(handshake(host, 2), 2);
	assert_null(only_device(host->fixture)->streams);
	link = link_to_echo(host, 512);
	converse(host, &link, 10);
}

static void
packets_that_make_no_sense_stall(void **state)
{
	struct usbhost *host = *state;
	static const struct {
		const char	*name;
		uint8_t		 bytes[40];
		size_t		 len;
	} rows[] = {
		{ "shorter than a header",
		    { 0, 0, 0, 6, 0, 0, 0 }, 7 },
		{ "longer than it says",
		    { 0, 0, 0, 6, 0, 0, 0, 16, 0xFE, 0xED, 0xFA, 0xCE, 0, 0, 0, 0, 1 }, 17 },
		{ "without the magic number",
		    { 0, 0, 0, 6, 0, 0, 0, 16, 1, 2, 3, 4, 0, 0, 0, 0 }, 16 },
		{ "a protocol that is none",
		    { 0, 0, 0, 9, 0, 0, 0, 16, 0xFE, 0xED, 0xFA, 0xCE, 0, 0, 0, 0 }, 16 },
		{ "a segment without header",
		    { 0, 0, 0, 6, 0, 0, 0, 17, 0xFE, 0xED, 0xFA, 0xCE, 0, 0, 0, 0, 1 }, 17 },
		{ "version 0",
		    { 0, 0, 0, 0, 0, 0, 0, 20 }, 20 },
	};
	size_t i, actual;

	begin(host, 2);
	for (i = 0; i < countof(rows); i++) {
		auto_blob struct blob packet = { 0 };

		row_named(rows[i].name);
		assert_int_equal(blob_set(&packet, rows[i].bytes, rows[i].len), 0);
		assert_int_equal(bulk_out(host, &packet), -EPIPE);
		/* Until the host clears it, nothing passes. */
		assert_int_equal(result(host, submit(host, MUX_OUT, false, NULL, "", 0), false,
		    NULL, &actual), -EPIPE);
		assert_int_equal(control(host, (const uint8_t[8]){ 2, 1, 0, 0, 4 }, NULL,
		    &actual), 0);
		assert_int_equal(result(host, submit(host, MUX_OUT, false, NULL, "", 0), false,
		    NULL, &actual), 0);
	}
	/* And the connection is as it was. */
	struct link link = link_to_echo(host, 512);
	converse(host, &link, 10);
}

/* ---- connections -------------------------------------------------------------------------- */

static void
a_closed_port_is_refused(void **state)
{
	struct usbhost *host = *state;
	struct link link = { .from = 1, .port = 50001, .window = 512 };

	begin(host, 2);
	assert_false(open_link(host, &link));
	/* An open one is open once. */
	link = link_to_echo(host, 512);
	link.from = 2;
	link.seq = 0;
	assert_false(open_link(host, &link));
}

static void
what_does_not_fit_is_reset(void **state)
{
	struct usbhost *host = *state;
	static const struct {
		const char	*name;
		uint16_t	 from;		/* added to the connection's */
		uint32_t	 seq, ack;	/* likewise */
		uint8_t		 flags;
		bool		 is_answered;	/* with a reset */
	} rows[] = {
		{ "data of a connection that is not there", 7, 0, 0, 0x10, true },
		{ "a reset of one: no reset for a reset", 7, 0, 0, 0x04, false },
		{ "bytes from the future", 0, 1, 0, 0x10, true },
		{ "bytes from the past", 0, UINT32_MAX, 0, 0x10, true },
		{ "an acknowledgement of what was never sent", 0, 0, 1, 0x10, true },
		{ "flags that are not ACK alone", 0, 0, 0, 0x18, false },
	};
	size_t i;

	begin(host, 2);
	for (i = 0; i < countof(rows); i++) {
		auto_heard struct heard heard = { 0 };
		struct link link = link_to_echo(host, 512), bent = link, other;

		row_named(rows[i].name);
		bent.from = (uint16_t)(bent.from + rows[i].from);
		bent.seq += rows[i].seq;
		bent.ack += rows[i].ack;
		assert_int_equal(say(host, &bent, rows[i].flags, "data", 4), 0);
		if (rows[i].is_answered) {
			hear(host, &heard);
			assert_int_equal(heard.flags, 0x04);
			assert_int_equal(heard.to, bent.from);
		}
		/* The next thing heard is of another connection: nothing else was said. */
		other = (struct link){ .from = 99, .port = LOCKDOWN_PORT, .window = 512 };
		assert_true(open_link(host, &other));
		assert_int_equal(say(host, &other, 0x04, "", 0), 0);
		/* Those that were meant are gone. */
		if (rows[i].from == 0)
			assert_null(only_device(host->fixture)->streams);
		else
			assert_int_equal(say(host, &link, 0x04, "", 0), 0);
	}
}

static void
a_hosts_reset_ends_the_stream(void **state)
{
	struct usbhost *host = *state;
	struct link link;

	begin(host, 2);
	link = link_to_echo(host, 512);
	assert_non_null(only_device(host->fixture)->streams);
	assert_int_equal(say(host, &link, 0x04, "reason", 6), 0);
	assert_null(only_device(host->fixture)->streams);
}

static void
the_end_comes_after_the_last_byte_has_arrived(void **state)
{
	struct usbhost *host = *state;
	auto_blob struct blob request = { 0 }, answer = { 0 };
	auto_heard struct heard heard = { 0 };
	struct link link;
	uint32_t seq;

	begin(host, 2);
	link = link_to_echo(host, 512);
	ask_for(0, &request);
	assert_int_equal(say(host, &link, 0x10, request.data, request.len), 0);
	link.seq += (uint32_t)request.len;
	collect(host, &link, false, &answer);
	/* Not acknowledged: a transfer waits in vain, and is served by the reset later. */
	seq = submit(host, MUX_IN, true, NULL, NULL, READ_MOST);
	turn(host->fixture);
	assert_int_equal(recv(host->fd, &(char){ 0 }, 1, MSG_DONTWAIT), -1);
	submit(host, MUX_OUT, false, NULL, "", 0);
	assert_int_equal(result(host, host->seq, false, NULL, &(size_t){ 0 }), 0);
	{
		auto_blob struct blob packet = { 0 };
		size_t actual;

		put_32(&packet, 6);
		put_32(&packet, 36);
		put_32(&packet, 0xFEEDFACE);
		put_32(&packet, 0);
		put_16(&packet, link.from);
		put_16(&packet, link.port);
		put_32(&packet, link.seq);
		put_32(&packet, link.ack);
		put_32(&packet, 0x50100200);
		put_32(&packet, 0);
		submit(host, MUX_OUT, false, NULL, packet.data, packet.len);
		assert_int_equal(result(host, host->seq, false, NULL, &actual), 0);
		assert_int_equal(result(host, seq, true, &heard.data, &actual), 0);
	}
	assert_int_equal(heard.data.len, 36);
	assert_int_equal(heard.data.data[16 + 13], 0x04);
}

/* ---- windows and lengths -------------------------------------------------------- */

static void
the_hosts_window_is_respected(void **state)
{
	struct usbhost *host = *state;
	auto_blob struct blob request = { 0 };
	auto_heard struct heard heard = { 0 };
	struct link link;
	size_t had = 0, i;

	begin(host, 2);
	link = link_to_echo(host, 1);		/* 256 bytes */
	ask_for(2000, &request);
	assert_int_equal(say(host, &link, 0x10, request.data, request.len), 0);
	link.seq += (uint32_t)request.len;
	for (i = 0; i < 4; i++) {
		hear(host, &heard);
		assert_int_equal(heard.data.len, 256);
		had += heard.data.len;
		link.ack += (uint32_t)heard.data.len;
		/* Half of it: there is room for another half, and for no more. */
		if (i == 3)
			link.ack -= 128;
		assert_int_equal(say(host, &link, 0x10, "", 0), 0);
	}
	hear(host, &heard);
	assert_int_equal(heard.data.len, 128);
	had += heard.data.len;
	link.ack += 128 + 128;
	link.window = 512;
	assert_int_equal(say(host, &link, 0x10, "", 0), 0);
	hear(host, &heard);
	assert_true(had + heard.data.len > 2000);
}

static void
packets_of_any_length_arrive_whole(void **state)
{
	struct usbhost *host = *state;
	/* The bus cuts at 512, the host reads 16384, a packet has at most 49152. */
	static const uint64_t sizes[] = { 1, 16000, 16384, 20000, 32768, 49152, 100000, 300000 };
	struct link link;
	size_t i;

	begin(host, 2);
	link = link_to_echo(host, 512);
	for (i = 0; i < countof(sizes); i++)
		converse(host, &link, sizes[i]);
	/* Every length around a multiple of 512, where an empty packet must follow. */
	for (i = 0; i < 600; i++)
		converse(host, &link, 100 + i);
}

static void
a_packet_that_fills_the_bus_is_ended_by_an_empty_one(void **state)
{
	struct usbhost *host = *state;
	size_t i, n_empty = 0;
	struct link link;

	begin(host, 2);
	link = link_to_echo(host, 512);
	for (i = 0; i < 512; i++) {
		auto_blob struct blob request = { 0 }, bytes = { 0 };
		size_t actual = 512, total = 0;

		ask_for(300 + i, &request);
		assert_int_equal(say(host, &link, 0x10, request.data, request.len), 0);
		link.seq += (uint32_t)request.len;
		/* Reads that are no longer than a packet of the bus see its every end. */
		while (actual == 512) {
			assert_int_equal(result(host, submit(host, MUX_IN, true, NULL, NULL, 512),
			    true, &bytes, &actual), 0);
			total += actual;
		}
		n_empty += actual == 0;
		assert_int_equal(take_32(bytes.data + 4), total);
		link.ack += (uint32_t)total - 36;
		assert_int_equal(say(host, &link, 0x10, "", 0), 0);
	}
	assert_int_equal(n_empty, 1);
}

static void
long_packets_from_the_host_arrive_whole(void **state)
{
	struct usbhost *host = *state;
	static const size_t sizes[] = { 1, 475, 476, 477, 16384, 49152 - 36, 60000 };
	auto_blob struct blob bytes = { 0 };
	auto_heard struct heard heard = { 0 };
	struct link link;
	size_t i;

	begin(host, 2);
	link = link_to_echo(host, 512);
	/* One message of a length that is never reached, in pieces that must all count. */
	put_32(&bytes, 1 << 20);
	assert_int_equal(blob_reserve(&bytes, 1 << 20), 0);
	memset(bytes.data + 4, 0, (1 << 20) - 4);
	for (i = 0; i < countof(sizes); i++) {
		assert_int_equal(say(host, &link, 0x10, bytes.data, sizes[i]), 0);
		link.seq += (uint32_t)sizes[i];
		hear(host, &heard);
		assert_int_equal(heard.flags, 0x10);
		assert_int_equal(heard.ack, link.seq);
		bytes.data[0] = bytes.data[1] = 0;
	}
}

static void
a_packet_without_end_stalls(void **state)
{
	struct usbhost *host = *state;
	auto_blob struct blob packet = { 0 };

	begin(host, 2);
	assert_int_equal(blob_reserve(&packet, 100000), 0);
	packet.len = 100000;
	memset(packet.data, 0, packet.len);
	assert_int_equal(bulk_out(host, &packet), -EPIPE);
}

#define on_a_bench(test) \
	cmocka_unit_test_setup_teardown(test, usbhost_set_up, usbhost_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		on_a_bench(both_versions_are_spoken),
		on_a_bench(a_host_of_version_1_is_followed),
		on_a_bench(another_usbmuxd_begins_anew),
		on_a_bench(packets_that_make_no_sense_stall),
		on_a_bench(a_closed_port_is_refused),
		on_a_bench(what_does_not_fit_is_reset),
		on_a_bench(a_hosts_reset_ends_the_stream),
		on_a_bench(the_end_comes_after_the_last_byte_has_arrived),
		on_a_bench(the_hosts_window_is_respected),
		on_a_bench(packets_of_any_length_arrive_whole),
		on_a_bench(a_packet_that_fills_the_bus_is_ended_by_an_empty_one),
		on_a_bench(long_packets_from_the_host_arrive_whole),
		on_a_bench(a_packet_without_end_stalls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
