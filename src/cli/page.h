/* page: the station's web page, fed with its board */
#ifndef CLI_PAGE_H
#define CLI_PAGE_H

#include "station/station.h"

struct error;
struct texts;
struct web;

/*
 * Opens it and says where; warns when others than this host can reach it. names
 * are further ones that browsers may call it by. ERR_USAGE: one of them is none.
 */
int	page_open(const char *address, const struct texts *names, struct web **out,
	    struct error *err);
void	page_close(struct web **web);		/* *web may be NULL */
void	page_publish(struct web *web, const struct station_view *view);
/* What the station's loop does for it. */
struct station_guest page_guest(struct web *web);

#endif
