/* key: loading and signing with an identity's file */
#include "cli/key.h"

#include "base/error.h"
#include "cli/command.h"
#include "crypto/secret.h"

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

	if (!ref) {
		error_set(err, ERR_USAGE, "no identity is given");
		return error_hint(err, "name it: -i FILE.p12, or CHAPERONE_IDENTITY, or the configuration");
	}
	return identity_load(&source, out, err);
}

int
key_sign(void *ctx, const void *content, size_t len, struct blob *out, struct error *err)
{
	return identity_sign(ctx, content, len, true, out, err);
}
