/* cmd_attest: attest verify: is this statement genuine, and what does it say */
#include "cli/command.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/blob.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/stamp.h"
#include "store/json.h"
#include "store/statement.h"

enum { STATEMENT_MAX = 16 << 20, ANCHORS_MAX = 1 << 20 };

static void
put(const char *label, const char *text)
{
	char clean[512];

	text_printable(text ? text : "-", text ? strlen(text) : 1, clean, sizeof(clean));
	printf("%-12s %s\n", label, clean);
}

static void
print_result(const json_t *result)
{
	const char *reason = json_text(result, "reason", NULL);
	const char *truth = json_text(result, "truth", NULL);
	char line[512];

	printf("\n");
	put("device", json_text(result, "device", "name"));
	put("serial", json_text(result, "device", "serial"));
	put("udid", json_text(result, "device", "udid"));
	snprintf(line, sizeof(line), "%s%s%s%s%s", json_text(result, "verdict", NULL) ?
	    json_text(result, "verdict", NULL) : "-", reason ? ": " : "", reason ? reason : "",
	    truth ? ", truth: " : "", truth ? truth : "");
	put("verdict", line);
	put("read at", json_text(result, "at", NULL));
}

static void
print_statement(const struct statement *s, const struct stamps *stamps)
{
	const json_t *results = json_object_get(s->content, "results"), *result;
	char at[TEXT_TIME_MAX], signer[CERT_TEXT_MAX + 64];
	size_t i;

	text_time_utc((struct timespec){ .tv_sec = s->signed_at }, at);
	snprintf(signer, sizeof(signer), "%s%s", s->signer.organization,
	    s->is_trusted ? "" : "  (not checked: anybody can call themselves so; use --ca)");
	put("signature", "genuine: nothing was altered since it was signed");
	put("signed by", signer);
	put("sha256", s->signer.sha256);
	put("signed at", at);
	for (i = 0; i < stamps->n; i++) {
		stamp_text(&stamps->items[i], signer, sizeof(signer));
		put("existed at", signer);
	}
	put("station", json_text(s->content, "station", NULL));
	put("nonce", json_text(s->content, "nonce", NULL));
	json_array_foreach(results, i, result)
		print_result(result);
}

static json_t *
statement_object(const struct statement *s, const struct stamps *stamps, const char *file)
{
	json_t *times = json_array();
	char at[TEXT_TIME_MAX];
	size_t i;

	text_time_utc((struct timespec){ .tv_sec = s->signed_at }, at);
	for (i = 0; i < stamps->n; i++)
		json_array_append_new(times, stamp_object(stamps, i));
	return json_pack("{s:s, s:s, s:{s:s, s:s, s:b}, s:s, s:o, s:O}",
	    "schema", "chaperone.attested/1", "file", file,
	    "signer", "organization", s->signer.organization,
	    "sha256", s->signer.sha256, "trusted", s->is_trusted,
	    "signed_at", at, "timestamps", times, "statement", s->content);
}

/* Every time stamp that is given is genuine and for these bytes. */
static int
check_stamps(struct stamps *s, const struct blob *bytes, struct error *err)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (s->errors[i].kind != ERR_NONE) {
			*err = s->errors[i];
			return -1;
		}
		if (!timestamp_is_of(&s->items[i], bytes->data, bytes->len))
			return error_set(err, ERR_DATA, "%s: the time stamp is for another file",
			    s->files[i]);
	}
	return 0;
}

int
cmd_attest_verify(struct cli *cli)
{
	const struct options *o = &cli->options;
	auto_statement_of struct statement s = { 0 };
	auto_blob struct blob bytes = { 0 }, anchors = { 0 };
	auto_stamps struct stamps stamps = { 0 };
	struct error err = { 0 };

	if (stamps_open(o, &stamps, &err) < 0 ||
	    file_read(cli->args[0], STATEMENT_MAX, FILE_ANY, &bytes, &err) < 0 ||
	    (o->ca && file_read(o->ca, ANCHORS_MAX, FILE_ANY, &anchors, &err) < 0))
		return cli_fail(cli, &err);
	if (statement_read(bytes.data, bytes.len, o->ca ? &anchors : NULL, o->nonce,
	    &s, &err) < 0) {
		error_context(&err, "%s", cli->args[0]);
		return cli_fail(cli, &err);
	}
	if (check_stamps(&stamps, &bytes, &err) < 0)
		return cli_fail(cli, &err);
	if (o->json)
		output_json_line(stdout, statement_object(&s, &stamps, cli->args[0]));
	else
		print_statement(&s, &stamps);
	return 0;
}
