/* stamp: the files that travel to a time-stamping authority and back */
#include "cli/stamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/options.h"

enum { STAMPS_MAX = 64 };

/* ---- asking ----------------------------------------------------------------------- */

int
stamp_check_request(const struct options *o, struct error *err)
{
	if (!o->timestamp_request)
		return 0;
	if (strcmp(o->timestamp_request, "-") == 0)
		return error_set(err, ERR_USAGE, "a time-stamp request goes to a file");
	return file_check_new(o->timestamp_request, o->overwrite, err);
}

int
stamp_write_request(const struct options *o, const struct blob *cms, struct error *err)
{
	auto_blob struct blob request = { 0 };

	if (!o->timestamp_request)
		return 0;
	if (timestamp_request(cms->data, cms->len, &request, err) < 0)
		return -1;
	return file_write(o->timestamp_request, request.data, request.len, 0644, o->overwrite, err);
}

/* ---- the answers -------------------------------------------------------------------- */

void
stamps_clear(struct stamps *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		timestamp_clear(&s->items[i]);
	free(s->items);
	free(s->errors);
	*s = (struct stamps){ 0 };
}

static int
check_options(const struct options *o, struct error *err)
{
	if (o->timestamps.n && !o->tsa_ca) {
		error_set(err, ERR_USAGE, "--timestamp needs --tsa-ca");
		return error_hint(err,
		    "--tsa-ca FILE says whose time stamps count; anybody can make one");
	}
	if (o->tsa_ca && !o->timestamps.n)
		return error_set(err, ERR_USAGE, "--tsa-ca is for a time stamp: --timestamp FILE");
	if (o->timestamps.n > STAMPS_MAX)
		return error_set(err, ERR_USAGE, "at most %d time stamps can be given", STAMPS_MAX);
	return 0;
}

int
stamps_open(const struct options *o, struct stamps *out, struct error *err)
{
	auto_stamps struct stamps s = { .files = o->timestamps.items };
	auto_blob struct blob anchors = { 0 };

	if (check_options(o, err) < 0)
		return -1;
	if (!o->timestamps.n)
		return 0;
	s.items = calloc(o->timestamps.n, sizeof(*s.items));
	s.errors = calloc(o->timestamps.n, sizeof(*s.errors));
	if (!s.items || !s.errors)
		return error_memory(err);
	if (file_read(o->tsa_ca, CERT_FILE_MAX, FILE_ANY, &anchors, err) < 0)
		return -1;
	for (; s.n < o->timestamps.n; s.n++) {
		auto_blob struct blob reply = { 0 };

		if (file_read(s.files[s.n], TIMESTAMP_MAX, FILE_ANY, &reply, err) < 0)
			return -1;
		if (timestamp_open(reply.data, reply.len, &anchors, &s.items[s.n],
		    &s.errors[s.n]) < 0)
			error_context(&s.errors[s.n], "%s", s.files[s.n]);
	}
	*out = s;
	s = (struct stamps){ 0 };
	return 0;
}

static void
time_of(const struct timestamp *t, char at[TEXT_TIME_MAX])
{
	text_time_utc((struct timespec){ .tv_sec = t->at }, at);
}

static const char *
name_of(const struct timestamp *t)
{
	return t->authority.common_name[0] ? t->authority.common_name : t->authority.organization;
}

json_t *
stamp_object(const struct stamps *s, size_t i)
{
	char at[TEXT_TIME_MAX];

	time_of(&s->items[i], at);
	return json_pack("{s:s, s:s, s:s, s:s}", "file", s->files[i], "at", at,
	    "authority", name_of(&s->items[i]), "sha256", s->items[i].authority.sha256);
}

void
stamp_text(const struct timestamp *t, char *out, size_t size)
{
	char at[TEXT_TIME_MAX];

	time_of(t, at);
	snprintf(out, size, "%s by the clock of %s", at, name_of(t));
}
