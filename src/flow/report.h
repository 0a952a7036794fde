/* report: an outcome as JSON, the one form in which results travel */
#ifndef FLOW_REPORT_H
#define FLOW_REPORT_H

#include <jansson.h>
#include <stdbool.h>

struct error;
struct facts;
struct job;
struct mux_device;
struct outcome;
struct profile_changes;

/* What is known of a device before it is asked: that it is attached, and where. */
void	report_attached(const struct mux_device *device, struct facts *facts);

/*
 * The others return a new reference, or NULL when memory runs out. Unknown facts are
 * null. Schemas: chaperone.result/1, chaperone.device/1, chaperone.diff/1,
 * chaperone.event/1, chaperone.error/1, as chaperone(1) describes them.
 */
json_t	*report_result(const struct job *job, const char *run, const struct outcome *o);
/* with_profiles: all of them and the cloud configuration (show). */
json_t	*report_device(const struct outcome *o, bool with_profiles);

/* How the profile of job DIFF differs from that on the device. */
json_t	*report_diff(const struct outcome *o);
/* Its changes alone, as two files have them too. */
json_t	*report_changes(const struct profile_changes *c);

/* A result for a device whose worker did not live to tell one. */
json_t	*report_lost(const struct job *job, const char *run, const struct mux_device *device,
	    const struct outcome *o);

/* An event with its time, name and device; the caller adds the rest. */
json_t	*report_event(const char *event, const struct mux_device *device);
/* The same with all that a job has learned of the device so far. */
json_t	*report_event_of(const char *event, const struct facts *facts);

/* The command as a whole failed; exit_code is of sysexits(3), or 4. */
json_t	*report_error(int exit_code, const char *message, const char *hint);

#endif
