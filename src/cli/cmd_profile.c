/* cmd_profile: profile presets, build and sign */
#include "cli/command.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/key.h"
#include "cli/output.h"
#include "cli/profile_file.h"
#include "cli/when.h"
#include "core/keys.h"
#include "core/preset.h"
#include "core/profile.h"
#include "crypto/digest.h"
#include "crypto/secret.h"

/* ---- presets ------------------------------------------------------------------ */

/* Calls each for the restrictions of p, those of the preset it contains first. */
static void
each_setting(const struct preset *p, void (*each)(const struct profile_setting *s, void *ctx),
    void *ctx)
{
	const struct profile_setting *s;

	if (p->base)
		each_setting(preset_find(p->base), each, ctx);
	for (s = p->settings; s->key; s++)
		each(s, ctx);
}

static void
print_setting(const struct profile_setting *s, void *ctx)
{
	const struct key *key = key_find(RESTRICTIONS, s->key);

	(void)ctx;
	printf("    %-42s iOS %-7s %s\n", s->key, key->introduced, key->effect);
}

static void
add_setting(const struct profile_setting *s, void *ctx)
{
	const struct key *key = key_find(RESTRICTIONS, s->key);

	json_array_append_new(ctx, json_pack("{s:s, s:s, s:s, s:s, s:s?}",
	    "key", s->key, "value", s->value, "effect", key->effect,
	    "introduced", key->introduced, "deprecated", key->deprecated));
}

static const char *
app_use(int extras)
{
	if (extras & PRESET_APP_NEEDED)
		return "needs --app, which fills the screen alone";
	if (extras & PRESET_APP_LOCK)
		return "takes --app, which then fills the screen alone";
	if (extras & PRESET_APP_AUTONOMOUS)
		return "takes --app, which then may lock the device to itself";
	return extras & PRESET_APP_ON_HOME ?
	    "takes --app, which is then alone on the Home Screen" : NULL;
}

static void
print_preset(const struct preset *p, bool with_keys)
{
	int extras = preset_extras(p);

	printf("%s\n  %s\n  works whole from iOS %s", p->name, p->purpose, p->min_ios);
	if (p->core_ios)
		printf(", in the main from %s", p->core_ios);
	printf("\n");
	if (with_keys)
		each_setting(p, print_setting, NULL);
	if (extras & PRESET_MESSAGES_SILENT)
		printf("  no notifications of Messages\n");
	if (app_use(extras))
		printf("  %s\n", app_use(extras));
	if (extras & PRESET_PAIRING)
		printf("  with --lock-pairing only supervising computers can pair\n");
	printf("  still works: %s\n", p->stays);
}

static json_t *
preset_object(const struct preset *p)
{
	json_t *settings = json_array();
	int extras = preset_extras(p);

	each_setting(p, add_setting, settings);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s, s:b, s:s?, s:o}",
	    "schema", "chaperone.preset/1", "name", p->name, "title", p->title,
	    "purpose", p->purpose, "min_ios", p->min_ios, "core_ios", p->core_ios,
	    "still_works", p->stays, "needs_app", (extras & PRESET_APP_NEEDED) != 0,
	    "app", app_use(extras), "restrictions", settings);
}

int
cmd_profile_presets(struct cli *cli)
{
	struct error err = { 0 };
	unsigned n = 0;
	size_t i;

	for (n = 0; n < cli->n_args; n++)
		if (!preset_find(cli->args[n])) {
			error_set(&err, ERR_USAGE, "no preset is called \"%s\"", cli->args[n]);
			error_hint(&err, "chaperone profile presets lists them");
			return cli_fail(cli, &err);
		}
	for (i = 0; cli->n_args ? i < cli->n_args : preset_at(i) != NULL; i++) {
		const struct preset *p = cli->n_args ? preset_find(cli->args[i]) : preset_at(i);

		if (cli->options.json)
			output_json_line(stdout, preset_object(p));
		else
			print_preset(p, cli->n_args > 0);
	}
	return 0;
}

/* ---- signing --------------------------------------------------------------------- */

static int
sign(const struct cli *cli, const char *ref, const struct blob *content, struct blob *out,
    struct error *err)
{
	auto_host struct host host = { 0 };

	if (key_open(cli, ref, &host, err) < 0)
		return -1;
	return signer_sign_document(host.signer, SIGNER_PROFILE, content->data, content->len, out,
	    err);
}

/* What was written, for people or for programs. On stdout the profile stays alone. */
static int
tell(const struct cli *cli, const struct blob *content, bool is_signed, struct error *err)
{
	auto_profile struct profile p = { 0 };
	const char *file = cli->options.output;

	if (strcmp(file, "-") == 0)
		return 0;
	if (profile_read(content->data, content->len, digest_sha256, &p, err) < 0)
		return -1;
	if (cli->options.json)
		output_json_line(stdout, json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "schema",
		    "chaperone.written/1", "file", file, "identifier", p.identifier, "uuid", p.uuid,
		    "signed", is_signed, "content_addressed", p.is_content_addressed));
	else
		printf("%s: %s %s%s\n", file, p.identifier, p.uuid, is_signed ? ", signed" : "");
	return 0;
}

static int
need_output(const struct cli *cli, struct error *err)
{
	if (cli->options.output)
		return 0;
	error_set(err, ERR_USAGE, "%s needs -o FILE", cli->command->name);
	return error_hint(err, "-o - writes to standard output");
}

static int
sign_file(const struct cli *cli, struct error *err)
{
	auto_profile_file struct profile_file f = { 0 };
	auto_profile struct profile p = { 0 };
	auto_blob struct blob out = { 0 };

	if (need_output(cli, err) < 0 || profile_file_open(cli->args[0], &f, err) < 0)
		return -1;
	/* A good signature may be replaced; what was altered must be looked at first. */
	if (f.envelope.kind != ENVELOPE_NONE && f.envelope.kind != ENVELOPE_SIGNED)
		return error_set(err, ERR_DATA, "%s is neither a plain nor a well signed profile",
		    f.path);
	if (profile_read(f.envelope.content.data, f.envelope.content.len, digest_sha256,
	    &p, err) < 0)
		return error_context(err, "%s", f.path);
	if (sign(cli, cli->options.identity, &f.envelope.content, &out, err) < 0 ||
	    file_write(cli->options.output, out.data, out.len, 0644,
	    cli->options.overwrite, err) < 0)
		return -1;
	return tell(cli, &f.envelope.content, true, err);
}

int
cmd_profile_sign(struct cli *cli)
{
	struct error err = { 0 };

	return sign_file(cli, &err) < 0 ? cli_fail(cli, &err) : 0;
}

/* ---- building ---------------------------------------------------------------------- */

/* The first line of a private file, with a NUL after it. */
static int
read_secret(const struct cli *cli, const char *path, struct blob *out, struct error *err)
{
	struct secret_source source = { .file = path,
		.allow_loose_files = cli->options.allow_loose_files };

	if (!path)
		return 0;
	if (secret_passphrase(&source, path, out, err) < 0)
		return -1;
	if (out->len == 0 || memchr(out->data, '\0', out->len))
		return error_set(err, ERR_DATA, "%s: the first line is empty or no text", path);
	return blob_append(out, "", 1) < 0 ? error_memory(err) : 0;
}

/* KEY=VALUE apart; the copies are kept in texts. */
static int
split_settings(const struct texts *given, struct profile_setting *settings, struct blob *texts,
    struct error *err)
{
	size_t i, at = 0;

	for (i = 0; i < given->n; i++)
		if (!strchr(given->items[i], '='))
			return error_set(err, ERR_USAGE, "--restrict takes KEY=VALUE, not %s",
			    given->items[i]);
	for (i = 0; i < given->n; i++)
		if (blob_append(texts, given->items[i], strlen(given->items[i]) + 1) < 0)
			return error_memory(err);
	for (i = 0; i < given->n; i++) {
		char *text = (char *)texts->data + at, *equals = strchr(text, '=');

		at += strlen(text) + 1;
		*equals = '\0';
		settings[i] = (struct profile_setting){ text, equals + 1 };
	}
	return 0;
}

static int
check_build(const struct options *o, struct error *err)
{
	if (o->for_duration && o->until_time)
		return error_set(err, ERR_USAGE, "--for and --until exclude each other");
	if (o->is_identity_named)
		return error_set(err, ERR_USAGE,
		    "-i does not go with profile build; --sign REF signs it");
	return 0;
}

/* Something to put into a profile that is no preset. */
static bool
has_content(const struct options *o)
{
	return o->restrictions.n || o->wifi || o->footnote || o->asset_tag || o->lock_pairing;
}

static int
fill_spec(const struct cli *cli, struct profile_spec *spec, struct error *err)
{
	const struct options *o = &cli->options;

	*spec = (struct profile_spec){
		.presets = o->presets.items, .n_presets = o->presets.n,
		.identifier = o->identifier, .organization = o->organization,
		.is_removable = o->removable, .now = time(NULL), .app = o->app,
		.wifi_ssid = o->wifi, .footnote = o->footnote, .asset_tag = o->asset_tag,
		.lock_pairing = o->lock_pairing,
	};
	if (!o->presets.n && !has_content(o)) {
		spec->presets = preset_default;
		spec->n_presets = 1;
	}
	if (o->for_duration && when_duration(o->for_duration, &spec->duration_s, err) < 0)
		return -1;
	if (o->until_time && when_until(o->until_time, time(NULL), &spec->removal_at, err) < 0)
		return -1;
	return 0;
}

static int
write_built(const struct cli *cli, const struct blob *xml, unsigned mode, struct error *err)
{
	const struct options *o = &cli->options;
	auto_blob struct blob out = { 0 };
	const struct blob *bytes = xml;

	if (o->sign) {
		if (sign(cli, o->sign, xml, &out, err) < 0)
			return -1;
		bytes = &out;
	}
	if (file_write(o->output, bytes->data, bytes->len, mode, o->overwrite, err) < 0)
		return -1;
	return tell(cli, xml, o->sign != NULL, err);
}

static int
build(const struct cli *cli, struct error *err)
{
	const struct options *o = &cli->options;
	auto_blob struct blob xml = { 0 }, texts = { 0 }, removal = { 0 }, wifi = { 0 };
	auto_free struct profile_setting *settings =
	    calloc(o->restrictions.n + 1, sizeof(*settings));
	struct profile_spec spec;

	if (!settings)
		return error_memory(err);
	if (need_output(cli, err) < 0 || check_build(o, err) < 0 ||
	    fill_spec(cli, &spec, err) < 0 ||
	    split_settings(&o->restrictions, settings, &texts, err) < 0 ||
	    read_secret(cli, o->removal_password_file, &removal, err) < 0 ||
	    read_secret(cli, o->wifi_password_file, &wifi, err) < 0)
		return -1;
	spec.settings = settings;
	spec.n_settings = o->restrictions.n;
	spec.removal_password = (const char *)removal.data;
	spec.wifi_password = (const char *)wifi.data;
	if (profile_build(&spec, digest_sha256, &xml, err) < 0)
		return -1;
	return write_built(cli, &xml, removal.len || wifi.len ? 0600 : 0644, err);
}

int
cmd_profile_build(struct cli *cli)
{
	struct error err = { 0 };

	return build(cli, &err) < 0 ? cli_fail(cli, &err) : 0;
}
