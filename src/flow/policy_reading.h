/* policy_reading: a policy file that is being read; for the policy_ files alone */
#ifndef FLOW_POLICY_READING_H
#define FLOW_POLICY_READING_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "flow/policy_file.h"
#include "flow/policy_schema.h"
#include "flow/yaml_places.h"

struct blob;

struct reading {
	const char		*path;
	char			 folder[PATH_MAX];	/* where it lies */
	struct yaml_places	 places;
	struct policy_findings	*findings;
	struct file_policy	*file;
	struct policy		*policy;
	struct error		*err;	/* out of memory, or a first error */
};

/* An error or a warning; at is a path as in "profiles[1].file". */
void	reading_note_at(struct reading *r, bool is_error, struct yaml_mark at, const char *message);
void	reading_note(struct reading *r, bool is_error, const char *at, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));

/* Copies; NULL stays NULL. */
int	reading_take_text(struct reading *r, const char *from, char **to);
int	reading_take_texts(struct reading *r, const struct file_texts *from,
	    struct policy_texts *to);
/* name, relative to the folder of the policy's file, as an absolute path or as it is. */
int	reading_beside(struct reading *r, const char *name, char *out, size_t size);

/* policy_yaml.c: r->file, by libcyaml. */
int	reading_yaml(struct reading *r, const struct blob *bytes);
/* policy_profiles.c: profiles and absent. */
int	reading_profiles(struct reading *r);
/* policy_window.c */
int	reading_window(struct reading *r);

#endif
