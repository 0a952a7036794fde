/* tally: verdicts counted: by device, day, slot, policy and reason. Pure */
#ifndef REPORT_TALLY_H
#define REPORT_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clean.h"
#include "core/verdict.h"

struct error;

enum { TALLY_VERDICTS = 4, TALLY_AGES = 5, TALLY_TIMES = 9 };

/* One verdict of the ledger. Texts are borrowed; NULL: not known. */
struct observation {
	int64_t		 at_ms;
	int64_t		 day;		/* local days since 1970 */
	const char	*device;	/* what tells it apart */
	const char	*name, *serial, *model, *os, *station, *slot, *policy;
	const char	*command, *verdict, *reason, *truth;
	int64_t		 duration_ms;	/* -1: not known */
	bool		 is_changed;
	const char	*profiles;	/* it was about, or took off: identifiers, a line each */
};

/* How often each verdict, under one key. */
struct tally_group {
	char		*key;
	int64_t		 n[TALLY_VERDICTS];
	int64_t		 total;
};

/* Keys in the order in which they came, until tally_finish() sorts them. */
struct tally_groups {
	struct tally_group	*items;
	size_t			 n, room;
	size_t			*index;		/* hash table of positions + 1 */
	size_t			 slots;
};

struct tally_device {
	char		*device, *name, *serial, *model, *os, *station, *slot, *policy;
	char		*reason, *truth;	/* of the last verdict; NULL: none */
	char		*profiles;	/* that it was about */
	enum verdict	 verdict;
	bool		 was_removed;	/* the profile was taken off since the last verdict */
	int64_t		 at_ms;		/* of the last verdict */
	int64_t		 compliant_ms;	/* last time it was compliant; 0: never */
	int64_t		 jobs, troubles;
};

/* Zero-initialise; release with tally_clear(). */
struct tally {
	struct tally_device	*devices;
	size_t			 n_devices, room;
	struct tally_groups	 by_device, by_day, by_slot, by_policy, by_reason;
	struct tally_groups	 by_setting;	/* "allowChat=false": total is of how many
						 * devices */
	struct tally_groups	 asked;		/* each device with each setting, once */
	int64_t			*durations;
	size_t			 n_durations, durations_room;
	int64_t			 verdicts[TALLY_VERDICTS];	/* of all jobs */
	int64_t			 jobs, changes;
	int64_t			 first_ms, last_ms, first_day, last_day;
	/* from tally_finish() */
	int64_t			 devices_now[TALLY_VERDICTS];	/* by last verdict */
	int64_t			 ages[TALLY_AGES];	/* of devices' last compliant verdict */
	int64_t			 times[TALLY_TIMES];	/* how many jobs took how long */
	int64_t			 median_ms, p95_ms, longest_ms;
};

/*
 * In the order of time. apply and verify say what a device is; remove that it
 * is so no more, if what it took off is what the last of them was about; other
 * commands and unknown words are passed over. -1 only
 * when memory runs out.
 */
int	tally_add(struct tally *t, const struct observation *o, struct error *err);
/*
 * A restriction that this verdict was about: its key and the value wanted, as
 * JSON. Beside tally_add() of the same observation.
 */
int	tally_add_setting(struct tally *t, const struct observation *o, const char *key,
	    const char *want, struct error *err);
/* Sorts and sums up; now decides how old things are. */
void	tally_finish(struct tally *t, int64_t now_ms);
void	tally_clear(struct tally *t);

#define auto_tally	auto_with(tally_clear)

/* "within a day", "within a week" ... "never" */
const char *tally_age_word(size_t i);
/* "0.1 s" and so on: less than that, and not less than the one before; then "more" */
const char *tally_time_word(size_t i);
/* Whether the device is compliant by the last thing known of it. */
bool	tally_is_compliant(const struct tally_device *d);

#endif
