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
print_statement(const struct statement *s)
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
	put("station", json_text(s->content, "station", NULL));
	put("nonce", json_text(s->content, "nonce", NULL));
	json_array_foreach(results, i, result)
		print_result(result);
}

static json_t *
statement_object(const struct statement *s, const char *file)
{
	char at[TEXT_TIME_MAX];

	text_time_utc((struct timespec){ .tv_sec = s->signed_at }, at);
	return json_pack("{s:s, s:s, s:{s:s, s:s, s:b}, s:s, s:O}", "schema", "chaperone.attested/1",
	    "file", file, "signer", "organization", s->signer.organization, "sha256", s->signer.sha256,
	    "trusted", s->is_trusted, "signed_at", at, "statement", s->content);
}

int
cmd_attest_verify(struct cli *cli)
{
	const struct options *o = &cli->options;
	auto_statement_of struct statement s = { 0 };
	auto_blob struct blob bytes = { 0 }, anchors = { 0 };
	struct error err = { 0 };

	if (file_read(cli->args[0], STATEMENT_MAX, FILE_ANY, &bytes, &err) < 0 ||
	    (o->ca && file_read(o->ca, ANCHORS_MAX, FILE_ANY, &anchors, &err) < 0))
		return cli_fail(cli, &err);
	if (statement_read(bytes.data, bytes.len, o->ca ? &anchors : NULL, o->nonce, &s, &err) < 0) {
		error_context(&err, "%s", cli->args[0]);
		return cli_fail(cli, &err);
	}
	if (o->json)
		output_json_line(stdout, statement_object(&s, cli->args[0]));
	else
		print_statement(&s);
	return 0;
}
