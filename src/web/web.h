/* web: the station's page over HTTP: a read-only view of the board it publishes */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct web;

/*
 * One server without threads, driven by the loop of its owner, which polls
 * web_descriptor() for reading, at most web_timeout_ms(), and then calls
 * web_run(). Nothing here blocks. Whoever can reach the address may read: the
 * page shows devices' names, and changes nothing.
 *
 * It says what it is told, and how old that is. So the owner publishes at every
 * change, and while nothing changes at least every WEB_BOARD_FRESH_MS: the page
 * stops believing a board that is three times older.
 */
enum {
	WEB_BOARD_FRESH_MS = 10000,
	WEB_BOARD_MAX = 4 * 1024 * 1024,	/* bytes; the same for metrics */
	WEB_CONNECTIONS_MAX = 64,
	WEB_CONNECTIONS_PER_ADDRESS_MAX = 24,
	WEB_STREAMS_MAX = 32,			/* pages that are open */
	WEB_STREAMS_PER_ADDRESS_MAX = 16,
};

struct web_options {
	const char		*address;	/* "127.0.0.1:8765", "[::1]:8765"; port 0: any
						 * free one */
	const char *const	*host_names;	/* further names a browser may call it by */
	size_t			 n_host_names;
	int			 patience_ms;	/* for one request or one message; 0: 10 s */
	int			 beat_ms;	/* between signs of life; 0: 5 s */
	int			 stale_ms;	/* a board so old is not believed; 0: see above */
};

/*
 * options are copied. ERR_USAGE: no such address; ERR_UNAVAILABLE: it is taken, or
 * libmicrohttpd is not there. *out is the caller's: web_close().
 */
int	web_open(const struct web_options *options, struct web **out, struct error *err);
/* Where it listens, as in a URL: "127.0.0.1:8765". */
const char *web_address(const struct web *web);
/* Others than this host can reach it: worth a warning. */
bool	web_is_exposed(const struct web *web);

int	web_descriptor(const struct web *web);
/* -1: nothing is due. */
int	web_timeout_ms(const struct web *web);
void	web_run(struct web *web);

/*
 * The newest board (JSON, chaperone.board/1) and metrics (Prometheus' text); both
 * are copied. -1: out of memory or too long, and the last one stays.
 */
int	web_publish(struct web *web, const char *board_json, size_t length);
int	web_set_metrics(struct web *web, const char *text, size_t length);
/* why: one line for people, copied; NULL when healthy. Until told it is not healthy. */
void	web_set_health(struct web *web, bool healthy, const char *why);

/* Ends all connections. NULL is fine. */
void	web_close(struct web *web);

#endif
