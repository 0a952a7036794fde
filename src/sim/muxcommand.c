/* muxcommand: what usbmuxd's clients ask for, and its answers */
#include "sim/muxclient.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"
#include "base/text.h"
#include "sim/bench.h"
#include "sim/fault.h"
#include "sim/muxserver.h"
#include "sim/stream.h"
#include "sim/transcript.h"
#include "sim/virtual.h"

enum { USB_HIGH_SPEED = 480000000 };

/* One command being answered. */
struct command {
	struct muxclient *client;
	plist_t		 request;
	const char	*type;		/* printable copy */
	uint32_t	 tag;
	size_t		 size;
	struct virtual	*device;	/* the one it names, or NULL */
	struct fault	 struck;	/* kind, phase */
	const struct fault *fault;	/* whole, until the answer is sent */
};

static uint32_t
get32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16
	    | (uint32_t)at[3] << 24;
}

static void
put32(uint8_t *at, uint32_t value)
{
	size_t i;

	for (i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static int
pack(uint32_t version, uint32_t message, uint32_t tag, const void *body, size_t len,
    struct blob *out)
{
	uint8_t header[MUX_HEADER];

	put32(header, (uint32_t)(MUX_HEADER + len));
	put32(header + 4, version);
	put32(header + 8, message);
	put32(header + 12, tag);
	if (blob_append(out, header, sizeof(header)) < 0 || blob_append(out, body, len) < 0)
		return -1;
	return 0;
}

/* ---- sending -------------------------------------------------------------- */

static void
note(const struct muxclient *client, const struct virtual *device, const char *request,
    bool is_out, size_t size, const struct fault *fault, plist_t message)
{
	transcript_add(client->bench->transcript, &(struct transcript_line){
		.device = device ? device->plate.udid : NULL, .connection = client->number,
		.service = "usbmuxd", .request = request, .is_out = is_out, .size = size,
		.fault = fault && fault->kind ? fault_name(fault->kind) : NULL,
		.message = message });
}

static void
send_event(struct muxclient *client, const struct virtual *device, plist_t event)
{
	auto_blob struct blob xml = { 0 }, bytes = { 0 };

	if (proplist_to_xml(event, &xml) < 0
	    || pack(1, MUX_PLIST, 0, xml.data, xml.len, &bytes) < 0)
		return;
	note(client, device, dict_get_string(event, "MessageType"), true, bytes.len, NULL, event);
	muxclient_write(client, bytes.data, bytes.len);
}

static void
strike(struct command *command)
{
	struct virtual *device = command->device;

	switch (command->struck.kind) {
	case FAULT_HANG:
		command->client->is_hung = true;
		break;
	case FAULT_CLOSE:
		muxclient_end(command->client);
		break;
	case FAULT_UNPLUG:
		if (device)
			virtual_detach(device);
		break;
	case FAULT_RESTART:
		if (device)
			virtual_restart(device);
		break;
	case FAULT_LOCK:
		if (device)
			virtual_lock(device);
		break;
	default:
		break;
	}
}

static void
send_reply(struct command *command, plist_t reply)
{
	auto_blob struct blob xml = { 0 }, bytes = { 0 };
	struct muxclient *client = command->client;
	bool is_link = fault_is_of_link(&command->struck);
	struct spoiled spoiled;
	struct frame frame;

	fault_spoil(command->fault, reply);
	if (proplist_to_xml(reply, &xml) < 0
	    || pack(1, MUX_PLIST, command->tag, xml.data, xml.len, &bytes) < 0)
		return;
	frame = (struct frame){ .data = bytes.data, .len = bytes.len, .header = MUX_HEADER,
		.is_little = true };
	spoiled = fault_spoil_frame(&command->struck, &frame);
	if (!is_link || command->struck.phase != FAULT_UNANSWERED) {
		note(client, command->device, command->type, true, bytes.len, &command->struck,
		    reply);
		muxclient_write(client, bytes.data, spoiled.send);
	}
	if (spoiled.must_hang)
		client->is_hung = true;
	if (spoiled.must_close)
		muxclient_end(client);
	if (is_link && command->struck.phase != FAULT_BEFORE)
		strike(command);
}

static void
send_result(struct command *command, uint64_t number)
{
	auto_plist plist_t reply = plist_new_dict();

	dict_set_string(reply, "MessageType", "Result");
	plist_dict_set_item(reply, "Number", plist_new_uint(number));
	send_reply(command, reply);
}

static plist_t
describe(const struct virtual *device)
{
	plist_t attached = plist_new_dict(), properties = plist_new_dict();

	dict_set_string(attached, "MessageType", "Attached");
	plist_dict_set_item(attached, "DeviceID", plist_new_uint(device->device_id));
	dict_set_string(properties, "ConnectionType", "USB");
	plist_dict_set_item(properties, "ConnectionSpeed", plist_new_uint(USB_HIGH_SPEED));
	plist_dict_set_item(properties, "DeviceID", plist_new_uint(device->device_id));
	plist_dict_set_item(properties, "LocationID", plist_new_uint(
	    virtual_bus(device) << 16 | virtual_address(device)));
	plist_dict_set_item(properties, "ProductID", plist_new_uint(device->model->usb_product));
	dict_set_string(properties, "SerialNumber", device->plate.udid);
	plist_dict_set_item(attached, "Properties", properties);
	return attached;
}

void
muxcommand_send_attached(struct muxclient *client, const struct virtual *device)
{
	auto_plist plist_t event = describe(device);

	send_event(client, device, event);
}

void
muxcommand_send_event(struct muxclient *client, const char *type, const struct virtual *device)
{
	auto_plist plist_t event = plist_new_dict();

	dict_set_string(event, "MessageType", type);
	plist_dict_set_item(event, "DeviceID", plist_new_uint(device->device_id));
	send_event(client, device, event);
}

/* ---- commands ------------------------------------------------------------- */

static void
on_list_devices(struct command *command)
{
	auto_plist plist_t reply = plist_new_dict();
	plist_t list = plist_new_array();
	struct bench *bench = command->client->bench;
	size_t i;

	for (i = 0; i < bench->n_devices; i++)
		if (bench->devices[i]->device_id)
			plist_array_append_item(list, describe(bench->devices[i]));
	plist_dict_set_item(reply, "DeviceList", list);
	send_reply(command, reply);
}

static void
on_listen(struct command *command)
{
	struct muxclient *client = command->client;
	struct bench *bench = client->bench;
	size_t i;

	dict_get_uint(command->request, "ConnType", &client->conn_type);
	send_result(command, MUX_OK);
	if (client->is_dead)
		return;
	client->mode = MUX_LISTEN;
	for (i = 0; i < bench->n_devices; i++)
		if (bench->devices[i]->device_id)
			muxcommand_send_attached(client, bench->devices[i]);
}

static void
on_list_listeners(struct command *command)
{
	auto_plist plist_t reply = plist_new_dict();
	plist_t list = plist_new_array();
	struct muxclient *client = muxclient_first(command->client->server);
	char id[96];

	for (; client; client = client->next) {
		plist_t entry;

		if (client->mode != MUX_LISTEN || client->is_dead)
			continue;
		entry = plist_new_dict();
		snprintf(id, sizeof(id), "%llu-%s", (unsigned long long)client->number,
		    client->program);
		dict_set_bool(entry, "Blacklisted", false);
		plist_dict_set_item(entry, "ConnType", plist_new_uint(client->conn_type));
		dict_set_string(entry, "ID String", id);
		dict_set_string(entry, "ProgName", client->program);
		plist_dict_set_item(entry, "kLibUSBMuxVersion", plist_new_uint(3));
		plist_array_append_item(list, entry);
	}
	plist_dict_set_item(reply, "ListenerList", list);
	send_reply(command, reply);
}

static void
pipe_write(void *ctx, const void *data, size_t len)
{
	muxclient_write(ctx, data, len);
}

static void
pipe_close(void *ctx)
{
	muxclient_end(ctx);
}

static void
on_connect(struct command *command)
{
	struct muxclient *client = command->client;
	const struct service *service;
	uint64_t port = 0;
	struct host *host;

	/* The port travels as htons(port), whatever the byte order of the machine. */
	if (!dict_get_uint(command->request, "PortNumber", &port) || !command->device) {
		send_result(command, MUX_BAD_DEVICE);
		return;
	}
	service = virtual_take_port(command->device,
	    (uint16_t)((port & 0xFF) << 8 | (port >> 8 & 0xFF)), &host);
	if (!service) {
		send_result(command, MUX_REFUSED);
		return;
	}
	send_result(command, MUX_OK);
	if (client->is_dead || client->is_ending || !command->device->device_id)
		return;
	client->mode = MUX_STREAM;
	client->stream = stream_new(command->device, service, host,
	    (struct pipe){ pipe_write, pipe_close, client });
	if (!client->stream)
		muxclient_end(client);
}

static void
on_read_buid(struct command *command)
{
	auto_plist plist_t reply = plist_new_dict();

	dict_set_string(reply, "BUID", command->client->bench->buid);
	send_reply(command, reply);
}

static void
on_read_record(struct command *command)
{
	auto_plist plist_t reply = plist_new_dict();
	const char *id = dict_get_string(command->request, "PairRecordID");
	const struct blob *xml;
	int rc = id ? recordstore_read(&command->client->bench->records, id, &xml) : EINVAL;

	if (rc) {
		send_result(command, (uint64_t)rc);
		return;
	}
	dict_set_data(reply, "PairRecordData", xml->data, xml->len);
	send_reply(command, reply);
}

static void
on_save_record(struct command *command)
{
	struct bench *bench = command->client->bench;
	const char *id = dict_get_string(command->request, "PairRecordID");
	uint64_t device_id = 0;
	struct virtual *device;
	const void *data;
	size_t len;
	int rc = EINVAL;

	if (id && dict_get_data(command->request, "PairRecordData", &data, &len))
		rc = recordstore_save(&bench->records, id, data, len);
	send_result(command, (uint64_t)rc);
	if (rc || !dict_get_uint(command->request, "DeviceID", &device_id))
		return;
	device = bench_find_id(bench, device_id);
	if (device && text_same_udid(device->plate.udid, id))
		bench_tell(bench, device, BENCH_PAIRED);
}

static void
on_delete_record(struct command *command)
{
	const char *id = dict_get_string(command->request, "PairRecordID");

	send_result(command, (uint64_t)(id
	    ? recordstore_delete(&command->client->bench->records, id) : EINVAL));
}

static const struct {
	const char	*type;
	void		(*run)(struct command *command);
} commands[] = {
	{ "ListDevices", on_list_devices },
	{ "Listen", on_listen },
	{ "ListListeners", on_list_listeners },
	{ "Connect", on_connect },
	{ "ReadBUID", on_read_buid },
	{ "ReadPairRecord", on_read_record },
	{ "SavePairRecord", on_save_record },
	{ "DeletePairRecord", on_delete_record },
};

static void
run(struct command *command)
{
	size_t i;

	for (i = 0; i < countof(commands); i++) {
		if (strcmp(commands[i].type, command->type) == 0) {
			commands[i].run(command);
			return;
		}
	}
	send_result(command, MUX_BAD_COMMAND);
}

/* ---- taking --------------------------------------------------------------- */

static struct virtual *
named_device(const struct command *command)
{
	struct bench *bench = command->client->bench;
	const char *udid = dict_get_string(command->request, "PairRecordID");
	uint64_t id = 0;
	size_t i;

	if (dict_get_uint(command->request, "DeviceID", &id))
		return bench_find_id(bench, id);
	for (i = 0; udid && i < bench->n_devices; i++)
		if (text_same_udid(bench->devices[i]->plate.udid, udid))
			return bench->devices[i];
	return NULL;
}

static void
choose_fault(struct command *command)
{
	struct bench *bench = command->client->bench;
	const struct fault *fault = NULL;

	if (command->device)
		fault = fault_match(command->device->faults, "usbmuxd", "usbmuxd", command->type);
	if (!fault)
		fault = fault_match(bench->faults, "usbmuxd", "usbmuxd", command->type);
	if (fault)
		command->struck = (struct fault){ .kind = fault->kind, .phase = fault->phase };
	command->fault = fault;
}

static void
serve(struct command *command)
{
	struct muxclient *client = command->client;
	const char *program = dict_get_string(command->request, "ProgName");

	client->bench->mux_commands++;
	if (program)
		text_printable(program, strlen(program), client->program,
		    sizeof(client->program));
	command->device = named_device(command);
	choose_fault(command);
	note(client, command->device, command->type, false, command->size, &command->struck, NULL);
	if (client->mode == MUX_LISTEN) {
		send_result(command, MUX_BAD_COMMAND);
		muxclient_end(client);
		return;
	}
	if (fault_is_of_link(&command->struck) && command->struck.phase == FAULT_BEFORE) {
		strike(command);
		if (command->struck.kind == FAULT_HANG || command->struck.kind == FAULT_CLOSE)
			return;
		command->device = named_device(command);
	}
	if (command->struck.kind == FAULT_ERROR)
		send_result(command, command->fault->code
		    ? strtoull(command->fault->code, NULL, 10) : MUX_BAD_COMMAND);
	else
		run(command);
}

static void
refuse_version(struct muxclient *client, uint32_t tag)
{
	auto_blob struct blob bytes = { 0 };
	struct command command = { .client = client, .type = "", .tag = tag };
	uint8_t number[4];

	if (client->has_plist) {
		send_result(&command, MUX_BAD_VERSION);
		return;
	}
	/* A client that has not yet said it speaks lists gets the old binary result. */
	put32(number, MUX_BAD_VERSION);
	if (pack(0, MUX_RESULT, tag, number, sizeof(number), &bytes) == 0)
		muxclient_write(client, bytes.data, bytes.len);
}

static void
take_list(struct muxclient *client, uint32_t message, uint32_t tag, const uint8_t *body,
    size_t len)
{
	auto_plist plist_t request = NULL;
	struct command command = { .client = client, .tag = tag, .size = MUX_HEADER + len };
	struct error err = { 0 };
	const char *type;
	char name[64];

	client->has_plist = true;
	if (message == MUX_PLIST)
		(void)proplist_parse(body, len, &PROPLIST_WIRE, ERR_PROTOCOL, &request, &err);
	type = dict_get_string(request, "MessageType");
	text_printable(type ? type : "", type ? strlen(type) : 0, name, sizeof(name));
	command.request = request;
	command.type = name;
	serve(&command);
}

bool
muxcommand_take(struct muxclient *client)
{
	auto_blob struct blob bytes = { 0 };
	uint32_t len, version, tag;

	if (client->in.len < MUX_HEADER)
		return false;
	len = get32(client->in.data);
	if (len < MUX_HEADER || len > MUX_COMMAND_LONGEST) {
		muxclient_end(client);
		return false;
	}
	if (client->in.len < len)
		return false;
	version = get32(client->in.data + 4);
	tag = get32(client->in.data + 12);
	if (blob_set(&bytes, client->in.data, len) < 0) {
		muxclient_end(client);
		return false;
	}
	blob_drop_front(&client->in, len);
	if (version == 1)
		take_list(client, get32(bytes.data + 8), tag, bytes.data + MUX_HEADER,
		    len - MUX_HEADER);
	else
		refuse_version(client, tag);
	return true;
}
