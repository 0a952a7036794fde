/* state: the server and its clients, as the files of this folder share them */
#ifndef WEB_STATE_H
#define WEB_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "web/door.h"

struct MHD_Connection;
struct MHD_Daemon;
struct sheet;
struct web;

enum { NEVER_MS = -1 };

/* One connection. It asks once; then it is answered and closed, or it streams. */
struct client {
	struct web		*web;
	struct client		*next, *prev;
	struct MHD_Connection	*connection;	/* owns fd, and ends this with itself */
	int			 fd;
	struct sockaddr_storage	 peer;
	int64_t			 due_ms;	/* what is under way must be over; NEVER_MS:
						 * nothing is */

	/* while it streams */
	bool			 streams, is_gone;
	bool			 is_idle;	/* suspended in libmicrohttpd */
	struct sheet		*sending;
	size_t			 sent;
	unsigned long		 board_seen, beat_seen;
};

struct web {
	struct door		 door;
	bool			 is_listening;	/* the door is in poller */
	int			 poller;	/* epoll: door, libmicrohttpd, streams that
						 * hang up */
	struct MHD_Daemon	*daemon;
	bool			 is_closing;
	char			**names;
	size_t			 n_names;
	int			 patience_ms, beat_ms, stale_ms;
	char			 page_version[17];

	struct client		*clients;
	unsigned		 n_clients, n_streams;

	struct sheet		*board;		/* an event; NULL: none yet */
	unsigned long		 board_id;
	int64_t			 published_ms;
	int64_t			 told_ms;	/* when streams last heard of a board */
	int64_t			 tell_ms;	/* when they hear of the next; NEVER_MS: know
						 * it all */
	struct sheet		*beat;
	unsigned long		 beat_id;
	int64_t			 beat_due_ms;
	struct sheet		*metrics;
	bool			 is_healthy;
	char			 why[240];
};

#endif
