/* activation: com.apple.mobileactivationd, as far as it goes without Apple's servers */
#include <string.h>

#include "base/clean.h"
#include "base/proplist.h"
#include "sim/service.h"
#include "sim/virtual.h"

static void
handle(void *state, struct call *call)
{
	const char *command = dict_get_string(call->request, "Command");

	(void)state;
	call->reply = plist_new_dict();
	if (!command)
		dict_set_string(call->reply, "Error", "No command in the request.");
	else if (strcmp(command, "GetActivationStateRequest") == 0)
		dict_set_string(call->reply, "Value",
		    call->device->is_activated ? "Activated" : "Unactivated");
	else
		dict_set_string(call->reply, "Error", "The command is not supported here.");
	/* One request per connection is what clients rely on (libimobiledevice). */
	call->next = CALL_CLOSE;
}

const struct service service_mobileactivation = {
	.name = "com.apple.mobileactivationd",
	.label = "mobileactivationd",
	.request_key = "Command",
	.needs_session = true,
	.has_tls = true,
	.handle = handle,
	.refuse = service_refuse_plainly,
};
