/* page: the station's web page, fed with its board */
#include "cli/page.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/log.h"
#include "cli/options.h"
#include "station/board.h"
#include "station/metrics.h"
#include "web/web.h"

/* As a browser says it, and without a port: a wildcard would let any site in. */
static int
check_name(const char *name, struct error *err)
{
	const char *allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	size_t len = strlen(name);

	if (len > 0 && len <= 253 && name[0] != '.' && name[0] != '-' && name[len - 1] != '.' &&
	    name[strspn(name, allowed)] == '\0')
		return 0;
	error_set(err, ERR_USAGE, "--http-name: '%s' is no name of a computer", name);
	return error_hint(err, "the name alone, without a port, as in station.example");
}

int
page_open(const char *address, const struct texts *names, struct web **out, struct error *err)
{
	const struct web_options options = {
		.address = address, .host_names = names->items, .n_host_names = names->n,
	};
	size_t i;

	for (i = 0; i < names->n; i++)
		if (check_name(names->items[i], err) < 0)
			return -1;
	if (web_open(&options, out, err) < 0)
		return -1;
	log_at(LOG_NORMAL, "the page is at http://%s/", web_address(*out));
	if (web_is_exposed(*out))
		log_at(LOG_NORMAL,
		    "others than this computer can reach it, and read the devices' names");
	return 0;
}

void
page_close(struct web **web)
{
	web_close(*web);
}

void
page_publish(struct web *web, const struct station_view *view)
{
	json_t *board = board_json(view->board, (int64_t)time(NULL) * 1000);
	auto_free char *text = board ? json_dumps(board, JSON_COMPACT) : NULL;
	auto_free char *metrics = metrics_text(view->metrics, view->board, view->slots);

	json_decref(board);
	/* What cannot be published grows old, and the page says how old it is. */
	if (!text || web_publish(web, text, strlen(text)) < 0)
		log_at(LOG_NORMAL, "the page cannot be brought up to date: out of memory");
	if (metrics)
		(void)web_set_metrics(web, metrics, strlen(metrics));
	web_set_health(web, !view->trouble, view->trouble);
}

static int
descriptor(void *ctx)
{
	return web_descriptor(ctx);
}

static int
timeout_ms(void *ctx)
{
	return web_timeout_ms(ctx);
}

static void
run(void *ctx)
{
	web_run(ctx);
}

struct station_guest
page_guest(struct web *web)
{
	return (struct station_guest){ descriptor, timeout_ms, run, web };
}
