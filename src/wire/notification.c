/* notification: notification_proxy's messages, framed as lockdown's are */
#include "wire/notification.h"

#include <plist/plist.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"
#include "wire/channel.h"
#include "wire/lockdown.h"
#include "wire/muxlink.h"

struct notifications {
	struct channel	*channel;
};

void
notifications_close(struct notifications *n)
{
	if (n)
		channel_close(n->channel);
	free(n);
}

static void
clean_notifications(struct notifications **n)
{
	notifications_close(*n);
}

int
notifications_open(const struct mux_device *device, struct lockdown *l, struct deadline deadline,
    struct notifications **out, struct error *err)
{
	auto_with(clean_notifications) struct notifications *n = calloc(1, sizeof(*n));
	struct lockdown_service service;
	int fd;

	if (!n)
		return error_memory(err);
	if (lockdown_start_service(l, "com.apple.mobile.insecure_notification_proxy", NULL,
		deadline, &service, err) < 0)
		return -1;
	/* TLS needs a pair record, and this is for those who have none. */
	if (service.uses_tls)
		return error_set(err, ERR_PROTOCOL, "the insecure notification proxy wants TLS");
	if (mux_connect(device, service.port, deadline, &fd, err) < 0 ||
	    channel_new(fd, &n->channel, err) < 0)
		return -1;
	*out = steal_pointer(&n);
	return 0;
}

int
notifications_observe(struct notifications *n, const char *name, struct deadline deadline,
    struct error *err)
{
	auto_plist plist_t request = plist_new_dict();

	if (!dict_set_string(request, "Command", "ObserveNotification") ||
	    !dict_set_string(request, "Name", name))
		return error_memory(err);
	return channel_send(n->channel, request, deadline, err);
}

int
notifications_await(struct notifications *n, const char *name, struct deadline deadline,
    struct error *err)
{
	for (;;) {
		auto_plist plist_t message = NULL;
		const char *command, *told;

		if (channel_receive(n->channel, deadline, &message, err) < 0)
			return -1;
		command = dict_get_string(message, "Command");
		told = dict_get_string(message, "Name");
		if (command && strcmp(command, "ProxyDeath") == 0)
			return error_set(err, ERR_LINK, "the notification proxy has ended");
		if (command && told && strcmp(command, "RelayNotification") == 0 &&
		    strcmp(told, name) == 0)
			return 0;
	}
}
