/* policy_file: YAML, then sense: what libcyaml read becomes a policy */
#include "flow/policy_file.h"

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
#include "crypto/agentclient.h"
#include "crypto/digest.h"
#include "crypto/token.h"
#include "flow/policy_reading.h"

/* ---- findings ---------------------------------------------------------------- */

void
reading_note_at(struct reading *r, bool is_error, struct yaml_mark at, const char *message)
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
	*one = (struct policy_finding){
		.is_error = is_error, .line = at.line, .column = at.column,
	};
	memcpy(one->message, clean, sizeof(one->message));
}

void
reading_note(struct reading *r, bool is_error, const char *at, const char *fmt, ...)
{
	char message[240];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	reading_note_at(r, is_error, yaml_places_near(&r->places, at), message);
}

/* ---- texts ------------------------------------------------------------------------- */

int
reading_take_text(struct reading *r, const char *from, char **to)
{
	if (!from)
		return 0;
	*to = strdup(from);
	return *to ? 0 : error_memory(r->err);
}

int
reading_take_texts(struct reading *r, const struct file_texts *from, struct policy_texts *to)
{
	uint32_t i;

	to->items = calloc(from->n + 1u, sizeof(*to->items));
	if (!to->items)
		return error_memory(r->err);
	for (i = 0; i < from->n; i++) {
		if (reading_take_text(r, from->items[i], &to->items[i]) < 0)
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
		reading_note(r, true, path, "%s is an empty list: leave it out to mean any device",
		    key);
	return reading_take_texts(r, from, to);
}

/* name, relative to the folder of the policy's file, as an absolute path or as it is. */
int
reading_beside(struct reading *r, const char *name, char *out, size_t size)
{
	int n = snprintf(out, size, "%s%s%s", *name == '/' ? "" : r->folder,
	    *name == '/' ? "" : "/", name);

	return n < 0 || (size_t)n >= size ?
	    error_set(r->err, ERR_DATA, "%s: too long a path", name) : 0;
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

		if (text_is_udid(id))
			continue;
		snprintf(path, sizeof(path), "devices.udids[%zu]", i);
		reading_note(r, true, path, "%s is no UDID (40 hexadecimal digits, or 8-16)", id);
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
		reading_note(r, true, "devices.os", "%s", err.message);
	return 0;
}

/* ---- who ------------------------------------------------------------------------------ */

static bool
is_file_reference(const char *ref)
{
	return !token_is_ref(ref) && !agentclient_is_ref(ref);
}

/* "acme.crt,acme.key": each of the two beside the policy. */
static int
take_identity(struct reading *r, const char *ref)
{
	char first[PATH_MAX], second[PATH_MAX], name[PATH_MAX];
	const char *comma = strchr(ref, ',');

	if (!is_file_reference(ref))
		return reading_take_text(r, ref, &r->policy->identity);
	snprintf(name, sizeof(name), "%.*s", comma ? (int)(comma - ref) : PATH_MAX - 1, ref);
	if (reading_beside(r, name, first, sizeof(first)) < 0)
		return -1;
	if (access(first, F_OK) != 0)
		reading_note(r, false, "identity", "%s is not there", first);
	if (!comma)
		return reading_take_text(r, first, &r->policy->identity);
	if (reading_beside(r, comma + 1, second, sizeof(second)) < 0)
		return -1;
	if (asprintf(&r->policy->identity, "%s,%s", first, second) >= 0)
		return 0;
	r->policy->identity = NULL;
	return error_memory(r->err);
}

static int
take_hook(struct reading *r, const char *key, const char *program, char **out)
{
	if (program && *program != '/')
		reading_note(r, true, key,
		    "%s must be an absolute path: no shell looks for it", key);
	else if (program && access(program, X_OK) != 0)
		reading_note(r, false, key, "%s cannot be executed", program);
	return reading_take_text(r, program, out);
}

static void
take_privacy(struct reading *r)
{
	const struct file_privacy none = { 0 }, *f = r->file->privacy ? r->file->privacy : &none;
	static const char wrong[] = "%s is none of keep, omit and hash";

	if (!privacy_mode_read(f->names, &r->policy->name_privacy))
		reading_note(r, true, "privacy.names", wrong, f->names);
	if (!privacy_mode_read(f->serials, &r->policy->serial_privacy))
		reading_note(r, true, "privacy.serials", wrong, f->serials);
}

static int
take_names(struct reading *r)
{
	const char *allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	const struct file_policy *f = r->file;
	struct policy *p = r->policy;
	char path[PATH_MAX];

	if (f->version != 1)
		reading_note(r, true, "version",
		    "version %lld is not known: this program knows version 1",
		    (long long)f->version);
	if (f->name[strspn(f->name, allowed)])
		reading_note(r, true, "name",
		    "a name has letters, digits, dots, dashes and underscores only");
	if (f->identity && take_identity(r, f->identity) < 0)
		return -1;
	if (f->passphrase_file && (reading_beside(r, f->passphrase_file, path, sizeof(path)) < 0 ||
	    reading_take_text(r, path, &p->passphrase_file) < 0))
		return -1;
	p->is_removable = f->removable;
	take_privacy(r);
	return reading_take_text(r, r->path, &p->path) < 0 ||
	    reading_take_text(r, f->name, &p->name) < 0 ||
	    reading_take_text(r, f->organization, &p->organization) < 0 ||
	    take_hook(r, "on-attach", f->on_attach, &p->on_attach) < 0 ||
	    take_hook(r, "on-verdict", f->on_verdict, &p->on_verdict) < 0 ||
	    take_hook(r, "on-detach", f->on_detach, &p->on_detach) < 0 ? -1 : 0;
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

static void
find_folder(struct reading *r)
{
	auto_free char *whole = realpath(r->path, NULL);

	snprintf(r->folder, sizeof(r->folder), "%s", whole ? dirname(whole) : ".");
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
	if (file_read(path, POLICY_FILE_MAX, FILE_ANY, &bytes, err) < 0)
		return -1;
	find_folder(&r);
	r.policy = calloc(1, sizeof(*r.policy));
	if (!r.policy)
		return error_memory(err);
	put_digest(&bytes, r.policy->sha256);
	if (reading_yaml(&r, &bytes) < 0 || take_names(&r) < 0 || take_devices(&r) < 0 ||
	    reading_window(&r) < 0 || reading_profiles(&r) < 0 || r.findings->errors > 0)
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
