/* config: defaults from chaperone.yaml, read by libcyaml */
#include "cli/config.h"

#include <cyaml/cyaml.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/options.h"
#include "device/usbport.h"
#include "flow/yaml_places.h"
#include "station/slots.h"
#include "store/privacy.h"
#include "wire/mux.h"

enum { CONFIG_MAX = 1 << 20 };

struct config_slot {
	char		*name, *port;
};

struct config_privacy {
	char		*names, *serials, *udids, *key_file;
};

struct config {
	char		*identity;
	char		*passphrase_file;
	char		*organization;
	int64_t		 jobs, timeout, wait;
	char		*on_attach, *on_verdict, *on_detach;
	struct config_slot *slots;
	uint32_t	 n_slots;
	struct config_privacy *privacy;
};

static struct config *loaded;
static struct slots slots;
static struct privacy privacy;

static const cyaml_schema_field_t slot_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct config_slot, name, 1, 63),
	CYAML_FIELD_STRING_PTR("port", CYAML_FLAG_POINTER, struct config_slot, port, 1, 159),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t slot_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_slot, slot_fields),
};

#define OPTIONAL	(CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

static const cyaml_schema_field_t privacy_fields[] = {
	CYAML_FIELD_STRING_PTR("names", OPTIONAL, struct config_privacy, names, 1, 16),
	CYAML_FIELD_STRING_PTR("serials", OPTIONAL, struct config_privacy, serials, 1, 16),
	CYAML_FIELD_STRING_PTR("udids", OPTIONAL, struct config_privacy, udids, 1, 16),
	CYAML_FIELD_STRING_PTR("key-file", OPTIONAL, struct config_privacy, key_file, 1, 4096),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_STRING_PTR("identity", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config,
	    identity, 1, 4096),
	CYAML_FIELD_STRING_PTR("passphrase-file", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	    struct config, passphrase_file, 1, 4096),
	CYAML_FIELD_STRING_PTR("organization", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	    struct config, organization, 1, 256),
	CYAML_FIELD_INT("jobs", CYAML_FLAG_OPTIONAL, struct config, jobs),
	CYAML_FIELD_INT("timeout", CYAML_FLAG_OPTIONAL, struct config, timeout),
	CYAML_FIELD_INT("wait", CYAML_FLAG_OPTIONAL, struct config, wait),
	CYAML_FIELD_STRING_PTR("on-attach", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config,
	    on_attach, 1, 4096),
	CYAML_FIELD_STRING_PTR("on-verdict", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	    struct config, on_verdict, 1, 4096),
	CYAML_FIELD_STRING_PTR("on-detach", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config,
	    on_detach, 1, 4096),
	CYAML_FIELD_MAPPING_PTR("privacy", OPTIONAL, struct config, privacy, privacy_fields),
	CYAML_FIELD_SEQUENCE_COUNT("slots", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config,
	    slots, n_slots, &slot_schema, 0, SLOTS_MAX),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config, fields),
};

/* libcyaml tells where and what through its log: the last lines are kept. */
struct complaint {
	char	text[ERROR_MESSAGE_MAX];
};

static void
keep_complaint(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));

static void
keep_complaint(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
	struct complaint *c = ctx;
	char line[ERROR_MESSAGE_MAX], *said = line;
	size_t used = strlen(c->text);

	if (level < CYAML_LOG_ERROR)
		return;
	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(said, "Load: ", 6) == 0)
		said += 6;
	said += strspn(said, " ");
	/* Where it is comes innermost first, and that says it all. */
	if (strncmp(said, "Backtrace", 9) == 0 || strstr(c->text, "(line: "))
		return;
	snprintf(c->text + used, sizeof(c->text) - used, "%s%s", used ? ", " : "", said);
}

static const char *
nearest_key(const char *key)
{
	const cyaml_schema_field_t *const all[] = { fields, privacy_fields }, *f;
	const char *nearest = NULL;
	size_t best = 3, i;

	for (i = 0; i < countof(all); i++)
		for (f = all[i]; f->key; f++) {
			size_t d = text_distance(key, f->key, best);

			nearest = d < best ? f->key : nearest;
			best = d < best ? d : best;
		}
	return nearest;
}

/*
 * libcyaml names the place of the value before: the key itself is looked for.
 * said: "key, in ..."
 */
static void
tell_unknown_key(const char *path, const struct blob *bytes, const char *said, struct error *err)
{
	auto_yaml_places struct yaml_places places = { 0 };
	struct error no = { 0 };
	struct yaml_mark at;
	const char *nearest;
	char key[64];
	size_t i;

	snprintf(key, sizeof(key), "%.*s", (int)strcspn(said, ", "), said);
	nearest = nearest_key(key);
	if (yaml_places_read(bytes->data, bytes->len, &places, &at, &no) < 0)
		return;
	for (i = 0; i < places.n; i++) {
		const char *last = strrchr(places.items[i].path, '.');

		if (strcmp(last ? last + 1 : places.items[i].path, key) != 0)
			continue;
		at = places.items[i].key;
		error_set(err, ERR_DATA, "%s: line %u, column %u: unknown key %s%s%s%s", path,
		    at.line, at.column, key, nearest ? "; did you mean " : "",
		    nearest ? nearest : "", nearest ? "?" : "");
		return;
	}
}

static const char UNKNOWN_KEY[] = "Unexpected key: ";

static int
parse(const char *path, const struct blob *bytes, struct error *err)
{
	struct complaint complaint = { "" };
	const cyaml_config_t how = {
		.log_fn = keep_complaint, .log_ctx = &complaint, .log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem,
	};
	cyaml_err_t rc;

	rc = cyaml_load_data(bytes->data, bytes->len, &how, &schema,
	    (cyaml_data_t **)&loaded, NULL);
	if (rc == CYAML_OK)
		return 0;
	error_set(err, ERR_DATA, "%s: %s", path,
	    *complaint.text ? complaint.text : cyaml_strerror(rc));
	if (strncmp(complaint.text, UNKNOWN_KEY, strlen(UNKNOWN_KEY)) == 0)
		tell_unknown_key(path, bytes, complaint.text + strlen(UNKNOWN_KEY), err);
	return -1;
}

static int
check_range(const char *path, const char *key, int64_t n, int64_t max, struct error *err)
{
	return n >= 0 && n <= max ? 0 :
	    error_set(err, ERR_DATA, "%s: %s is a number up to %lld", path, key, (long long)max);
}

static int
take_slots(const char *path, struct error *err)
{
	uint32_t i;

	for (i = 0; i < loaded->n_slots; i++)
		if (slots_add(&slots, loaded->slots[i].name, loaded->slots[i].port, err) < 0)
			return error_context(err, "%s", path);
	return 0;
}

const struct slots *
config_slots(void)
{
	return slots.n ? &slots : NULL;
}

int
config_copy_slots(struct slots *out, struct error *err)
{
	size_t i;

	for (i = 0; i < slots.n; i++)
		if (slots_add(out, slots.items[i].name, slots.items[i].port, err) < 0)
			return -1;
	return 0;
}

struct station_hooks
config_hooks(void)
{
	if (!loaded)
		return (struct station_hooks){ 0 };
	return (struct station_hooks){ loaded->on_attach, loaded->on_verdict, loaded->on_detach };
}

const char *
config_slot_of(void *slot_ctx, const struct mux_device *device)
{
	struct usbport port;

	/* Where the kernel knows nothing, the location is the port's name. */
	(void)usbport_of_location(device->location, &port);
	return slots_name(slot_ctx, &port);
}

static int
check_hooks(const char *path, struct error *err)
{
	const char *const hooks[] = { loaded->on_attach, loaded->on_verdict, loaded->on_detach };
	size_t i;

	for (i = 0; i < countof(hooks); i++)
		if (hooks[i] && hooks[i][0] != '/')
			return error_set(err, ERR_DATA, "%s: %s is no absolute path",
			    path, hooks[i]);
	return 0;
}

static int
take_privacy(const char *path, struct error *err)
{
	const struct config_privacy *p = loaded->privacy;

	if (!p)
		return 0;
	if (!privacy_mode_read(p->names, &privacy.names) ||
	    !privacy_mode_read(p->serials, &privacy.serials) ||
	    !privacy_mode_read(p->udids, &privacy.udids))
		return error_set(err, ERR_DATA, "%s: privacy is keep, omit or hash", path);
	if (privacy.udids == PRIVACY_OMIT)
		return error_set(err, ERR_DATA, "%s: privacy: udids cannot be omitted, "
		    "or no device could be told from another", path);
	return 0;
}

const struct privacy *
config_privacy(void)
{
	return &privacy;
}

const char *
config_privacy_key(void)
{
	return loaded && loaded->privacy ? loaded->privacy->key_file : NULL;
}

static int
check(const char *path, struct error *err)
{
	if (check_range(path, "jobs", loaded->jobs, 512, err) < 0 ||
	    check_range(path, "timeout", loaded->timeout, 86400, err) < 0 ||
	    check_range(path, "wait", loaded->wait, 86400, err) < 0)
		return -1;
	return check_hooks(path, err) < 0 || take_privacy(path, err) < 0 ? -1 :
	    take_slots(path, err);
}

void
config_release(void)
{
	const cyaml_config_t how = { .mem_fn = cyaml_mem };

	if (loaded)
		cyaml_free(&how, &schema, loaded, 0);
	loaded = NULL;
	slots_clear(&slots);
	privacy = (struct privacy){ .key = NULL };
}

/* 1: read; 0: there is none, which is fine unless it was asked for. */
static int
load_file(const char *path, bool is_asked_for, struct error *err)
{
	auto_blob struct blob bytes = { 0 };

	if (!is_asked_for && access(path, F_OK) != 0)
		return 0;
	if (file_read(path, CONFIG_MAX, FILE_ANY, &bytes, err) < 0 || parse(path, &bytes, err) < 0)
		return -1;
	/* Nothing but comments is read as nothing. */
	return loaded && check(path, err) < 0 ? -1 : 1;
}

static int
load_default(struct error *err)
{
	const char *home = getenv("XDG_CONFIG_HOME");
	const char *folder = home && *home == '/' ? "" : "/.config";
	auto_free char *path = NULL;
	int rc;

	rc = load_file(SYSCONFDIR "/chaperone/chaperone.yaml", false, err);
	if (rc != 0)
		return rc;
	if (!*folder || (home = getenv("HOME")) != NULL) {
		if (asprintf(&path, "%s%s/chaperone/chaperone.yaml", home, folder) < 0) {
			path = NULL;
			return error_memory(err);
		}
		return load_file(path, false, err);
	}
	return 0;
}

int
config_load(struct options *o, struct error *err)
{
	int rc = o->config ? load_file(o->config, true, err) : load_default(err);
	const char *identity = getenv("CHAPERONE_IDENTITY"), *agent = getenv("CHAPERONE_AGENT");

	if (rc < 0)
		return -1;
	if (!o->identity && identity && *identity)
		o->identity = identity;
	if (!o->identity && agent && *agent)
		o->identity = "agent:";
	if (!loaded)
		return 0;
	o->identity = o->identity ? o->identity : loaded->identity;
	o->passphrase_file = o->passphrase_file ? o->passphrase_file : loaded->passphrase_file;
	o->organization = o->organization ? o->organization : loaded->organization;
	if (o->jobs < 0 && loaded->jobs)
		o->jobs = loaded->jobs;
	if (o->timeout_s < 0 && loaded->timeout)
		o->timeout_s = loaded->timeout;
	if (o->wait_s < 0 && loaded->wait)
		o->wait_s = loaded->wait;
	return 0;
}
