/* diagnostics: com.apple.mobile.diagnostics_relay, mostly to restart the device */
#include <string.h>

#include "base/clean.h"
#include "base/proplist.h"
#include "sim/fault.h"
#include "sim/service.h"
#include "sim/virtual.h"

struct relay {
	enum fate	after_disconnect;	/* WaitForDisconnect */
};

static void
leave(struct relay *relay, struct call *call, enum fate fate)
{
	bool waits = false;

	dict_get_bool(call->request, "WaitForDisconnect", &waits);
	if (waits)
		relay->after_disconnect = fate;
	else
		call->fate = fate;
}

static void
on_restart(struct relay *relay, struct call *call)
{
	leave(relay, call, FATE_RESTART);
}

static void
on_shutdown(struct relay *relay, struct call *call)
{
	leave(relay, call, FATE_SHUTDOWN);
}

static void
on_sleep(struct relay *relay, struct call *call)
{
	(void)relay;
	if (call->device->has_passcode)
		virtual_lock(call->device);
}

static void
on_goodbye(struct relay *relay, struct call *call)
{
	(void)relay;
	call->next = CALL_CLOSE;
}

static void
on_diagnostics(struct relay *relay, struct call *call)
{
	plist_t gauge = plist_new_dict(), all = plist_new_dict();

	(void)relay;
	plist_dict_set_item(gauge, "CycleCount", plist_new_uint(100 + call->device->position));
	dict_set_string(gauge, "Status", "Success");
	plist_dict_set_item(all, "GasGauge", gauge);
	plist_dict_set_item(call->reply, "Diagnostics", all);
}

static void
on_registry(struct relay *relay, struct call *call)
{
	plist_t all = plist_new_dict();

	(void)relay;
	plist_dict_set_item(all, "IORegistry", plist_new_dict());
	plist_dict_set_item(call->reply, "Diagnostics", all);
}

static void
on_gestalt(struct relay *relay, struct call *call)
{
	plist_t all = plist_new_dict(), gestalt = plist_new_dict();

	(void)relay;
	/* Recent systems answer nothing else (libimobiledevice, go-ios). */
	dict_set_string(gestalt, "Status", "MobileGestaltDeprecated");
	plist_dict_set_item(all, "MobileGestalt", gestalt);
	plist_dict_set_item(call->reply, "Diagnostics", all);
}

static const struct {
	const char	*request;
	void		(*run)(struct relay *relay, struct call *call);
} requests[] = {
	{ "Restart", on_restart },
	{ "Shutdown", on_shutdown },
	{ "Sleep", on_sleep },
	{ "Goodbye", on_goodbye },
	{ "All", on_diagnostics },
	{ "GasGauge", on_diagnostics },
	{ "WiFi", on_diagnostics },
	{ "NAND", on_diagnostics },
	{ "HDMI", on_diagnostics },
	{ "IORegistry", on_registry },
	{ "MobileGestalt", on_gestalt },
};

static void
handle(void *state, struct call *call)
{
	const char *request = dict_get_string(call->request, "Request");
	size_t i;

	call->reply = plist_new_dict();
	for (i = 0; request && i < countof(requests); i++) {
		if (strcmp(requests[i].request, request) == 0) {
			dict_set_string(call->reply, "Status", "Success");
			requests[i].run(state, call);
			return;
		}
	}
	dict_set_string(call->reply, "Status", "UnknownRequest");
}

static enum fate
close_relay(void *state, struct virtual *device)
{
	struct relay *relay = state;

	(void)device;
	return relay->after_disconnect;
}

static plist_t
refuse(plist_t request, const struct fault *fault)
{
	plist_t reply = plist_new_dict();

	(void)request;
	dict_set_string(reply, "Status", fault->text ? fault->text : "Failure");
	return reply;
}

const struct service service_diagnostics_relay = {
	.name = "com.apple.mobile.diagnostics_relay",
	.label = "diagnostics_relay",
	.request_key = "Request",
	.needs_session = true,
	.has_tls = true,
	.state_size = sizeof(struct relay),
	.handle = handle,
	.close = close_relay,
	.refuse = refuse,
};
