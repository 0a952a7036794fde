/* json: jansson's objects released by attribute, and read without surprises */
#ifndef STORE_JSON_H
#define STORE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/clean.h"

static inline void
clean_json(json_t **j)
{
	json_decref(*j);
}

#define auto_json	auto_with(clean_json)

/* The text at a, or at a.b; NULL when there is none of that type. */
static inline const char *
json_text(const json_t *object, const char *a, const char *b)
{
	const json_t *found = json_object_get(object, a);

	return json_string_value(b ? json_object_get(found, b) : found);
}

/* Whether object.schema is name. */
static inline bool
json_has_schema(const json_t *object, const char *name)
{
	const char *schema = json_text(object, "schema", NULL);

	return schema && strcmp(schema, name) == 0;
}

#endif
