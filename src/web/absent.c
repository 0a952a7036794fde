/* absent: what stands for the page in a program built without libmicrohttpd */
#include "base/error.h"
#include "web/web.h"

int
web_open(const struct web_options *options, struct web **out, struct error *err)
{
	(void)options;
	(void)out;
	error_set(err, ERR_UNAVAILABLE, "this chaperone was built without the page");
	return error_hint(err, "install libmicrohttpd-dev, and configure and build it again");
}

/* No struct web exists, so nothing below is ever called with one. */
const char *
web_address(const struct web *web)
{
	(void)web;
	return "";
}

bool
web_is_exposed(const struct web *web)
{
	(void)web;
	return false;
}

int
web_descriptor(const struct web *web)
{
	(void)web;
	return -1;
}

int
web_timeout_ms(const struct web *web)
{
	(void)web;
	return -1;
}

void
web_run(struct web *web)
{
	(void)web;
}

int
web_publish(struct web *web, const char *board_json, size_t length)
{
	(void)web;
	(void)board_json;
	(void)length;
	return -1;
}

int
web_set_metrics(struct web *web, const char *text, size_t length)
{
	(void)web;
	(void)text;
	(void)length;
	return -1;
}

void
web_set_health(struct web *web, bool healthy, const char *why)
{
	(void)web;
	(void)healthy;
	(void)why;
}

void
web_close(struct web *web)
{
	(void)web;
}
