/* zone: what the clocks on the wall show in one time zone, from a TZif file's bytes */
#ifndef CORE_ZONE_H
#define CORE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clean.h"

struct error;

enum { ZONE_CHANGES_MAX = 4096, ZONE_FILE_MAX = 1 << 18 };

/* From at (seconds since 1970, UTC) on the clocks are offset_s ahead of UTC. */
struct zone_change {
	int64_t	at;
	int32_t	offset_s;
};

/* One end of daylight saving time in the rule for the years to come. */
struct zone_switch {
	enum { SWITCH_NONE, SWITCH_MONTH, SWITCH_JULIAN, SWITCH_DAY } kind;
	int	month, week, day;	/* Mm.w.d; day alone for Jn and n */
	int32_t	time_s;			/* after local midnight; may be negative or over a day */
};

/* Zero-initialise; release with zone_clear(). */
struct zone {
	int32_t			 first_s;	/* the offset before the first change */
	struct zone_change	*changes;	/* in order of time */
	size_t			 n;
	bool			 has_rule;	/* for what comes after the last change */
	int32_t			 standard_s, summer_s;
	struct zone_switch	 to_summer, to_standard;
};

/*
 * TZif version 2 or later (RFC 9636, what the system's zoneinfo holds),
 * version 1 too, without a rule then. ERR_DATA when it is none.
 */
int	zone_parse(const void *data, size_t len, struct zone *out, struct error *err);
void	zone_clear(struct zone *z);

#define auto_zone	auto_with(zone_clear)

/* How far the clocks are ahead of UTC at that moment. NULL is UTC. */
int32_t	zone_offset(const struct zone *z, int64_t at);

/*
 * The moments at which the clocks show local (seconds since 1970 as if local
 * time were UTC). Twice in the hour that autumn repeats: *first and *last
 * differ. Never in the hour that spring leaves out: both are then the moment
 * of the change, when the clocks jump over it.
 */
void	zone_moments(const struct zone *z, int64_t local, int64_t *first, int64_t *last);

/* Days since 1970-01-01 and back (proleptic Gregorian calendar). */
int64_t	civil_days(int64_t year, int month, int day);
void	civil_date(int64_t days, int64_t *year, int *month, int *day);
/* 0 is Monday. */
int	civil_weekday(int64_t days);
/* "2026-12-24" to days; false when it is no date. */
bool	civil_read(const char *text, int64_t *days);

#endif
