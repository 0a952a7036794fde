/* fuzz_bench: any bytes as what a client says to the virtual bench */
#include "tests/fuzz/harness.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "sim/bench.h"
#include "sim/frame.h"
#include "sim/loop.h"
#include "sim/mcinstall.h"
#include "sim/muxserver.h"
#include "sim/order.h"
#include "sim/service.h"
#include "sim/virtual.h"
#include "tests/fuzz/talk.h"

enum { SERVICES = 6, TURNS_MAX = 200 };

/* What the first byte chooses beside the service. */
enum choice {
	IS_ESCALATED = 1 << 3,	/* MCInstall: the host has proved its identity */
	IS_LOCKED = 1 << 4,
	IS_UNSUPERVISED = 1 << 5,
	IS_PAIRED = 1 << 6,
	ACCEPTS_TRUST = 1 << 7,
};

static const struct service *const services[SERVICES] = {
	&service_lockdown, &service_mcinstall, &service_notification_proxy,
	&service_insecure_notification_proxy, &service_diagnostics_relay, &service_mobileactivation,
};

/* ---- a bench for each input, with the keys of the one before ------------------------- */

static EVP_PKEY *keys[BENCH_KEYS], *host_keys[2];
static plist_t pair_records[BENCH_KEYS];

static void
lend(struct bench *bench)
{
	memcpy(bench->keys, keys, sizeof(keys));
	memcpy(bench->host_keys, host_keys, sizeof(host_keys));
	memcpy(bench->pair_records, pair_records, sizeof(pair_records));
}

static void
take_back(struct bench *bench)
{
	memcpy(keys, bench->keys, sizeof(keys));
	memcpy(host_keys, bench->host_keys, sizeof(host_keys));
	memcpy(pair_records, bench->pair_records, sizeof(pair_records));
	memset(bench->keys, 0, sizeof(keys));
	memset(bench->host_keys, 0, sizeof(host_keys));
	memset(bench->pair_records, 0, sizeof(pair_records));
}

static struct bench *
set_up(struct loop *loop, unsigned choice)
{
	static uint8_t bytes[] = "certificate";
	const struct blob certificate = { .data = bytes, .len = sizeof(bytes) - 1 };
	struct virtual_spec spec;
	struct error err = { 0 };
	struct bench *bench = bench_new(loop, NULL, &err);

	if (!bench)
		abort();
	lend(bench);
	virtual_spec_init(&spec);
	if (!(choice & IS_UNSUPERVISED)) {
		spec.organization = "Acme";
		spec.certificate = &certificate;
	}
	spec.is_locked = spec.has_passcode = choice & IS_LOCKED;
	spec.is_paired = choice & IS_PAIRED;
	spec.trust = choice & ACCEPTS_TRUST ? TRUST_ACCEPT : TRUST_ASK;
	if (bench_add(bench, &spec, &err) < 0)
		abort();
	return bench;
}

/* Whatever happened, the bench can tell about it. */
static void
check_state(struct bench *bench)
{
	json_t *command = json_pack("{s:s}", "command", "state"), *state;
	struct error err = { 0 };

	state = order_run(bench, command, &err);
	if (!state)
		abort();
	json_decref(state);
	json_decref(command);
}

/* ---- one service, a request after the other ------------------------------------------- */

static bool
answer(const struct service *service, void *state, struct virtual *device, plist_t request)
{
	struct call call = { .device = device, .request = request };
	auto_blob struct blob packed = { 0 };

	service->handle(state, &call);
	if (call.reply && frame_pack(call.reply, &packed) < 0)
		abort();
	plist_free(call.reply);
	return call.next != CALL_CLOSE && call.fate == FATE_NONE;
}

static void
send_nothing(void *ctx, plist_t message)
{
	auto_blob struct blob packed = { 0 };

	(void)ctx;
	if (frame_pack(message, &packed) < 0)
		abort();
}

static void
speak_to(const struct service *service, struct virtual *device, struct talk *talk,
    bool is_escalated)
{
	auto_free void *state = calloc(1, service->state_size + 1);
	auto_blob struct blob said = { 0 };
	bool goes_on = true;

	if (!state)
		abort();
	talk_frame(talk, TALK_DEVICE, &said);
	if (service->open)
		service->open(state, device, (struct outlet){ .send = send_nothing });
	if (service == &service_mcinstall && is_escalated)
		((struct mcinstall *)state)->stage = MC_READY;
	while (goes_on) {
		auto_plist plist_t request = NULL;
		size_t size;

		if (frame_take(&said, &request, &size) != FRAME_WHOLE)
			break;
		goes_on = answer(service, state, device, request);
	}
	if (service->close)
		service->close(state, device);
}

/* ---- usbmuxd's socket, and what lies behind Connect -------------------------------------- */

static void
reap(void *ctx)
{
	muxserver_reap(ctx);
}

static int
dial(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		abort();
	return fd;
}

/* Until all is sent and three turns brought nothing more, or the bench hung up. */
static void
converse(struct loop *loop, int fd, const struct blob *said)
{
	static uint8_t heard[65536];
	struct error err = { 0 };
	size_t sent = 0;
	int turns, quiet = 0;

	for (turns = 0; turns < TURNS_MAX && quiet < 3; turns++) {
		ssize_t n = 0, got;

		if (sent < said->len)
			n = send(fd, said->data + sent, said->len - sent, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		if (loop_turn(loop, 0, &err) < 0)
			abort();
		got = recv(fd, heard, sizeof(heard), 0);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			return;
		quiet = n > 0 || got > 0 ? 0 : quiet + 1;
	}
}

static void
speak_to_mux(struct bench *bench, struct talk *talk)
{
	auto_blob struct blob said = { 0 };
	struct error err = { 0 };
	struct muxserver *server = muxserver_new(bench, &err);
	auto_fd int fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/fuzz-bench-%d", (int)getpid());
	if (!server || muxserver_listen_unix(server, path, &err) < 0)
		abort();
	loop_on_turn(bench->loop, reap, server);
	talk_frame(talk, TALK_MUX, &said);
	talk_turn(talk);
	talk_frame(talk, TALK_DEVICE, &said);
	fd = dial(path);
	converse(bench->loop, fd, &said);
	close(steal_fd(&fd));
	if (loop_turn(bench->loop, 0, &err) < 0)
		abort();
	loop_on_turn(bench->loop, NULL, NULL);
	muxserver_free(server);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	unsigned choice;
	struct talk talk = talk_begin(data, len, &choice);
	struct loop *loop = loop_new();
	struct bench *bench;

	if (!loop)
		abort();
	bench = set_up(loop, choice);
	if (choice % 8 < SERVICES)
		speak_to(services[choice % 8], bench->devices[0], &talk, choice & IS_ESCALATED);
	else
		speak_to_mux(bench, &talk);
	check_state(bench);
	take_back(bench);
	bench_free(bench);
	loop_free(loop);
	return 0;
}
