/* wire: what a device may send, and what we make of it */
#include "tests/unit/table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/proplist.h"
#include "core/refusal.h"
#include "wire/channel.h"
#include "wire/lockdown.h"
#include "wire/mcinstall.h"
#include "wire/mux.h"
#include "wire/pair_record.h"

static plist_t
parse(const char *body)
{
	char xml[4096];
	plist_t list = NULL;

	snprintf(xml, sizeof(xml), "<plist>%s</plist>", body);
	plist_from_xml(xml, (uint32_t)strlen(xml), &list);
	assert_non_null(list);
	return list;
}

/* ---- framing ----------------------------------------------------------------- */

/* A channel whose other end is ours: what we write there is the device's answer. */
static struct channel *
channel_to(int *device)
{
	struct channel *ch = NULL;
	struct error err = { 0 };
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	assert_int_equal(channel_new(ends[0], &ch, &err), 0);
	*device = ends[1];
	return ch;
}

#define LIST	"<?xml version=\"1.0\"?><plist><dict/></plist>"

static void
answers_are_framed(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
		bool closes;
		enum error_kind want;	/* ERR_NONE: accepted */
	} rows[] = {
		{ "a property list", "\0\0\0\053" LIST, 4 + 43, false, ERR_NONE },
		{ "nothing, then the end", "", 0, true, ERR_LINK },
		{ "half a length, then the end", "\0\0", 2, true, ERR_LINK },
		{ "half a body, then the end", "\0\0\0\053<?xml", 9, true, ERR_LINK },
		{ "silence", "", 0, false, ERR_TIMEOUT },
		{ "half a body, then silence", "\0\0\0\053<?xml", 9, false, ERR_TIMEOUT },
		{ "length zero", "\0\0\0\0", 4, false, ERR_PROTOCOL },
		{ "two gigabytes announced", "\x7f\xff\xff\xff", 4, false, ERR_PROTOCOL },
		{ "four gigabytes announced", "\xff\xff\xff\xff", 4, false, ERR_PROTOCOL },
		{ "sixteen megabytes announced, nothing sent", "\1\0\0\0", 4, false, ERR_TIMEOUT },
		{ "a body that is no property list", "\0\0\0\003abc", 7, false, ERR_PROTOCOL },
		{ "a body cut short by its length",
		    "\0\0\0\052" LIST, 4 + 43, false, ERR_PROTOCOL },
	};
	size_t i;

	(void)state;
	assert_int_equal(strlen(LIST), 43);
	for (i = 0; i < countof(rows); i++) {
		auto_plist plist_t reply = NULL;
		struct error err = { 0 };
		struct channel *ch;
		int device, rc;

		row_named(rows[i].name);
		ch = channel_to(&device);
		assert_int_equal(write(device, rows[i].bytes, rows[i].len), rows[i].len);
		if (rows[i].closes)
			shutdown(device, SHUT_WR);
		rc = channel_receive(ch, deadline_in(50), &reply, &err);
		assert_int_equal(rc, rows[i].want == ERR_NONE ? 0 : -1);
		assert_int_equal(err.kind, rows[i].want);
		channel_close(ch);
		close(device);
	}
}

static void
a_message_is_one_write(void **state)
{
	auto_plist plist_t message = plist_new_dict();
	struct error err = { 0 };
	uint8_t got[4096];
	struct channel *ch;
	ssize_t n;
	int device;

	(void)state;
	ch = channel_to(&device);
	assert_true(dict_set_string(message, "Request", "QueryType"));
	assert_int_equal(channel_send(ch, message, deadline_in(1000), &err), 0);
	n = read(device, got, sizeof(got));
	assert_true(n > 4);
	assert_int_equal((size_t)got[2] << 8 | got[3], n - 4);
	assert_memory_equal(got + 4, "<?xml", 5);
	channel_close(ch);
	close(device);
}

static void
a_peer_that_left_is_an_error_and_no_signal(void **state)
{
	auto_plist plist_t message = plist_new_dict();
	struct error err = { 0 };
	struct channel *ch;
	int device;

	(void)state;
	ch = channel_to(&device);
	close(device);
	assert_int_equal(channel_send(ch, message, deadline_in(1000), &err), -1);
	assert_int_equal(err.kind, ERR_LINK);
	channel_close(ch);
}

/* ---- MCInstall ------------------------------------------------------------------ */

#define CHAIN(code)                                                                          \
	"<key>ErrorChain</key><array><dict>"                                                 \
	"<key>ErrorDomain</key><string>MCInstallationErrorDomain</string>"                   \
	"<key>ErrorCode</key>" code "</dict></array>"

static void
replies_of_mcinstall_are_judged(void **state)
{
	static const struct {
		const char *name, *reply;
		enum error_kind kind;
		enum refusal refusal;
		int64_t code;
	} rows[] = {
		{ "acknowledged", "<dict><key>Status</key><string>Acknowledged</string></dict>",
		    ERR_NONE, REFUSED_NOT, 0 },
		{ "Error with a chain", "<dict><key>Status</key><string>Error</string>"
		    CHAIN("<integer>4001</integer>") "</dict>", ERR_DEVICE, REFUSED_ERROR, 4001 },
		{ "code is a real, not an integer", "<dict><key>Status</key><string>Error</string>"
		    CHAIN("<real>4001.0</real>") "</dict>", ERR_DEVICE, REFUSED_ERROR, 4001 },
		{ "Error and no chain at all",
		    "<dict><key>Status</key><string>Error</string></dict>",
		    ERR_DEVICE, REFUSED_ERROR, 0 },
		{ "Error and a chain that is a text",
		    "<dict><key>Status</key><string>Error</string>"
		    "<key>ErrorChain</key><string>x</string></dict>",
		    ERR_DEVICE, REFUSED_ERROR, 0 },
		{ "NotNow", "<dict><key>Status</key><string>NotNow</string></dict>",
		    ERR_DEVICE, REFUSED_NOT_NOW, 0 },
		{ "CertificateRejected",
		    "<dict><key>Status</key><string>CertificateRejected</string></dict>",
		    ERR_DEVICE, REFUSED_CERTIFICATE, 0 },
		{ "SignedRequestRejected",
		    "<dict><key>Status</key><string>SignedRequestRejected</string></dict>",
		    ERR_DEVICE, REFUSED_SIGNED_REQUEST, 0 },
		{ "CommandFormatError",
		    "<dict><key>Status</key><string>CommandFormatError</string></dict>",
		    ERR_DEVICE, REFUSED_COMMAND_FORMAT, 0 },
		{ "a status nobody knows", "<dict><key>Status</key><string>Waiting</string></dict>",
		    ERR_DEVICE, REFUSED_STATUS_OTHER, 0 },
		{ "reply without a Status", "<dict/>", ERR_PROTOCOL, REFUSED_NOT, 0 },
		{ "Status is a number", "<dict><key>Status</key><integer>0</integer></dict>",
		    ERR_PROTOCOL, REFUSED_NOT, 0 },
		{ "the reply is an array", "<array/>", ERR_PROTOCOL, REFUSED_NOT, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_plist plist_t reply = parse(rows[i].reply);
		struct error err = { 0 };
		int rc;

		row_named(rows[i].name);
		rc = mcinstall_check_reply("Request", reply, &err);
		assert_int_equal(rc, rows[i].kind == ERR_NONE ? 0 : -1);
		assert_int_equal(err.kind, rows[i].kind);
		assert_int_equal(err.refusal, rows[i].refusal);
		if (rows[i].code)
			assert_int_equal(err.chain.link[0].code, rows[i].code);
	}
}

static void
a_refusal_shows_no_secret(void **state)
{
	auto_plist plist_t reply = parse("<dict><key>Status</key><string>Error</string>"
	    "<key>UnlockToken</key><data>c2VjcmV0LXRva2Vu</data>"
	    "<key>CommandErrorArchive</key><data>c2VjcmV0LXRva2Vu</data>"
	    CHAIN("<integer>1</integer>") "</dict>");
	struct error err = { 0 };

	(void)state;
	assert_int_equal(mcinstall_check_reply("ClearPasscode", reply, &err), -1);
	assert_null(memmem(&err, sizeof(err), "secret-token", 12));
	assert_null(memmem(&err, sizeof(err), "c2VjcmV0", 8));
}

static void
refusals_of_lockdown_keep_their_name(void **state)
{
	auto_plist plist_t denied =
	    parse("<dict><key>Error</key><string>UserDeniedPairing</string></dict>");
	auto_plist plist_t strange = parse("<dict><key>Error</key><integer>5</integer></dict>");
	auto_plist plist_t escape =
	    parse("<dict><key>Error</key><string>a&#27;[2Jb</string></dict>");
	struct error err = { 0 };

	(void)state;
	assert_int_equal(lockdown_refused("Pair", denied, &err), -1);
	assert_int_equal(err.refusal, REFUSED_USER_DENIED_PAIRING);
	assert_string_equal(err.chain.link[0].domain, "lockdown");
	assert_int_equal(err.chain.link[0].code, -18);
	assert_string_equal(err.chain.link[0].text, "UserDeniedPairing");
	assert_int_equal(lockdown_refused("Pair", strange, &err), -1);
	assert_int_equal(err.refusal, REFUSED_LOCKDOWN_OTHER);
	assert_string_equal(err.message, "Pair: the device answers 5");
	assert_int_equal(lockdown_refused("Pair", escape, &err), -1);
	assert_null(strchr(err.message, '\033'));
}

/* ---- usbmuxd ---------------------------------------------------------------------- */

#define ENTRY(id, props)                                                                      \
	"<dict><key>DeviceID</key>" id "<key>Properties</key><dict>" props "</dict></dict>"
#define SERIAL(s)	"<key>SerialNumber</key><string>" s "</string>"

static void
devices_of_usbmuxd_are_read(void **state)
{
	static const struct {
		const char *name, *entry, *udid;	/* NULL: left out */
		uint32_t location;
		bool is_network;
	} rows[] = {
		{ "a device on the cable",
		    ENTRY("<integer>3</integer>", SERIAL("00008030-001C2D3E4F50002E")
		    "<key>ConnectionType</key><string>USB</string>"
		    "<key>LocationID</key><integer>65538</integer>"),
		    "00008030-001C2D3E4F50002E", 0x10002, false },
		{ "24 digits get their dash",
		    ENTRY("<integer>3</integer>", SERIAL("00008030001c2d3e4f50002e")),
		    "00008030-001C2D3E4F50002E", 0, false },
		{ "an old device keeps its 40 digits", ENTRY("<integer>3</integer>",
		    SERIAL("0123456789abcdef0123456789abcdef01234567")),
		    "0123456789abcdef0123456789abcdef01234567", 0, false },
		{ "a device on the network", ENTRY("<integer>3</integer>", SERIAL("A")
		    "<key>ConnectionType</key><string>Network</string>"), "A", 0, true },
		{ "DeviceID 0 ends lists elsewhere: no device",
		    ENTRY("<integer>0</integer>", SERIAL("A")), NULL, 0, false },
		{ "no serial number", ENTRY("<integer>3</integer>", ""), NULL, 0, false },
		{ "a serial number that is a path",
		    ENTRY("<integer>3</integer>", SERIAL("../../etc")), NULL, 0, false },
		{ "a serial number of 64 characters", ENTRY("<integer>3</integer>",
		    SERIAL("0123456789012345678901234567890123456789012345678901234567890123")),
		    NULL, 0, false },
		{ "a DeviceID that is a text", ENTRY("<string>3</string>", SERIAL("A")),
		    NULL, 0, false },
		{ "an entry that is an array", "<array/>", NULL, 0, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_plist plist_t entry = parse(rows[i].entry);
		struct mux_device device = { 0 };
		int rc;

		row_named(rows[i].name);
		rc = mux_parse_device(entry, &device);
		assert_int_equal(rc, rows[i].udid ? 0 : -1);
		if (!rows[i].udid)
			continue;
		assert_string_equal(device.udid, rows[i].udid);
		assert_int_equal(device.location, rows[i].location);
		assert_int_equal(device.is_network, rows[i].is_network);
	}
}

/* ---- a usbmuxd that hangs ------------------------------------------------------ */

/* It has as many connections that it never took as its queue holds. */
static void
let_hang(struct sockaddr *at, socklen_t len, int fds[3])
{
	size_t i;

	fds[0] = socket(at->sa_family, SOCK_STREAM, 0);
	assert_int_equal(bind(fds[0], at, len), 0);
	assert_int_equal(listen(fds[0], 0), 0);
	assert_int_equal(getsockname(fds[0], at, &len), 0);
	for (i = 1; i < 3; i++) {
		fds[i] = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fds[i], at, len);
	}
}

static void
is_over_in_time(const char *address)
{
	struct mux_device *devices;
	struct error err = { 0 };
	int64_t began = now_monotonic_ms();
	size_t n;

	setenv("USBMUXD_SOCKET_ADDRESS", address, 1);
	assert_int_equal(mux_list(false, deadline_in(200), &devices, &n, &err), -1);
	assert_int_equal(err.kind, ERR_TIMEOUT);
	assert_in_range(now_monotonic_ms() - began, 190, 5000);
	unsetenv("USBMUXD_SOCKET_ADDRESS");
}

static void
a_full_queue_is_not_waited_for_beyond_the_deadline(void **state)
{
	struct sockaddr_un path = { .sun_family = AF_UNIX };
	struct sockaddr_in port = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	char folder[] = "/tmp/test-wire-XXXXXX", address[128];
	int fds[6];
	size_t i;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path.sun_path, sizeof(path.sun_path), "%s/usbmuxd", folder);
	let_hang((struct sockaddr *)&path, sizeof(path), fds);
	snprintf(address, sizeof(address), "UNIX:%s/usbmuxd", folder);
	is_over_in_time(address);
	let_hang((struct sockaddr *)&port, sizeof(port), fds + 3);
	snprintf(address, sizeof(address), "127.0.0.1:%u", ntohs(port.sin_port));
	is_over_in_time(address);
	for (i = 0; i < countof(fds); i++)
		close(fds[i]);
	unlink(path.sun_path);
	rmdir(folder);
}

/* ---- pair records ------------------------------------------------------------------- */

static void
fill(struct blob *b, const char *text)
{
	assert_int_equal(blob_set(b, text, strlen(text)), 0);
}

static void
pair_records_survive_storing(void **state)
{
	auto_pair_record struct pair_record r = { .host_id = "H", .system_buid = "B",
		.wifi_mac = "W" };
	auto_pair_record struct pair_record again = { 0 };
	auto_blob struct blob stored = { 0 };
	struct error err = { 0 };

	(void)state;
	fill(&r.keys.root_certificate, "root");
	fill(&r.keys.root_key, "root key");
	fill(&r.keys.host_certificate, "host");
	fill(&r.keys.host_key, "host key");
	fill(&r.keys.device_certificate, "device");
	fill(&r.escrow_bag, "bag");
	assert_int_equal(pair_record_serialize(&r, &stored, &err), 0);
	assert_int_equal(pair_record_parse(&stored, &again, &err), 0);
	assert_true(blob_equal(&r.keys.root_key, &again.keys.root_key));
	assert_true(blob_equal(&r.escrow_bag, &again.escrow_bag));
	assert_string_equal(again.wifi_mac, "W");
}

static void
private_keys_are_not_sent(void **state)
{
	auto_pair_record struct pair_record r = { .host_id = "H", .system_buid = "B" };
	auto_plist plist_t sent = NULL;

	(void)state;
	fill(&r.keys.root_key, "root key");
	fill(&r.keys.host_key, "host key");
	sent = pair_record_public(&r);
	assert_int_equal(plist_dict_get_size(sent), 5);
	assert_null(dict_get(sent, "RootPrivateKey"));
	assert_null(dict_get(sent, "HostPrivateKey"));
}

static void
a_record_without_a_host_key_is_as_good_as_none(void **state)
{
	auto_pair_record struct pair_record r = { 0 };
	struct blob stored = { 0 };
	struct error err = { 0 };

	(void)state;
	fill(&stored, "<plist><dict><key>HostID</key><string>H</string><key>SystemBUID</key>"
	    "<string>B</string><key>HostCertificate</key><data>aG9zdA==</data></dict></plist>");
	assert_int_equal(pair_record_parse(&stored, &r, &err), -1);
	assert_int_equal(err.kind, ERR_DATA);
	fill(&stored, "garbage");
	assert_int_equal(pair_record_parse(&stored, &r, &err), -1);
	blob_clear(&stored);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_framed),
		cmocka_unit_test(a_message_is_one_write),
		cmocka_unit_test(a_peer_that_left_is_an_error_and_no_signal),
		cmocka_unit_test(replies_of_mcinstall_are_judged),
		cmocka_unit_test(a_refusal_shows_no_secret),
		cmocka_unit_test(refusals_of_lockdown_keep_their_name),
		cmocka_unit_test(devices_of_usbmuxd_are_read),
		cmocka_unit_test(a_full_queue_is_not_waited_for_beyond_the_deadline),
		cmocka_unit_test(pair_records_survive_storing),
		cmocka_unit_test(private_keys_are_not_sent),
		cmocka_unit_test(a_record_without_a_host_key_is_as_good_as_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
