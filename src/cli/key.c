/* key: the signer of an identity, for commands that touch no device */
#include "cli/key.h"

#include "base/error.h"
#include "cli/command.h"
#include "crypto/secret.h"
#include "crypto/token.h"

static int
need(const char *ref, struct error *err)
{
	if (ref)
		return 0;
	error_set(err, ERR_USAGE, "no identity is given");
	return error_hint(err, "name it: -i FILE.p12, or CHAPERONE_IDENTITY, or the configuration");
}

int
key_open(const struct cli *cli, const char *ref, struct host *out, struct error *err)
{
	struct options own = cli->options;

	if (need(ref, err) < 0)
		return -1;
	own.identity = ref;
	return host_load(&own, out, err);
}

int
key_sign(void *ctx, const void *content, size_t len, struct blob *out, struct error *err)
{
	const struct key_use *use = ctx;

	return signer_sign_document(use->signer, use->purpose, content, len, out, err);
}

int
key_load(const struct cli *cli, const char *ref, struct identity **out, struct error *err)
{
	struct secret_source secret = {
		.file = cli->options.passphrase_file,
		.allow_loose_files = cli->options.allow_loose_files,
	};
	const struct identity_source source = {
		.ref = ref, .allow_loose_files = cli->options.allow_loose_files,
		.passphrase = secret_passphrase, .passphrase_ctx = &secret,
		.asks_nobody = secret.file != NULL,
	};

	if (ref && token_is_ref(ref))
		return error_set(err, ERR_USAGE, "a token keeps its key to itself");
	return need(ref, err) < 0 ? -1 : identity_load(&source, out, err);
}
