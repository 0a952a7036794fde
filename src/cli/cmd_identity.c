/* cmd_identity: supervision identities: made, taken in, shown, written */
#include "cli/command.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/text.h"
#include "cli/key.h"
#include "cli/output.h"
#include "crypto/cert.h"
#include "crypto/identity.h"
#include "crypto/secret.h"

enum { DEFAULT_BITS = 2048, DEFAULT_DAYS = 3650 };

/* ---- showing -------------------------------------------------------------------- */

static json_t *
identity_object(const struct cert *c, const char *file)
{
	char from[TEXT_TIME_MAX], to[TEXT_TIME_MAX];

	text_time_utc((struct timespec){ .tv_sec = c->not_before }, from);
	text_time_utc((struct timespec){ .tv_sec = c->not_after }, to);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s?}",
	    "schema", "chaperone.identity/1",
	    "organization", c->organization, "common_name", c->common_name, "issuer", c->issuer,
	    "key", c->key, "sha256", c->sha256, "not_before", from, "not_after", to,
	    "expired", time(NULL) > c->not_after, "file", file);
}

static void
print_identity(const struct cert *c, const char *file)
{
	char from[TEXT_TIME_MAX], to[TEXT_TIME_MAX];

	text_time_utc((struct timespec){ .tv_sec = c->not_before }, from);
	text_time_utc((struct timespec){ .tv_sec = c->not_after }, to);
	printf("organization  %s\ncommon name   %s\nissuer        %s\nkey           %s\n"
	    "sha256        %s\nvalid         %.10s to %.10s%s\n",
	    c->organization, c->common_name, c->issuer, c->key, c->sha256, from, to,
	    time(NULL) > c->not_after ? " (expired)" : "");
	if (file)
		printf("file          %s\n", file);
}

static void
tell(const struct cli *cli, const struct cert *c, const char *file)
{
	/* What was written to stdout must stay alone there. */
	if (file && strcmp(file, "-") == 0)
		return;
	if (cli->options.json)
		output_json_line(stdout, identity_object(c, file));
	else
		print_identity(c, file);
}

/* ---- reading and writing ------------------------------------------------------------ */

static int
choose_format(const struct options *o, enum identity_format *out, struct error *err)
{
	const char *dot = o->output ? strrchr(o->output, '.') : NULL;
	const char *format = o->format ? o->format :
	    dot && strcmp(dot, ".pem") == 0 ? "pem" : "p12";

	if (strcmp(format, "p12") != 0 && strcmp(format, "pem") != 0)
		return error_set(err, ERR_USAGE, "--format is p12 or pem, not %s", format);
	*out = strcmp(format, "pem") == 0 ? IDENTITY_PEM : IDENTITY_P12;
	if (o->no_encryption && *out == IDENTITY_P12)
		return error_set(err, ERR_USAGE,
		    "a .p12 is always encrypted; --no-encryption goes with pem");
	return 0;
}

/* Where anybody can exchange it, it would not be taken as an identity either. */
static int
check_place(const struct options *o, struct error *err)
{
	struct error why = { 0 };

	if (o->allow_loose_files || strcmp(o->output, "-") == 0 ||
	    folder_check_open(o->output, &why) == 0 || why.kind != ERR_PERM)
		return 0;
	*err = why;
	return -1;
}

static int
write_identity(const struct cli *cli, const struct identity *id, const char *passphrase_file,
    struct error *err)
{
	const struct options *o = &cli->options;
	struct secret_source secret = {
		.file = passphrase_file, .allow_loose_files = o->allow_loose_files, .confirm = true,
	};
	auto_blob struct blob passphrase = { 0 }, bytes = { 0 };
	enum identity_format format = IDENTITY_P12;

	if (!o->output) {
		error_set(err, ERR_USAGE, "%s needs -o FILE", cli->command->name);
		return error_hint(err, "for instance -o acme.p12");
	}
	if (choose_format(o, &format, err) < 0)
		return -1;
	if (check_place(o, err) < 0)
		return -1;
	if (!o->no_encryption && secret_passphrase(&secret, o->output, &passphrase, err) < 0)
		return -1;
	if (identity_export(id, format, o->no_encryption ? NULL : &passphrase, &bytes, err) < 0 ||
	    file_write(o->output, bytes.data, bytes.len, 0600, o->overwrite, err) < 0)
		return -1;
	return 0;
}

/* ---- the commands ---------------------------------------------------------------------- */

int
cmd_identity_create(struct cli *cli)
{
	const struct options *o = &cli->options;
	const struct identity_spec spec = {
		.organization = o->organization,
		.bits = o->bits > 0 ? (unsigned)o->bits : DEFAULT_BITS,
		.days = o->days > 0 ? (unsigned)o->days : DEFAULT_DAYS,
	};
	auto_identity struct identity *id = NULL;
	struct error err = { 0 };

	if (o->is_identity_named)
		error_set(&err, ERR_USAGE,
		    "-i does not go with identity create; -o FILE names the new one");
	else if (!o->organization)
		error_set(&err, ERR_USAGE, "identity create needs --organization NAME");
	if (err.kind != ERR_NONE)
		return cli_fail(cli, &err);
	if (identity_create(&spec, &id, &err) < 0 ||
	    write_identity(cli, id, o->out_passphrase_file ? o->out_passphrase_file :
		o->passphrase_file, &err) < 0)
		return cli_fail(cli, &err);
	tell(cli, identity_cert(id), o->output);
	return 0;
}

static const char *
ref_of(const struct cli *cli)
{
	return cli->n_args ? cli->args[0] : cli->options.identity;
}

int
cmd_identity_show(struct cli *cli)
{
	auto_host struct host host = { 0 };
	struct error err = { 0 };

	if (key_open(cli, ref_of(cli), &host, &err) < 0)
		return cli_fail(cli, &err);
	tell(cli, &host.cert, NULL);
	return 0;
}

/* Import and export differ in intent only: another format, another passphrase. */
static int
rewrite(struct cli *cli)
{
	auto_identity struct identity *id = NULL;
	struct error err = { 0 };

	if (key_load(cli, ref_of(cli), &id, &err) < 0 ||
	    write_identity(cli, id, cli->options.out_passphrase_file, &err) < 0)
		return cli_fail(cli, &err);
	tell(cli, identity_cert(id), cli->options.output);
	return 0;
}

int
cmd_identity_import(struct cli *cli)
{
	return rewrite(cli);
}

int
cmd_identity_export(struct cli *cli)
{
	return rewrite(cli);
}
