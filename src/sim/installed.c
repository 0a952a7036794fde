/* installed: the list of profiles, kept in the order of installation */
#include "sim/installed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/text.h"
#include "sim/fault.h"
#include "sim/notification.h"
#include "sim/virtual.h"
#include "sim/vpayload.h"
#include "sim/vprofile.h"

/* How long after a change the notifications come, at most: before or after the reply. */
enum { NEWS_WITHIN_MS = 20 };

static void
tell_news(void *ctx)
{
	struct virtual *device = ctx;

	/* Spelled as registered for by launchd jobs, and as posted by the framework. */
	notification_post(device, "com.apple.ManagedConfiguration.profileListChanged");
	notification_post(device, "com.apple.managedconfiguration.effectivesettingschanged");
	notification_post(device, "com.apple.managedconfiguration.restrictionchanged");
}

static void
on_removal_time(void *ctx)
{
	installed_expire(ctx);
}

static void
wait_for_removal(struct virtual *device)
{
	const struct vprofile *profile;
	int64_t soonest = 0, left;

	timer_clear(&device->removal_timer);
	for (profile = device->profiles; profile; profile = profile->next)
		if (profile->removal_at && (!soonest || profile->removal_at < soonest))
			soonest = profile->removal_at;
	if (!soonest)
		return;
	left = soonest - bench_now(device->bench);
	if (left < 0)
		left = 0;
	/* Far moments are looked at again once a day, as the device does. */
	timer_set(device->bench->loop, &device->removal_timer,
	    (left > 86400 ? 86400 : left) * 1000, on_removal_time, device);
}

static void
changed(struct virtual *device)
{
	wait_for_removal(device);
	if (device->news_timer.slot)
		return;
	timer_set(device->bench->loop, &device->news_timer,
	    (int64_t)(device->bench->total.messages_in % NEWS_WITHIN_MS), tell_news, device);
}

static struct vreader
reader_of(const struct virtual *device, bool is_silent)
{
	return (struct vreader){
		.is_supervised = virtual_is_supervised(device),
		.has_telephony = device->model->has_telephony,
		.is_silent = is_silent,
		.now = bench_now(device->bench),
	};
}

struct vprofile *
installed_find(const struct virtual *device, const char *identifier)
{
	struct vprofile *profile = device->profiles;

	while (profile && strcmp(profile->identifier, identifier) != 0)
		profile = profile->next;
	return profile;
}

/* Locked and signed: only the same signer may replace it (read in decompiled code). */
static bool
may_stand_beside(const struct virtual *device, const struct vprofile *fresh,
    struct vrefusal *refusal)
{
	const struct vprofile *old = installed_find(device, fresh->identifier), *other;

	if (old && old->is_locked && old->signers.len
	    && !blob_equal(&old->signers, &fresh->signers))
		return vrefuse(refusal, INSTALLATION_DOMAIN, 4008,
		    "The profile \"%s\" can only be replaced by one of the same signer.",
		    old->identifier);
	for (other = device->profiles; other; other = other->next) {
		const char *type = other == old ? NULL : vprofile_conflict(other, fresh);

		if (type)
			return vrefuse(refusal, PROFILE_DOMAIN, 1009,
			    "A payload of type %s is already installed.", type);
	}
	return true;
}

static void
put(struct virtual *device, struct vprofile *fresh)
{
	struct vprofile **at = &device->profiles;

	while (*at && strcmp((*at)->identifier, fresh->identifier) != 0)
		at = &(*at)->next;
	if (*at) {
		fresh->next = (*at)->next;
		vprofile_free(*at);
	}
	*at = fresh;
	installed_expire(device);
	changed(device);
}

static int
act_out(const struct fault *fault, struct vprofile *fresh)
{
	char uuid[TEXT_UUID_MAX];
	char *copy;

	if (!fault)
		return 0;
	if (fault->kind == FAULT_INACTIVE)
		fresh->is_active = false;
	if (fault->kind == FAULT_OTHER_UUID) {
		text_uuid_random(uuid);
		copy = strdup(uuid);
		if (!copy)
			return -1;
		free(fresh->uuid);
		fresh->uuid = copy;
	}
	return 0;
}

int
installed_add(struct virtual *device, const void *data, size_t len, const struct fault *fault,
    struct vrefusal *refusal)
{
	struct vreader reader = reader_of(device, true);
	struct vprofile *fresh = vprofile_read(data, len, &reader, refusal);

	if (!fresh)
		return -1;
	if (!may_stand_beside(device, fresh, refusal)) {
		vprofile_free(fresh);
		return -1;
	}
	if ((fault && fault->kind == FAULT_ACK_NOT_STORED) || act_out(fault, fresh) < 0) {
		vprofile_free(fresh);
		return 0;
	}
	put(device, fresh);
	return 0;
}

int
installed_queue(struct virtual *device, const void *data, size_t len, struct vrefusal *refusal)
{
	struct vreader reader = reader_of(device, false);
	struct vprofile *fresh = vprofile_read(data, len, &reader, refusal);
	struct vprofile *old = device->pending;

	if (!fresh)
		return -1;
	/* Settings shows one downloaded profile: the last. */
	if (old)
		vprofile_free(old);
	device->pending = fresh;
	return 0;
}

int
installed_approve(struct virtual *device, const char *identifier, struct vrefusal *refusal)
{
	struct vprofile *fresh = device->pending;

	*refusal = (struct vrefusal){ 0 };
	if (!fresh || (identifier && strcmp(identifier, fresh->identifier) != 0))
		return -1;
	if (!may_stand_beside(device, fresh, refusal))
		return -1;
	device->pending = NULL;
	/* Only now is it installed: its time begins, and whether it is locked is decided. */
	vprofile_date(fresh, virtual_is_supervised(device), bench_now(device->bench));
	put(device, fresh);
	return 0;
}

static void
drop(struct vprofile **at)
{
	struct vprofile *profile = *at;

	*at = profile->next;
	vprofile_free(profile);
}

bool
installed_remove(struct virtual *device, const char *identifier)
{
	struct vprofile **at = &device->profiles;

	while (*at && strcmp((*at)->identifier, identifier) != 0)
		at = &(*at)->next;
	if (!*at)
		return false;
	drop(at);
	changed(device);
	return true;
}

void
installed_expire(struct virtual *device)
{
	struct vprofile **at = &device->profiles;
	int64_t now = bench_now(device->bench);
	bool is_changed = false;

	while (*at) {
		if ((*at)->removal_at && (*at)->removal_at <= now) {
			drop(at);
			is_changed = true;
		} else {
			at = &(*at)->next;
		}
	}
	if (is_changed)
		changed(device);
	else
		wait_for_removal(device);
}
