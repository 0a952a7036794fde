/* desire: what the options ask devices to be */
#include "cli/desire.h"

#include <string.h>
#include <time.h>

#include "base/blob.h"
#include "base/error.h"
#include "cli/command.h"
#include "cli/profile_file.h"
#include "cli/when.h"
#include "core/desired.h"
#include "core/preset.h"
#include "core/profile.h"
#include "crypto/digest.h"
#include "flow/mobileconfig.h"

static bool
has_use_for_app(const char *name)
{
	const struct preset *p = preset_find(name);

	return p && (preset_extras(p) & PRESET_APP);
}

static int
check_app(const struct options *o, const char *const *names, size_t n, struct error *err)
{
	size_t i;

	for (i = 0; o->app && i < n; i++)
		if (has_use_for_app(names[i]))
			return 0;
	return o->app ?
	    error_set(err, ERR_USAGE, "an app is named, but no preset has a use for it") : 0;
}

static int
add_presets(const struct cli *cli, struct desired *out, struct error *err)
{
	const struct options *o = &cli->options;
	struct profile_spec spec = {
		.is_removable = o->removable, .organization = o->organization,
	};
	const char *const *names = o->presets.n ? o->presets.items : preset_default;
	size_t n = o->presets.n ? o->presets.n : 1, i;

	if (check_app(o, names, n, err) < 0)
		return -1;
	if (o->for_duration && when_duration(o->for_duration, &spec.duration_s, err) < 0)
		return -1;
	if (o->until_time && when_until(o->until_time, time(NULL), &spec.removal_at, err) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		spec.presets = &names[i];
		spec.n_presets = 1;
		spec.app = has_use_for_app(names[i]) ? o->app : NULL;
		if (desired_add_spec(out, &spec, err) < 0)
			return -1;
	}
	return 0;
}

/* A signed profile goes to the device as it is; what it says is inside. */
static int
add_file(const char *path, bool is_for_device, bool is_forced, struct desired *out,
    struct error *err)
{
	auto_profile_file struct profile_file f = { 0 };

	if (profile_file_open(path, &f, err) < 0 || mobileconfig_check(path, &f.envelope, err) < 0)
		return -1;
	if (is_for_device && profile_file_admit(&f, is_forced, err) < 0)
		return -1;
	if (desired_add_file(out, &f.raw, &f.envelope.content, err) < 0)
		return error_context(err, "%s", path);
	return 0;
}

static int
add_files(const struct cli *cli, struct desired *out, struct error *err)
{
	const struct texts *files = &cli->options.profiles;
	const char *command = cli->command->name;
	bool is_for_device = strcmp(command, "apply") == 0 || strcmp(command, "plan") == 0;
	size_t i;

	for (i = 0; i < files->n; i++)
		if (add_file(files->items[i], is_for_device, cli->options.force, out, err) < 0)
			return -1;
	return 0;
}

static int
check(const struct cli *cli, struct error *err)
{
	const struct options *o = &cli->options;

	if (o->for_duration && o->until_time)
		return error_set(err, ERR_USAGE, "--for and --until exclude each other");
	if (o->profiles.n && !o->presets.n &&
	    (o->for_duration || o->until_time || o->removable || o->app))
		return error_set(err, ERR_USAGE, "--for, --until, --removable and --app are for "
		    "presets; a profile file has its own");
	return 0;
}

int
desire_check_policy(const struct cli *cli, struct error *err)
{
	const struct options *o = &cli->options;

	if (o->presets.n || o->profiles.n || o->for_duration || o->until_time || o->removable ||
	    o->app || o->is_organization_named || cli->n_args) {
		error_set(err, ERR_USAGE, "--policy says everything that a device should be");
		return error_hint(err, "leave out --preset, --profile, --for, --until, "
		    "--removable, --app, --organization and identifiers");
	}
	return 0;
}

int
desire_from_options(const struct cli *cli, struct desired *out, struct error *err)
{
	const struct options *o = &cli->options;
	bool is_removal = strcmp(cli->command->name, "remove") == 0;
	unsigned i;

	out->digest = digest_sha256;
	if (check(cli, err) < 0)
		return -1;
	/* The preset is the default when nothing else is given. */
	if ((o->presets.n || (!o->profiles.n && !cli->n_args)) && add_presets(cli, out, err) < 0)
		return -1;
	if (add_files(cli, out, err) < 0)
		return -1;
	if (!is_removal)
		return 0;
	if (desired_invert(out, err) < 0)
		return -1;
	for (i = 0; i < cli->n_args; i++)
		if (desired_add_absent(out, cli->args[i], err) < 0)
			return -1;
	return 0;
}
