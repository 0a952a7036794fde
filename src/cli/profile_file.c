/* profile_file: a profile on disk: its wrapper opened, its content judged */
#include "cli/profile_file.h"

#include <time.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "core/profile.h"
#include "crypto/digest.h"

/* lint has the same kinds in the same order, because core knows no crypto. */
static enum lint_wrapper
wrapper_of(enum envelope_kind kind)
{
	switch (kind) {
	case ENVELOPE_SIGNED: return LINT_WRAPPER_SIGNED;
	case ENVELOPE_ALTERED: return LINT_WRAPPER_ALTERED;
	case ENVELOPE_DETACHED: return LINT_WRAPPER_DETACHED;
	case ENVELOPE_ENCRYPTED: return LINT_WRAPPER_ENCRYPTED;
	case ENVELOPE_TEXT: return LINT_WRAPPER_TEXT;
	case ENVELOPE_BROKEN: return LINT_WRAPPER_BROKEN;
	case ENVELOPE_NONE: break;
	}
	return LINT_WRAPPER_NONE;
}

int
profile_file_open(const char *path, struct profile_file *out, struct error *err)
{
	auto_profile_file struct profile_file f = { .path = path };

	if (file_read(path, ENVELOPE_CONTENT_MAX, FILE_ANY, &f.raw, err) < 0)
		return -1;
	if (envelope_open(f.raw.data, f.raw.len, &f.envelope, err) < 0)
		return error_context(err, "%s", path);
	f.signature = (struct lint_signature){
		.wrapper = wrapper_of(f.envelope.kind),
		.is_chain_complete = f.envelope.is_chain_complete,
		.is_self_signed = f.envelope.is_self_signed,
		.is_weak = f.envelope.is_weak,
		.has_trailing_bytes = f.envelope.has_trailing_bytes,
		.not_after = f.envelope.signer.not_after,
	};
	profile_file_clear(out);
	*out = f;
	f = (struct profile_file){ 0 };
	return 0;
}

void
profile_file_clear(struct profile_file *f)
{
	blob_clear(&f->raw);
	envelope_clear(&f->envelope);
	*f = (struct profile_file){ 0 };
}

const char *
profile_file_wrapper(const struct envelope *e)
{
	switch (e->kind) {
	case ENVELOPE_NONE: return "not signed";
	case ENVELOPE_SIGNED:
		return e->is_self_signed ? "signed, by a signer who vouches for itself" :
		    e->is_chain_complete ? "signed, certificates complete" :
		    "signed, certificates in between missing";
	case ENVELOPE_ALTERED: return "CHANGED AFTER IT WAS SIGNED: a device refuses it";
	case ENVELOPE_DETACHED: return "a signature without the profile inside";
	case ENVELOPE_ENCRYPTED: return "encrypted as a whole: nothing can be read";
	case ENVELOPE_TEXT: return "a signature as text (PEM): a device refuses it";
	case ENVELOPE_BROKEN: break;
	}
	return "broken";
}

int
profile_file_load(const char *path, struct profile_file *f, struct profile *p, struct error *err)
{
	const struct blob *content = &f->envelope.content;

	if (profile_file_open(path, f, err) < 0)
		return -1;
	if (content->len == 0)
		return error_set(err, ERR_DATA, "%s: %s", path, profile_file_wrapper(&f->envelope));
	if (profile_read(content->data, content->len, digest_sha256, p, err) < 0)
		return error_context(err, "%s", path);
	return 0;
}

int
profile_file_lint(const struct profile_file *f, const struct lint_target *target,
    struct lint_report *out, struct error *err)
{
	const struct blob *content = &f->envelope.content;

	return lint_profile(content->data, content->len, &f->signature, target, out, err);
}

int
profile_file_admit(const struct profile_file *f, bool is_forced, struct error *err)
{
	struct lint_target target = { .now = time(NULL), .supervised = LINT_YES };
	auto_lint_report struct lint_report report = { 0 };
	const struct lint_finding *first = NULL;
	size_t i;

	if (profile_file_lint(f, &target, &report, err) < 0)
		return -1;
	for (i = 0; i < report.n; i++) {
		const struct lint_finding *finding = &report.findings[i];

		if (finding->severity == LINT_ERROR && !first)
			first = finding;
		if (finding->severity != LINT_NOTE)
			log_at(LOG_NORMAL, "%s: %s %s: %s%s%s", f->path,
			    lint_severity_word(finding->severity), finding->rule->id,
			    *finding->path ? finding->path : "", *finding->path ? ": " : "",
			    finding->message);
	}
	if (report.errors == 0 || is_forced)
		return 0;
	error_set(err, ERR_DATA, "%s: %zu error%s, the first is %s: %s", f->path, report.errors,
	    report.errors == 1 ? "" : "s", first ? first->rule->id : "not listed",
	    first ? first->message : "");
	return error_hint(err, "chaperone profile lint FILE tells all; --force goes on regardless");
}
