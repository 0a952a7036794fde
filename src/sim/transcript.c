/* transcript: messages by name and size, never their contents */
#include "sim/transcript.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"

struct transcript {
	FILE	*file;
	int64_t	 start_ms;
	bool	 is_dirty;
};

int
transcript_open(const char *path, struct transcript **out, struct error *err)
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
	*out = transcript;
	return 0;
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
