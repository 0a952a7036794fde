/* clients: one signer for each identity of the policies */
#include "cli/clients.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "cli/host.h"
#include "cli/options.h"
#include "crypto/signer.h"
#include "flow/job.h"
#include "flow/policy_file.h"

void
clients_close(struct clients *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		signer_stop(c->identities[i].signer);
		cert_clear(&c->identities[i].cert);
		free(c->identities[i].ref);
	}
	free(c->identities);
	free(c->for_fleet);
	policies_free(&c->policies);
	*c = (struct clients){ 0 };
}

static int
load(const char *path, struct policies *out, struct error *err)
{
	struct policy *p = NULL;
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return policies_load_folder(path, out, err);
	return policy_file_load(path, &p, NULL, err) < 0 ? -1 : policies_add(out, p, err);
}

static int
add_identity(const struct options *o, const struct policy *p, const char *ref, struct clients *c,
    struct error *err)
{
	struct client_identity *id = &c->identities[c->n];
	struct options own = *o;
	struct host host = { 0 };

	own.identity = ref;
	if (p->passphrase_file)
		own.passphrase_file = p->passphrase_file;
	id->ref = strdup(ref);
	if (!id->ref)
		return error_memory(err);
	if (host_launch(&own, c->launcher, &host, err) < 0) {
		free(id->ref);
		return error_context(err, "%s", p->name);
	}
	id->signer = host.signer;
	id->cert = host.cert;
	c->for_fleet[c->n] = (struct fleet_identity){ id->signer, &id->cert };
	c->n++;
	return 0;
}

/* Finds the policy's identity among those that are open, or opens it. */
static int
assign(const struct options *o, struct policy *p, struct clients *c, struct error *err)
{
	const char *ref = p->identity ? p->identity : o->identity;
	size_t i;

	p->identity_index = SIZE_MAX;
	if (!ref)
		return 0;
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): one that counts has its name */
	for (i = 0; i < c->n && strcmp(c->identities[i].ref, ref) != 0; i++)
		continue;
	if (i == JOB_IDENTITIES_MAX)
		return error_set(err, ERR_USAGE, "more than %d identities", JOB_IDENTITIES_MAX);
	p->identity_index = i;
	return i < c->n ? 0 : add_identity(o, p, ref, c, err);
}

int
clients_open(const struct options *o, const char *path, struct clients *out, struct error *err)
{
	auto_clients struct clients c = { .launcher = out->launcher };
	size_t i;

	if (load(path, &c.policies, err) < 0)
		return -1;
	if (c.policies.n == 0)
		return error_set(err, ERR_NOINPUT, "%s holds no policy (*.yaml)", path);
	c.identities = calloc(c.policies.n, sizeof(*c.identities));
	c.for_fleet = calloc(c.policies.n, sizeof(*c.for_fleet));
	if (!c.identities || !c.for_fleet)
		return error_memory(err);
	for (i = 0; i < c.policies.n; i++)
		if (assign(o, c.policies.items[i], &c, err) < 0)
			return -1;
	*out = c;
	c = (struct clients){ 0 };
	return 0;
}
