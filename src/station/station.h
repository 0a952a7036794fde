/* station: every device that is plugged in, by policy, for months */
#ifndef STATION_STATION_H
#define STATION_STATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct board;
struct error;
struct fleet_identity;
struct journal;
struct metrics;
struct policies;
struct slots;

/*
 * The policies in force and who we are under each of them. Whoever loaded it
 * keeps it until release() is called: then no worker uses it any more.
 */
struct station_side {
	const struct policies		*policies;
	const struct fleet_identity	*identities;
	size_t				 n_identities;
	void				*owner;
};

/* Programs that are told what happens, or NULL; see station/hooks.h. */
struct station_hooks {
	const char	*on_attach, *on_verdict, *on_detach;
};

/* What there is to show of a station. Borrowed during the call. */
struct station_view {
	const struct board	*board;
	const struct metrics	*metrics;
	const struct slots	*slots;
	const char		*trouble;	/* why it is not healthy; NULL: it is */
};

/* Something else that lives in the station's loop: web/web.h. */
struct station_guest {
	int	(*descriptor)(void *ctx);	/* polled for reading */
	int	(*timeout_ms)(void *ctx);	/* -1: nothing is due */
	void	(*run)(void *ctx);
	void	*ctx;
};

/* Borrowed until station_run() returns. */
struct station_options {
	const char		*run;		/* UUID of this command */
	const char		*name;		/* the station's, as the ledger calls it */
	struct journal		*journal;	/* with a ledger: nothing is done without */
	struct slots		*slots;		/* failures are counted here */
	struct station_hooks	 hooks;		/* of every device; policies have their own */
	unsigned		 jobs;		/* at once */
	unsigned		 per_controller;	/* of these on one USB controller;
							 * 0: as many */
	int64_t			 timeout_ms;	/* of a job */

	/* Called at the beginning, and again at SIGHUP; -1 and *out stays as it is. */
	int	(*load)(void *ctx, struct station_side *out, struct error *err);
	void	(*release)(void *ctx, struct station_side *side);
	/* What happens, as chaperone.event/1; borrowed. */
	void	(*tell)(void *ctx, const json_t *event);
	/* Something has changed, or a few seconds have passed; ten times a second at most. */
	void	(*show)(void *ctx, const struct station_view *view);
	const struct station_guest	*guest;		/* NULL: there is none */
	void	*ctx;
};

/*
 * Until SIGTERM or SIGINT: what is running is finished, nothing is begun. A
 * second one stops what is running. SIGHUP loads the policies again; are they
 * no good, the old ones stay in force and that is said. usbmuxd may come and go.
 * While the ledger cannot be written no job begins. Returns 0, or -1 when it
 * could not begin.
 */
int	station_run(const struct station_options *options, struct error *err);

#endif
