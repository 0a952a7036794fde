/* virtual: making a device, plugging it, locking it, erasing it */
#include "sim/virtual.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/proplist.h"
#include "sim/devicekey.h"
#include "sim/effective.h"
#include "sim/fault.h"
#include "sim/host.h"
#include "sim/installed.h"
#include "sim/notification.h"
#include "sim/stream.h"
#include "sim/vprofile.h"

/* Observed: at least ten seconds; clients close lockdown before they connect. */
enum { PORT_OPEN_MS = 60000, FIRST_PORT = 49152, PORTS = 12000,
	DEVICES_PER_BUS = 120 };

void
virtual_spec_init(struct virtual_spec *spec)
{
	*spec = (struct virtual_spec){
		.name = "iPad", .count = 1, .product = "iPad13,18", .os = "18.1",
		.trust = TRUST_ASK, .is_activated = true, .is_set_up = true,
		.allows_pairing = true, .has_queries = true, .idle_ms = 10000,
		.restart_ms = 300, .mux_version = 2,
	};
}

/* ---- making --------------------------------------------------------------- */

static void
make_cloud(struct virtual *device, const struct virtual_spec *spec)
{
	plist_t cloud = plist_new_dict(), certificates = plist_new_array();
	uint8_t magic[16] = "chaperone bench";

	if (spec->certificate)
		plist_array_append_item(certificates, plist_new_data(
		    (const char *)spec->certificate->data, spec->certificate->len));
	dict_set_bool(cloud, "IsSupervised", true);
	dict_set_string(cloud, "OrganizationName", spec->organization);
	{
		char uuid[TEXT_UUID_MAX];

		text_uuid(magic, uuid);
		dict_set_string(cloud, "OrganizationMagic", uuid);
	}
	plist_dict_set_item(cloud, "SupervisorHostCertificates", certificates);
	dict_set_bool(cloud, "AllowPairing", spec->allows_pairing);
	dict_set_bool(cloud, "IsMultiUser", false);
	dict_set_bool(cloud, "IsMandatory", true);
	dict_set_bool(cloud, "IsMDMUnremovable", false);
	dict_set_bool(cloud, "CloudConfigurationUIComplete", true);
	dict_set_bool(cloud, "ConfigurationWasApplied", true);
	dict_set_bool(cloud, "PostSetupProfileWasInstalled", true);
	plist_dict_set_item(cloud, "ConfigurationSource", plist_new_uint(2));
	plist_dict_set_item(cloud, "SkipSetup", plist_new_array());
	device->cloud = cloud;
}

/* Certificates are over keys alone, so devices that share a key share them. */
static plist_t
make_record(struct virtual *device, const char *host_id, struct error *err)
{
	struct bench *bench = device->bench;
	plist_t *made = &bench->pair_records[device->position % BENCH_KEYS], record;

	if (!*made)
		*made = devicekey_pair_record(device->key, bench->host_keys[0], bench->host_keys[1],
		    host_id, bench->buid, err);
	if (!*made)
		return NULL;
	record = plist_copy(*made);
	dict_set_string(record, "HostID", host_id);
	dict_set_string(record, "WiFiMACAddress", device->plate.wifi);
	return record;
}

/* Trust on both sides: the device knows the host, the store has its record. */
static int
make_paired(struct virtual *device, struct error *err)
{
	struct bench *bench = device->bench;
	auto_blob struct blob xml = { 0 };
	auto_plist plist_t record = NULL;
	uint8_t bytes[16] = "vbench host";
	char id[TEXT_UUID_MAX];

	bytes[14] = (uint8_t)(device->position >> 8);
	bytes[15] = (uint8_t)device->position;
	text_uuid(bytes, id);
	record = make_record(device, id, err);
	if (!record)
		return -1;
	device->hosts = host_from_record(record, device->key, err);
	if (!device->hosts)
		return -1;
	dict_set_data(record, "EscrowBag", device->hosts->escrow, ESCROW_BAG_LEN);
	if (proplist_to_xml(record, &xml) < 0
	    || recordstore_save(&bench->records, device->plate.udid, xml.data, xml.len) != 0)
		return error_set(err, ERR_SOFTWARE, "%s: cannot keep the pair record",
		    device->name);
	return 0;
}

static int
make_profiles(struct virtual *device, const struct virtual_spec *spec, struct error *err)
{
	struct vrefusal refusal;
	size_t i;

	for (i = 0; i < spec->n_profiles; i++)
		if (installed_add(device, spec->profiles[i].data, spec->profiles[i].len, NULL,
		    &refusal) < 0)
			return error_set(err, ERR_DATA, "%s: profile %zu: %s %u: %s",
			    device->name, i + 1, refusal.domain, refusal.code, refusal.text);
	return 0;
}

static int
copy_faults(struct virtual *device, const struct fault *fault)
{
	for (; fault; fault = fault->next) {
		struct fault copy = *fault;
		char **texts[] = { &copy.at, &copy.request, &copy.key, &copy.status, &copy.domain,
			&copy.code, &copy.code_type, &copy.text, &copy.hex };
		size_t i;

		for (i = 0; i < countof(texts); i++)
			if (*texts[i] && !(*texts[i] = strdup(*texts[i])))
				return -1;
		if (fault_list_add(&device->faults, &copy) < 0)
			return -1;
	}
	return 0;
}

static int
make_texts(struct virtual *device, const struct virtual_spec *spec, size_t number)
{
	int rc = number ? asprintf(&device->name, "%s-%zu", spec->name, number)
	    : asprintf(&device->name, "%s", spec->name);

	if (rc < 0) {
		device->name = NULL;
		return -1;
	}
	device->product = strdup(spec->product);
	device->os = strdup(spec->os);
	return device->product && device->os ? 0 : -1;
}

static void
take_spec(struct virtual *device, const struct virtual_spec *spec)
{
	device->is_locked = spec->is_locked;
	device->has_passcode = spec->has_passcode || spec->is_locked;
	device->was_unlocked = !spec->is_locked;
	device->is_activated = spec->is_activated;
	device->is_set_up = spec->is_set_up;
	device->has_queries = spec->has_queries;
	device->trust = spec->trust;
	device->latency_ms = spec->latency_ms;
	device->idle_ms = spec->idle_ms;
	device->restart_ms = spec->restart_ms;
	device->mux_version = spec->mux_version < 2 ? 1 : 2;
	device->values = plist_new_dict();
	device->stored = plist_new_dict();
	if (spec->organization)
		make_cloud(device, spec);
}

struct virtual *
virtual_new(struct bench *bench, const struct virtual_spec *spec, size_t number,
    struct error *err)
{
	struct virtual *device = calloc(1, sizeof(*device));

	if (!device) {
		error_memory(err);
		return NULL;
	}
	device->bench = bench;
	device->position = bench->n_devices;
	device->key = bench->keys[device->position % BENCH_KEYS];
	device->model = catalogue_find(spec->product);
	catalogue_engrave(device->model, device->position, number > 1 ? NULL : spec->udid,
	    number > 1 ? NULL : spec->serial, &device->plate);
	catalogue_build(spec->os, device->build, sizeof(device->build));
	if (make_texts(device, spec, number) < 0 || copy_faults(device, spec->faults) < 0) {
		error_memory(err);
	} else {
		take_spec(device, spec);
		if ((!spec->is_paired || make_paired(device, err) == 0)
		    && make_profiles(device, spec, err) == 0)
			return device;
	}
	virtual_free(device);
	return NULL;
}

static void
free_profiles(struct vprofile **list)
{
	while (*list) {
		struct vprofile *profile = *list;

		*list = profile->next;
		vprofile_free(profile);
	}
}

static void
close_ports(struct virtual *device)
{
	while (device->ports) {
		struct open_port *port = device->ports;

		device->ports = port->next;
		free(port);
	}
}

void
virtual_free(struct virtual *device)
{
	if (!device)
		return;
	timer_clear(&device->removal_timer);
	timer_clear(&device->news_timer);
	timer_clear(&device->restart_timer);
	close_ports(device);
	free_profiles(&device->profiles);
	free_profiles(&device->pending);
	blob_clear(&device->unlock_token);
	fault_list_clear(&device->faults);
	host_list_free(device->hosts);
	plist_free(device->cloud);
	plist_free(device->values);
	plist_free(device->stored);
	free(device->name);
	free(device->product);
	free(device->os);
	free(device);
}

/* ---- the cable and the power ---------------------------------------------- */

uint32_t
virtual_bus(const struct virtual *device)
{
	return (uint32_t)(1 + device->position / DEVICES_PER_BUS);
}

uint32_t
virtual_address(const struct virtual *device)
{
	/* 1 is the root hub. */
	return (uint32_t)(2 + device->position % DEVICES_PER_BUS);
}

void
virtual_attach(struct virtual *device)
{
	timer_clear(&device->restart_timer);
	if (device->device_id)
		return;
	device->device_id = ++device->bench->last_device_id;
	bench_tell(device->bench, device, BENCH_ATTACHED);
}

void
virtual_detach(struct virtual *device)
{
	timer_clear(&device->restart_timer);
	if (!device->device_id || device->is_leaving)
		return;
	device->is_leaving = true;
	while (device->streams)
		stream_close(device->streams);
	close_ports(device);
	device->dialog = DIALOG_NONE;
	bench_tell(device->bench, device, BENCH_DETACHED);
	device->device_id = 0;
	device->is_leaving = false;
}

static void
come_back(void *ctx)
{
	virtual_attach(ctx);
}

void
virtual_restart(struct virtual *device)
{
	virtual_detach(device);
	device->was_unlocked = !device->has_passcode;
	device->is_locked = device->has_passcode;
	timer_set(device->bench->loop, &device->restart_timer, (int64_t)device->restart_ms,
	    come_back, device);
}

static void
erase(struct virtual *device)
{
	struct host *host;

	for (host = device->hosts; host; host = host->next)
		host->is_revoked = true;
	free_profiles(&device->profiles);
	free_profiles(&device->pending);
	timer_clear(&device->removal_timer);
	plist_free(device->cloud);
	plist_free(device->values);
	plist_free(device->stored);
	device->cloud = NULL;
	device->values = plist_new_dict();
	device->stored = plist_new_dict();
	device->has_passcode = false;
	device->is_set_up = false;
}

void
virtual_meet(struct virtual *device, enum fate fate)
{
	switch (fate) {
	case FATE_NONE:
		break;
	case FATE_RESTART:
		virtual_restart(device);
		break;
	case FATE_SHUTDOWN:
		virtual_detach(device);
		device->was_unlocked = !device->has_passcode;
		device->is_locked = device->has_passcode;
		break;
	case FATE_ERASE:
		virtual_detach(device);
		erase(device);
		virtual_restart(device);
		break;
	}
}

/* ---- the person in front of it -------------------------------------------- */

void
virtual_lock(struct virtual *device)
{
	device->has_passcode = true;
	device->is_locked = true;
}

void
virtual_unlock(struct virtual *device)
{
	device->is_locked = false;
	device->was_unlocked = true;
}

int
virtual_tap(struct virtual *device, bool trust)
{
	if (device->dialog != DIALOG_SHOWING)
		return -1;
	device->dialog = trust ? DIALOG_TRUSTED : DIALOG_DENIED;
	/* usbmuxd waits for this to pair again by itself (usbmuxd preflight.c). */
	if (trust)
		notification_post(device, "com.apple.mobile.lockdown.request_pair");
	return 0;
}

/* ---- for services --------------------------------------------------------- */

bool
virtual_is_supervised(const struct virtual *device)
{
	bool is_supervised = false;

	dict_get_bool(device->cloud, "IsSupervised", &is_supervised);
	return is_supervised;
}

plist_t
virtual_effective(const struct virtual *device)
{
	return effective_fold(device->profiles, NULL, virtual_is_supervised(device),
	    device->os);
}

bool
virtual_allows_pairing(const struct virtual *device)
{
	auto_plist plist_t effective = NULL;
	bool allows = true;

	if (!virtual_is_supervised(device))
		return true;
	dict_get_bool(device->cloud, "AllowPairing", &allows);
	effective = virtual_effective(device);
	return allows && effective_bool(effective, "allowHostPairing", true);
}

bool
virtual_is_supervisor(const struct virtual *device, const void *der, size_t len)
{
	plist_t list = dict_get_array(device->cloud, "SupervisorHostCertificates");
	uint32_t i, n = list && virtual_is_supervised(device) ? plist_array_get_size(list) : 0;

	for (i = 0; i < n; i++) {
		const void *data;
		size_t its_len;

		if (node_data(plist_array_get_item(list, i), &data, &its_len) && its_len == len
		    && memcmp(data, der, len) == 0)
			return true;
	}
	return false;
}

uint16_t
virtual_open_port(struct virtual *device, const struct service *service, struct host *host)
{
	struct open_port *port = calloc(1, sizeof(*port));

	if (!port)
		return 0;
	device->last_port = (uint16_t)((device->last_port + 1) % PORTS);
	*port = (struct open_port){
		.next = device->ports,
		.port = (uint16_t)(FIRST_PORT + device->last_port),
		.service = service,
		.host = host,
		.until_ms = now_monotonic_ms() + PORT_OPEN_MS,
	};
	device->ports = port;
	return port->port;
}

const struct service *
virtual_take_port(struct virtual *device, uint16_t number, struct host **host)
{
	struct open_port **at = &device->ports;
	const struct service *found = NULL;
	int64_t now = now_monotonic_ms();

	*host = NULL;
	if (number == LOCKDOWN_PORT)
		return &service_lockdown;
	while (*at) {
		struct open_port *port = *at;
		bool is_it = port->port == number && port->until_ms > now;

		if (!is_it && port->until_ms > now) {
			at = &port->next;
			continue;
		}
		if (is_it) {
			found = port->service;
			*host = port->host;
		}
		*at = port->next;
		free(port);
	}
	return found;
}
