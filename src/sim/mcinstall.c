/* mcinstall: com.apple.mobile.MCInstall, which parser answers and how */
#include "sim/mcinstall.h"

#include <string.h>

#include "base/clean.h"
#include "base/proplist.h"
#include "sim/fault.h"
#include "sim/service.h"
#include "sim/virtual.h"
#include "sim/vpayload.h"
#include "sim/vprofile.h"

void
mc_status(struct call *call, const char *status)
{
	call->reply = plist_new_dict();
	dict_set_string(call->reply, "Status", status);
}

void
mc_acknowledge(struct call *call)
{
	mc_status(call, "Acknowledged");
}

plist_t
mc_link(const char *domain, unsigned code, const char *text)
{
	plist_t link = plist_new_dict();

	dict_set_string(link, "ErrorDomain", domain);
	plist_dict_set_item(link, "ErrorCode", plist_new_uint(code));
	dict_set_string(link, "LocalizedDescription", text);
	dict_set_string(link, "USEnglishDescription", text);
	return link;
}

void
mc_error(struct call *call, const char *domain, unsigned code, const char *text)
{
	plist_t chain = plist_new_array();

	plist_array_append_item(chain, mc_link(domain, code, text));
	mc_status(call, "Error");
	plist_dict_set_item(call->reply, "ErrorChain", chain);
}

void
mc_refuse(struct call *call, const struct vrefusal *refusal)
{
	if (refusal->code == 4008) {
		mc_error(call, refusal->domain, refusal->code, refusal->text);
		return;
	}
	mc_error(call, INSTALLATION_DOMAIN, 4001, "The profile could not be installed.");
	plist_array_append_item(dict_get_array(call->reply, "ErrorChain"),
	    mc_link(refusal->domain, refusal->code, refusal->text));
}

bool
mc_payload(struct call *call, const char *absent, struct blob *out)
{
	plist_t node = dict_get(call->request, "Payload");
	const void *data;
	size_t len;

	if (!node) {
		mc_status(call, absent);
		return false;
	}
	if (node_is(node, PLIST_DICT) && proplist_to_xml(node, out) == 0)
		return true;
	if (node_data(node, &data, &len) && blob_set(out, data, len) == 0)
		return true;
	mc_error(call, MC_TUNNEL_DOMAIN, 14000, "The payload is of the wrong type.");
	return false;
}

static void
handle(void *ctx, struct call *call)
{
	struct mcinstall *state = ctx;
	const char *request = dict_get_string(call->request, "RequestType");
	bool is_escalated = state->stage >= MC_ESCALATED;

	if (request && is_escalated && mc_run_escalated(state, call, request))
		return;
	/* The escalated parser falls back to the plain one (read in decompiled code). */
	if (request && mc_run_plain(state, call, request))
		return;
	mc_status(call, "CommandFormatError");
}

static enum fate
close_connection(void *ctx, struct virtual *device)
{
	struct mcinstall *state = ctx;

	(void)device;
	blob_clear(&state->challenge);
	blob_clear(&state->certificate);
	return FATE_NONE;
}

static plist_t
refuse(plist_t request, const struct fault *fault)
{
	plist_t reply = plist_new_dict();

	(void)request;
	dict_set_string(reply, "Status", fault->status ? fault->status : "Error");
	if (!fault->status || fault->domain || fault->code)
		plist_dict_set_item(reply, "ErrorChain", fault_chain(fault));
	return reply;
}

const struct service service_mcinstall = {
	.name = "com.apple.mobile.MCInstall",
	.label = "mcinstall",
	.request_key = "RequestType",
	.needs_session = true,
	.has_tls = true,
	.state_size = sizeof(struct mcinstall),
	.handle = handle,
	.close = close_connection,
	.refuse = refuse,
};
