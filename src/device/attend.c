/* attend: waiting beside a device until somebody has unlocked it or tapped Trust */
#include "device/attend.h"

#include <plist/plist.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"
#include "core/refusal.h"
#include "wire/lockdown.h"
#include "wire/mux.h"
#include "wire/muxlink.h"
#include "wire/notification.h"
#include "wire/pair_record.h"

enum { LOOK_MS = 1000, ANSWER_MS = 10000 };

/* A connection to a device that knows us, or the next try at one. */
struct visit {
	const struct mux_device	*device;
	struct pair_record	 record;
	struct lockdown		*lockdown;	/* NULL: there is none at the moment */
};

static void
visit_clear(struct visit *v)
{
	lockdown_close(v->lockdown);
	pair_record_clear(&v->record);
}

static int
load_record(struct visit *v, struct error *err)
{
	auto_blob struct blob stored = { 0 };
	int rc = mux_read_pair_record(v->device, deadline_in(ANSWER_MS), &stored, err);

	if (rc < 0)
		return -1;
	if (rc == 0)
		return error_set(err, ERR_DEVICE, "the device does not know this computer yet");
	return pair_record_parse(&stored, &v->record, err);
}

static int
enter(struct visit *v, struct deadline deadline, struct error *err)
{
	if (v->lockdown)
		return 0;
	if (lockdown_open(v->device, deadline, &v->lockdown, err) < 0)
		return -1;
	return lockdown_start_session(v->lockdown, &v->record, deadline, err);
}

/* 1: it is locked; 0: it is not; -1: it does not say. */
static int
look(struct visit *v, struct error *err)
{
	struct deadline deadline = deadline_in(ANSWER_MS);
	auto_plist plist_t value = NULL;
	uint8_t is_locked = 0;

	if (enter(v, deadline, err) == 0 && lockdown_get_value(v->lockdown, NULL,
		"PasswordProtected", deadline, &value, err) == 0) {
		if (!node_is(value, PLIST_BOOLEAN))
			return error_set(err, ERR_PROTOCOL, "PasswordProtected is no boolean");
		plist_get_bool_val(value, &is_locked);
		return is_locked;
	}
	lockdown_close(v->lockdown);
	v->lockdown = NULL;
	/* Before the first unlock it does not even let those in whom it knows. */
	return err->kind == ERR_DEVICE && err->refusal == REFUSED_PASSWORD_PROTECTED ? 1 : -1;
}

/*
 * Only who was seen locked can be seen unlocked: a device that calls itself open
 * and yet refuses is none to begin with again at once.
 */
static int
attend_unlock(const struct mux_device *device, struct deadline deadline, struct error *err)
{
	auto_with(visit_clear) struct visit v = { .device = device };
	bool was_locked = false;
	int rc;

	if (load_record(&v, err) < 0)
		return -1;
	while ((rc = look(&v, err)) > 0) {
		was_locked = true;
		if (deadline_passed(deadline))
			return error_set(err, ERR_TIMEOUT, "nobody has unlocked it");
		if (deadline_pause(deadline_sooner(deadline, deadline_in(LOOK_MS)), err) < 0)
			return -1;
	}
	if (rc == 0 && !was_locked)
		return error_set(err, ERR_DEVICE, "the device is not locked");
	return rc;
}

static void
clean_lockdown(struct lockdown **l)
{
	lockdown_close(*l);
}

static void
clean_notifications(struct notifications **n)
{
	notifications_close(*n);
}

static int
attend_trust(const struct mux_device *device, struct deadline deadline, struct error *err)
{
	auto_with(clean_lockdown) struct lockdown *l = NULL;
	auto_with(clean_notifications) struct notifications *n = NULL;
	struct deadline soon = deadline_in(ANSWER_MS);

	if (lockdown_open(device, soon, &l, err) < 0 ||
	    notifications_open(device, l, soon, &n, err) < 0 ||
	    notifications_observe(n, NOTIFICATION_REQUEST_PAIR, soon, err) < 0)
		return -1;
	return notifications_await(n, NOTIFICATION_REQUEST_PAIR, deadline, err);
}

int
attend(const struct mux_device *device, enum wait_for what, struct deadline deadline,
    struct error *err)
{
	return what == WAIT_TRUST ? attend_trust(device, deadline, err) :
	    attend_unlock(device, deadline, err);
}
