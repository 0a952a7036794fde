/* slots: where a device hangs, what that place is called, and how it fares */
#include "tests/unit/table.h"

#include <string.h>

#include "base/error.h"
#include "station/slots.h"

static void
links_name_ports(void **state)
{
	static const struct {
		const char *name, *link, *port, *path;	/* NULL: no port */
	} rows[] = {
		{ "behind a hub",
		    "../../devices/pci0000:00/0000:00:14.0/usb1/1-4/1-4.2",
		    "1-4.2", "pci-0000:00:14.0-usb-0:4.2" },
		{ "at the computer itself",
		    "../../devices/pci0000:00/0000:00:14.0/usb2/2-1",
		    "2-1", "pci-0000:00:14.0-usb-0:1" },
		{ "four hubs deep",
		    "../../devices/pci0000:00/0000:00:14.0/usb1/1-4/1-4.2/1-4.2.10/1-4.2.10.1",
		    "1-4.2.10.1", "pci-0000:00:14.0-usb-0:4.2.10.1" },
		{ "a card behind a bridge",
		    "../../devices/pci0000:00/0000:00:1c.4/0000:03:00.0/usb5/5-2",
		    "5-2", "pci-0000:03:00.0-usb-0:2" },
		{ "a board without PCI",
		    "../../devices/platform/scb/fe9c0000.xhci/usb1/1-1/1-1.3",
		    "1-1.3", "platform-fe9c0000.xhci-usb-0:1.3" },
		{ "the root hub is no port",
		    "../../devices/pci0000:00/0000:00:14.0/usb1", NULL, NULL },
		{ "an interface is no port",
		    "../../devices/pci0000:00/0000:00:14.0/usb1/1-4/1-4:1.0", NULL, NULL },
		{ "a terminal", "../../devices/virtual/tty/tty1", NULL, NULL },
		{ "nothing", "", NULL, NULL },
		{ "only a slash", "/", NULL, NULL },
		{ "a dot too many",
		    "../../devices/pci0000:00/0000:00:14.0/usb1/1-4./1-4.", NULL, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		struct usbport port = { .name = "untouched" };
		bool is_port;

		row_named(rows[i].name);
		is_port = usbport_parse(rows[i].link, &port);
		assert_int_equal(is_port, rows[i].port != NULL);
		assert_string_equal(port.name, is_port ? rows[i].port : "untouched");
		if (is_port)
			assert_string_equal(port.path, rows[i].path);
	}
}

static void
controllers_are_told_apart(void **state)
{
	struct usbport a, b, c;

	(void)state;
	assert_true(usbport_parse("d/pci0000:00/0000:00:14.0/usb1/1-4", &a));
	assert_true(usbport_parse("d/pci0000:00/0000:00:14.0/usb2/2-3", &b));
	assert_true(usbport_parse("d/pci0000:00/0000:03:00.0/usb3/3-4", &c));
	assert_int_equal(a.controller, b.controller);
	assert_int_not_equal(a.controller, c.controller);
	assert_int_not_equal(a.controller, 0);
}

static void
an_unknown_port_is_called_after_its_location(void **state)
{
	struct usbport port;

	(void)state;
	assert_false(usbport_of_location(0x7fff0001, &port));
	assert_string_equal(port.name, "0x7fff0001");
	assert_int_not_equal(port.controller, 0);
	assert_false(usbport_of_location(0, &port));
	assert_false(usbport_of_location(0x000100ff, &port));
}

static void
ports_have_names(void **state)
{
	static const struct {
		const char *name, *slot, *port;
		bool fits;
	} rows[] = {
		{ "a number", "7", "1-4.2", true },
		{ "words", "left 3", "pci-0000:00:14.0-usb-0:4.3", true },
		{ "a name twice", "7", "1-4.4", false },
		{ "a port twice", "8", "1-4.2", false },
		{ "no name", "", "1-4.5", false },
		{ "no port", "9", "", false },
		{ "a name with a control character", "a\033[1m", "1-4.6", false },
		{ "where neither kernel nor udev knows it", "bench", "0x00010004", true },
	};
	auto_slots struct slots s = { 0 };
	struct usbport port = { .name = "1-4.2", .path = "pci-0000:00:14.0-usb-0:4.2" };
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		struct error err = { 0 };

		row_named(rows[i].name);
		assert_int_equal(slots_add(&s, rows[i].slot, rows[i].port, &err),
		    rows[i].fits ? 0 : -1);
	}
	assert_string_equal(slots_name(&s, &port), "7");
	port = (struct usbport){ .name = "9-4.3", .path = "pci-0000:00:14.0-usb-0:4.3" };
	assert_string_equal(slots_name(&s, &port), "left 3");
	/* By the kernel's name alone a port is known once something hung on it. */
	assert_null(slots_called(&s, "9-4.3"));
	assert_string_equal(slots_see(&s, &port), "left 3");
	assert_string_equal(slots_called(&s, "9-4.3"), "left 3");
	port = (struct usbport){ .name = "1-4.20" };
	assert_null(slots_name(&s, &port));
	assert_null(slots_see(&s, &port));
}

static void
note(struct slots *s, const char *port, enum reason reason, int times)
{
	struct usbport p = { 0 };
	struct error err = { 0 };

	snprintf(p.name, sizeof(p.name), "%s", port);
	while (times-- > 0)
		assert_int_equal(slots_note(s, &p, reason, &err), 0);
}

static void
the_worst_are_named(void **state)
{
	auto_slots struct slots s = { 0 };
	const struct slot *worst[3];
	struct error err = { 0 };

	(void)state;
	assert_int_equal(slots_add(&s, "left 3", "1-3", &err), 0);
	assert_int_equal(slots_worst(&s, worst, 3), 0);
	note(&s, "1-1", REASON_NONE, 10);
	note(&s, "1-1", REASON_TIMEOUT, 2);	/* 2 of 12 */
	note(&s, "1-2", REASON_UNPLUGGED, 1);	/* once is chance */
	note(&s, "1-3", REASON_NONE, 2);
	note(&s, "1-3", REASON_UNPLUGGED, 2);	/* 2 of 4 */
	note(&s, "1-4", REASON_LOCKED, 9);	/* the port's fault is none of these */
	note(&s, "1-4", REASON_REFUSED, 9);
	note(&s, "1-4", REASON_UNSUPERVISED, 9);
	note(&s, "1-5", REASON_NONE, 4);
	note(&s, "1-5", REASON_PROTOCOL, 4);	/* 4 of 8 */
	assert_int_equal(slots_worst(&s, worst, 3), 3);
	assert_string_equal(worst[0]->name, "1-5");
	assert_string_equal(worst[1]->name, "left 3");
	assert_string_equal(worst[2]->name, "1-1");
	assert_int_equal(worst[1]->last, REASON_UNPLUGGED);
	assert_int_equal(worst[2]->jobs, 12);
	assert_int_equal(slots_worst(&s, worst, 1), 1);
	assert_string_equal(worst[0]->name, "1-5");
	assert_int_equal(slots_worst(&s, worst, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_name_ports),
		cmocka_unit_test(controllers_are_told_apart),
		cmocka_unit_test(an_unknown_port_is_called_after_its_location),
		cmocka_unit_test(ports_have_names),
		cmocka_unit_test(the_worst_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
