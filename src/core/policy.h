/* policy: which devices a client's rules are for, and what those devices should be */
#ifndef CORE_POLICY_H
#define CORE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "core/facts.h"
#include "core/osrange.h"
#include "core/privacy_mode.h"
#include "core/profile.h"
#include "core/window.h"
#include "core/zone.h"

struct desired;
struct error;

/* Texts, each owned. */
struct policy_texts {
	char	**items;
	size_t	  n;
};

/* A profile that the policy wants: a preset, or a file's bytes. */
struct policy_profile {
	char		*preset;	/* NULL: a file */
	char		*app;		/* for presets that ask for one */
	bool		 is_always;	/* whether the window is open or not */
	char		*file;		/* its path, for messages */
	struct blob	 raw, content;	/* of the file: what goes to the device, what it says */
	char		*identifier;	/* of either */
};

/* Owned by whoever loaded it: policy_clear(). Zero-initialise. */
struct policy {
	char			*path;		/* of its file, for messages */
	char			 sha256[65];	/* of that file's bytes, in hexadecimal */
	char			*name;
	char			*organization;	/* shown on the device; NULL: the identity's */
	char			*identity;	/* a reference, paths made absolute; NULL: the
						 * default one */
	char			*passphrase_file;	/* of the identity; NULL: the default */
	size_t			 identity_index;	/* for who keeps the identities of
							 * several policies */

	/* conditions: all that are given must hold; empty means any */
	struct policy_texts	 organizations, serials, products, udids, slots;
	struct osrange		 os;

	struct policy_profile	*profiles;
	size_t			 n_profiles;
	struct policy_texts	 absent;
	bool			 is_removable;
	bool			 has_window;
	struct window		 window;	/* window.zone is &zone */
	struct zone		 zone;
	char			*timezone;	/* its name */

	/* what the record keeps of its devices; else the station decides */
	enum privacy_mode	 name_privacy, serial_privacy;

	/* programs that are told (an absolute path each), or NULL */
	char			*on_attach, *on_verdict, *on_detach;
};

void	policy_clear(struct policy *p);

/* What is known of a device. NULL and UNKNOWN: not told yet, so it may match. */
struct policy_subject {
	const char	*udid;
	const char	*product, *os, *slot, *serial, *organization;
	bool		 has_slot_map;		/* slot NULL then means: on no named slot */
	enum known	 is_supervised;
};

enum policy_match {
	MATCH_NO,		/* a condition does not hold, or another client's identity */
	MATCH_TOO_OLD,		/* only the system is too old */
	MATCH_MAYBE,		/* nothing speaks against it, but not all is known yet */
	MATCH_YES,
};

/*
 * is_ours: whether the policy's identity supervises the device. Without
 * supervised-by a policy is for the devices that its identity supervises, and
 * for no other. A policy without any identity (is_ours UNKNOWN, and supervision
 * known) is for any.
 */
enum policy_match policy_match(const struct policy *p, const struct policy_subject *s,
	    enum known is_ours);

/*
 * How specific the match is: the most telling condition decides (UDID, exact
 * serial number, slot, serial pattern, exact product, product pattern, system,
 * organization), then the next. Conditions that the policy does not give do not
 * count.
 */
unsigned policy_weight(const struct policy *p, const struct policy_subject *s);

/* Case matters not; * is any text, ? any character. */
bool	policy_pattern_fits(const char *pattern, const char *text);

/* Several policies, as one station or one command has them. Borrowed. */
struct policies {
	struct policy	**items;
	size_t		  n;
};

/* What policies_choose() found. */
struct policy_choice {
	const struct policy	*policy;	/* NULL: none, see the others */
	const struct policy	*rival;		/* of equal weight: an error, nobody guesses */
	bool			 is_too_old;	/* a newer system is all that is missing */
	bool			 is_unsupervised;	/* supervision is all that is missing */
};

/*
 * The one policy for a device of which all is known. is_ours[i] goes with
 * policies->items[i].
 */
struct policy_choice policies_choose(const struct policies *policies,
	    const struct policy_subject *s, const enum known *is_ours);

/*
 * The policies that may be for a device of which little is known, most specific
 * first, into order[] (room for n). Returns how many.
 */
size_t	policies_rank(const struct policies *policies, const struct policy_subject *s,
	    const struct policy **order);

/*
 * Whether two policies would be equally right for the same device whatever it
 * is: an error at load. Where that depends on the device it is one at attach.
 */
bool	policies_collide(const struct policy *a, const struct policy *b);

enum policy_purpose { POLICY_KEEP, POLICY_REMOVE };

/*
 * What the device should be at that moment, into *out (whose digest is set);
 * the policy must live as long. organization: the identity's, when the policy
 * names none; may be NULL. Inside its window a profile lifts itself at the
 * window's end, outside it must be absent. POLICY_REMOVE: none of the profiles.
 */
int	policy_desire(const struct policy *p, enum policy_purpose purpose, int64_t now,
	    const char *organization, struct desired *out, struct error *err);

/* When the answer of policy_desire() changes next; INT64_MAX: never. */
int64_t	policy_next_boundary(const struct policy *p, int64_t now);

#endif
