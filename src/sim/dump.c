/* dump: from structs to JSON, names as in the scenario where there is one */
#include "sim/dump.h"

#include <plist/plist.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/proplist.h"
#include "base/text.h"
#include "sim/fault.h"
#include "sim/host.h"
#include "sim/stream.h"
#include "sim/virtual.h"
#include "sim/vprofile.h"

/* Texts may come from a client: made printable, or JSON refuses them. */
static json_t *
text(const char *s)
{
	char out[512];

	if (!s)
		return json_null();
	text_printable(s, strlen(s), out, sizeof(out));
	return json_string(out);
}

json_t *
dump_counters(const struct counters *counters)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
	    "connections", (json_int_t)counters->connections,
	    "handshakes", (json_int_t)counters->handshakes,
	    "messages-in", (json_int_t)counters->messages_in,
	    "messages-out", (json_int_t)counters->messages_out,
	    "bytes-in", (json_int_t)counters->bytes_in,
	    "bytes-out", (json_int_t)counters->bytes_out,
	    "waited-us", (json_int_t)counters->waited_us);
}

static json_t *from_plist(plist_t node);

static json_t *
from_dict(plist_t node)
{
	json_t *object = json_object();
	plist_dict_iter it = NULL;
	plist_t value;
	char *key;

	plist_dict_new_iter(node, &it);
	do {
		key = NULL;
		value = NULL;
		plist_dict_next_item(node, it, &key, &value);
		if (key)
			json_object_set_new(object, key, from_plist(value));
		free(key);
	} while (value);
	free(it);
	return object;
}

static json_t *
from_array(plist_t node)
{
	json_t *array = json_array();
	uint32_t i;

	for (i = 0; i < plist_array_get_size(node); i++)
		json_array_append_new(array, from_plist(plist_array_get_item(node, i)));
	return array;
}

/* What effective_fold() makes: containers, booleans, numbers and strings. */
static json_t *
from_plist(plist_t node)
{
	uint64_t whole = 0;
	uint8_t truth = 0;
	double real = 0;

	switch (plist_get_node_type(node)) {
	case PLIST_DICT:
		return from_dict(node);
	case PLIST_ARRAY:
		return from_array(node);
	case PLIST_BOOLEAN:
		plist_get_bool_val(node, &truth);
		return json_boolean(truth);
	case PLIST_UINT:
		plist_get_uint_val(node, &whole);
		return json_integer((json_int_t)whole);
	case PLIST_REAL:
		plist_get_real_val(node, &real);
		return json_real(real);
	default:
		return text(node_string(node));
	}
}

static json_t *
dump_hosts(const struct virtual *device)
{
	json_t *array = json_array();
	const struct host *host;

	for (host = device->hosts; host; host = host->next) {
		json_t *entry;

		if (host->is_revoked)
			continue;
		entry = json_object();
		json_object_set_new(entry, "host-id", text(host->id));
		json_object_set_new(entry, "system-buid", text(host->buid));
		json_array_append_new(array, entry);
	}
	return array;
}

static json_t *
dump_profiles(const struct vprofile *profile)
{
	json_t *array = json_array();

	for (; profile; profile = profile->next) {
		json_t *entry = json_object();

		json_object_set_new(entry, "identifier", text(profile->identifier));
		json_object_set_new(entry, "uuid", text(profile->uuid));
		json_object_set_new(entry, "version", json_integer((json_int_t)profile->version));
		json_object_set_new(entry, "active", json_boolean(profile->is_active));
		json_object_set_new(entry, "removal-disallowed", json_boolean(profile->is_locked));
		json_object_set_new(entry, "signed", json_boolean(profile->signers.len > 0));
		json_object_set_new(entry, "installed-at", json_integer(profile->installed_at));
		json_object_set_new(entry, "removal-at", profile->removal_at
		    ? json_integer(profile->removal_at) : json_null());
		json_array_append_new(array, entry);
	}
	return array;
}

static json_t *
dump_faults(const struct fault *fault)
{
	json_t *array = json_array();

	for (; fault; fault = fault->next) {
		json_t *entry = json_object();

		json_object_set_new(entry, "do", json_string(fault_name(fault->kind)));
		json_object_set_new(entry, "at", text(fault->at));
		json_object_set_new(entry, "request", text(fault->request));
		json_object_set_new(entry, "nth", json_integer((json_int_t)fault->nth));
		json_object_set_new(entry, "seen", json_integer((json_int_t)fault->seen));
		json_object_set_new(entry, "struck", json_integer((json_int_t)fault->struck));
		json_array_append_new(array, entry);
	}
	return array;
}

static json_t *
dump_streams(const struct virtual *device)
{
	json_t *array = json_array();
	const struct stream *stream;

	for (stream = device->streams; stream; stream = stream_next(stream))
		json_array_append_new(array, json_string(stream_service(stream)->label));
	return array;
}

static void
add_identity(json_t *object, const struct virtual *device)
{
	json_object_set_new(object, "position", json_integer((json_int_t)device->position + 1));
	json_object_set_new(object, "name", text(device->name));
	json_object_set_new(object, "udid", text(device->plate.udid));
	json_object_set_new(object, "serial", text(device->plate.serial));
	json_object_set_new(object, "ecid", json_integer((json_int_t)device->plate.ecid));
	json_object_set_new(object, "product", text(device->product));
	json_object_set_new(object, "os", text(device->os));
	json_object_set_new(object, "attached", json_boolean(device->device_id != 0));
	json_object_set_new(object, "device-id", json_integer(device->device_id));
}

static void
add_state(json_t *object, const struct virtual *device)
{
	static const char *const dialogs[] = { [DIALOG_NONE] = "none",
		[DIALOG_SHOWING] = "showing", [DIALOG_TRUSTED] = "trusted",
		[DIALOG_DENIED] = "denied" };

	json_object_set_new(object, "locked", json_boolean(device->is_locked));
	json_object_set_new(object, "passcode", json_boolean(device->has_passcode));
	json_object_set_new(object, "unlocked-since-start", json_boolean(device->was_unlocked));
	json_object_set_new(object, "activated", json_boolean(device->is_activated));
	json_object_set_new(object, "set-up", json_boolean(device->is_set_up));
	json_object_set_new(object, "supervised", json_boolean(virtual_is_supervised(device)));
	json_object_set_new(object, "organization",
	    text(dict_get_string(device->cloud, "OrganizationName")));
	json_object_set_new(object, "allow-pairing", json_boolean(virtual_allows_pairing(device)));
	json_object_set_new(object, "queries", json_boolean(device->has_queries));
	json_object_set_new(object, "latency-ms", json_integer((json_int_t)device->latency_ms));
	json_object_set_new(object, "dialog", json_string(dialogs[device->dialog]));
}

json_t *
dump_device(const struct virtual *device)
{
	json_t *object = json_object();
	auto_plist plist_t effective = virtual_effective(device);

	add_identity(object, device);
	add_state(object, device);
	json_object_set_new(object, "hosts", dump_hosts(device));
	json_object_set_new(object, "profiles", dump_profiles(device->profiles));
	json_object_set_new(object, "pending", dump_profiles(device->pending));
	json_object_set_new(object, "restrictions", from_plist(effective));
	json_object_set_new(object, "connections", dump_streams(device));
	json_object_set_new(object, "faults", dump_faults(device->faults));
	json_object_set_new(object, "counters", dump_counters(&device->counters));
	return object;
}

json_t *
dump_bench(const struct bench *bench)
{
	json_t *object = json_object(), *devices = json_array();
	size_t i;

	for (i = 0; i < bench->n_devices; i++)
		json_array_append_new(devices, dump_device(bench->devices[i]));
	json_object_set_new(object, "clock", json_integer(bench_now(bench)));
	json_object_set_new(object, "buid", json_string(bench->buid));
	json_object_set_new(object, "mux-commands", json_integer((json_int_t)bench->mux_commands));
	json_object_set_new(object, "counters", dump_counters(&bench->total));
	json_object_set_new(object, "faults", dump_faults(bench->faults));
	json_object_set_new(object, "devices", devices);
	return object;
}
