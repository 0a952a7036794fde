/* signkey: what a signer signs with: the key of a file or a token, or an agent */
#include "crypto/signkey.h"

#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "crypto/agentclient.h"
#include "crypto/cert.h"
#include "crypto/identity.h"
#include "crypto/signed.h"
#include "crypto/signrequest.h"

struct signkey {
	struct identity	*identity;	/* NULL: an agent has it */
	char		*agent;		/* its path */
	struct cert	 cert;		/* the agent's */
};

void
signkey_free(struct signkey *k)
{
	if (!k)
		return;
	identity_free(k->identity);
	cert_clear(&k->cert);
	free(k->agent);
	free(k);
}

static void
clean_signkey(struct signkey **k)
{
	signkey_free(*k);
}

const struct cert *
signkey_cert(const struct signkey *k)
{
	return k->identity ? identity_cert(k->identity) : &k->cert;
}

static int
ask_certificate(struct signkey *k, struct error *err)
{
	const struct agentrequest r = { .purpose = SIGNREQUEST_CERTIFICATE };
	auto_blob struct blob der = { 0 };

	if (agentclient_ask(k->agent, &r, &der, err) < 0)
		return -1;
	return cert_parse(der.data, der.len, &k->cert, err);
}

int
signkey_open(const struct identity_source *source, struct signkey **out, struct error *err)
{
	auto_with(clean_signkey) struct signkey *k = calloc(1, sizeof(*k));

	if (!k)
		return error_memory(err);
	if (!agentclient_is_ref(source->ref)) {
		if (identity_load(source, &k->identity, err) < 0)
			return -1;
	} else if (agentclient_path(source->ref, &k->agent, err) < 0 ||
	    ask_certificate(k, err) < 0) {
		return -1;
	}
	*out = steal_pointer(&k);
	return 0;
}

static int
ask_agent(const struct signkey *k, const char *device, const struct signrequest *r,
    struct blob *out, struct error *err)
{
	struct agentrequest asked = {
		.purpose = r->purpose, .challenge = r->challenge, .len = r->len,
	};
	auto_blob struct blob cms = { 0 };

	if (strlen(device) >= sizeof(asked.device))
		return error_set(err, ERR_SOFTWARE, "a UDID of %zu characters", strlen(device));
	memcpy(asked.device, device, strlen(device));
	if (agentclient_ask(k->agent, &asked, &cms, err) < 0)
		return -1;
	/* It may have been started anew, with another identity. */
	if (!signed_is_by(&cms, &k->cert))
		return error_set(err, ERR_UNAVAILABLE,
		    "the agent signs with another identity than before");
	blob_clear(out);
	*out = blob_steal(&cms);
	return 0;
}

int
signkey_sign(const struct signkey *k, const char *device, const struct signrequest *r,
    struct blob *out, struct error *err)
{
	if (!k->identity)
		return ask_agent(k, device, r, out, err);
	if (signer_is_document(r->purpose))
		return identity_sign_digest(k->identity, r->challenge, out, err);
	return identity_sign(k->identity, r->challenge, r->len, false, out, err);
}
