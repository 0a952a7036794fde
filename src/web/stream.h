/* stream: pages that stay connected and are told of every board */
#ifndef WEB_STREAM_H
#define WEB_STREAM_H

#include <stdint.h>

struct MHD_Response;
struct client;
struct web;

/*
 * Makes a stream of this client's answer. It gets the newest board, and later ones
 * when there are any: one that came and went while it was slow it never sees.
 * NULL: out of memory.
 */
struct MHD_Response *stream_begin(struct client *client);
/* The browser hung up. */
void	stream_hung_up(struct client *client);
void	stream_end(struct client *client);

/* There is a new board: streams hear of it now, or very soon. */
void	streams_board(struct web *web, int64_t now_ms);
/* A sign of life with the station's health and the board's age. */
void	streams_beat(struct web *web, int64_t now_ms);
/* What is due by now, of both. */
void	streams_run(struct web *web, int64_t now_ms);
/* They end, and none is suspended any more, so that all can be closed. */
void	streams_release(struct web *web);

#endif
