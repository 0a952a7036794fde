/* transcript: messages by name and size, never their contents */
#include "sim/transcript.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/proplist.h"

struct transcript {
	FILE	*file;
	int64_t	 start_ms;
	bool	 is_dirty, has_keys;
};

int
transcript_open(const char *path, bool with_keys, struct transcript **out, struct error *err)
{
	struct transcript *transcript = calloc(1, sizeof(*transcript));

	if (!transcript)
		return error_memory(err);
	transcript->file = fopen(path, "ae");
	if (!transcript->file) {
		free(transcript);
		return error_set_sys(err, ERR_CREATE, errno, "%s", path);
	}
	transcript->start_ms = now_monotonic_ms();
	transcript->has_keys = with_keys;
	*out = transcript;
	return 0;
}

static void add_keys(json_t *array, plist_t node, const char *prefix);

static void
add_key(json_t *array, plist_t node, const char *prefix, const char *key)
{
	char path[512];

	if (snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "/" : "", key) >=
	    (int)sizeof(path))
		return;
	json_array_append_new(array, json_string(path));
	add_keys(array, node, path);
}

/* Depth and number are bounded: the bench made the answer. */
static void
add_keys(json_t *array, plist_t node, const char *prefix)
{
	plist_dict_iter it = NULL;
	plist_t value = NULL;
	uint32_t i;

	if (node_is(node, PLIST_ARRAY)) {
		for (i = 0; i < plist_array_get_size(node); i++) {
			char index[16];

			snprintf(index, sizeof(index), "%u", i);
			add_key(array, plist_array_get_item(node, i), prefix, index);
		}
		return;
	}
	if (!node_is(node, PLIST_DICT))
		return;
	plist_dict_new_iter(node, &it);
	do {
		auto_free char *key = NULL;

		value = NULL;
		plist_dict_next_item(node, it, &key, &value);
		if (key && value)
			add_key(array, value, prefix, key);
	} while (value);
	free(it);
}

void
transcript_add(struct transcript *transcript, const struct transcript_line *line)
{
	json_t *json;

	if (!transcript)
		return;
	json = json_pack("{s:I, s:s?, s:I, s:s, s:s?, s:s, s:I, s:s*, s:s*}",
	    "t", (json_int_t)(now_monotonic_ms() - transcript->start_ms),
	    "device", line->device,
	    "connection", (json_int_t)line->connection,
	    "service", line->service,
	    "request", line->request,
	    "direction", line->is_out ? "out" : "in",
	    "size", (json_int_t)line->size,
	    "status", line->status,
	    "fault", line->fault);
	if (!json)
		return;
	if (transcript->has_keys && line->is_out && line->message) {
		json_t *keys = json_array();

		add_keys(keys, line->message, "");
		json_object_set_new(json, "keys", keys);
	}
	json_dumpf(json, transcript->file, JSON_COMPACT);
	fputc('\n', transcript->file);
	json_decref(json);
	transcript->is_dirty = true;
}

void
transcript_flush(struct transcript *transcript)
{
	if (!transcript || !transcript->is_dirty)
		return;
	fflush(transcript->file);
	transcript->is_dirty = false;
}

void
transcript_close(struct transcript *transcript)
{
	if (!transcript)
		return;
	fclose(transcript->file);
	free(transcript);
}
