/* stream: length-prefixed property lists, in the clear or in TLS, one at a time */
#include "sim/streampart.h"

#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/proplist.h"
#include "base/text.h"
#include "sim/fault.h"
#include "sim/frame.h"
#include "sim/host.h"
#include "sim/service.h"
#include "sim/tlsend.h"
#include "sim/transcript.h"
#include "sim/virtual.h"

enum { BUFFERED_MOST = 32 << 20 };

static void	pump(struct stream *stream);

/* ---- out ------------------------------------------------------------------ */

void
stream_write_pipe(struct stream *stream, const void *data, size_t len)
{
	if (stream->is_closed || !len)
		return;
	stream->device->counters.bytes_out += len;
	stream->device->bench->total.bytes_out += len;
	stream->pipe.write(stream->pipe.ctx, data, len);
}

void
stream_drain(struct stream *stream)
{
	auto_blob struct blob wire = { 0 };

	if (stream->tls && tlsend_drain(stream->tls, &wire) == 0)
		stream_write_pipe(stream, wire.data, wire.len);
}

static void
write_layer(struct stream *stream, const void *data, size_t len)
{
	if (stream->layer != LAYER_TLS) {
		stream_write_pipe(stream, data, len);
		return;
	}
	tlsend_write(stream->tls, data, len);
	stream_drain(stream);
}

static void
note(struct stream *stream, bool is_out, size_t size, plist_t reply, const struct fault *fault)
{
	const char *status = dict_get_string(reply, "Error");
	char text[NAME_MAX_LEN];

	if (is_out) {
		stream->device->counters.messages_out++;
		stream->device->bench->total.messages_out++;
	} else {
		stream->device->counters.messages_in++;
		stream->device->bench->total.messages_in++;
	}
	if (!stream->device->bench->transcript)
		return;
	if (!status)
		status = dict_get_string(reply, "Status");
	if (status)
		text_printable(status, strlen(status), text, sizeof(text));
	transcript_add(stream->device->bench->transcript, &(struct transcript_line){
		.device = stream->device->plate.udid, .connection = stream->number,
		.service = stream->service->label,
		.request = *stream->request ? stream->request : NULL,
		.is_out = is_out, .size = size, .status = status ? text : NULL,
		.fault = fault ? fault_name(fault->kind) : NULL, .message = reply });
}

void
stream_strike(struct stream *stream, enum fault_kind kind)
{
	switch (kind) {
	case FAULT_HANG:
		stream->is_hung = true;
		break;
	case FAULT_CLOSE:
		stream_close(stream);
		break;
	case FAULT_UNPLUG:
		virtual_detach(stream->device);
		break;
	case FAULT_RESTART:
		virtual_restart(stream->device);
		break;
	case FAULT_LOCK:
		virtual_lock(stream->device);
		break;
	default:
		break;
	}
}

/* Sends one message, bent as the fault says. */
static void
send_message(struct stream *stream, plist_t message, const struct fault *fault)
{
	auto_blob struct blob bytes = { 0 };
	struct spoiled spoiled;
	struct frame frame;

	if (frame_pack(message, &bytes) < 0) {
		stream_close(stream);
		return;
	}
	note(stream, true, bytes.len, message, fault);
	frame = (struct frame){ .data = bytes.data, .len = bytes.len, .header = FRAME_HEADER };
	spoiled = fault_spoil_frame(fault, &frame);
	write_layer(stream, bytes.data, spoiled.send);
	if (spoiled.must_hang)
		stream->is_hung = true;
	if (spoiled.must_close)
		stream_close(stream);
}

static void
send_unasked(void *ctx, plist_t message)
{
	struct stream *stream = ctx;
	char kept[NAME_MAX_LEN];

	if (stream->is_closed || stream->is_hung || (stream->tls && !stream->is_shaken))
		return;
	memcpy(kept, stream->request, sizeof(kept));
	stream->request[0] = '\0';
	send_message(stream, message, NULL);
	memcpy(stream->request, kept, sizeof(kept));
}

/* ---- in ------------------------------------------------------------------- */

static void
on_idle(void *ctx)
{
	stream_close(ctx);
}

/* Devices drop idle lockdown connections (libimobiledevice lockdown.h). */
static void
restart_idle(struct stream *stream)
{
	if (stream->service != &service_lockdown || !stream->device->idle_ms)
		return;
	timer_set(stream->device->bench->loop, &stream->idle, (int64_t)stream->device->idle_ms,
	    on_idle, stream);
}

static void
go_on(struct stream *stream, enum call_next next, struct host *tls_host)
{
	switch (next) {
	case CALL_GO_ON:
		break;
	case CALL_CLOSE:
		stream_close(stream);
		break;
	case CALL_START_TLS:
		stream_start_tls(stream, tls_host);
		break;
	case CALL_STOP_TLS:
		stream->layer = LAYER_LEAVING_TLS;
		break;
	}
}

/* The answer is due. */
static void
answer(void *ctx)
{
	struct stream *stream = ctx;
	struct call call = stream->call;
	const struct fault *fault = stream->struck.kind ? &stream->struck : NULL;
	bool is_link = fault && fault_is_of_link(fault);
	auto_plist plist_t reply = call.reply;

	stream->call = (struct call){ 0 };
	stream->is_busy = stream->has_begun = false;
	if (is_link && fault->phase == FAULT_UNANSWERED && fault->kind != FAULT_LOCK) {
		stream_strike(stream, fault->kind);
		virtual_meet(stream->device, call.fate);
		return;
	}
	if (fault && fault_is_of_tls(fault))
		stream_end_tls(stream, fault->kind);
	else if (reply)
		send_message(stream, reply, fault);
	if (is_link && fault->phase != FAULT_BEFORE)
		stream_strike(stream, fault->kind);
	if (!stream->is_closed && !stream->is_hung)
		go_on(stream, call.next, call.tls_host);
	/* Also when the answer was spoiled on its way: the request took effect. */
	virtual_meet(stream->device, call.fate);
	pump(stream);
}

static void
answer_late(void *ctx)
{
	struct stream *stream = ctx;
	uint64_t waited_us = (uint64_t)(now_monotonic_us() - stream->waits_since_us);

	stream->device->counters.waited_us += waited_us;
	stream->device->bench->total.waited_us += waited_us;
	answer(stream);
}

static struct fault *
match(struct stream *stream)
{
	const struct service *service = stream->service;
	struct fault *fault;

	fault = fault_match(stream->device->faults, service->label, service->name,
	    stream->request);
	if (!fault)
		fault = fault_match(stream->device->bench->faults, service->label, service->name,
		    stream->request);
	return fault;
}

/* The first bytes of a message. false: it will never be whole. */
static bool
begin_message(struct stream *stream)
{
	const struct service *service = stream->service;
	struct fault *fault;

	stream->has_begun = true;
	fault = fault_match_arriving(stream->device->faults, service->label, service->name);
	if (!fault)
		return true;
	stream->request[0] = '\0';
	note(stream, false, 0, NULL, fault);
	stream_strike(stream, fault->kind);
	return fault->kind == FAULT_LOCK;
}

static void
serve(struct stream *stream, plist_t request, const struct fault *fault)
{
	struct call *call = &stream->call;

	*call = (struct call){ .device = stream->device, .request = request, .fault = fault };
	if (fault && fault->kind == FAULT_ERROR)
		call->reply = stream->service->refuse(request, fault);
	else
		stream->service->handle(stream->state, call);
	call->request = NULL;
	call->fault = NULL;
	if (call->reply)
		fault_spoil(fault, call->reply);
}

static void
take_message(struct stream *stream, plist_t request, size_t size)
{
	const char *name = dict_get_string(request, stream->service->request_key);
	struct fault *fault;

	/* It came together with the end of the handshake. */
	if (!stream->has_begun && !begin_message(stream))
		return;
	text_printable(name ? name : "", name ? strlen(name) : 0, stream->request,
	    sizeof(stream->request));
	fault = match(stream);
	note(stream, false, size, NULL, fault);
	restart_idle(stream);
	stream->struck = (struct fault){ 0 };
	if (fault_is_of_link(fault) && fault->phase == FAULT_BEFORE) {
		stream_strike(stream, fault->kind);
		if (fault->kind != FAULT_LOCK)
			return;
	}
	if (fault)
		stream->struck = (struct fault){ .kind = fault->kind, .phase = fault->phase };
	stream->is_busy = true;
	serve(stream, request, fault);
	if (!stream->device->latency_ms) {
		answer(stream);
		return;
	}
	stream->waits_since_us = now_monotonic_us();
	timer_set(stream->device->bench->loop, &stream->latency,
	    (int64_t)stream->device->latency_ms, answer_late, stream);
}

/* One step; false when more bytes, or an answer, must come first. */
static bool
step(struct stream *stream)
{
	struct blob *from = stream->layer == LAYER_TLS ? &stream->plain : &stream->wire;
	auto_plist plist_t request = NULL;
	size_t size = 0;

	if (stream->is_busy || stream->is_closed || stream->is_hung)
		return false;
	if (stream->layer == LAYER_LEAVING_TLS) {
		stream_leave_tls(stream);
		return stream->layer != LAYER_LEAVING_TLS;
	}
	if (stream->layer == LAYER_TLS)
		stream_feed_tls(stream);
	/* A fault of the handshake: what came together with its end is not served. */
	if (stream->is_closed || stream->is_hung)
		return false;
	switch (frame_take(from, &request, &size)) {
	case FRAME_INCOMPLETE:
		if (stream->is_ending)
			stream_close(stream);
		return false;
	case FRAME_BROKEN:
		stream_close(stream);
		return false;
	case FRAME_WHOLE:
		break;
	}
	take_message(stream, request, size);
	return true;
}

static void
pump(struct stream *stream)
{
	/* answer() comes back here while a step runs; the outer loop goes on. */
	if (stream->is_pumping)
		return;
	stream->is_pumping = true;
	while (step(stream))
		;
	stream->is_pumping = false;
}

void
stream_feed(struct stream *stream, const void *data, size_t len)
{
	if (stream->is_closed)
		return;
	stream->device->counters.bytes_in += len;
	stream->device->bench->total.bytes_in += len;
	if (stream->is_hung)
		return;
	if (!stream->has_begun && (!stream->tls || stream->is_shaken)
	    && stream->layer != LAYER_LEAVING_TLS && !begin_message(stream))
		return;
	if (stream->wire.len + stream->plain.len + len > BUFFERED_MOST
	    || blob_append(&stream->wire, data, len) < 0) {
		stream_close(stream);
		return;
	}
	pump(stream);
}

bool
stream_reads_by_half(const struct stream *stream)
{
	const struct fault *fault = stream->device->faults;

	while (fault && fault->phase != FAULT_ARRIVING)
		fault = fault->next;
	return fault != NULL;
}

/* ---- life ----------------------------------------------------------------- */

static void
link_to_device(struct stream *stream)
{
	struct virtual *device = stream->device;

	stream->next = device->streams;
	stream->link = &device->streams;
	if (stream->next)
		stream->next->link = &stream->next;
	device->streams = stream;
	device->counters.connections++;
	device->bench->total.connections++;
}

struct stream *
stream_new(struct virtual *device, const struct service *service, struct host *host,
    struct pipe pipe)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	stream->state = calloc(1, service->state_size ? service->state_size : 1);
	if (!stream->state) {
		free(stream);
		return NULL;
	}
	stream->device = device;
	stream->service = service;
	stream->host = host;
	stream->pipe = pipe;
	stream->number = ++device->bench->last_connection;
	link_to_device(stream);
	if (service->open)
		service->open(stream->state, device,
		    (struct outlet){ .send = send_unasked, .ctx = stream });
	restart_idle(stream);
	if (service->has_tls)
		stream_start_tls(stream, host);
	return stream;
}

void
stream_close(struct stream *stream)
{
	struct virtual *device = stream->device;
	enum fate fate = FATE_NONE;

	if (stream->is_closed)
		return;
	stream->is_closed = true;
	timer_clear(&stream->latency);
	timer_clear(&stream->idle);
	*stream->link = stream->next;
	if (stream->next)
		stream->next->link = stream->link;
	if (stream->service->close)
		fate = stream->service->close(stream->state, device);
	stream->pipe.close(stream->pipe.ctx);
	if (!device->is_leaving)
		virtual_meet(device, fate);
}

void
stream_free(struct stream *stream)
{
	if (!stream)
		return;
	stream_close(stream);
	tlsend_free(stream->tls);
	plist_free(stream->call.reply);
	blob_clear(&stream->wire);
	blob_clear(&stream->plain);
	free(stream->state);
	free(stream);
}

struct stream *
stream_next(const struct stream *stream)
{
	return stream->next;
}

const struct service *
stream_service(const struct stream *stream)
{
	return stream->service;
}
