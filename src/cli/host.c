/* host: who we are towards devices */
#include "cli/host.h"

#include <sys/stat.h>
#include <time.h>

#include "base/error.h"
#include "base/log.h"
#include "cli/options.h"
#include "crypto/agentclient.h"
#include "crypto/identity.h"
#include "crypto/launcher.h"
#include "crypto/secret.h"
#include "crypto/signer.h"
#include "crypto/token.h"

/* Whether devices take an expired one is not known: say so, and try. */
static void
warn_of_validity(const struct cert *cert)
{
	time_t now = time(NULL);

	if (now > cert->not_after)
		log_at(LOG_NORMAL,
		    "the supervision certificate has expired; devices may refuse it");
	else if (now < cert->not_before)
		log_at(LOG_NORMAL,
		    "the supervision certificate is not valid yet; check this computer's clock");
}

int
host_begin(const struct options *o, struct host *out, struct error *err)
{
	struct secret_source secret = {
		.file = o->passphrase_file, .allow_loose_files = o->allow_loose_files,
		.asks_nobody = o->is_unattended,
	};
	const struct identity_source source = {
		.ref = o->identity, .allow_loose_files = o->allow_loose_files,
		.passphrase = secret_passphrase, .passphrase_ctx = &secret,
		.asks_nobody = secret.file != NULL,
	};

	if (!o->identity)
		return 0;
	return signer_begin(&source, &out->signer, err);
}

int
host_load(const struct options *o, struct host *out, struct error *err)
{
	if (host_begin(o, out, err) < 0)
		return -1;
	if (!out->signer || signer_await(out->signer, &out->cert, err) == 0)
		return 0;
	host_close(out);
	return -1;
}

int
host_await(struct host *h, struct error *err)
{
	if (!h->signer)
		return 0;
	if (signer_await(h->signer, &h->cert, err) < 0)
		return -1;
	warn_of_validity(&h->cert);
	return 0;
}

int
host_open(const struct options *o, struct host *out, struct error *err)
{
	if (host_load(o, out, err) < 0)
		return -1;
	if (out->signer)
		warn_of_validity(&out->cert);
	return 0;
}

int
host_launch(const struct options *o, struct launcher *l, struct host *out, struct error *err)
{
	const struct launcher_order order = {
		.ref = o->identity, .passphrase_file = o->passphrase_file,
		.allow_loose_files = o->allow_loose_files,
	};

	if (!l || !o->identity)
		return host_open(o, out, err);
	if (launcher_signer(l, &order, &out->signer, &out->cert, err) < 0)
		return -1;
	warn_of_validity(&out->cert);
	return 0;
}

/* Not a pipe: who writes to it may be asking a person. */
static bool
is_file(const char *path)
{
	struct stat st;

	return path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool
host_is_at_hand(const struct options *o)
{
	return !o->identity || agentclient_is_ref(o->identity) ||
	    (!token_is_ref(o->identity) && is_file(o->passphrase_file));
}

void
host_close(struct host *h)
{
	signer_stop(h->signer);
	cert_clear(&h->cert);
	h->signer = NULL;
}
