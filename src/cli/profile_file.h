/* profile_file: a profile on disk: its wrapper opened, its content judged */
#ifndef CLI_PROFILE_FILE_H
#define CLI_PROFILE_FILE_H

#include <stdbool.h>

#include "base/blob.h"
#include "base/clean.h"
#include "core/lint.h"
#include "crypto/envelope.h"

struct error;
struct profile;

/* Zero-initialise; release with profile_file_clear(). */
struct profile_file {
	const char		*path;		/* borrowed */
	struct blob		 raw;
	struct envelope		 envelope;
	struct lint_signature	 signature;	/* the envelope, in lint's words */
};

/* Reads and unwraps; what is inside may still be no profile. "-" is stdin. */
int	profile_file_open(const char *path, struct profile_file *out, struct error *err);
void	profile_file_clear(struct profile_file *f);

/* The same, and the profile in it. ERR_DATA when there is none to read. */
int	profile_file_load(const char *path, struct profile_file *f, struct profile *p,
	    struct error *err);
/* "not signed" and its like: a phrase about the wrapper. */
const char *profile_file_wrapper(const struct envelope *e);

int	profile_file_lint(const struct profile_file *f, const struct lint_target *target,
	    struct lint_report *out, struct error *err);

/*
 * Before a profile goes to a device: warnings are told on stderr, errors are
 * ERR_DATA with a hint at --force, unless is_forced.
 */
int	profile_file_admit(const struct profile_file *f, bool is_forced, struct error *err);

#define auto_profile_file	auto_with(profile_file_clear)

#endif
