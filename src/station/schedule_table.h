/* schedule_table: devices and ports, as the schedule_ files share them; nobody else's */
#ifndef STATION_SCHEDULE_TABLE_H
#define STATION_SCHEDULE_TABLE_H

#include "station/schedule.h"

enum { FLAPS_MAX = 16 };

enum state {
	IDLE,		/* nothing to do, but perhaps at a boundary */
	QUEUED,
	RUNNING,
	WAITING,	/* until due_ms, then QUEUED; without a lane */
};

struct device {
	char			udid[SCHEDULE_NAME_MAX];
	char			port[SCHEDULE_NAME_MAX];
	uint32_t		handle, controller;
	enum state		state;
	enum schedule_why	why;
	uint64_t		order;		/* in the queue */
	unsigned		tries;		/* retries so far */
	unsigned		asked;		/* times it was found locked */
	int64_t			due_ms;
	int64_t			deadline_ms;	/* of the job; when RUNNING */
	int64_t			boundary_s;
	int64_t			back_ms;	/* expected back until then; INT64_MIN: not */
	bool			is_attached, is_killed;
	bool			runs_again;	/* something happened while its job was running */
	enum schedule_why	again_why;	/* what */
	bool			is_arrival_untold, is_leaving_untold;
	uint32_t		left_handle;
};

struct port {
	char	name[SCHEDULE_NAME_MAX];
	int64_t	arrivals[FLAPS_MAX];	/* the newest first */
	size_t	n;
	int64_t	moved_ms;		/* last attach or detach */
	bool	is_aside, is_untold;
};

struct schedule {
	struct schedule_settings settings;
	struct device	*devices;
	size_t		 n_devices;
	struct port	*ports;
	size_t		 n_ports;
	uint64_t	 order;
	bool		 is_stopping, is_held;
};

struct device *schedule_find_udid(const struct schedule *s, const char *udid);
struct device *schedule_find_handle(const struct schedule *s, uint32_t handle);
struct port *schedule_find_port(const struct schedule *s, const char *name);	/* NULL: or "" */
void	schedule_copy_name(char out[SCHEDULE_NAME_MAX], const char *name);
/* *out is valid until the next one is added. */
int	schedule_add_device(struct schedule *s, const char *udid, struct device **out,
	    struct error *err);
/* One that is there already, or has no name, is fine. */
int	schedule_add_port(struct schedule *s, const char *name, struct error *err);

/* At the end of the queue. */
void	schedule_enqueue(struct schedule *s, struct device *d, enum schedule_why why);
/* It is gone, and not expected back. */
void	schedule_end_visit(struct device *d);

#endif
