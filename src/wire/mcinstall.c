/* mcinstall: the profile service of one device */
#include "wire/mcinstall.h"

#include <stdio.h>
#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/log.h"
#include "base/proplist.h"
#include "base/text.h"
#include "core/chain.h"
#include "core/refusal.h"
#include "wire/channel.h"
#include "wire/lockdown.h"
#include "wire/mux.h"
#include "wire/muxlink.h"

enum { CHALLENGE_MAX = 1024 };

struct mcinstall {
	struct channel	*channel;
};

void
mcinstall_close(struct mcinstall *mc)
{
	if (mc)
		channel_close(mc->channel);
	free(mc);
}

static void
clean_mcinstall(struct mcinstall **mc)
{
	mcinstall_close(*mc);
}

int
mcinstall_open(const struct mux_device *device, const struct lockdown_service *service,
    const struct tls_client *who, struct deadline deadline, struct mcinstall **out,
    struct error *err)
{
	auto_with(clean_mcinstall) struct mcinstall *mc = calloc(1, sizeof(*mc));
	int fd = -1;

	if (!mc)
		return error_memory(err);
	if (mux_connect(device, service->port, deadline, &fd, err) < 0 ||
	    channel_new(fd, &mc->channel, err) < 0)
		return error_context(err, "MCInstall");
	if (service->uses_tls && channel_start_tls(mc->channel, who, deadline, err) < 0)
		return error_context(err, "MCInstall");
	*out = steal_pointer(&mc);
	return 0;
}

/* The device's words for it, without anything else that the reply holds. */
static void
describe(const char *request, const char *status, enum refusal refusal, const struct chain *chain,
    struct error *err)
{
	const struct chain_link *cause = chain_cause(chain);
	char clean[64];

	text_printable(status, strlen(status), clean, sizeof(clean));
	if (cause)
		error_set(err, ERR_DEVICE, "%s: the device answers %s: %s %lld", request, clean,
		    cause->domain, (long long)cause->code);
	else
		error_set(err, ERR_DEVICE, "%s: the device answers %s", request, clean);
	if (!cause && (refusal == REFUSED_COMMAND_FORMAT || refusal == REFUSED_STATUS_OTHER ||
	    refusal == REFUSED_ERROR))
		error_hint(err, "it gives no reason: run the command again, "
		    "and if that does not help restart the device");
}

int
mcinstall_check_reply(const char *request, plist_t reply, struct error *err)
{
	const char *status = dict_get_string(reply, "Status");
	struct chain chain;
	enum refusal refusal;

	if (!status)
		return error_set(err, ERR_PROTOCOL, "%s: an answer without a status", request);
	refusal = refusal_of_status(status);
	if (refusal == REFUSED_NOT)
		return 0;
	chain_read(reply, &chain);
	describe(request, status, refusal, &chain, err);
	err->refusal = (int)refusal;
	err->chain = chain;
	return -1;
}

/* One entry of a request beside its type: text, data, yes, or none. */
struct argument {
	const char		*key;
	const char		*text;
	const struct blob	*data;
	bool			 is_yes;
};

static plist_t
new_request(const char *type, const struct argument *argument)
{
	auto_plist plist_t request = plist_new_dict();

	if (!dict_set_string(request, "RequestType", type))
		return NULL;
	if (argument && argument->text && !dict_set_string(request, argument->key, argument->text))
		return NULL;
	if (argument && argument->data &&
	    !dict_set_data(request, argument->key, argument->data->data, argument->data->len))
		return NULL;
	if (argument && argument->is_yes && !dict_set_bool(request, argument->key, true))
		return NULL;
	return steal_pointer(&request);
}

static int
ask(struct mcinstall *mc, const char *type, const struct argument *argument,
    struct deadline deadline, enum delivery *delivery, struct error *err)
{
	auto_plist plist_t request = new_request(type, argument);

	*delivery = DELIVERY_NONE;
	if (!request)
		return error_memory(err);
	log_debug("MCInstall: %s", type);
	/* Bytes may have left even when sending failed half-way: say so. */
	*delivery = DELIVERY_SENT;
	if (channel_send(mc->channel, request, deadline, err) < 0)
		return error_context(err, "%s", type);
	return 0;
}

/* out may be NULL. */
static int
hear(struct mcinstall *mc, const char *type, struct deadline deadline, plist_t *out,
    struct error *err)
{
	auto_plist plist_t reply = NULL;

	if (channel_receive(mc->channel, deadline, &reply, err) < 0)
		return error_context(err, "%s", type);
	if (mcinstall_check_reply(type, reply, err) < 0) {
		log_debug("MCInstall: %s", err->message);
		return -1;
	}
	if (out)
		*out = steal_pointer(&reply);
	return 0;
}

static int
call(struct mcinstall *mc, const char *type, const struct argument *argument,
    struct deadline deadline, enum delivery *delivery, plist_t *out, struct error *err)
{
	enum delivery unused;

	delivery = delivery ? delivery : &unused;
	if (ask(mc, type, argument, deadline, delivery, err) < 0 ||
	    hear(mc, type, deadline, out, err) < 0)
		return -1;
	*delivery = DELIVERY_ACKNOWLEDGED;
	return 0;
}

int
mcinstall_get_profile_list(struct mcinstall *mc, struct deadline deadline, plist_t *out,
    struct error *err)
{
	return call(mc, "GetProfileList", NULL, deadline, NULL, out, err);
}

static const char cloud_configuration[] = "GetCloudConfiguration";

int
mcinstall_ask_cloud_configuration(struct mcinstall *mc, struct deadline deadline, struct error *err)
{
	enum delivery unused;

	return ask(mc, cloud_configuration, NULL, deadline, &unused, err);
}

int
mcinstall_hear_cloud_configuration(struct mcinstall *mc, struct deadline deadline, plist_t *out,
    struct error *err)
{
	return hear(mc, cloud_configuration, deadline, out, err);
}

int
mcinstall_get_restrictions(struct mcinstall *mc, bool by_profile, struct deadline deadline,
    plist_t *out, struct error *err)
{
	const struct argument each = { "ProfileRestrictions", NULL, NULL, true };

	return call(mc, "Restrictions", by_profile ? &each : NULL, deadline, NULL, out, err);
}

static int
take_challenge(plist_t reply, struct blob *out, struct error *err)
{
	const void *data;
	size_t len;

	if (!dict_get_data(reply, "Challenge", &data, &len) || len == 0 || len > CHALLENGE_MAX)
		return error_set(err, ERR_PROTOCOL,
		    "Escalate: an answer without a usable challenge");
	return blob_set(out, data, len) < 0 ? error_memory(err) : 0;
}

int
mcinstall_escalate(struct mcinstall *mc, const struct blob *certificate,
    mcinstall_sign_fn *sign, void *ctx, struct deadline deadline, struct error *err)
{
	const struct argument offer = { "SupervisorCertificate", NULL, certificate, false };
	auto_blob struct blob challenge = { 0 }, answer = { 0 };
	const struct argument proof = { "SignedRequest", NULL, &answer, false };
	auto_plist plist_t reply = NULL;

	if (call(mc, "Escalate", &offer, deadline, NULL, &reply, err) < 0 ||
	    take_challenge(reply, &challenge, err) < 0)
		return -1;
	if (sign(ctx, &challenge, deadline, &answer, err) < 0)
		return error_context(err, "answering the challenge");
	if (call(mc, "EscalateResponse", &proof, deadline, NULL, NULL, err) < 0)
		return -1;
	if (call(mc, "ProceedWithKeybagMigration", NULL, deadline, NULL, NULL, err) == 0)
		return 0;
	/* It migrates what its passcode protects, and gives up after 300 seconds by itself. */
	if (err->kind == ERR_TIMEOUT || (err->kind == ERR_DEVICE && err->refusal == REFUSED_ERROR))
		error_hint(err, "unlock the device with its passcode and run the command again; "
		    "it may take up to 300 seconds (--timeout 320)");
	return -1;
}

int
mcinstall_install(struct mcinstall *mc, const struct blob *profile, struct deadline deadline,
    enum delivery *delivery, struct error *err)
{
	const struct argument payload = { "Payload", NULL, profile, false };

	return call(mc, "InstallProfileSilent", &payload, deadline, delivery, NULL, err);
}

int
mcinstall_remove(struct mcinstall *mc, const char *identifier, struct deadline deadline,
    enum delivery *delivery, struct error *err)
{
	const struct argument which = { "ProfileIdentifier", identifier, NULL, false };

	return call(mc, "RemoveProfile", &which, deadline, delivery, NULL, err);
}
