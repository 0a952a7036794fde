/* lockdown: lockdownd's requests but Pair */
#include "sim/lockdown.h"

#include <string.h>

#include "base/clean.h"
#include "base/proplist.h"
#include "sim/fault.h"
#include "sim/host.h"
#include "sim/notification.h"
#include "sim/service.h"
#include "sim/values.h"
#include "sim/virtual.h"

void
lockdown_fail(struct call *call, const char *problem)
{
	dict_set_string(call->reply, "Error", problem);
}

static void
on_query_type(struct lockdown *state, struct call *call)
{
	(void)state;
	dict_set_string(call->reply, "Type", "com.apple.mobile.lockdown");
}

/* ---- values --------------------------------------------------------------- */

/* Domain and Key come back in the answer. */
static void
echo(struct call *call, const char **domain, const char **key)
{
	*domain = dict_get_string(call->request, "Domain");
	*key = dict_get_string(call->request, "Key");
	if (*domain)
		dict_set_string(call->reply, "Domain", *domain);
	if (*key)
		dict_set_string(call->reply, "Key", *key);
}

static void
on_get_value(struct lockdown *state, struct call *call)
{
	const char *domain, *key, *problem = NULL;
	plist_t value;

	echo(call, &domain, &key);
	value = values_get(call->device, domain, key, state->host != NULL, &problem);
	if (value)
		plist_dict_set_item(call->reply, "Value", value);
	else
		lockdown_fail(call, problem);
}

static void
on_set_value(struct lockdown *state, struct call *call)
{
	const char *domain, *key, *problem;
	plist_t value = dict_get(call->request, "Value");

	echo(call, &domain, &key);
	problem = value ? values_set(call->device, domain, key, value, state->host != NULL)
	    : "MissingValue";
	if (problem) {
		lockdown_fail(call, problem);
		return;
	}
	plist_dict_set_item(call->reply, "Value", plist_copy(value));
	if (key && strcmp(key, "DeviceName") == 0)
		notification_post(call->device, "com.apple.mobile.lockdown.device_name_changed");
}

static void
on_remove_value(struct lockdown *state, struct call *call)
{
	const char *domain, *key, *problem;

	echo(call, &domain, &key);
	problem = values_set(call->device, domain, key, NULL, state->host != NULL);
	if (problem)
		lockdown_fail(call, problem);
}

/* ---- pairing -------------------------------------------------------------- */

static struct host *
named_host(struct call *call)
{
	plist_t record = dict_get_dict(call->request, "PairRecord");

	if (!record) {
		lockdown_fail(call, "MissingPairRecord");
		return NULL;
	}
	return host_find(call->device->hosts, dict_get_string(record, "HostID"));
}

static void
on_validate_pair(struct lockdown *state, struct call *call)
{
	(void)state;
	if (!named_host(call) && !dict_get(call->reply, "Error"))
		lockdown_fail(call, "InvalidHostID");
}

static void
on_unpair(struct lockdown *state, struct call *call)
{
	struct host *host = named_host(call);

	(void)state;
	if (host)
		host->is_revoked = true;
	else if (!dict_get(call->reply, "Error"))
		lockdown_fail(call, "InvalidHostID");
}

/* ---- sessions ------------------------------------------------------------- */

static void
on_start_session(struct lockdown *state, struct call *call)
{
	const char *id = dict_get_string(call->request, "HostID");
	struct host *host = host_find(call->device->hosts, id);

	if (state->host) {
		lockdown_fail(call, "SessionActive");
	} else if (!id) {
		lockdown_fail(call, "MissingHostID");
	} else if (!host) {
		lockdown_fail(call, "InvalidHostID");
	} else {
		state->host = host;
		text_uuid_random(state->session);
		dict_set_string(call->reply, "SessionID", state->session);
		dict_set_bool(call->reply, "EnableSessionSSL", true);
		call->next = CALL_START_TLS;
		call->tls_host = host;
	}
}

static void
on_stop_session(struct lockdown *state, struct call *call)
{
	const char *id = dict_get_string(call->request, "SessionID");

	if (!state->host) {
		lockdown_fail(call, "SessionInactive");
	} else if (!id) {
		lockdown_fail(call, "MissingSessionID");
	} else if (strcmp(id, state->session) != 0) {
		lockdown_fail(call, "InvalidSessionID");
	} else {
		state->host = NULL;
		/* pymobiledevice3 wants it; nobody minds. */
		dict_set_string(call->reply, "Result", "Success");
		call->next = CALL_STOP_TLS;
	}
}

/* While locked, a host shows the escrow bag it got when it was paired. */
static const char *
may_start(const struct lockdown *state, const struct call *call, const struct service *service)
{
	const struct virtual *device = call->device;
	const void *bag;
	size_t len;

	if (service->needs_session && !state->host)
		return "SessionInactive";
	if (!device->is_locked || service->works_locked)
		return NULL;
	if (!dict_get_data(call->request, "EscrowBag", &bag, &len))
		return "PasswordProtected";
	if (!device->was_unlocked || len != ESCROW_BAG_LEN
	    || memcmp(bag, state->host->escrow, ESCROW_BAG_LEN) != 0)
		return "EscrowLocked";
	return NULL;
}

static void
on_start_service(struct lockdown *state, struct call *call)
{
	const char *name = dict_get_string(call->request, "Service");
	const struct service *service = name ? service_find(name) : NULL;
	const char *problem = NULL;
	uint16_t port;

	if (!name)
		problem = "MissingService";
	else if (!service)
		problem = state->host ? "InvalidService" : "SessionInactive";
	else
		problem = may_start(state, call, service);
	if (problem) {
		lockdown_fail(call, problem);
		return;
	}
	port = virtual_open_port(call->device, service, state->host);
	if (!port) {
		lockdown_fail(call, "ServiceLimit");
		return;
	}
	dict_set_string(call->reply, "Service", name);
	plist_dict_set_item(call->reply, "Port", plist_new_uint(port));
	if (service->has_tls)
		dict_set_bool(call->reply, "EnableServiceSSL", true);
}

/* ---- the rest ------------------------------------------------------------- */

static void
on_enter_recovery(struct lockdown *state, struct call *call)
{
	if (!state->host)
		lockdown_fail(call, "SessionInactive");
	else
		call->fate = FATE_SHUTDOWN;
}

static void
on_goodbye(struct lockdown *state, struct call *call)
{
	(void)state;
	call->next = CALL_CLOSE;
}

static const struct {
	const char	*request;
	void		(*run)(struct lockdown *state, struct call *call);
} requests[] = {
	{ "QueryType", on_query_type },
	{ "GetValue", on_get_value },
	{ "SetValue", on_set_value },
	{ "RemoveValue", on_remove_value },
	{ "Pair", lockpair },
	{ "ValidatePair", on_validate_pair },
	{ "Unpair", on_unpair },
	{ "StartSession", on_start_session },
	{ "StopSession", on_stop_session },
	{ "StartService", on_start_service },
	{ "EnterRecovery", on_enter_recovery },
	{ "Goodbye", on_goodbye },
};

static void
handle(void *state, struct call *call)
{
	const char *request = dict_get_string(call->request, "Request");
	size_t i;

	call->reply = plist_new_dict();
	if (request)
		dict_set_string(call->reply, "Request", request);
	for (i = 0; request && i < countof(requests); i++) {
		if (strcmp(requests[i].request, request) == 0) {
			requests[i].run(state, call);
			return;
		}
	}
	lockdown_fail(call, "InvalidRequest");
}

static enum fate
close_connection(void *ctx, struct virtual *device)
{
	struct lockdown *state = ctx;

	(void)device;
	blob_clear(&state->challenge);
	blob_clear(&state->supervisor);
	return FATE_NONE;
}

static plist_t
refuse(plist_t request, const struct fault *fault)
{
	plist_t reply = plist_new_dict();
	const char *name = dict_get_string(request, "Request");

	if (name)
		dict_set_string(reply, "Request", name);
	dict_set_string(reply, "Error", fault->text ? fault->text : "InvalidResponse");
	return reply;
}

const struct service service_lockdown = {
	.name = "com.apple.mobile.lockdown",
	.label = "lockdown",
	.request_key = "Request",
	.works_locked = true,
	.state_size = sizeof(struct lockdown),
	.handle = handle,
	.close = close_connection,
	.refuse = refuse,
};
