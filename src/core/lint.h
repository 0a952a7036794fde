/* lint: what a device would make of a profile, said before it is installed */
#ifndef CORE_LINT_H
#define CORE_LINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clean.h"
#include "core/lint_rules.h"

struct error;

enum lint_severity { LINT_NOTE, LINT_WARNING, LINT_ERROR };

struct lint_rule {
	const char		*id;		/* "K002" */
	enum lint_severity	 severity;
	const char		*text;
};

extern const struct lint_rule lint_rules[LINT_RULE_COUNT];

enum lint_answer { LINT_UNKNOWN, LINT_YES, LINT_NO };

/* How the profile was wrapped; crypto/envelope's kinds in its order. */
enum lint_wrapper {
	LINT_WRAPPER_NONE,
	LINT_WRAPPER_SIGNED,
	LINT_WRAPPER_ALTERED,
	LINT_WRAPPER_DETACHED,
	LINT_WRAPPER_ENCRYPTED,
	LINT_WRAPPER_TEXT,
	LINT_WRAPPER_BROKEN,
};

struct lint_signature {
	enum lint_wrapper	 wrapper;
	bool			 is_chain_complete;
	bool			 is_self_signed;
	bool			 is_weak;		/* SHA-1, or RSA below 2048 */
	bool			 has_trailing_bytes;
	int64_t			 not_after;		/* of the signer; 0: unknown */
};

/* A profile that the device lists. Everything borrowed. */
struct lint_installed {
	const char		*identifier;
	const char		*uuid;
	enum lint_answer	 has_same_content;	/* as the one linted */
	const char *const	*keys;			/* the restrictions it sets */
	size_t			 n_keys;
};

/* What is known of the devices it is for. Zero-initialise: nothing is. */
struct lint_target {
	const char		*os;			/* "18.1"; NULL: unknown */
	enum lint_answer	 supervised;
	enum lint_answer	 has_host_certificate;	/* of a supervising host */
	enum lint_answer	 is_phone;
	int64_t			 now;			/* seconds since 1970; 0: unknown */
	const char *const	*apps;			/* bundle ids installed; NULL: unknown */
	size_t			 n_apps;
	const struct lint_installed *installed;
	size_t			 n_installed;
};

struct lint_finding {
	const struct lint_rule	*rule;
	enum lint_severity	 severity;
	char			*path;		/* PayloadContent[0].allowChat; "" for the file */
	char			*message;	/* one printable line, no secret */
	size_t			 line, column;	/* from 1; 0 where there are none */
	size_t			 offset;
};

enum {
	LINT_FINDINGS_MAX = 500,	/* more are counted, not kept */
	LINT_BYTES_LARGE = 1 << 20,	/* P005 from here on */
	LINT_BYTES_MAX = 16 << 20,
};

/* Zero-initialise; release with lint_report_clear(). */
struct lint_report {
	struct lint_finding	*findings;	/* in the order of the file */
	size_t			 n, room;
	size_t			 left_out;
	size_t			 errors, warnings, notes;	/* those left out included */
};

/*
 * data is the profile itself, unwrapped (empty when there is none inside).
 * -1 only when memory runs out: whatever a stranger wrote is a finding. Time
 * and memory are bounded by the size: see PROPLIST_FILE.
 */
int	lint_profile(const void *data, size_t len, const struct lint_signature *signature,
	    const struct lint_target *target, struct lint_report *out, struct error *err);
void	lint_report_clear(struct lint_report *r);

/* The gravest severity; LINT_NOTE also when there is nothing. */
enum lint_severity lint_verdict(const struct lint_report *r);
/* "error", "warning", "note". */
const char *lint_severity_word(enum lint_severity s);

#define auto_lint_report	auto_with(lint_report_clear)

#endif
