/* USB/IP: lists, imports, descriptors and control transfers, against a host of the test's own */
#include "tests/sim/usbhost.h"

/* ---- listing and importing -------------------------------------------------------- */

/* How many devices the list has; the first one's entry. */
static uint32_t
list(struct usbhost *host, uint8_t entry[LIST_ENTRY])
{
	auto_blob struct blob bytes = { 0 };
	uint8_t reply[12];
	int fd = dial(host);
	uint32_t n;

	put_32(&bytes, 0x01118005);
	put_32(&bytes, 0);
	put(host, fd, &bytes);
	assert_int_equal(get(host, fd, reply, sizeof(reply)), sizeof(reply));
	assert_int_equal(take_32(reply), 0x01110005);
	assert_int_equal(take_32(reply + 4), 0);
	n = take_32(reply + 8);
	if (n)
		assert_int_equal(get(host, fd, entry, LIST_ENTRY), LIST_ENTRY);
	assert_true(is_closed(host, fd));
	close(fd);
	return n;
}

static void
the_list_has_what_can_be_imported(void **state)
{
	struct usbhost *host = *state;
	uint8_t entry[LIST_ENTRY];

	add_device(host->fixture, false, NULL);
	assert_int_equal(list(host, entry), 2);
	assert_string_equal((char *)entry + 256, "1-1");
	assert_int_equal(take_32(entry + 288), 1);		/* bus */
	assert_int_equal(take_32(entry + 292), 2);		/* number: 1 is the hub */
	assert_int_equal(take_32(entry + 296), 3);		/* high speed */
	assert_int_equal(take_32(entry + 300), 0x05AC12AB);
	assert_int_equal(entry[310], 4);			/* configurations */
	assert_int_equal(import(host, "1-1"), 0);
	assert_int_equal(list(host, entry), 1);
	assert_string_equal((char *)entry + 256, "1-2");
	virtual_detach(host->fixture->bench->devices[1]);
	assert_int_equal(list(host, entry), 0);
}

static void
only_what_is_plugged_in_and_free_is_imported(void **state)
{
	struct usbhost *host = *state;

	assert_int_equal(import(host, "1-2"), 4);
	assert_int_equal(import(host, "1-10"), 4);
	assert_int_equal(import(host, ""), 4);
	assert_int_equal(import(host, "1-1"), 0);
	assert_int_equal(import(host, "1-1"), 2);
}

static void
a_pulled_cable_ends_the_connection(void **state)
{
	struct usbhost *host = *state;
	auto_blob struct blob configuration = { 0 };
	size_t actual;

	assert_int_equal(import(host, "1-1"), 0);
	assert_int_equal(choose_configuration(host, 4), 0);
	submit(host, MUX_IN, true, NULL, NULL, READ_MOST);
	virtual_detach(only_device(host->fixture));
	assert_true(is_closed(host, host->fd));
	close(host->fd);
	host->fd = -1;
	assert_int_equal(import(host, "1-1"), 4);
	virtual_attach(only_device(host->fixture));
	assert_int_equal(import(host, "1-1"), 0);
	assert_int_equal(control(host, (const uint8_t[8]){ 0x80, 8, 0, 0, 0, 0, 1, 0 },
	    &configuration, &actual), 0);
}

static void
a_host_that_goes_leaves_the_device_free(void **state)
{
	struct usbhost *host = *state;
	int i;

	assert_int_equal(import(host, "1-1"), 0);
	close(host->fd);
	host->fd = -1;
	for (i = 0; i < 3; i++)
		turn(host->fixture);
	assert_int_equal(import(host, "1-1"), 0);
}

static void
nonsense_costs_the_connection(void **state)
{
	struct usbhost *host = *state;
	static const struct {
		const char	*name;
		uint32_t	 words[12];
	} rows[] = {
		{ "an unknown command", { 7, 1, 0, 0, 0 } },
		{ "a direction that is none", { 1, 1, 0, 2, 0 } },
		{ "an endpoint above 15", { 1, 1, 0, 0, 16 } },
		{ "a transfer of more than 1 MiB", { 1, 1, 0, 0, 4, 0, 0x100001 } },
		{ "isochronous packets", { 1, 1, 0, 0, 4, 0, 0, 0, 3 } },
	};
	auto_blob struct blob old = { 0 };
	size_t i, k;
	int fd;

	for (i = 0; i < countof(rows); i++) {
		auto_blob struct blob bytes = { 0 };

		row_named(rows[i].name);
		assert_int_equal(import(host, "1-1"), 0);
		for (k = 0; k < countof(rows[i].words); k++)
			put_32(&bytes, rows[i].words[k]);
		put(host, host->fd, &bytes);
		assert_true(is_closed(host, host->fd));
		close(host->fd);
		host->fd = -1;
	}
	row_named("another version of the protocol");
	put_32(&old, 0x01068005);
	put_32(&old, 0);
	fd = dial(host);
	put(host, fd, &old);
	assert_true(is_closed(host, fd));
	close(fd);
}

/* ---- control transfers --------------------------------------------------------------- */

#define STALLED		"stalled"

static void
requests_are_answered_or_stall(void **state)
{
	struct usbhost *host = *state;
	static const struct {
		const char	*name;
		uint8_t		 setup[8];
		const char	*want;		/* hex digits; STALLED */
	} rows[] = {
		{ "the device", { 0x80, 6, 0, 1, 0, 0, 64, 0 },
		    "12010002000000" "40" "ac05ab120114" "01020304" },
		{ "its first 8 bytes", { 0x80, 6, 0, 1, 0, 0, 8, 0 }, "1201000200000040" },
		{ "languages", { 0x80, 6, 0, 3, 0, 0, 255, 0 }, "04030904" },
		{ "the maker", { 0x80, 6, 1, 3, 9, 4, 255, 0 },
		    "16034100700070006c006500200049006e0063002e00" },
		{ "a string that is not there", { 0x80, 6, 99, 3, 9, 4, 255, 0 }, STALLED },
		{ "a fifth configuration", { 0x80, 6, 4, 2, 0, 0, 9, 0 }, STALLED },
		{ "a qualifier", { 0x80, 6, 0, 6, 0, 0, 10, 0 }, STALLED },
		{ "which configuration: none", { 0x80, 8, 0, 0, 0, 0, 1, 0 }, "00" },
		{ "a configuration that is not there", { 0, 9, 5, 0, 0, 0, 0, 0 }, STALLED },
		{ "an interface without configuration", { 0x81, 10, 0, 0, 1, 0, 1, 0 }, STALLED },
		{ "configuration 4", { 0, 9, 4, 0, 0, 0, 0, 0 }, "" },
		{ "which configuration: 4", { 0x80, 8, 0, 0, 0, 0, 1, 0 }, "04" },
		{ "self-powered", { 0x80, 0, 0, 0, 0, 0, 2, 0 }, "0100" },
		{ "the mux's only setting", { 1, 11, 0, 0, 1, 0, 0, 0 }, "" },
		{ "a second one it has not", { 1, 11, 1, 0, 1, 0, 0, 0 }, STALLED },
		{ "Ethernet's second setting", { 1, 11, 1, 0, 2, 0, 0, 0 }, "" },
		{ "which setting it has", { 0x81, 10, 0, 0, 2, 0, 1, 0 }, "01" },
		{ "an interface that is not there", { 1, 11, 0, 0, 3, 0, 0, 0 }, STALLED },
		{ "halt the mux", { 2, 3, 0, 0, 4, 0, 0, 0 }, "" },
		{ "it is halted", { 0x82, 0, 0, 0, 4, 0, 2, 0 }, "0100" },
		{ "go on", { 2, 1, 0, 0, 4, 0, 0, 0 }, "" },
		{ "it is not halted", { 0x82, 0, 0, 0, 4, 0, 2, 0 }, "0000" },
		{ "an endpoint that is not there", { 2, 1, 0, 0, 9, 0, 0, 0 }, STALLED },
		{ "usbmuxd's question for modes", { 0xC0, 0x45, 0, 0, 0, 0, 4, 0 }, STALLED },
		{ "a request of a class", { 0xA1, 8, 0, 0, 1, 0, 1, 0 }, STALLED },
		{ "a request that is none", { 0x80, 99, 0, 0, 0, 0, 1, 0 }, STALLED },
	};
	size_t i, k, actual;

	assert_int_equal(import(host, "1-1"), 0);
	for (i = 0; i < countof(rows); i++) {
		auto_blob struct blob answer = { 0 };
		char hex[256] = "";
		int status;

		row_named(rows[i].name);
		status = control(host, rows[i].setup, &answer, &actual);
		for (k = 0; k < answer.len; k++)
			snprintf(hex + 2 * k, 3, "%02x", answer.data[k]);
		assert_int_equal(status, strcmp(rows[i].want, STALLED) == 0 ? -EPIPE : 0);
		assert_string_equal(status ? STALLED : hex, rows[i].want);
	}
}

static void
the_serial_is_the_udid_without_its_dash(void **state)
{
	struct usbhost *host = *state;
	static const uint8_t setup[8] = { 0x80, 6, 3, 3, 9, 4, 255, 0 };
	auto_blob struct blob answer = { 0 };
	const char *udid = only_device(host->fixture)->plate.udid;
	size_t actual, i, n = 0;

	assert_int_equal(import(host, "1-1"), 0);
	assert_int_equal(control(host, setup, &answer, &actual), 0);
	assert_int_equal(answer.len, 2 + 2 * 24);
	assert_int_equal(answer.data[0], answer.len);
	for (i = 0; udid[i]; i++)
		if (udid[i] != '-')
			assert_int_equal(answer.data[2 + 2 * n++], (uint8_t)udid[i]);
}

/* The mux interface with its endpoints as usbmuxd looks for them (usb.c); how many. */
static size_t
count_muxes(const struct blob *descriptor)
{
	static const uint8_t mux[] = { 2, 255, 254, 2, 0, 7, 5, 0x04, 2, 0, 2, 0,
		7, 5, 0x85, 2, 0, 2, 0 };
	size_t i, n = 0;

	for (i = 4; i + sizeof(mux) <= descriptor->len; i++)
		n += memcmp(descriptor->data + i, mux, sizeof(mux)) == 0;
	return n;
}

static void
the_mux_is_in_the_last_two_configurations(void **state)
{
	struct usbhost *host = *state;
	static const size_t want[] = { 0, 0, 1, 1 };
	size_t actual;
	uint8_t i;

	assert_int_equal(import(host, "1-1"), 0);
	for (i = 0; i < 4; i++) {
		const uint8_t setup[8] = { 0x80, 6, i, 2, 0, 0, 0, 4 };
		auto_blob struct blob answer = { 0 };
		size_t at, n = 0;

		assert_int_equal(control(host, setup, &answer, &actual), 0);
		assert_int_equal(answer.data[2] | answer.data[3] << 8, answer.len);
		assert_int_equal(answer.data[5], i + 1);
		/* A walk over the descriptors ends at the end, and sees first settings only
		 * once. */
		for (at = 0; at < answer.len; at += answer.data[at]) {
			assert_true(answer.data[at] >= 7);
			n += answer.data[at + 1] == 4 && answer.data[at + 3] == 0;
		}
		assert_int_equal(at, answer.len);
		assert_int_equal(n, answer.data[4]);
		assert_int_equal(count_muxes(&answer), want[i]);
	}
}

/* ---- transfers that wait -------------------------------------------------------------- */

static void
what_waits_can_be_taken_back(void **state)
{
	struct usbhost *host = *state;
	uint8_t reply[48];
	size_t i;

	assert_int_equal(import(host, "1-1"), 0);
	assert_int_equal(choose_configuration(host, 4), 0);
	submit(host, MUX_IN, true, NULL, NULL, READ_MOST);
	for (i = 0; i < 2; i++) {
		auto_blob struct blob bytes = { 0 };
		size_t k;

		put_32(&bytes, 2);
		put_32(&bytes, 1000);
		for (k = 0; k < 3; k++)
			put_32(&bytes, 0);
		put_32(&bytes, host->seq);
		for (k = 0; k < 6; k++)
			put_32(&bytes, 0);
		put(host, host->fd, &bytes);
		assert_int_equal(get(host, host->fd, reply, sizeof(reply)), sizeof(reply));
		assert_int_equal(take_32(reply), 4);
		assert_int_equal(take_32(reply + 4), 1000);
		/* The second time it is no longer there. */
		assert_int_equal((int)take_32(reply + 20), i == 0 ? -ECONNRESET : 0);
	}
}

static void
too_many_that_wait_cost_the_connection(void **state)
{
	struct usbhost *host = *state;
	int i;

	assert_int_equal(import(host, "1-1"), 0);
	assert_int_equal(choose_configuration(host, 4), 0);
	for (i = 0; i < 256; i++)
		submit(host, MUX_IN, true, NULL, NULL, READ_MOST);
	assert_int_equal(recv(host->fd, &(char){ 0 }, 1, MSG_DONTWAIT), -1);
	submit(host, MUX_IN, true, NULL, NULL, READ_MOST);
	assert_true(is_closed(host, host->fd));
}

static void
another_configuration_ends_what_waits(void **state)
{
	struct usbhost *host = *state;
	auto_blob struct blob data = { 0 };
	uint32_t waiting, chosen;
	size_t actual;

	assert_int_equal(import(host, "1-1"), 0);
	assert_int_equal(choose_configuration(host, 4), 0);
	waiting = submit(host, MUX_IN, true, NULL, NULL, READ_MOST);
	chosen = submit(host, 0, false, (const uint8_t[8]){ 0, 9, 1 }, "", 0);
	assert_int_equal(result(host, waiting, true, &data, &actual), -ESHUTDOWN);
	assert_int_equal(result(host, chosen, false, NULL, &actual), 0);
	/* PTP only: the mux's endpoints are gone. */
	assert_int_equal(result(host, submit(host, MUX_IN, true, NULL, NULL, READ_MOST), true,
	    &data, &actual), -EPIPE);
	assert_int_equal(result(host, submit(host, MUX_OUT, false, NULL, "x", 1), false, NULL,
	    &actual), -EPIPE);
}

#define on_a_bench(test) \
	cmocka_unit_test_setup_teardown(test, usbhost_set_up, usbhost_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		on_a_bench(the_list_has_what_can_be_imported),
		on_a_bench(only_what_is_plugged_in_and_free_is_imported),
		on_a_bench(a_pulled_cable_ends_the_connection),
		on_a_bench(a_host_that_goes_leaves_the_device_free),
		on_a_bench(nonsense_costs_the_connection),
		on_a_bench(requests_are_answered_or_stall),
		on_a_bench(the_serial_is_the_udid_without_its_dash),
		on_a_bench(the_mux_is_in_the_last_two_configurations),
		on_a_bench(what_waits_can_be_taken_back),
		on_a_bench(too_many_that_wait_cost_the_connection),
		on_a_bench(another_configuration_ends_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
