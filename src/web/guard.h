/* guard: whose questions are answered, and which; a pure function */
#ifndef WEB_GUARD_H
#define WEB_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* What a request says of itself; NULL: it does not say. All borrowed. */
struct question {
	const char	*method;
	const char	*path;
	const char	*host;
	unsigned	 n_hosts;		/* Host headers */
	const char	*origin;
	const char	*fetch_site;
	const char	*fetch_mode;
	const char	*fetch_dest;
	bool		 has_body;
	/* And where it arrived: our end of the connection, "127.0.0.1" or "::1". */
	const char	*local;
	bool		 local_is_loopback;
};

struct refusal_of_request {
	unsigned	 status;		/* of HTTP; 0: not refused */
	const char	*why;			/* one line, static */
};

/*
 * A web page elsewhere can make a browser ask us. It cannot choose the Host that
 * the browser sends: a name that someone made point here (DNS rebinding) is not
 * among ours. Ours are the address the connection came in on, localhost when that
 * is loopback, and names. Ports are not compared, for tunnels change them and a
 * rebound name is a name. Requests that a browser marks as another site's are
 * refused too, except for someone following a link to the page.
 */
struct refusal_of_request guard_check(const struct question *question, const char *const *names,
    size_t n_names);

#endif
