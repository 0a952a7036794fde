/* yaml_places: libyaml's events, each with the path that leads to it */
#include "flow/yaml_places.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/error.h"
#include "base/text.h"

enum { PATH_SIZE = 512 };

/* One mapping or sequence that is open. */
struct level {
	bool			is_sequence, has_key;
	size_t			index;
	size_t			path_len;	/* of the container itself */
	struct yaml_mark	key;
};

struct walk {
	yaml_parser_t		 parser;
	struct yaml_places	*places;
	struct level		 levels[YAML_DEPTH_MAX];
	size_t			 depth, documents;
	char			 path[PATH_SIZE];
	struct yaml_mark	*at;
};

static struct yaml_mark
mark_of(yaml_mark_t m)
{
	return (struct yaml_mark){ (unsigned)m.line + 1, (unsigned)m.column + 1 };
}

void
yaml_places_clear(struct yaml_places *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		free(p->items[i].path);
	free(p->items);
	*p = (struct yaml_places){ 0 };
}

const struct yaml_place *
yaml_places_find(const struct yaml_places *p, const char *path)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (strcmp(p->items[i].path, path) == 0)
			return &p->items[i];
	return NULL;
}

struct yaml_mark
yaml_places_near(const struct yaml_places *p, const char *path)
{
	char shorter[PATH_SIZE];
	size_t len;

	snprintf(shorter, sizeof(shorter), "%s", path);
	for (len = strlen(shorter); len > 0; len--) {
		const struct yaml_place *place;

		if (shorter[len] != '\0' && shorter[len] != '.' && shorter[len] != '[')
			continue;
		shorter[len] = '\0';
		place = yaml_places_find(p, shorter);
		if (place)
			return place->value;
	}
	return (struct yaml_mark){ 1, 1 };
}

/* ---- walking ---------------------------------------------------------------- */

static int
refuse(struct walk *w, yaml_mark_t where, const char *what, struct error *err)
{
	*w->at = mark_of(where);
	return error_set(err, ERR_DATA, "%s", what);
}

static int
note_place(struct walk *w, struct yaml_mark key, yaml_mark_t where, struct error *err)
{
	struct yaml_places *p = w->places;
	struct yaml_place *grown;

	if (p->n == YAML_PLACES_MAX)
		return refuse(w, where, "more values than any policy has", err);
	grown = reallocarray(p->items, p->n + 1, sizeof(*grown));
	if (!grown)
		return error_memory(err);
	p->items = grown;
	grown[p->n] = (struct yaml_place){ strdup(w->path), key, mark_of(where) };
	if (!grown[p->n].path)
		return error_memory(err);
	p->n++;
	return 0;
}

/* Puts what leads to the next value behind the path of its container. */
static int
extend_path(struct walk *w, yaml_mark_t where, const char *key, struct error *err)
{
	struct level *l = &w->levels[w->depth - 1];
	char *end = w->path + l->path_len;
	size_t room = sizeof(w->path) - l->path_len;
	int n = key ? snprintf(end, room, "%s%s", l->path_len ? "." : "", key) :
	    snprintf(end, room, "[%zu]", l->index);

	return n < 0 || (size_t)n >= room ? refuse(w, where, "too long a key", err) : 0;
}

static int
take_key(struct walk *w, const yaml_event_t *e, struct error *err)
{
	struct level *l = &w->levels[w->depth - 1];
	char clean[128], message[192];

	if (e->type != YAML_SCALAR_EVENT)
		return refuse(w, e->start_mark, "a key must be a plain text", err);
	text_printable((const char *)e->data.scalar.value, e->data.scalar.length,
	    clean, sizeof(clean));
	if (extend_path(w, e->start_mark, clean, err) < 0)
		return -1;
	if (yaml_places_find(w->places, w->path)) {
		snprintf(message, sizeof(message), "%s is given twice", clean);
		return refuse(w, e->start_mark, message, err);
	}
	l->has_key = true;
	l->key = mark_of(e->start_mark);
	return 0;
}

/* A value begins: notes where. */
static int
begin_value(struct walk *w, const yaml_event_t *e, struct error *err)
{
	struct level *l = w->depth ? &w->levels[w->depth - 1] : NULL;
	struct yaml_mark key = mark_of(e->start_mark);

	if (!l)
		return 0;
	if (l->is_sequence && extend_path(w, e->start_mark, NULL, err) < 0)
		return -1;
	if (!l->is_sequence)
		key = l->key;
	l->index++;
	l->has_key = false;
	return note_place(w, key, e->start_mark, err);
}

static int
open_level(struct walk *w, const yaml_event_t *e, struct error *err)
{
	if (begin_value(w, e, err) < 0)
		return -1;
	if (w->depth == YAML_DEPTH_MAX)
		return refuse(w, e->start_mark, "nested too deep", err);
	w->levels[w->depth++] = (struct level){
		.is_sequence = e->type == YAML_SEQUENCE_START_EVENT, .path_len = strlen(w->path),
	};
	return 0;
}

static bool
has_tag(const yaml_event_t *e)
{
	return (e->type == YAML_SCALAR_EVENT && (e->data.scalar.tag || e->data.scalar.anchor)) ||
	    (e->type == YAML_MAPPING_START_EVENT &&
	    (e->data.mapping_start.tag || e->data.mapping_start.anchor)) ||
	    (e->type == YAML_SEQUENCE_START_EVENT &&
	    (e->data.sequence_start.tag || e->data.sequence_start.anchor));
}

static bool
wants_key(const struct walk *w)
{
	return w->depth && !w->levels[w->depth - 1].is_sequence && !w->levels[w->depth - 1].has_key;
}

static int
take_event(struct walk *w, const yaml_event_t *e, struct error *err)
{
	if (e->type == YAML_ALIAS_EVENT || has_tag(e))
		return refuse(w, e->start_mark,
		    "anchors, aliases and tags have no place in a policy", err);
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		return w->documents++ ?
		    refuse(w, e->start_mark, "a second document begins", err) : 0;
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		w->path[w->levels[--w->depth].path_len] = '\0';
		return 0;
	case YAML_SCALAR_EVENT:
		return wants_key(w) ? take_key(w, e, err) : begin_value(w, e, err);
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT:
		return wants_key(w) ? take_key(w, e, err) : open_level(w, e, err);
	default:
		return 0;
	}
}

static int
walk_all(struct walk *w, struct error *err)
{
	bool is_over = false;

	while (!is_over) {
		yaml_event_t e;
		int rc;

		if (!yaml_parser_parse(&w->parser, &e))
			return refuse(w, w->parser.problem_mark,
			    w->parser.problem ? w->parser.problem : "this is no YAML", err);
		is_over = e.type == YAML_STREAM_END_EVENT;
		rc = take_event(w, &e, err);
		yaml_event_delete(&e);
		if (rc < 0)
			return -1;
	}
	return w->documents ? 0 : refuse(w, (yaml_mark_t){ 0 }, "the file is empty", err);
}

int
yaml_places_read(const void *data, size_t len, struct yaml_places *out, struct yaml_mark *at,
    struct error *err)
{
	struct walk w = { .places = out, .at = at };
	int rc;

	*at = (struct yaml_mark){ 1, 1 };
	if (!yaml_parser_initialize(&w.parser))
		return error_memory(err);
	yaml_parser_set_encoding(&w.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&w.parser, data, len);
	rc = walk_all(&w, err);
	yaml_parser_delete(&w.parser);
	return rc;
}
