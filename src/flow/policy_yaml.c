/* policy_yaml: a policy's YAML by libcyaml, whose complaints become findings */
#include "flow/policy_reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/blob.h"
#include "base/error.h"
#include "base/text.h"

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

/* "; did you mean devices?", or, where none is near, those that there are. */
static void
suggest_key(const cyaml_schema_field_t *fields, const char *key, char *out, size_t size)
{
	const cyaml_schema_field_t *f;
	const char *nearest = NULL;
	size_t best = 3, used;

	for (f = fields; f->key; f++) {
		size_t d = text_distance(key, f->key, best);

		if (d < best) {
			best = d;
			nearest = f->key;
		}
	}
	if (nearest) {
		snprintf(out, size, "; did you mean %s?", nearest);
		return;
	}
	used = (size_t)snprintf(out, size, "; here are known: ");
	for (f = fields; f->key && used < size; f++)
		used += (size_t)snprintf(out + used, size - used, "%s%s",
		    f == fields ? "" : ", ", f->key);
}

static void
note_unknown_key(struct reading *r, const char *container, const char *key)
{
	char path[1024], suggestion[180], message[240];
	const struct yaml_place *place;

	suggest_key(policy_schema_fields(container), key, suggestion, sizeof(suggestion));
	snprintf(path, sizeof(path), "%s%s%s", container, *container ? "." : "", key);
	place = yaml_places_find(&r->places, path);
	snprintf(message, sizeof(message), "unknown key %.40s%s", key, suggestion);
	reading_note_at(r, true,
	    place ? place->key : yaml_places_near(&r->places, container), message);
}

/* "Expecting SEQUENCE, got event: SCALAR"; false: it is another complaint. */
static bool
note_wrong_kind(struct reading *r, const char *path, const char *text)
{
	static const struct {
		const char	*its, *ours;
	} rows[] = {
		{ "SEQUENCE", "a list, as in [a, b]," },
		{ "MAPPING", "a mapping, as in {key: value}," },
		{ "STRING", "a single text" }, { "INT", "a number" }, { "ENUM", "yes or no" },
	};
	const char *key = strrchr(path, '.');
	char kind[32];
	size_t i;

	if (sscanf(text, "Expecting %31[A-Z], got event", kind) != 1)
		return false;
	for (i = 0; i < countof(rows); i++) {
		if (strcmp(kind, rows[i].its) != 0)
			continue;
		key = key ? key + 1 : path;
		reading_note(r, true, path, "%s%s%s is wanted here",
		    key, *key ? ": " : "", rows[i].ours);
		return true;
	}
	return false;
}

/* Its words are for programmers: those of the most frequent mistakes are changed. */
static void
note_complaint(struct reading *r, const struct complaint *c, const char *fallback)
{
	static const char UNKNOWN_KEY[] = "Unexpected key: ";
	static const char MISSING[] = "Missing required mapping field: ";
	static const char NO_WORD[] = "Invalid ENUM value: ";	/* all of ours are yes or no */
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

		reading_note(r, true, is_of_window ? "window" : "", "%s is missing", key);
	} else if (strncmp(c->text, NO_WORD, strlen(NO_WORD)) == 0) {
		reading_note(r, true, path, "%s is neither yes nor no", c->text + strlen(NO_WORD));
	} else if (!note_wrong_kind(r, path, c->text)) {
		reading_note(r, true, path, "%s", *c->text ? c->text : fallback);
	}
}

int
reading_yaml(struct reading *r, const struct blob *bytes)
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
		reading_note_at(r, true, at, err.message);
		return -1;
	}
	rc = cyaml_load_data(bytes->data, bytes->len, &how, &policy_schema,
	    (cyaml_data_t **)&r->file, NULL);
	if (rc == CYAML_OK && r->file)
		return 0;
	note_complaint(r, &complaint, rc == CYAML_OK ? "the file is empty" : cyaml_strerror(rc));
	return -1;
}
