/* cmd_profile_lint: profile lint: what a device would make of each file */
#include "cli/command.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/profile_file.h"
#include "core/lint.h"

static int
target_from_options(const struct options *o, struct lint_target *out, struct error *err)
{
	*out = (struct lint_target){ .os = o->target_os, .now = time(NULL) };
	if (o->target_os && (!*o->target_os || o->target_os[strspn(o->target_os, "0123456789.")]))
		return error_set(err, ERR_USAGE, "--target-os takes a version like 18.1, not %s",
		    o->target_os);
	if (!o->supervised)
		return 0;
	if (strcmp(o->supervised, "yes") != 0 && strcmp(o->supervised, "no") != 0)
		return error_set(err, ERR_USAGE, "--supervised is yes or no, not %s",
		    o->supervised);
	out->supervised = strcmp(o->supervised, "yes") == 0 ? LINT_YES : LINT_NO;
	return 0;
}

static const char *
verdict_word(const struct lint_report *r)
{
	return r->errors ? "error" : r->warnings ? "warning" : "ok";
}

static json_t *
finding_object(const struct lint_finding *f)
{
	json_t *line = f->line ? json_integer((json_int_t)f->line) : json_null();
	json_t *column = f->line ? json_integer((json_int_t)f->column) : json_null();

	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "rule", f->rule->id,
	    "severity", lint_severity_word(f->severity), "path", f->path, "message", f->message,
	    "line", line, "column", column);
}

static void
tell_json(const char *file, const struct lint_report *r)
{
	json_t *findings = json_array();
	char name[512];
	size_t i;

	text_printable(file, strlen(file), name, sizeof(name));
	for (i = 0; i < r->n; i++)
		json_array_append_new(findings, finding_object(&r->findings[i]));
	output_json_line(stdout, json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o}",
	    "schema", "chaperone.lint/1", "file", name, "verdict", verdict_word(r),
	    "errors", (json_int_t)r->errors, "warnings", (json_int_t)r->warnings,
	    "notes", (json_int_t)r->notes, "left_out", (json_int_t)r->left_out,
	    "findings", findings));
}

static const char *
plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* FILE:LINE:COLUMN: as compilers write it, so that editors can jump there. */
static void
tell_text(const char *file, const struct lint_report *r, bool quiet)
{
	char name[512];
	size_t i;

	text_printable(file, strlen(file), name, sizeof(name));
	for (i = 0; i < r->n; i++) {
		const struct lint_finding *f = &r->findings[i];

		if (quiet && f->severity == LINT_NOTE)
			continue;
		printf("%s:", name);
		if (f->line)
			printf("%zu:%zu:", f->line, f->column);
		printf(" %s %s: %s", lint_severity_word(f->severity), f->rule->id, f->message);
		printf(*f->path ? " [%s]\n" : "\n", f->path);
	}
	if (r->left_out)
		printf("%s: %zu more finding%s left out\n", name, r->left_out,
		    r->left_out == 1 ? " is" : "s are");
	printf("%s: %s (%zu error%s, %zu warning%s, %zu note%s)\n", name, verdict_word(r),
	    r->errors, plural(r->errors), r->warnings, plural(r->warnings),
	    r->notes, plural(r->notes));
}

/* 0, 1 or what cli_fail() says. */
static int
lint_one(const struct cli *cli, const char *path, const struct lint_target *target)
{
	const struct options *o = &cli->options;
	auto_profile_file struct profile_file f = { 0 };
	auto_lint_report struct lint_report r = { 0 };
	struct error err = { 0 };

	if (profile_file_open(path, &f, &err) < 0 || profile_file_lint(&f, target, &r, &err) < 0)
		return cli_fail(cli, &err);
	if (o->json)
		tell_json(path, &r);
	else
		tell_text(path, &r, o->verbosity < 0);
	return r.errors || (o->strict && r.warnings);
}

int
cmd_profile_lint(struct cli *cli)
{
	struct lint_target target;
	struct error err = { 0 };
	int worst = 0;
	unsigned i;

	if (target_from_options(&cli->options, &target, &err) < 0)
		return cli_fail(cli, &err);
	for (i = 0; i < cli->n_args; i++) {
		int code = lint_one(cli, cli->args[i], &target);

		if (code > worst)
			worst = code;
	}
	return worst;
}
