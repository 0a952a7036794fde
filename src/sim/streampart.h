/* streampart: a stream, as stream.c and streamtls.c share it; nobody else's */
#ifndef SIM_STREAMPART_H
#define SIM_STREAMPART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "sim/fault.h"
#include "sim/loop.h"
#include "sim/service.h"
#include "sim/stream.h"

struct tlsend;

enum { NAME_MAX_LEN = 64 };

enum layer {
	LAYER_PLAIN,
	LAYER_TLS,
	LAYER_LEAVING_TLS,	/* after StopSession: a close_notify or plain text follows */
};

struct stream {
	struct stream	*next, **link;	/* in the device's list */
	struct virtual	*device;
	const struct service *service;
	struct host	*host;
	struct pipe	 pipe;
	uint64_t	 number;
	void		*state;		/* the service's */
	enum layer	 layer;
	struct tlsend	*tls;
	bool		 is_shaken;
	bool		 has_begun;	/* a message is arriving */
	bool		 is_busy;	/* an answer is on its way */
	bool		 is_pumping;
	bool		 is_ending;	/* close_notify came: close when all is served */
	bool		 is_hung, is_closed;
	struct blob	 wire, plain;
	struct call	 call;
	char		 request[NAME_MAX_LEN];
	struct fault	 struck;	/* kind and phase only */
	struct fault	 shaking;	/* the same, of the handshake */
	struct timer	 latency, idle;
	int64_t		 waits_since_us;	/* its latency */
};

/* ---- stream.c -------------------------------------------------------------- */

void	stream_write_pipe(struct stream *stream, const void *data, size_t len);
/* What TLS has to say goes to the peer. */
void	stream_drain(struct stream *stream);
/* What a fault of the link does to this connection, or to its device. */
void	stream_strike(struct stream *stream, enum fault_kind kind);

/* ---- streamtls.c ----------------------------------------------------------- */

/* host: who may come in. */
void	stream_start_tls(struct stream *stream, struct host *host);
/* Takes what is in stream->wire to stream->plain. */
void	stream_feed_tls(struct stream *stream);
/* After StopSession: what follows is close_notify, or plain text. */
void	stream_leave_tls(struct stream *stream);
/* Where an answer is due, the device's TLS breaks down, or says goodbye. */
void	stream_end_tls(struct stream *stream, enum fault_kind kind);

#endif
