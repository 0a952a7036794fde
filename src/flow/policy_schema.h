/* policy_schema: a policy file as libcyaml reads it; for policy_file alone */
#ifndef FLOW_POLICY_SCHEMA_H
#define FLOW_POLICY_SCHEMA_H

#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stdint.h>

/* Optional members are pointers; a count goes with each list. */
struct file_texts {
	char		**items;
	uint32_t	  n;
};

struct file_devices {
	struct file_texts supervised_by, serials, products, udids, slots;
	char		*os;
};

struct file_profile {
	char		*preset, *file, *app;
	bool		 always;
};

struct file_window {
	char		*timezone, *from, *to;
	struct file_texts days, except;
};

struct file_privacy {
	char		*names, *serials;
};

struct file_policy {
	int64_t		 version;
	char		*name, *organization, *identity, *passphrase_file;
	struct file_devices *devices;
	struct file_profile *profiles;
	uint32_t	 n_profiles;
	struct file_texts absent;
	bool		 removable;
	struct file_window *window;
	struct file_privacy *privacy;
	char		*on_attach, *on_verdict, *on_detach;
};

extern const cyaml_schema_value_t policy_schema;

/* The keys of the mapping at path ("" is the whole), NULL at the end. */
const cyaml_schema_field_t *policy_schema_fields(const char *path);

#endif
