/* station_run: a running station, as the station_ files share it; nobody else's */
#ifndef STATION_STATION_RUN_H
#define STATION_STATION_RUN_H

#include <poll.h>

#include "base/error.h"
#include "core/verdict.h"
#include "device/usbport.h"
#include "flow/lane.h"
#include "station/metrics.h"
#include "station/schedule.h"
#include "station/station.h"
#include "wire/mux.h"

struct hooks;

/* Policies in force, and how many workers use them. */
struct side {
	struct station_side	 is;
	unsigned		 users;		/* the station itself is one */
};

/* A device that is here, or whose job still runs. */
struct member {
	struct mux_device	 device;
	struct usbport		 port;
	char			 slot[64];	/* "": its port has no name */
	json_t			*told;		/* what it said of itself last, or NULL */
	char			*policy;	/* the one in use, or NULL */
	bool			 is_attached;
	bool			 is_here;	/* its arrival was told, its leaving was not */
	bool			 was_greeted;	/* the policy's on-attach was called */
};

/* A worker at work; or one that watches a waiting device, and holds no lane. */
struct post {
	struct lane	 lane;
	struct member	*member;
	struct usbport	 port;		/* on which it began */
	struct side	*side;		/* NULL: uses no identity */
	json_t		*result;	/* once it was told */
	bool		 is_watch;
	bool		 is_asking;	/* it waits with a change in hand */
	bool		 has_ended;
	int64_t		 began_ms;
};

/* What everybody should know, the most important first: that one is shown. */
enum notice { NOTICE_STOPPING, NOTICE_LEDGER, NOTICE_USBMUXD, NOTICE_POLICIES, NOTICES };

struct station {
	const struct station_options *o;
	struct schedule		*schedule;
	struct board		*board;
	struct hooks		*hooks;
	struct metrics		 metrics;
	int64_t			 watchdog_ms, beat_ms;	/* how often, and when next */
	struct side		*side;		/* the one in force */
	struct member		**members;
	size_t			 n_members;
	struct post		*posts;		/* all of them in use */
	size_t			 n_posts;
	struct mux_watch	*mux;		/* NULL: usbmuxd is gone */
	int64_t			 mux_retry_ms, ledger_retry_ms;
	bool			 was_mux_missed;	/* and that was told */
	unsigned		 mux_oddities;	/* in a row: it is there, and does not answer
						 * as it should */
	unsigned		 stops;		/* SIGTERMs so far */
	int64_t			 stop_ms;	/* when those told to stop are killed; 0: not */
	char			 notices[NOTICES][ERROR_MESSAGE_MAX + 64];	/* "": none */
	int			 day;		/* of the year, where the station stands */
	int64_t			 seal_by_ms;	/* a day has ended and is sealed by then;
						 * 0: it is */
	int64_t			 wall_s;	/* the wall's clock when last looked at */
	uint64_t		 shown;		/* version of the board */
	int64_t			 shown_ms;
};

struct moment	station_now(void);

/* ---- station_mux.c: who is here --------------------------------------------------- */

struct member *station_find(const struct station *s, const char *udid);
/* Forgets it, when neither the device nor a worker is there any more. */
void	station_forget(struct station *s, struct member *m);
void	station_forget_all(struct station *s);
/* Finds usbmuxd again, when it is gone and it is time to. */
void	station_reach_mux(struct station *s);
void	station_read_mux(struct station *s);

/* ---- station_due.c: what the clock asks for ---------------------------------------- */

void	station_do_what_is_due(struct station *s);
/* What was done until now can no longer be rewritten. */
void	station_seal(struct station *s);
/* Every worker ends now, as stopped. */
void	station_end_all(struct station *s);

/* ---- station_work.c: workers ------------------------------------------------------ */

/* A job on the device. One that cannot begin has its result at once. */
void	work_start(struct station *s, const struct schedule_action *a);
/* It is over its time, or is to end now. */
void	work_kill(struct station *s, const char *udid, enum lane_end_as as);
/* Every worker is to say how far it came. */
void	work_stop_all(struct station *s);
/* Nobody waits for this device any more. */
void	work_end_watch(struct station *s, const struct member *m);
size_t	work_running(const struct station *s);		/* watches do not count */
bool	work_is_on(const struct station *s, const struct member *m);
size_t	work_poll(const struct station *s, struct pollfd *fds);
/* Hears them all, writes the ledger once, and then answers and tells. */
void	work_run(struct station *s, const struct pollfd *fds, size_t n);
void	side_release(struct station *s, struct side *side);

/* ---- station_tell.c: the ledger, the board, programs and people --------------------- */

void	tell_attached(struct station *s, struct member *m);
void	tell_detached(struct station *s, struct member *m);
void	tell_started(struct station *s, struct member *m, const struct schedule_action *a);
/* A worker's event, already recorded. */
void	tell_step(struct station *s, struct member *m, json_t *event);
void	tell_result(struct station *s, struct member *m, json_t *result, enum reason reason,
	    enum schedule_next next);
void	tell_port(struct station *s, const char *port, bool is_aside);
/* Policies were loaded: problem NULL, or why the old ones stay. */
void	tell_policies(struct station *s, const struct error *problem);
/* text NULL: no longer. */
void	tell_notice(struct station *s, enum notice which, const char *text);
/* about is "usbmuxd", "ledger", "hook" and its like; m may be NULL. */
void	tell_trouble(struct station *s, const struct member *m, const char *about,
	    const char *message, const char *hint);
/* The ledger is written again, or usbmuxd is back. */
void	tell_mended(struct station *s, const char *about, const char *message);

#endif
