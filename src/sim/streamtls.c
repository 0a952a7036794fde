/* streamtls: how a stream enters TLS, is read in it, and leaves it, well or badly */
#include "sim/streampart.h"

#include "base/blob.h"
#include "base/clean.h"
#include "sim/bench.h"
#include "sim/fault.h"
#include "sim/host.h"
#include "sim/tlsend.h"
#include "sim/transcript.h"
#include "sim/virtual.h"

static struct fault *
match_tls(struct stream *stream)
{
	const struct service *service = stream->service;
	struct fault *fault;

	fault = fault_match_tls(stream->device->faults, service->label, service->name);
	if (!fault)
		fault = fault_match_tls(stream->device->bench->faults, service->label,
		    service->name);
	return fault;
}

/* An alert in the clear: fatal handshake_failure, or the warning close_notify. */
static void
alert_in_clear(struct stream *stream, bool is_fatal)
{
	const uint8_t alert[] = { 21, 3, 3, 0, 2, is_fatal ? 2 : 1, is_fatal ? 40 : 0 };

	stream_write_pipe(stream, alert, sizeof(alert));
	stream_close(stream);
}

/* Where an answer is due, the device's TLS breaks down, or says goodbye. */
void
stream_end_tls(struct stream *stream, enum fault_kind kind)
{
	if (stream->layer != LAYER_TLS) {
		alert_in_clear(stream, kind == FAULT_TLS_ALERT);
		return;
	}
	if (kind == FAULT_TLS_ALERT)
		tlsend_break(stream->tls);
	else
		tlsend_shutdown(stream->tls);
	stream_drain(stream);
	stream_close(stream);
}

void
stream_start_tls(struct stream *stream, struct host *host)
{
	struct fault *fault = match_tls(stream);

	if (fault && fault->kind == FAULT_TLS_REFUSE) {
		alert_in_clear(stream, true);
		return;
	}
	stream->shaking = (struct fault){ 0 };
	if (fault && fault_is_of_link(fault) && fault->phase == FAULT_BEFORE)
		stream_strike(stream, fault->kind);
	else if (fault)
		stream->shaking = (struct fault){ .kind = fault->kind, .phase = fault->phase };
	if (stream->is_closed)
		return;
	tlsend_free(stream->tls);
	stream->is_shaken = false;
	stream->tls = host ? tlsend_new(stream->device->bench->tls, stream->device->key, host)
	    : NULL;
	stream->host = host;
	stream->layer = LAYER_TLS;
	if (!stream->tls)
		stream_close(stream);
}

static void
note_tls(struct stream *stream, bool is_open)
{
	transcript_add(stream->device->bench->transcript, &(struct transcript_line){
		.device = stream->device->plate.udid, .connection = stream->number,
		.service = stream->service->label, .request = "TLS", .is_out = is_open,
		.status = is_open ? NULL : tlsend_reason(stream->tls) });
}

/* The hello has come, and what the device says to it is bent as the fault says. */
static void
spoil_handshake(struct stream *stream)
{
	struct fault fault = stream->shaking;
	auto_blob struct blob flight = { 0 };
	struct spoiled spoiled;
	struct frame frame;

	if (!fault.kind || fault.phase == FAULT_AFTER
	    || tlsend_drain(stream->tls, &flight) < 0 || !flight.len)
		return;
	stream->shaking = (struct fault){ 0 };
	frame = (struct frame){ .data = flight.data, .len = flight.len };
	spoiled = fault_spoil_frame(&fault, &frame);
	if (fault.phase != FAULT_UNANSWERED)
		stream_write_pipe(stream, flight.data, spoiled.send);
	stream->is_hung = spoiled.must_hang;
	if (spoiled.must_close)
		stream_close(stream);
	stream_strike(stream, fault.kind);
}

static void
finish_handshake(struct stream *stream)
{
	struct fault fault = stream->shaking;

	stream->is_shaken = true;
	stream->device->counters.handshakes++;
	stream->device->bench->total.handshakes++;
	note_tls(stream, true);
	stream->shaking = (struct fault){ 0 };
	if (!fault.kind)
		return;
	stream_drain(stream);
	stream_strike(stream, fault.kind);
}

void
stream_feed_tls(struct stream *stream)
{
	enum tlsend_state state;

	if (!stream->wire.len)
		return;
	state = tlsend_feed(stream->tls, stream->wire.data, stream->wire.len, &stream->plain);
	stream->wire.len = 0;
	if (state == TLSEND_SHAKING)
		spoil_handshake(stream);
	if (state == TLSEND_OPEN && !stream->is_shaken)
		finish_handshake(stream);
	stream_drain(stream);
	if (state == TLSEND_FAILED) {
		note_tls(stream, false);
		stream_close(stream);
	}
	if (state == TLSEND_CLOSED)
		stream->is_ending = true;
}

/*
 * After StopSession the client may say close_notify in TLS, or go on in plain
 * text at once. A TLS record begins with 20..23 and 3; a length never does,
 * because it stays below 16 MiB.
 */
void
stream_leave_tls(struct stream *stream)
{
	const uint8_t *wire = stream->wire.data;
	size_t len;

	while (stream->wire.len >= 5 && wire[0] >= 20 && wire[0] <= 23 && wire[1] == 3) {
		len = 5 + ((size_t)wire[3] << 8 | wire[4]);
		if (stream->wire.len < len)
			return;
		tlsend_feed(stream->tls, wire, len, &stream->plain);
		blob_drop_front(&stream->wire, len);
	}
	stream->plain.len = 0;
	if (stream->wire.len && wire[0] < 20)
		stream->layer = LAYER_PLAIN;
}
