/* bench: devices in a row, found by number, name or UDID */
#include "sim/bench.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clean.h"
#include "base/error.h"
#include "sim/devicekey.h"
#include "sim/fault.h"
#include "sim/installed.h"
#include "sim/tlsend.h"
#include "sim/virtual.h"

struct bench *
bench_new(struct loop *loop, struct transcript *transcript, struct error *err)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	const uint8_t name[16] = "chaperone-vbench";

	if (!bench) {
		error_memory(err);
		return NULL;
	}
	bench->loop = loop;
	bench->transcript = transcript;
	text_uuid(name, bench->buid);
	bench->tls = tlsend_context();
	if (!bench->tls) {
		error_set(err, ERR_SOFTWARE, "cannot set up TLS");
		bench_free(bench);
		return NULL;
	}
	return bench;
}

void
bench_free(struct bench *bench)
{
	size_t i;

	if (!bench)
		return;
	for (i = 0; i < bench->n_devices; i++)
		virtual_free(bench->devices[i]);
	free(bench->devices);
	for (i = 0; i < countof(bench->keys); i++) {
		EVP_PKEY_free(bench->keys[i]);
		plist_free(bench->pair_records[i]);
	}
	for (i = 0; i < countof(bench->host_keys); i++)
		EVP_PKEY_free(bench->host_keys[i]);
	SSL_CTX_free(bench->tls);
	fault_list_clear(&bench->faults);
	recordstore_clear(&bench->records);
	free(bench);
}

static int
make_keys(EVP_PKEY **keys, size_t n, struct error *err)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!keys[i] && !(keys[i] = devicekey_new()))
			return error_set(err, ERR_SOFTWARE, "cannot make keys");
	return 0;
}

int
bench_keep_keys(struct bench *bench, const char *path, struct error *err)
{
	EVP_PKEY *keys[BENCH_KEYS + BENCH_HOST_KEYS] = { NULL };
	int rc = devicekey_keep(path, keys, countof(keys), err);
	size_t i;

	/* What is there is the bench's, whether it is all or not. */
	for (i = 0; i < countof(keys); i++)
		*(i < BENCH_KEYS ? &bench->keys[i] : &bench->host_keys[i - BENCH_KEYS]) = keys[i];
	return rc;
}

int
bench_add(struct bench *bench, const struct virtual_spec *spec, struct error *err)
{
	struct virtual **grown;
	size_t n_keys;
	uint64_t i;

	if (spec->count > BENCH_DEVICES_MAX - bench->n_devices)
		return error_set(err, ERR_USAGE, "more than %d devices", BENCH_DEVICES_MAX);
	n_keys = bench->n_devices + (size_t)spec->count;
	if (make_keys(bench->keys, n_keys < BENCH_KEYS ? n_keys : BENCH_KEYS, err) < 0)
		return -1;
	if (spec->is_paired && make_keys(bench->host_keys, countof(bench->host_keys), err) < 0)
		return -1;
	grown = reallocarray(bench->devices, bench->n_devices + spec->count,
	    sizeof(struct virtual *));
	if (!grown)
		return error_memory(err);
	bench->devices = grown;
	for (i = 0; i < spec->count; i++) {
		struct virtual *device = virtual_new(bench, spec,
		    spec->count > 1 ? (size_t)i + 1 : 0, err);

		if (!device)
			return -1;
		bench->devices[bench->n_devices++] = device;
		if (!spec->is_unplugged)
			virtual_attach(device);
	}
	return 0;
}

void
bench_listen(struct bench *bench, struct bench_listener *listener)
{
	listener->next = bench->listeners;
	bench->listeners = listener;
}

void
bench_unlisten(struct bench *bench, struct bench_listener *listener)
{
	struct bench_listener **at = &bench->listeners;

	while (*at && *at != listener)
		at = &(*at)->next;
	if (*at)
		*at = listener->next;
}

void
bench_tell(struct bench *bench, struct virtual *device, enum bench_event event)
{
	struct bench_listener *listener;

	for (listener = bench->listeners; listener; listener = listener->next)
		listener->hear(listener->ctx, device, event);
}

struct virtual *
bench_find_id(const struct bench *bench, uint64_t device_id)
{
	size_t i;

	for (i = 0; device_id && i < bench->n_devices; i++)
		if (bench->devices[i]->device_id == device_id)
			return bench->devices[i];
	return NULL;
}

struct virtual *
bench_find(const struct bench *bench, const char *which)
{
	int64_t position;
	size_t i;

	for (i = 0; i < bench->n_devices; i++)
		if (text_same_udid(bench->devices[i]->plate.udid, which)
		    || strcmp(bench->devices[i]->name, which) == 0)
			return bench->devices[i];
	if (text_number(which, 1, (int64_t)bench->n_devices, &position) == 0)
		return bench->devices[position - 1];
	return NULL;
}

int64_t
bench_now(const struct bench *bench)
{
	return (int64_t)time(NULL) + bench->clock_offset_s;
}

void
bench_move_clock(struct bench *bench, int64_t offset_s)
{
	size_t i;

	bench->clock_offset_s = offset_s;
	for (i = 0; i < bench->n_devices; i++)
		installed_expire(bench->devices[i]);
}

void
bench_reset_counters(struct bench *bench)
{
	size_t i;

	bench->total = (struct counters){ 0 };
	bench->mux_commands = 0;
	for (i = 0; i < bench->n_devices; i++)
		bench->devices[i]->counters = (struct counters){ 0 };
}
