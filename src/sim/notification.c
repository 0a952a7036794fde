/* notification: notification_proxy, and its insecure variant for hosts not yet trusted */
#include "sim/notification.h"

#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/proplist.h"
#include "sim/service.h"
#include "sim/virtual.h"

enum { NAMES_MOST = 64 };

/* One connection; the state of either service. */
struct observer {
	struct observer	*next;
	struct outlet	 outlet;
	bool		 is_insecure;
	size_t		 n_names;
	char		*names[NAMES_MOST];
};

static bool
observes(const struct observer *observer, const char *name)
{
	size_t i;

	for (i = 0; i < observer->n_names; i++)
		if (strcmp(observer->names[i], name) == 0)
			return true;
	return false;
}

/* What concerns trust may be heard before there is any. */
static bool
is_public(const char *name)
{
	return strncmp(name, "com.apple.mobile.lockdown.", 26) == 0;
}

void
notification_post(struct virtual *device, const char *name)
{
	struct observer *observer = device->observers, *next;

	for (; observer; observer = next) {
		auto_plist plist_t message = NULL;

		next = observer->next;
		if (!observes(observer, name) || (observer->is_insecure && !is_public(name)))
			continue;
		message = plist_new_dict();
		dict_set_string(message, "Command", "RelayNotification");
		dict_set_string(message, "Name", name);
		observer->outlet.send(observer->outlet.ctx, message);
	}
}

static void
open_proxy(void *state, struct virtual *device, struct outlet outlet)
{
	struct observer *observer = state;

	observer->outlet = outlet;
	observer->next = device->observers;
	device->observers = observer;
}

static void
open_insecure(void *state, struct virtual *device, struct outlet outlet)
{
	struct observer *observer = state;

	observer->is_insecure = true;
	open_proxy(state, device, outlet);
}

static enum fate
close_proxy(void *state, struct virtual *device)
{
	struct observer *observer = state, **at = &device->observers;
	size_t i;

	while (*at && *at != observer)
		at = &(*at)->next;
	if (*at)
		*at = observer->next;
	for (i = 0; i < observer->n_names; i++)
		free(observer->names[i]);
	observer->n_names = 0;
	return FATE_NONE;
}

static void
observe(struct observer *observer, const char *name)
{
	char *copy;

	if (observes(observer, name) || observer->n_names == NAMES_MOST)
		return;
	copy = strdup(name);
	if (copy)
		observer->names[observer->n_names++] = copy;
}

static void
handle(void *state, struct call *call)
{
	const char *command = dict_get_string(call->request, "Command");
	const char *name = dict_get_string(call->request, "Name");

	if (!command)
		return;
	if (strcmp(command, "ObserveNotification") == 0 && name) {
		observe(state, name);
	} else if (strcmp(command, "PostNotification") == 0 && name) {
		notification_post(call->device, name);
	} else if (strcmp(command, "Shutdown") == 0) {
		call->reply = plist_new_dict();
		dict_set_string(call->reply, "Command", "ProxyDeath");
		call->next = CALL_CLOSE;
	}
}

const struct service service_notification_proxy = {
	.name = "com.apple.mobile.notification_proxy",
	.label = "notification_proxy",
	.request_key = "Command",
	.needs_session = true,
	.has_tls = true,
	.state_size = sizeof(struct observer),
	.open = open_proxy,
	.handle = handle,
	.close = close_proxy,
	.refuse = service_refuse_plainly,
};

const struct service service_insecure_notification_proxy = {
	.name = "com.apple.mobile.insecure_notification_proxy",
	.label = "insecure_notification_proxy",
	.request_key = "Command",
	.works_locked = true,
	.state_size = sizeof(struct observer),
	.open = open_insecure,
	.handle = handle,
	.close = close_proxy,
	.refuse = service_refuse_plainly,
};
