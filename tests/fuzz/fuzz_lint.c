/* fuzz_lint: any bytes linted; what has no errors can be read */
#include "tests/fuzz/harness.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "core/lint.h"
#include "core/profile.h"

static void
no_digest(const void *data, size_t len, uint8_t out[32])
{
	(void)data;
	memset(out, (int)len, 32);
}

/* Goes to a terminal, and whole characters into JSON. */
static bool
is_printable(const char *s)
{
	char again[2048];

	text_printable(s, strlen(s), again, sizeof(again));
	return strcmp(s, again) == 0;
}

static void
check_findings(const struct lint_report *r)
{
	size_t i;

	if (r->n > LINT_FINDINGS_MAX || r->n + r->left_out != r->errors + r->warnings + r->notes)
		abort();
	for (i = 0; i < r->n; i++) {
		const struct lint_finding *f = &r->findings[i];

		if (!f->path || !f->message || !*f->message || !is_printable(f->message) ||
		    !is_printable(f->path) ||
		    (f->line == 0) != (f->column == 0))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const keys[] = { "allowChat" };
	static const struct lint_installed installed = { "com.acme.test", "x", LINT_NO, keys, 1 };
	/* The target follows from the length, so that any file is a seed. */
	struct lint_target target = {
		.os = len % 3 ? "18.1" : NULL, .supervised = (enum lint_answer)(len % 3),
		.now = 1795510800, .installed = &installed, .n_installed = len % 2,
	};
	struct lint_signature signature = { .wrapper = LINT_WRAPPER_NONE };
	auto_lint_report struct lint_report report = { 0 };
	auto_profile struct profile p = { 0 };
	struct error err = { 0 };

	if (lint_profile(data, len, &signature, &target, &report, &err) < 0)
		abort();
	check_findings(&report);
	if (report.errors == 0 && report.notes + report.warnings < LINT_FINDINGS_MAX &&
	    !(len >= 2 && (data[0] == 0xFF || data[0] == 0xFE || data[0] == 0xEF)) &&
	    profile_read(data, len, no_digest, &p, &err) < 0)
		abort();
	return 0;
}
