/* guard: Host, method, origin and body of a request, looked at in that order */
#include "web/guard.h"

#include <string.h>
#include <strings.h>

static bool
same_text(const char *a, size_t len, const char *b)
{
	return strlen(b) == len && strncasecmp(a, b, len) == 0;
}

/* The host in "host:port", "[host]:port" or without a port. false: malformed. */
static bool
host_part(const char *text, const char **host, size_t *len)
{
	const char *end;
	size_t port;

	if (*text == '[') {
		*host = text + 1;
		end = strchr(text, ']');
		if (!end)
			return false;
		*len = (size_t)(end++ - *host);
	} else {
		*host = text;
		*len = strcspn(text, ":");
		end = text + *len;
	}
	if (*len == 0 || (*end && *end != ':'))
		return false;
	if (!*end)
		return true;
	port = strspn(end + 1, "0123456789");
	return port >= 1 && port <= 5 && !end[1 + port];
}

static bool
is_our_host(const struct question *q, const char *const *names, size_t n_names)
{
	const char *host;
	size_t len, i;

	if (!host_part(q->host, &host, &len))
		return false;
	if (q->local && same_text(host, len, q->local))
		return true;
	if (q->local_is_loopback && same_text(host, len, "localhost"))
		return true;
	for (i = 0; i < n_names; i++)
		if (same_text(host, len, names[i]))
			return true;
	return false;
}

/* https too: something in front of us may speak TLS. */
static bool
is_same_origin(const char *origin, const char *host)
{
	if (strncmp(origin, "http://", 7) == 0)
		return strcasecmp(origin + 7, host) == 0;
	if (strncmp(origin, "https://", 8) == 0)
		return strcasecmp(origin + 8, host) == 0;
	return false;
}

static bool
is_followed_link(const struct question *q)
{
	return strcmp(q->path, "/") == 0 &&
	    q->fetch_mode && strcmp(q->fetch_mode, "navigate") == 0 &&
	    q->fetch_dest && strcmp(q->fetch_dest, "document") == 0;
}

static bool
is_of_another_site(const struct question *q)
{
	if (q->origin && !is_same_origin(q->origin, q->host))
		return true;
	if (!q->fetch_site || strcmp(q->fetch_site, "same-origin") == 0 ||
	    strcmp(q->fetch_site, "none") == 0)
		return false;
	return !is_followed_link(q);
}

struct refusal_of_request
guard_check(const struct question *q, const char *const *names, size_t n_names)
{
	if (q->n_hosts != 1 || !q->host)
		return (struct refusal_of_request){ 400, "exactly one Host is needed" };
	if (!is_our_host(q, names, n_names))
		return (struct refusal_of_request){ 421,
		    "this station is not called by that name" };
	if (strcmp(q->method, "GET") != 0 && strcmp(q->method, "HEAD") != 0)
		return (struct refusal_of_request){ 405, "this page can only be read" };
	if (is_of_another_site(q))
		return (struct refusal_of_request){ 403, "other sites may not read this page" };
	if (q->has_body)
		return (struct refusal_of_request){ 413, "a question has no body here" };
	return (struct refusal_of_request){ 0, NULL };
}
