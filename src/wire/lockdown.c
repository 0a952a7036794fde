/* lockdown: one connection to lockdownd */
#include "wire/lockdown.h"

#include <stdio.h>
#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/log.h"
#include "base/proplist.h"
#include "base/text.h"
#include "core/refusal.h"
#include "core/value.h"
#include "crypto/tls.h"
#include "wire/channel.h"
#include "wire/mux.h"
#include "wire/muxlink.h"
#include "wire/pair_record.h"

enum { PORT = 62078, CHALLENGE_MAX = 1024, ESCROW_BAG_MAX = 4096 };

struct lockdown {
	struct channel	*channel;
};

int
lockdown_open(const struct mux_device *device, struct deadline deadline, struct lockdown **out,
    struct error *err)
{
	struct lockdown *l = calloc(1, sizeof(*l));
	int fd = -1;

	if (!l)
		return error_memory(err);
	if (mux_connect(device, PORT, deadline, &fd, err) < 0 ||
	    channel_new(fd, &l->channel, err) < 0) {
		free(l);
		return error_context(err, "lockdown");
	}
	*out = l;
	return 0;
}

void
lockdown_close(struct lockdown *l)
{
	if (l)
		channel_close(l->channel);
	free(l);
}

/* ---- requests and answers ------------------------------------------------ */

int
lockdown_refused(const char *request, plist_t reply, struct error *err)
{
	const char *text = dict_get_string(reply, "Error");
	struct chain_link *link = &err->chain.link[0];
	char clean[CHAIN_TEXT_MAX], other[CHAIN_TEXT_MAX];

	/* Some modes answer with another type: what it is, whatever it is. */
	if (!text && dict_get(reply, "Error")) {
		value_text(dict_get(reply, "Error"), other, sizeof(other));
		text = other;
	}
	if (!text)
		text = "an error without a name";
	text_printable(text, strlen(text), clean, sizeof(clean));
	error_set(err, ERR_DEVICE, "%s: the device answers %s", request, clean);
	err->refusal = (int)refusal_of_lockdown(text);
	err->chain.n = 1;
	snprintf(link->domain, sizeof(link->domain), "lockdown");
	link->code = refusal_lockdown_code(text);
	memcpy(link->text, clean, sizeof(clean));
	return -1;
}

/* The answer must echo the request; Error, or the old Result, tells a refusal. */
static int
check_reply(const char *request, plist_t reply, struct error *err)
{
	const char *echo = dict_get_string(reply, "Request");
	const char *result = dict_get_string(reply, "Result");

	if (!echo || strcmp(echo, request) != 0)
		return error_set(err, ERR_PROTOCOL, "%s: the answer belongs to no such request",
		    request);
	if (dict_get(reply, "Error") || (result && strcmp(result, "Success") != 0))
		return lockdown_refused(request, reply, err);
	return 0;
}

static plist_t
new_request(const char *name)
{
	auto_plist plist_t request = plist_new_dict();

	if (!dict_set_string(request, "Label", PACKAGE_NAME) ||
	    !dict_set_string(request, "ProtocolVersion", "2") ||
	    !dict_set_string(request, "Request", name))
		return NULL;
	return steal_pointer(&request);
}

static int
ask(struct lockdown *l, plist_t request, struct deadline deadline, struct error *err)
{
	const char *name = dict_get_string(request, "Request");

	if (!name)
		return error_memory(err);
	log_debug("lockdown: %s", name);
	if (channel_send(l->channel, request, deadline, err) < 0)
		return error_context(err, "%s", name);
	return 0;
}

/* *reply is set for a refusal too: some carry more than Error. */
static int
hear(struct lockdown *l, const char *name, struct deadline deadline, plist_t *reply,
    struct error *err)
{
	if (channel_receive(l->channel, deadline, reply, err) < 0)
		return error_context(err, "%s", name);
	if (check_reply(name, *reply, err) < 0) {
		log_debug("lockdown: %s", err->message);
		return -1;
	}
	return 0;
}

static int
call(struct lockdown *l, plist_t request, struct deadline deadline, plist_t *reply,
    struct error *err)
{
	if (ask(l, request, deadline, err) < 0)
		return -1;
	return hear(l, dict_get_string(request, "Request"), deadline, reply, err);
}

static int
take_value(plist_t reply, plist_t *out, struct error *err)
{
	plist_t value = dict_get(reply, "Value");

	if (!value)
		return error_set(err, ERR_PROTOCOL, "GetValue: an answer without a value");
	*out = plist_copy(value);
	return *out ? 0 : error_memory(err);
}

int
lockdown_get_value(struct lockdown *l, const char *domain, const char *key,
    struct deadline deadline, plist_t *out, struct error *err)
{
	auto_plist plist_t request = new_request("GetValue"), reply = NULL;

	if ((domain && !dict_set_string(request, "Domain", domain)) ||
	    (key && !dict_set_string(request, "Key", key)))
		return error_memory(err);
	if (call(l, request, deadline, &reply, err) < 0)
		return key ? error_context(err, "%s", key) : -1;
	return take_value(reply, out, err);
}

int
lockdown_ask_values(struct lockdown *l, struct deadline deadline, struct error *err)
{
	auto_plist plist_t request = new_request("GetValue");

	return ask(l, request, deadline, err);
}

int
lockdown_hear_values(struct lockdown *l, struct deadline deadline, plist_t *out,
    struct error *err)
{
	auto_plist plist_t reply = NULL;

	return hear(l, "GetValue", deadline, &reply, err) < 0 ? -1 : take_value(reply, out, err);
}

int
lockdown_get_flag(struct lockdown *l, const char *domain, const char *key,
    struct deadline deadline, bool *out, struct error *err)
{
	auto_plist plist_t request = new_request("GetValue"), reply = NULL;
	bool is_told;

	if (!dict_set_string(request, "Domain", domain) || !dict_set_string(request, "Key", key))
		return error_memory(err);
	*out = false;
	if (call(l, request, deadline, &reply, err) < 0) {
		if (err->kind != ERR_DEVICE || err->refusal != REFUSED_MISSING_VALUE)
			return error_context(err, "%s", key);
		*err = (struct error){ 0 };
		return 0;
	}
	is_told = dict_get_bool(reply, "Value", out);
	return is_told || !dict_get(reply, "Value") ? 0 :
	    error_set(err, ERR_PROTOCOL, "%s: neither true nor false", key);
}

/* ---- sessions and services ----------------------------------------------- */

int
lockdown_start_session(struct lockdown *l, const struct pair_record *r,
    struct deadline deadline, struct error *err)
{
	const struct tls_client who = {
		.certificate = &r->keys.host_certificate, .key = &r->keys.host_key,
	};
	auto_plist plist_t request = new_request("StartSession"), reply = NULL;
	bool uses_tls = false;

	if (!dict_set_string(request, "HostID", r->host_id) ||
	    !dict_set_string(request, "SystemBUID", r->system_buid))
		return error_memory(err);
	if (ask(l, request, deadline, err) < 0)
		return -1;
	/* While the device looks for us in its memory. */
	tls_learn(&who);
	if (hear(l, "StartSession", deadline, &reply, err) < 0)
		return -1;
	if (!dict_get_string(reply, "SessionID") ||
	    !dict_get_bool(reply, "EnableSessionSSL", &uses_tls))
		return error_set(err, ERR_PROTOCOL,
		    "StartSession: SessionID or EnableSessionSSL is missing");
	if (uses_tls && channel_start_tls(l->channel, &who, deadline, err) < 0)
		return error_context(err, "StartSession");
	return 0;
}

int
lockdown_start_service(struct lockdown *l, const char *name, const struct blob *escrow_bag,
    struct deadline deadline, struct lockdown_service *out, struct error *err)
{
	auto_plist plist_t request = new_request("StartService"), reply = NULL;
	uint64_t port = 0;

	if (!dict_set_string(request, "Service", name) ||
	    (escrow_bag && !dict_set_data(request, "EscrowBag", escrow_bag->data, escrow_bag->len)))
		return error_memory(err);
	if (call(l, request, deadline, &reply, err) < 0)
		return -1;
	if (!dict_get_uint(reply, "Port", &port) || port == 0 || port > UINT16_MAX)
		return error_set(err, ERR_PROTOCOL, "StartService: an answer without a port");
	*out = (struct lockdown_service){ .port = (uint16_t)port };
	dict_get_bool(reply, "EnableServiceSSL", &out->uses_tls);
	return 0;
}

/* ---- pairing ------------------------------------------------------------- */

void
lockdown_pairing_clear(struct lockdown_pairing *p)
{
	blob_clear(&p->escrow_bag);
	blob_clear(&p->challenge);
}

static plist_t
pair_request(const struct pair_record *r, enum lockdown_pair_step step,
    const struct blob *offered)
{
	static const char *const names[] = {
		[PAIR_OFFER_CERTIFICATE] = "SupervisorCertificate",
		[PAIR_ANSWER_CHALLENGE] = "ChallengeResponse",
	};
	auto_plist plist_t request = new_request("Pair"), options = plist_new_dict();
	auto_plist plist_t record = pair_record_public(r);

	if (!request || !record || !dict_set_bool(options, "ExtendedPairingErrors", true))
		return NULL;
	plist_dict_set_item(request, "PairRecord", steal_pointer(&record));
	if (step != PAIR_PLAIN && !dict_set_data(options, names[step], offered->data, offered->len))
		return NULL;
	plist_dict_set_item(request, "PairingOptions", steal_pointer(&options));
	return steal_pointer(&request);
}

/* Takes bytes of the wanted key; absent is fine, another type or an absurd size is not. */
static int
take_bytes(plist_t dict, const char *key, size_t limit, struct blob *out, struct error *err)
{
	const void *data;
	size_t len;

	if (!dict_get(dict, key))
		return 0;
	if (!dict_get_data(dict, key, &data, &len))
		return error_set(err, ERR_PROTOCOL, "Pair: %s is no data", key);
	if (len > limit)
		return error_set(err, ERR_PROTOCOL, "Pair: %s has %zu bytes", key, len);
	return blob_set(out, data, len) < 0 ? error_memory(err) : 0;
}

int
lockdown_pair(struct lockdown *l, const struct pair_record *r, enum lockdown_pair_step step,
    const struct blob *offered, struct deadline deadline, struct lockdown_pairing *out,
    struct error *err)
{
	auto_plist plist_t request = pair_request(r, step, offered), reply = NULL;
	struct error trouble = { 0 };
	plist_t extended;

	if (call(l, request, deadline, &reply, err) == 0)
		return take_bytes(reply, "EscrowBag", ESCROW_BAG_MAX, &out->escrow_bag, err);
	if (err->kind != ERR_DEVICE || err->refusal != REFUSED_MC_CHALLENGE)
		return -1;
	extended = dict_get_dict(reply, "ExtendedResponse");
	if (take_bytes(extended, "PairingChallenge", CHALLENGE_MAX,
		&out->challenge, &trouble) < 0) {
		*err = trouble;
		return -1;
	}
	if (out->challenge.len == 0)
		return error_set(err, ERR_PROTOCOL,
		    "Pair: a challenge is required, but there is none");
	return -1;
}

int
lockdown_unpair(struct lockdown *l, const struct pair_record *r, struct deadline deadline,
    struct error *err)
{
	auto_plist plist_t request = new_request("Unpair"), reply = NULL;
	auto_plist plist_t record = pair_record_public(r);

	if (!request || !record)
		return error_memory(err);
	plist_dict_set_item(request, "PairRecord", steal_pointer(&record));
	return call(l, request, deadline, &reply, err);
}
