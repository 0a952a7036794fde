/* stream: one connection to one port of a device: framing, TLS, latency, faults */
#ifndef SIM_STREAM_H
#define SIM_STREAM_H

#include <stdbool.h>
#include <stddef.h>

struct host;
struct service;
struct stream;
struct virtual;

/*
 * What carries the bytes. A socket after Connect today; whatever else can
 * move bytes both ways will do. write copies; close comes once, and lets
 * what was written before arrive.
 */
struct pipe {
	void	(*write)(void *ctx, const void *data, size_t len);
	void	(*close)(void *ctx);
	void	*ctx;
};

/* The device accepts. host: for services with TLS, who may come. NULL: no memory. */
struct stream *stream_new(struct virtual *device, const struct service *service,
	    struct host *host, struct pipe pipe);
/* Bytes from the computer, cut anywhere. */
void	stream_feed(struct stream *stream, const void *data, size_t len);
/*
 * A fault may strike a message that is arriving: what has come is to be fed in
 * two parts, so that the second is still unread when the connection ends. A
 * peer notices: its own bytes are refused instead of the connection ended.
 */
bool	stream_reads_by_half(const struct stream *stream);
/* The device's side ends it: calls pipe.close. The stream stays until stream_free(). */
void	stream_close(struct stream *stream);
/* The carrier is gone. Calls nothing of the pipe after it was closed. NULL is fine. */
void	stream_free(struct stream *stream);
/* The next stream of the same device, for lists of what is open. */
struct stream *stream_next(const struct stream *stream);
const struct service *stream_service(const struct stream *stream);

#endif
