/* policy_profiles: what a policy wants on its devices, and what it wants gone */
#include "flow/policy_reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/error.h"
#include "core/preset.h"
#include "crypto/digest.h"
#include "flow/mobileconfig.h"

/* Builds it once, so that what is wrong with it is said now. */
static int
try_preset(struct reading *r, const char *at, struct policy_profile *to)
{
	const struct profile_spec spec = {
		.presets = (const char *const *)&to->preset, .n_presets = 1, .app = to->app,
	};
	auto_blob struct blob built = { 0 }, identifier = { 0 };
	struct error err = { 0 };

	if (profile_build(&spec, digest_sha256, &built, &err) < 0 ||
	    profile_identifier(&spec, &identifier, &err) < 0) {
		reading_note(r, true, at, "%s", err.message);
		return 0;
	}
	return reading_take_text(r, (const char *)identifier.data, &to->identifier);
}

static int
read_profile_file(struct reading *r, const char *at, const char *name, struct policy_profile *to)
{
	auto_profile struct profile profile = { 0 };
	struct error err = { 0 };
	char path[PATH_MAX];

	if (reading_beside(r, name, path, sizeof(path)) < 0 ||
	    reading_take_text(r, path, &to->file) < 0)
		return -1;
	if (mobileconfig_read(path, &to->raw, &to->content, &err) < 0 ||
	    profile_read(to->content.data, to->content.len, digest_sha256, &profile, &err) < 0) {
		reading_note(r, true, at, "%s", err.message);
		return 0;
	}
	return reading_take_text(r, profile.identifier, &to->identifier);
}

static void
check_profile(struct reading *r, const struct file_profile *from, size_t i)
{
	const struct preset *preset = from->preset ? preset_find(from->preset) : NULL;
	const char *oldest = preset && preset->core_ios ? preset->core_ios :
	    preset ? preset->min_ios : NULL;
	char at[64];

	snprintf(at, sizeof(at), "profiles[%zu]", i);
	if (!from->preset == !from->file)
		reading_note(r, true, at, "a profile is either a preset or a file");
	if (from->file && from->app)
		reading_note(r, true, at,
		    "app goes with a preset: a file says for itself what it does");
	if (from->file && r->file->window && !from->always)
		reading_note(r, false, at,
		    "a device cannot lift a profile from a file at the window's end, "
		    "so it stays: say always: true, or use a preset");
	if (from->always && !r->file->window)
		reading_note(r, false, at, "always says nothing without a window");
	if (oldest && r->policy->os.n && osrange_check(&r->policy->os, oldest) == OS_TOO_NEW)
		reading_note(r, false, at,
		    "%s works from %s on; the policy is for older systems only",
		    from->preset, oldest);
}

static int
take_profile(struct reading *r, const struct file_profile *from, size_t i)
{
	struct policy_profile *to = &r->policy->profiles[r->policy->n_profiles++];
	char at[64];
	size_t k;

	check_profile(r, from, i);
	to->is_always = from->always || from->file;
	if (reading_take_text(r, from->app, &to->app) < 0 ||
	    reading_take_text(r, from->preset, &to->preset) < 0)
		return -1;
	snprintf(at, sizeof(at), "profiles[%zu].%s", i, from->preset ? "preset" : "file");
	if (from->preset && try_preset(r, at, to) < 0)
		return -1;
	if (from->file && !from->preset && read_profile_file(r, at, from->file, to) < 0)
		return -1;
	for (k = 0; to->identifier && k < i; k++)
		if (r->policy->profiles[k].identifier &&
		    strcmp(r->policy->profiles[k].identifier, to->identifier) == 0)
			reading_note(r, true, at,
			    "two profiles are called %s: the second would replace the first",
			    to->identifier);
	return 0;
}

int
reading_profiles(struct reading *r)
{
	const struct file_policy *f = r->file;
	uint32_t i;
	size_t k;

	r->policy->profiles = calloc(f->n_profiles + 1u, sizeof(*r->policy->profiles));
	if (!r->policy->profiles)
		return error_memory(r->err);
	for (i = 0; i < f->n_profiles; i++)
		if (take_profile(r, &f->profiles[i], i) < 0)
			return -1;
	if (reading_take_texts(r, &f->absent, &r->policy->absent) < 0)
		return -1;
	for (k = 0; k < r->policy->absent.n; k++) {
		const char *star = strchr(r->policy->absent.items[k], '*');
		char at[64];

		snprintf(at, sizeof(at), "absent[%zu]", k);
		if (star && (star[1] || star == r->policy->absent.items[k]))
			reading_note(r, true, at, "a * stands at the end, behind something");
	}
	if (f->n_profiles == 0 && f->absent.n == 0)
		reading_note(r, false, "",
		    "the policy asks nothing of a device: no profiles, nothing absent");
	return 0;
}
