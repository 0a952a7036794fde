/* answer: the guard's word first, then the table of resources */
#include "web/answer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clean.h"
#include "web/assets.h"
#include "web/guard.h"
#include "web/mhd.h"
#include "web/sheet.h"
#include "web/state.h"
#include "web/stream.h"
#include "web/web.h"

static const char plain_text[] = "text/plain; charset=utf-8";

/* Nothing from elsewhere, nothing inline, no frame around us, nothing kept. */
static const struct {
	const char *name, *value;
} protection[] = {
	{ "Content-Security-Policy",
	  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
	  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
	  "require-trusted-types-for 'script'; trusted-types 'none'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cache-Control", "no-store" },
	/* One request per connection, so that each has one deadline. */
	{ "Connection", "close" },
};

static bool
add_headers(struct MHD_Response *response, unsigned status, const char *type)
{
	size_t i;

	for (i = 0; i < countof(protection); i++)
		if (mhd.add_response_header(response, protection[i].name,
			protection[i].value) != MHD_YES)
			return false;
	if (status == 405 && mhd.add_response_header(response, "Allow", "GET, HEAD") != MHD_YES)
		return false;
	if (status == 503 && mhd.add_response_header(response, "Retry-After", "5") != MHD_YES)
		return false;
	return mhd.add_response_header(response, "Content-Type", type) == MHD_YES;
}

/* Takes response; NULL: out of memory, the connection is closed. */
static enum MHD_Result
queue(struct client *client, unsigned status, const char *type, struct MHD_Response *response)
{
	enum MHD_Result queued = MHD_NO;

	if (!response)
		return MHD_NO;
	if (add_headers(response, status, type))
		queued = mhd.queue_response(client->connection, status, response);
	mhd.destroy_response(response);
	return queued;
}

/* Takes sheet; answers with its bytes [from, to). */
static enum MHD_Result
queue_sheet(struct client *client, unsigned status, const char *type, struct sheet *sheet,
    size_t from, size_t to)
{
	struct MHD_Response *response;

	if (!sheet)
		return MHD_NO;
	response = mhd.create_response_from_buffer_with_free_callback_cls(to - from,
	    sheet->bytes + from, sheet_release, sheet);
	if (!response)
		sheet_release(sheet);
	return queue(client, status, type, response);
}

static enum MHD_Result
queue_line(struct client *client, unsigned status, const char *line)
{
	char text[300];
	int len = snprintf(text, sizeof(text), "%s\n", line);

	return queue_sheet(client, status, plain_text, sheet_new(text, (size_t)len),
	    0, (size_t)len);
}

static void
keep(void *text)
{
	(void)text;
}

/* ---- resources --------------------------------------------------------------- */

static enum MHD_Result
queue_file(struct client *client, const char *type, const char *text)
{
	/* It is not written to; the parameter has no const. */
	char *bytes = (char *)(uintptr_t)text;

	return queue(client, 200, type,
	    mhd.create_response_from_buffer_with_free_callback_cls(strlen(text), bytes,
		keep, NULL));
}

static enum MHD_Result
queue_board(struct client *client)
{
	struct sheet *board = client->web->board;

	if (!board)
		return queue_line(client, 503, "the station has not shown a board yet");
	/* Of the blank line that ends the event one newline is left. */
	return queue_sheet(client, 200, "application/json", sheet_hold(board), board->data_at,
	    board->len - 1);
}

static enum MHD_Result
queue_events(struct client *client)
{
	struct web *web = client->web;
	const struct client *other;
	unsigned of_this_host = 0;

	for (other = web->clients; other; other = other->next)
		of_this_host += other->streams && door_same_host(&other->peer, &client->peer);
	if (web->n_streams >= WEB_STREAMS_MAX || of_this_host >= WEB_STREAMS_PER_ADDRESS_MAX)
		return queue_line(client, 503, "this page is open too many times; close some");
	return queue(client, 200, "text/event-stream", stream_begin(client));
}

static enum MHD_Result
queue_metrics(struct client *client)
{
	struct sheet *metrics = client->web->metrics;

	if (!metrics)
		return queue_line(client, 503, "the station has no metrics yet");
	return queue_sheet(client, 200, "text/plain; version=0.0.4; charset=utf-8",
	    sheet_hold(metrics), 0, metrics->len);
}

static enum MHD_Result
queue_health(struct client *client)
{
	const struct web *web = client->web;

	return web->is_healthy ? queue_line(client, 200, "ok") : queue_line(client, 503, web->why);
}

static const struct resource {
	const char	*path;
	const char	*type, *text;				/* a file, */
	enum MHD_Result	(*queue)(struct client *client);	/* or what is true now */
} resources[] = {
	{ "/", "text/html; charset=utf-8", web_page_html, NULL },
	{ "/app.css", "text/css; charset=utf-8", web_app_css, NULL },
	{ "/app.js", "text/javascript; charset=utf-8", web_app_js, NULL },
	{ "/icon.svg", "image/svg+xml", web_icon_svg, NULL },
	{ "/board", NULL, NULL, queue_board },
	{ "/events", NULL, NULL, queue_events },
	{ "/metrics", NULL, NULL, queue_metrics },
	{ "/healthz", NULL, NULL, queue_health },
};

/* ---- requests ---------------------------------------------------------------- */

static enum MHD_Result
read_header(void *argument, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct question *q = argument;

	(void)kind;
	if (!value)
		value = "";
	if (strcasecmp(name, "Host") == 0) {
		q->host = value;
		q->n_hosts++;
	} else if (strcasecmp(name, "Origin") == 0)
		q->origin = value;
	else if (strcasecmp(name, "Sec-Fetch-Site") == 0)
		q->fetch_site = value;
	else if (strcasecmp(name, "Sec-Fetch-Mode") == 0)
		q->fetch_mode = value;
	else if (strcasecmp(name, "Sec-Fetch-Dest") == 0)
		q->fetch_dest = value;
	else if (strcasecmp(name, "Content-Length") == 0)
		q->has_body |= strcmp(value, "0") != 0;
	else if (strcasecmp(name, "Transfer-Encoding") == 0)
		q->has_body = true;
	return MHD_YES;
}

static struct refusal_of_request
ask_guard(struct client *client, const char *method, const char *path)
{
	const struct web *web = client->web;
	struct question q = { .method = method, .path = path };
	struct sockaddr_storage local = { 0 };
	socklen_t len = sizeof(local);
	char host[INET6_ADDRSTRLEN] = "";

	if (getsockname(client->fd, (struct sockaddr *)&local, &len) == 0) {
		door_host_text(&local, host);
		q.local = host;
		q.local_is_loopback = door_is_loopback(&local);
	}
	mhd.get_connection_values(client->connection, MHD_HEADER_KIND, read_header, &q);
	return guard_check(&q, (const char *const *)web->names, web->n_names);
}

enum MHD_Result
answer_request(void *argument, struct MHD_Connection *connection, const char *path,
    const char *method, const char *version, const char *upload, size_t *upload_len, void **seen)
{
	const union MHD_ConnectionInfo *info =
	    mhd.get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct client *client = info ? info->socket_context : NULL;
	struct refusal_of_request refusal;
	size_t i;

	(void)argument;
	(void)version;
	(void)upload;
	if (!client)
		return MHD_NO;	/* there was no memory for it */
	refusal = ask_guard(client, method, path);
	if (refusal.status != 0)
		return queue_line(client, refusal.status, refusal.why);
	/* First it calls with the headers alone; to answer then would end badly. */
	if (!*seen) {
		*seen = client;
		return MHD_YES;
	}
	*upload_len = 0;
	for (i = 0; i < countof(resources); i++) {
		if (strcmp(path, resources[i].path) != 0)
			continue;
		if (resources[i].queue)
			return resources[i].queue(client);
		return queue_file(client, resources[i].type, resources[i].text);
	}
	return queue_line(client, 404, "there is nothing here");
}
