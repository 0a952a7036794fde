/* policy_file: YAML, then sense: what libcyaml read becomes a policy */
#include "flow/policy_file.h"

#include <ctype.h>
#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "core/desired.h"
#include "core/preset.h"
#include "crypto/digest.h"
#include "flow/policy_schema.h"
#include "flow/profile_file.h"
#include "flow/yaml_places.h"

#define ZONES	"/usr/share/zoneinfo"

/* A file that is being read. */
struct reading {
	const char		*path;
	char			 folder[PATH_MAX];	/* where it lies */
	struct yaml_places	 places;
	struct policy_findings	*findings;
	struct file_policy	*file;
	struct policy		*policy;
	struct error		*err;	/* out of memory, or a first error */
};

/* ---- findings ---------------------------------------------------------------- */

static void
note_at(struct reading *r, bool is_error, struct yaml_mark at, const char *message)
{
	struct policy_findings *f = r->findings;
	struct policy_finding *one;
	char clean[240];

	text_printable(message, strlen(message), clean, sizeof(clean));
	if (is_error && f->errors++ == 0)
		error_set(r->err, ERR_DATA, "%s:%u:%u: %s", r->path, at.line, at.column, clean);
	if (f->n == POLICY_FINDINGS_MAX) {
		f->left_out++;
		return;
	}
	one = &f->items[f->n++];
	*one = (struct policy_finding){ .is_error = is_error, .line = at.line, .column = at.column };
	memcpy(one->message, clean, sizeof(one->message));
}

static void note(struct reading *r, bool is_error, const char *at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void
note(struct reading *r, bool is_error, const char *at, const char *fmt, ...)
{
	char message[240];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	note_at(r, is_error, yaml_places_near(&r->places, at), message);
}

/* ---- what libcyaml says --------------------------------------------------------- */

/* Its log: a message, then where, the innermost first. */
struct complaint {
	char	text[300];
	char	where[8][80];		/* "devices", "[1]" */
	size_t	n;
};

static void keep_complaint(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));

static void
keep_complaint(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
	struct complaint *c = ctx;
	char line[300], name[64];
	unsigned index;

	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	if (level < CYAML_LOG_ERROR || strstr(line, "Backtrace:"))
		return;
	if (c->n < countof(c->where) && sscanf(line, "  in mapping field '%63[^']'", name) == 1)
		snprintf(c->where[c->n++], sizeof(c->where[0]), "%s", name);
	else if (c->n < countof(c->where) && sscanf(line, "  in sequence entry '%u'", &index) == 1)
		snprintf(c->where[c->n++], sizeof(c->where[0]), "[%u]", index ? index - 1 : 0);
	else if (strncmp(line, "Load: ", 6) == 0 && !*c->text)
		snprintf(c->text, sizeof(c->text), "%s", line + 6);
}

/* From the outermost to the innermost: "profiles[1].file". */
static void
complaint_path(const struct complaint *c, char *out, size_t size)
{
	size_t i, used = 0;

	*out = '\0';
	for (i = c->n; i > 0 && used < size; i--)
		used += (size_t)snprintf(out + used, size - used, "%s%s",
		    used && *c->where[i - 1] != '[' ? "." : "", c->where[i - 1]);
}

static void
note_unknown_key(struct reading *r, const char *container, const char *key)
{
	const cyaml_schema_field_t *f = policy_schema_fields(container);
	const char *nearest = NULL;
	const struct yaml_place *place;
	char path[1024], message[240];
	size_t best = 3;

	for (; f->key; f++) {
		size_t d = text_distance(key, f->key, best);

		if (d < best) {
			best = d;
			nearest = f->key;
		}
	}
	snprintf(path, sizeof(path), "%s%s%s", container, *container ? "." : "", key);
	place = yaml_places_find(&r->places, path);
	snprintf(message, sizeof(message), nearest ? "unknown key %s; did you mean %s?" :
	    "unknown key %s", key, nearest);
	note_at(r, true, place ? place->key : yaml_places_near(&r->places, container), message);
}

/* Its words are for programmers: those of the most frequent mistakes are changed. */
static void
note_complaint(struct reading *r, const struct complaint *c, const char *fallback)
{
	static const char UNKNOWN_KEY[] = "Unexpected key: ", MISSING[] = "Missing required mapping field: ";
	char path[300];

	complaint_path(c, path, sizeof(path));
	if (strncmp(c->text, UNKNOWN_KEY, strlen(UNKNOWN_KEY)) == 0) {
		const char *key = c->text + strlen(UNKNOWN_KEY);
		const struct yaml_place *whole = yaml_places_find(&r->places, key);

		/* At the top its backtrace names the field before. */
		note_unknown_key(r, whole ? "" : path, key);
	} else if (strncmp(c->text, MISSING, strlen(MISSING)) == 0) {
		const char *key = c->text + strlen(MISSING);
		bool is_of_window = strncmp(path, "window", 6) == 0;

		note(r, true, is_of_window ? "window" : "", "%s is missing", key);
	} else {
		note(r, true, path, "%s", *c->text ? c->text : fallback);
	}
}

static int
read_yaml(struct reading *r, const struct blob *bytes)
{
	struct complaint complaint = { 0 };
	const cyaml_config_t how = {
		.log_fn = keep_complaint, .log_ctx = &complaint, .log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem, .flags = CYAML_CFG_NO_ALIAS,
	};
	struct error err = { 0 };
	struct yaml_mark at;
	cyaml_err_t rc;

	if (yaml_places_read(bytes->data, bytes->len, &r->places, &at, &err) < 0) {
		if (err.kind != ERR_DATA) {
			*r->err = err;
			return -1;
		}
		note_at(r, true, at, err.message);
		return -1;
	}
	rc = cyaml_load_data(bytes->data, bytes->len, &how, &policy_schema,
	    (cyaml_data_t **)&r->file, NULL);
	if (rc == CYAML_OK && r->file)
		return 0;
	note_complaint(r, &complaint, rc == CYAML_OK ? "the file is empty" : cyaml_strerror(rc));
	return -1;
}

/* ---- texts ------------------------------------------------------------------------- */

static int
take_text(struct reading *r, const char *from, char **to)
{
	if (!from)
		return 0;
	*to = strdup(from);
	return *to ? 0 : error_memory(r->err);
}

static int
take_texts(struct reading *r, const struct file_texts *from, struct policy_texts *to)
{
	uint32_t i;

	to->items = calloc(from->n + 1u, sizeof(*to->items));
	if (!to->items)
		return error_memory(r->err);
	for (i = 0; i < from->n; i++) {
		if (take_text(r, from->items[i], &to->items[i]) < 0)
			return -1;
		to->n++;
	}
	return 0;
}

/* A list that is given and empty matches nothing: surely not what was meant. */
static int
take_condition(struct reading *r, const char *key, const struct file_texts *from,
    struct policy_texts *to)
{
	char path[64];

	snprintf(path, sizeof(path), "devices.%s", key);
	if (from->n == 0 && yaml_places_find(&r->places, path))
		note(r, true, path, "%s is an empty list: leave it out to mean any device", key);
	return take_texts(r, from, to);
}

/* name, relative to the folder of the policy's file, as an absolute path or as it is. */
static int
beside(struct reading *r, const char *name, char *out, size_t size)
{
	int n = snprintf(out, size, "%s%s%s", *name == '/' ? "" : r->folder,
	    *name == '/' ? "" : "/", name);

	return n < 0 || (size_t)n >= size ? error_set(r->err, ERR_DATA, "%s: too long a path", name) : 0;
}

/* ---- conditions ---------------------------------------------------------------------- */

static void
check_udids(struct reading *r)
{
	const struct policy_texts *udids = &r->policy->udids;
	char path[64];
	size_t i;

	for (i = 0; i < udids->n; i++) {
		const char *id = udids->items[i];
		size_t len = strlen(id);

		if ((len == 40 || len == 25 || len == 24) &&
		    strspn(id, "0123456789abcdefABCDEF-") == len)
			continue;
		snprintf(path, sizeof(path), "devices.udids[%zu]", i);
		note(r, true, path, "%s is no UDID (40 hexadecimal digits, or 8-16)", id);
	}
}

static int
take_devices(struct reading *r)
{
	const struct file_devices none = { 0 }, *d = r->file->devices ? r->file->devices : &none;
	struct policy *p = r->policy;
	struct error err = { 0 };

	if (take_condition(r, "supervised-by", &d->supervised_by, &p->organizations) < 0 ||
	    take_condition(r, "serials", &d->serials, &p->serials) < 0 ||
	    take_condition(r, "products", &d->products, &p->products) < 0 ||
	    take_condition(r, "udids", &d->udids, &p->udids) < 0 ||
	    take_condition(r, "slots", &d->slots, &p->slots) < 0)
		return -1;
	check_udids(r);
	if (d->os && osrange_parse(d->os, &p->os, &err) < 0)
		note(r, true, "devices.os", "%s", err.message);
	return 0;
}

/* ---- who ------------------------------------------------------------------------------ */

static bool
is_file_reference(const char *ref)
{
	return strncmp(ref, "pkcs11:", 7) != 0 && strncmp(ref, "agent:", 6) != 0;
}

/* "acme.crt,acme.key": each of the two beside the policy. */
static int
take_identity(struct reading *r, const char *ref)
{
	char first[PATH_MAX], second[PATH_MAX], name[PATH_MAX];
	const char *comma = strchr(ref, ',');

	if (!is_file_reference(ref))
		return take_text(r, ref, &r->policy->identity);
	snprintf(name, sizeof(name), "%.*s", comma ? (int)(comma - ref) : PATH_MAX - 1, ref);
	if (beside(r, name, first, sizeof(first)) < 0)
		return -1;
	if (access(first, F_OK) != 0)
		note(r, false, "identity", "%s is not there", first);
	if (!comma)
		return take_text(r, first, &r->policy->identity);
	if (beside(r, comma + 1, second, sizeof(second)) < 0)
		return -1;
	return asprintf(&r->policy->identity, "%s,%s", first, second) < 0 ? error_memory(r->err) : 0;
}

static int
take_hook(struct reading *r, const char *key, const char *program, char **out)
{
	if (program && *program != '/')
		note(r, true, key, "%s must be an absolute path: no shell looks for it", key);
	else if (program && access(program, X_OK) != 0)
		note(r, false, key, "%s cannot be executed", program);
	return take_text(r, program, out);
}

static void
take_privacy(struct reading *r)
{
	const struct file_privacy none = { 0 }, *f = r->file->privacy ? r->file->privacy : &none;
	static const char wrong[] = "%s is none of keep, omit and hash";

	if (!privacy_mode_read(f->names, &r->policy->name_privacy))
		note(r, true, "privacy.names", wrong, f->names);
	if (!privacy_mode_read(f->serials, &r->policy->serial_privacy))
		note(r, true, "privacy.serials", wrong, f->serials);
}

static int
take_names(struct reading *r)
{
	const struct file_policy *f = r->file;
	struct policy *p = r->policy;
	char path[PATH_MAX];

	if (f->version != 1)
		note(r, true, "version", "version %lld is not known: this program knows version 1",
		    (long long)f->version);
	if (f->name[strspn(f->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")])
		note(r, true, "name", "a name has letters, digits, dots, dashes and underscores only");
	if (f->identity && take_identity(r, f->identity) < 0)
		return -1;
	if (f->passphrase_file && (beside(r, f->passphrase_file, path, sizeof(path)) < 0 ||
	    take_text(r, path, &p->passphrase_file) < 0))
		return -1;
	p->is_removable = f->removable;
	take_privacy(r);
	return take_text(r, r->path, &p->path) < 0 || take_text(r, f->name, &p->name) < 0 ||
	    take_text(r, f->organization, &p->organization) < 0 ||
	    take_hook(r, "on-attach", f->on_attach, &p->on_attach) < 0 ||
	    take_hook(r, "on-verdict", f->on_verdict, &p->on_verdict) < 0 ||
	    take_hook(r, "on-detach", f->on_detach, &p->on_detach) < 0 ? -1 : 0;
}

/* ---- profiles --------------------------------------------------------------------------- */

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
		note(r, true, at, "%s", err.message);
		return 0;
	}
	return take_text(r, (const char *)identifier.data, &to->identifier);
}

static int
read_profile_file(struct reading *r, const char *at, const char *name, struct policy_profile *to)
{
	auto_profile struct profile profile = { 0 };
	struct error err = { 0 };
	char path[PATH_MAX];

	if (beside(r, name, path, sizeof(path)) < 0 || take_text(r, path, &to->file) < 0)
		return -1;
	if (profile_file_read(path, &to->raw, &to->content, &err) < 0 ||
	    profile_read(to->content.data, to->content.len, digest_sha256, &profile, &err) < 0) {
		note(r, true, at, "%s", err.message);
		return 0;
	}
	return take_text(r, profile.identifier, &to->identifier);
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
		note(r, true, at, "a profile is either a preset or a file");
	if (from->file && from->app)
		note(r, true, at, "app goes with a preset: a file says for itself what it does");
	if (from->file && r->file->window && !from->always)
		note(r, true, at, "a device cannot lift a profile from a file at the window's end: "
		    "say always: true, or use a preset");
	if (from->always && !r->file->window)
		note(r, false, at, "always says nothing without a window");
	if (oldest && r->policy->os.n && osrange_check(&r->policy->os, oldest) == OS_TOO_NEW)
		note(r, false, at, "%s works from %s on; the policy is for older systems only",
		    from->preset, oldest);
}

static int
take_profile(struct reading *r, const struct file_profile *from, size_t i)
{
	struct policy_profile *to = &r->policy->profiles[r->policy->n_profiles++];
	char at[64];
	size_t k;

	check_profile(r, from, i);
	to->is_always = from->always;
	if (take_text(r, from->app, &to->app) < 0 || take_text(r, from->preset, &to->preset) < 0)
		return -1;
	snprintf(at, sizeof(at), "profiles[%zu].%s", i, from->preset ? "preset" : "file");
	if (from->preset && try_preset(r, at, to) < 0)
		return -1;
	if (from->file && !from->preset && read_profile_file(r, at, from->file, to) < 0)
		return -1;
	for (k = 0; to->identifier && k < i; k++)
		if (r->policy->profiles[k].identifier &&
		    strcmp(r->policy->profiles[k].identifier, to->identifier) == 0)
			note(r, true, at, "two profiles are called %s: the second would replace the first",
			    to->identifier);
	return 0;
}

static int
take_profiles(struct reading *r)
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
	if (take_texts(r, &f->absent, &r->policy->absent) < 0)
		return -1;
	for (k = 0; k < r->policy->absent.n; k++) {
		const char *star = strchr(r->policy->absent.items[k], '*');
		char at[64];

		snprintf(at, sizeof(at), "absent[%zu]", k);
		if (star && (star[1] || star == r->policy->absent.items[k]))
			note(r, true, at, "a * stands at the end, behind something");
	}
	if (f->n_profiles == 0 && f->absent.n == 0)
		note(r, false, "", "the policy asks nothing of a device: no profiles, nothing absent");
	return 0;
}

/* ---- the window ---------------------------------------------------------------------------- */

static void
take_days(struct reading *r)
{
	static const char *const names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	const struct file_texts *days = &r->file->window->days;
	char at[64];
	uint32_t i;
	size_t k;

	for (i = 0; i < days->n; i++) {
		snprintf(at, sizeof(at), "window.days[%u]", i);
		for (k = 0; k < countof(names) && strcasecmp(days->items[i], names[k]) != 0; k++)
			continue;
		if (k == countof(names))
			note(r, true, at, "%s is no day: mon, tue, wed, thu, fri, sat, sun", days->items[i]);
		else if (r->policy->window.days[k])
			note(r, false, at, "%s is named twice", days->items[i]);
		if (k < countof(names))
			r->policy->window.days[k] = true;
	}
}

/* "08:00" in minutes; "24:00" is the end of the day. */
static void
take_clock(struct reading *r, const char *at, const char *text, int *out)
{
	int hour, minute, used = 0;

	if (isdigit((unsigned char)*text) && sscanf(text, "%2d:%2d%n", &hour, &minute, &used) == 2 &&
	    !text[used] && strlen(text) >= 4 && isdigit((unsigned char)text[used - 1]) &&
	    isdigit((unsigned char)text[used - 2]) && hour <= 24 && minute < 60 &&
	    60 * hour + minute <= 1440) {
		*out = 60 * hour + minute;
		return;
	}
	note(r, true, at, "%s is no time of day; say \"08:00\", in quotes", text);
}

static int
take_exceptions(struct reading *r)
{
	const struct file_texts *except = &r->file->window->except;
	struct window *w = &r->policy->window;
	char at[64];
	uint32_t i;

	w->except = calloc(except->n + 1u, sizeof(*w->except));
	if (!w->except)
		return error_memory(r->err);
	for (i = 0; i < except->n; i++) {
		snprintf(at, sizeof(at), "window.except[%u]", i);
		if (civil_read(except->items[i], &w->except[w->n_except]))
			w->n_except++;
		else
			note(r, true, at, "%s is no date; say 2026-12-24", except->items[i]);
	}
	return 0;
}

static bool
is_zone_name(const char *name)
{
	return isalpha((unsigned char)*name) && !strstr(name, "..") &&
	    name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/")] ==
	    '\0';
}

static int
take_zone(struct reading *r, const char *name)
{
	auto_blob struct blob bytes = { 0 };
	struct error err = { 0 };
	char path[128];

	snprintf(path, sizeof(path), ZONES "/%s", name);
	if (!is_zone_name(name))
		note(r, true, "window.timezone", "%s is no time zone; say Europe/Berlin", name);
	else if (file_read(path, ZONE_FILE_MAX, FILE_ANY, &bytes, &err) < 0)
		note(r, true, "window.timezone", "the time zone %s is not known here (no %s)", name, path);
	else if (zone_parse(bytes.data, bytes.len, &r->policy->zone, &err) < 0)
		note(r, true, "window.timezone", "%s: %s", path, err.message);
	r->policy->window.zone = &r->policy->zone;
	return take_text(r, name, &r->policy->timezone);
}

static int
take_window(struct reading *r)
{
	const struct file_window *from = r->file->window;
	struct window *w = &r->policy->window;

	if (!from)
		return 0;
	r->policy->has_window = true;
	take_days(r);
	take_clock(r, "window.from", from->from, &w->from_min);
	take_clock(r, "window.to", from->to, &w->to_min);
	if (w->from_min == 1440)
		note(r, true, "window.from", "24:00 is the beginning of the next day: say 00:00");
	if (w->from_min == w->to_min)
		note(r, true, "window.to", "the window ends when it begins; a whole day is "
		    "\"00:00\" to \"24:00\"");
	return take_exceptions(r) < 0 ? -1 : take_zone(r, from->timezone);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void
end_reading(struct reading *r)
{
	const cyaml_config_t how = { .mem_fn = cyaml_mem };

	if (r->file)
		cyaml_free(&how, &policy_schema, r->file, 0);
	yaml_places_clear(&r->places);
	policy_free(r->policy);
}

static int
find_folder(struct reading *r)
{
	auto_free char *whole = realpath(r->path, NULL);

	snprintf(r->folder, sizeof(r->folder), "%s", whole ? dirname(whole) : ".");
	return 0;
}

static void
put_digest(const struct blob *bytes, char out[65])
{
	uint8_t digest[32];

	digest_sha256(bytes->data, bytes->len, digest);
	text_hex(digest, sizeof(digest), out);
}

int
policy_file_load(const char *path, struct policy **out, struct policy_findings *findings,
    struct error *err)
{
	auto_free struct policy_findings *own = calloc(1, sizeof(*own));
	auto_with(end_reading) struct reading r = {
		.path = path, .err = err, .findings = findings ? findings : own,
	};
	auto_blob struct blob bytes = { 0 };

	if (!own)
		return error_memory(err);
	if (file_read(path, POLICY_FILE_MAX, FILE_ANY, &bytes, err) < 0 || find_folder(&r) < 0)
		return -1;
	r.policy = calloc(1, sizeof(*r.policy));
	if (!r.policy)
		return error_memory(err);
	put_digest(&bytes, r.policy->sha256);
	if (read_yaml(&r, &bytes) < 0 || take_names(&r) < 0 || take_devices(&r) < 0 ||
	    take_window(&r) < 0 || take_profiles(&r) < 0 || r.findings->errors > 0)
		return -1;
	*out = steal_pointer(&r.policy);
	return 0;
}

void
policy_free(struct policy *p)
{
	if (!p)
		return;
	policy_clear(p);
	free(p);
}
