/* policy_schema: the keys of a policy file and what may stand behind them */
#include "flow/policy_schema.h"

#include <limits.h>
#include <string.h>

#include "base/clean.h"

enum { TEXT_MAX = 256, LIST_MAX = 10000, PROFILES_MAX = 64 };

#define OPTIONAL	(CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define TEXT(key, type, member)	\
	CYAML_FIELD_STRING_PTR(key, OPTIONAL, struct type, member, 1, TEXT_MAX)
#define PATH(key, type, member)	\
	CYAML_FIELD_STRING_PTR(key, OPTIONAL, struct type, member, 1, PATH_MAX)
#define LIST(key, type, member)	\
	CYAML_FIELD_SEQUENCE_COUNT(key, OPTIONAL, struct type, member.items, member.n,	\
	    &text_schema, 0, LIST_MAX)

/* libcyaml's own booleans take any word but "false" and its like for true: "flase" too. */
#define YES_NO(key, type, member)	\
	CYAML_FIELD_ENUM(key, CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT |	\
	    CYAML_FLAG_CASE_INSENSITIVE, struct type, member, yes_no, countof(yes_no))

static const cyaml_strval_t yes_no[] = {
	{ "false", 0 }, { "no", 0 }, { "off", 0 }, { "true", 1 }, { "yes", 1 }, { "on", 1 },
};

static const cyaml_schema_value_t text_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX),
};

static const cyaml_schema_field_t device_fields[] = {
	LIST("supervised-by", file_devices, supervised_by),
	LIST("serials", file_devices, serials),
	LIST("products", file_devices, products),
	LIST("udids", file_devices, udids),
	LIST("slots", file_devices, slots),
	TEXT("os", file_devices, os),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t profile_fields[] = {
	TEXT("preset", file_profile, preset),
	PATH("file", file_profile, file),
	TEXT("app", file_profile, app),
	YES_NO("always", file_profile, always),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t profile_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_profile, profile_fields),
};

static const cyaml_schema_field_t window_fields[] = {
	CYAML_FIELD_STRING_PTR("timezone", CYAML_FLAG_POINTER, struct file_window, timezone, 1, 64),
	CYAML_FIELD_SEQUENCE_COUNT("days", CYAML_FLAG_POINTER, struct file_window,
	    days.items, days.n, &text_schema, 1, 7),
	CYAML_FIELD_STRING_PTR("from", CYAML_FLAG_POINTER, struct file_window, from, 1, 16),
	CYAML_FIELD_STRING_PTR("to", CYAML_FLAG_POINTER, struct file_window, to, 1, 16),
	LIST("except", file_window, except),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t privacy_fields[] = {
	TEXT("names", file_privacy, names),
	TEXT("serials", file_privacy, serials),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t policy_fields[] = {
	CYAML_FIELD_INT("version", CYAML_FLAG_DEFAULT, struct file_policy, version),
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct file_policy, name, 1, 64),
	TEXT("organization", file_policy, organization),
	PATH("identity", file_policy, identity),
	PATH("passphrase-file", file_policy, passphrase_file),
	CYAML_FIELD_MAPPING_PTR("devices", OPTIONAL, struct file_policy, devices, device_fields),
	CYAML_FIELD_SEQUENCE_COUNT("profiles", OPTIONAL, struct file_policy, profiles, n_profiles,
	    &profile_schema, 0, PROFILES_MAX),
	LIST("absent", file_policy, absent),
	YES_NO("removable", file_policy, removable),
	CYAML_FIELD_MAPPING_PTR("window", OPTIONAL, struct file_policy, window, window_fields),
	CYAML_FIELD_MAPPING_PTR("privacy", OPTIONAL, struct file_policy, privacy, privacy_fields),
	PATH("on-attach", file_policy, on_attach),
	PATH("on-verdict", file_policy, on_verdict),
	PATH("on-detach", file_policy, on_detach),
	CYAML_FIELD_END
};

const cyaml_schema_value_t policy_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file_policy, policy_fields),
};

const cyaml_schema_field_t *
policy_schema_fields(const char *path)
{
	static const struct {
		const char			*path;
		const cyaml_schema_field_t	*fields;
	} rows[] = {
		{ "devices", device_fields }, { "privacy", privacy_fields },
		{ "window", window_fields }, { "profiles[", profile_fields },
	};
	size_t i;

	for (i = 0; i < countof(rows); i++)
		if (strncmp(path, rows[i].path, strlen(rows[i].path)) == 0)
			return rows[i].fields;
	return policy_fields;
}
