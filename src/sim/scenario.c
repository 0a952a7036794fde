/* scenario: the schema, and from its structs to devices */
#include "sim/scenario.h"

#include <cyaml/cyaml.h>
#include <libgen.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/file.h"
#include "sim/bench.h"
#include "sim/fault.h"
#include "sim/virtual.h"

enum { FILE_LONGEST = 1 << 20, PROFILE_LONGEST = 16 << 20, PROFILES_MOST = 64 };

/* ---- the file as structs; optional members are pointers ------------------- */

struct supervision {
	char	*organization;
	char	*certificate;
};

struct fault_entry {
	char	*at, *request, *kind, *phase, *key, *status, *domain, *code, *code_type;
	char	*text, *hex;
	char	*nth, *times, *links, *repeat;
};

struct device_entry {
	char	*name, *udid, *serial, *product, *os;
	uint64_t *count, *latency_ms, *idle_ms, *restart_ms, *mux_version;
	struct supervision *supervised_by;
	enum trust *trust;
	bool	*paired, *locked, *passcode, *activated, *set_up;
	bool	*allow_pairing, *queries, *unplugged;
	char	**profiles;
	uint64_t profiles_count;
	struct fault_entry *faults;
	uint64_t faults_count;
};

struct file {
	struct device_entry *devices;
	uint64_t devices_count;
	struct fault_entry *faults;
	uint64_t faults_count;
};

#define OPTIONAL		CYAML_FLAG_OPTIONAL
#define OPTIONAL_POINTER	(CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER)
#define TEXT(key, type, member)	\
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | OPTIONAL, type, member, 0, 1024)

static const cyaml_schema_field_t supervision_fields[] = {
	CYAML_FIELD_STRING_PTR("organization", CYAML_FLAG_POINTER, struct supervision,
	    organization, 1, 256),
	TEXT("certificate", struct supervision, certificate),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t fault_fields[] = {
	TEXT("at", struct fault_entry, at),
	TEXT("request", struct fault_entry, request),
	TEXT("nth", struct fault_entry, nth),
	CYAML_FIELD_STRING_PTR("do", CYAML_FLAG_POINTER, struct fault_entry, kind, 1, 64),
	TEXT("phase", struct fault_entry, phase),
	TEXT("times", struct fault_entry, times),
	TEXT("key", struct fault_entry, key),
	TEXT("status", struct fault_entry, status),
	TEXT("domain", struct fault_entry, domain),
	TEXT("code", struct fault_entry, code),
	TEXT("code-type", struct fault_entry, code_type),
	TEXT("text", struct fault_entry, text),
	TEXT("hex", struct fault_entry, hex),
	TEXT("repeat", struct fault_entry, repeat),
	TEXT("links", struct fault_entry, links),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t fault_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct fault_entry, fault_fields),
};

static const cyaml_schema_value_t text_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, PATH_MAX),
};

static const cyaml_strval_t trust_values[] = {
	{ "ask", TRUST_ASK }, { "accept", TRUST_ACCEPT }, { "deny", TRUST_DENY },
};

static const cyaml_schema_field_t device_fields[] = {
	TEXT("name", struct device_entry, name),
	CYAML_FIELD_UINT_PTR("count", OPTIONAL_POINTER, struct device_entry, count),
	TEXT("udid", struct device_entry, udid),
	TEXT("serial", struct device_entry, serial),
	TEXT("product", struct device_entry, product),
	TEXT("os", struct device_entry, os),
	CYAML_FIELD_MAPPING_PTR("supervised-by", OPTIONAL_POINTER, struct device_entry,
	    supervised_by, supervision_fields),
	CYAML_FIELD_ENUM_PTR("trust", OPTIONAL_POINTER | CYAML_FLAG_STRICT, struct device_entry,
	    trust, trust_values, CYAML_ARRAY_LEN(trust_values)),
	CYAML_FIELD_BOOL_PTR("paired", OPTIONAL_POINTER, struct device_entry, paired),
	CYAML_FIELD_BOOL_PTR("locked", OPTIONAL_POINTER, struct device_entry, locked),
	CYAML_FIELD_BOOL_PTR("passcode", OPTIONAL_POINTER, struct device_entry, passcode),
	CYAML_FIELD_BOOL_PTR("activated", OPTIONAL_POINTER, struct device_entry, activated),
	CYAML_FIELD_BOOL_PTR("set-up", OPTIONAL_POINTER, struct device_entry, set_up),
	CYAML_FIELD_BOOL_PTR("allow-pairing", OPTIONAL_POINTER, struct device_entry, allow_pairing),
	CYAML_FIELD_BOOL_PTR("queries", OPTIONAL_POINTER, struct device_entry, queries),
	CYAML_FIELD_BOOL_PTR("unplugged", OPTIONAL_POINTER, struct device_entry, unplugged),
	CYAML_FIELD_UINT_PTR("latency-ms", OPTIONAL_POINTER, struct device_entry, latency_ms),
	CYAML_FIELD_UINT_PTR("idle-ms", OPTIONAL_POINTER, struct device_entry, idle_ms),
	CYAML_FIELD_UINT_PTR("restart-ms", OPTIONAL_POINTER, struct device_entry, restart_ms),
	CYAML_FIELD_UINT_PTR("mux-version", OPTIONAL_POINTER, struct device_entry, mux_version),
	CYAML_FIELD_SEQUENCE("profiles", OPTIONAL_POINTER, struct device_entry, profiles,
	    &text_schema, 0, PROFILES_MOST),
	CYAML_FIELD_SEQUENCE("faults", OPTIONAL_POINTER, struct device_entry, faults,
	    &fault_schema, 0, 1000),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t device_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct device_entry, device_fields),
};

static const cyaml_schema_field_t file_fields[] = {
	CYAML_FIELD_SEQUENCE("devices", CYAML_FLAG_POINTER, struct file, devices, &device_schema, 0,
	    BENCH_DEVICES_MAX),
	CYAML_FIELD_SEQUENCE("faults", OPTIONAL_POINTER, struct file, faults, &fault_schema, 0,
	    1000),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t file_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file, file_fields),
};

/* ---- parsing -------------------------------------------------------------- */

/* Keeps the last thing libcyaml says; its backtrace has line and column. */
static void	keep_log(cyaml_log_t level, void *ctx, const char *fmt, va_list ap)
		    __attribute__((format(printf, 3, 0)));

static void
keep_log(cyaml_log_t level, void *ctx, const char *fmt, va_list ap)
{
	char *said = ctx;
	size_t had = strlen(said);

	if (level < CYAML_LOG_ERROR || had + 2 >= ERROR_MESSAGE_MAX)
		return;
	vsnprintf(said + had, ERROR_MESSAGE_MAX - had, fmt, ap);
	while ((said = strchr(said, '\n')))
		*said = ' ';
}

static cyaml_config_t
config(char *said)
{
	return (cyaml_config_t){
		.log_fn = keep_log, .log_ctx = said, .log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem, .flags = CYAML_CFG_NO_ALIAS,
	};
}

/* ---- files ---------------------------------------------------------------- */

static int
beside(const char *path, const char *name, char *out, size_t size, struct error *err)
{
	auto_free char *copy = strdup(path);
	int n;

	if (!copy)
		return error_memory(err);
	n = *name == '/' ? snprintf(out, size, "%s", name)
	    : snprintf(out, size, "%s/%s", dirname(copy), name);
	return n < 0 || (size_t)n >= size ? error_set(err, ERR_DATA, "%s: too long", name) : 0;
}

int
scenario_read_certificate(const char *path, struct blob *out, struct error *err)
{
	auto_blob struct blob file = { 0 };
	const unsigned char *at;
	unsigned char *der = NULL;
	X509 *cert = NULL;
	BIO *bio;
	int len;

	if (file_read(path, FILE_LONGEST, FILE_ANY, &file, err) < 0)
		return -1;
	bio = BIO_new_mem_buf(file.data, (int)file.len);
	if (bio)
		cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	at = file.data;
	if (!cert && file.len)
		cert = d2i_X509(NULL, &at, (long)file.len);
	ERR_clear_error();
	if (!cert)
		return error_set(err, ERR_DATA, "%s: no certificate in it", path);
	len = i2d_X509(cert, &der);
	X509_free(cert);
	if (len <= 0 || blob_set(out, der, (size_t)len) < 0) {
		OPENSSL_free(der);
		return error_memory(err);
	}
	OPENSSL_free(der);
	return 0;
}

/* ---- from the file to devices --------------------------------------------- */

static int
take_fault(const struct fault_entry *entry, struct fault **list, struct error *err)
{
	const struct {
		const char *key, *value;
	} rows[] = {
		{ "at", entry->at }, { "request", entry->request }, { "nth", entry->nth },
		{ "do", entry->kind }, { "phase", entry->phase }, { "times", entry->times },
		{ "key", entry->key }, { "status", entry->status }, { "domain", entry->domain },
		{ "code", entry->code }, { "code-type", entry->code_type },
		{ "text", entry->text }, { "hex", entry->hex }, { "repeat", entry->repeat },
		{ "links", entry->links },
	};
	struct fault fault = { 0 };
	size_t i;
	int rc = 0;

	for (i = 0; i < countof(rows) && rc == 0; i++)
		if (rows[i].value)
			rc = fault_set(&fault, rows[i].key, rows[i].value, err);
	if (rc == 0 && fault_list_add(list, &fault) < 0)
		rc = error_memory(err);
	fault_clear(&fault);
	return rc;
}

static int
take_faults(const struct fault_entry *entries, uint64_t n, struct fault **list,
    struct error *err)
{
	uint64_t i;

	for (i = 0; i < n; i++)
		if (take_fault(&entries[i], list, err) < 0)
			return -1;
	return 0;
}

static void
take_numbers(const struct device_entry *entry, struct virtual_spec *spec)
{
	const struct {
		const uint64_t *from;
		uint64_t *to;
	} rows[] = {
		{ entry->count, &spec->count }, { entry->latency_ms, &spec->latency_ms },
		{ entry->idle_ms, &spec->idle_ms }, { entry->restart_ms, &spec->restart_ms },
		{ entry->mux_version, &spec->mux_version },
	};
	size_t i;

	for (i = 0; i < countof(rows); i++)
		if (rows[i].from)
			*rows[i].to = *rows[i].from;
}

static void
take_truths(const struct device_entry *entry, struct virtual_spec *spec)
{
	const struct {
		const bool *from;
		bool *to;
	} rows[] = {
		{ entry->paired, &spec->is_paired }, { entry->locked, &spec->is_locked },
		{ entry->passcode, &spec->has_passcode },
		{ entry->activated, &spec->is_activated }, { entry->set_up, &spec->is_set_up },
		{ entry->allow_pairing, &spec->allows_pairing },
		{ entry->queries, &spec->has_queries }, { entry->unplugged, &spec->is_unplugged },
	};
	size_t i;

	for (i = 0; i < countof(rows); i++)
		if (rows[i].from)
			*rows[i].to = *rows[i].from;
}

static void
take_texts(const struct device_entry *entry, struct virtual_spec *spec)
{
	if (entry->name)
		spec->name = entry->name;
	if (entry->product)
		spec->product = entry->product;
	if (entry->os)
		spec->os = entry->os;
	spec->udid = entry->udid;
	spec->serial = entry->serial;
	if (entry->trust)
		spec->trust = *entry->trust;
	if (entry->supervised_by)
		spec->organization = entry->supervised_by->organization;
}

static int
read_files(const char *path, const struct device_entry *entry, struct blob *certificate,
    struct blob *profiles, struct error *err)
{
	char name[PATH_MAX];
	uint64_t i;

	if (entry->supervised_by && entry->supervised_by->certificate
	    && (beside(path, entry->supervised_by->certificate, name, sizeof(name), err) < 0
	    || scenario_read_certificate(name, certificate, err) < 0))
		return -1;
	for (i = 0; i < entry->profiles_count; i++)
		if (beside(path, entry->profiles[i], name, sizeof(name), err) < 0
		    || file_read(name, PROFILE_LONGEST, FILE_ANY, &profiles[i], err) < 0)
			return -1;
	return 0;
}

static int
add_device(struct bench *bench, const char *path, const struct device_entry *entry,
    struct error *err)
{
	struct blob profiles[PROFILES_MOST] = { { 0 } };
	auto_blob struct blob certificate = { 0 };
	struct virtual_spec spec;
	uint64_t i;
	int rc;

	virtual_spec_init(&spec);
	take_texts(entry, &spec);
	take_numbers(entry, &spec);
	take_truths(entry, &spec);
	rc = read_files(path, entry, &certificate, profiles, err);
	if (rc == 0)
		rc = take_faults(entry->faults, entry->faults_count, &spec.faults, err);
	if (certificate.len)
		spec.certificate = &certificate;
	spec.profiles = profiles;
	spec.n_profiles = (size_t)entry->profiles_count;
	if (rc == 0)
		rc = bench_add(bench, &spec, err);
	for (i = 0; i < entry->profiles_count; i++)
		blob_clear(&profiles[i]);
	fault_list_clear(&spec.faults);
	return rc;
}

static int
add_all(struct bench *bench, const char *path, const struct file *file, struct error *err)
{
	uint64_t i;

	for (i = 0; i < file->devices_count; i++)
		if (add_device(bench, path, &file->devices[i], err) < 0)
			return error_context(err, "device %llu", (unsigned long long)i + 1);
	return take_faults(file->faults, file->faults_count, &bench->faults, err);
}

int
scenario_load(struct bench *bench, const char *path, struct error *err)
{
	auto_blob struct blob text = { 0 };
	char said[ERROR_MESSAGE_MAX] = "";
	cyaml_config_t how = config(said);
	struct file *file = NULL;
	cyaml_err_t problem;
	int rc;

	if (file_read(path, FILE_LONGEST, FILE_ANY, &text, err) < 0)
		return -1;
	problem = cyaml_load_data(text.data, text.len, &how, &file_schema, (cyaml_data_t **)&file,
	    NULL);
	if (problem != CYAML_OK)
		return error_set(err, ERR_DATA, "%s: %s: %s", path, cyaml_strerror(problem), said);
	/* Nothing but comments is read as nothing, and no device is fine. */
	rc = file ? add_all(bench, path, file, err) : 0;
	cyaml_free(&how, &file_schema, file, 0);
	return rc < 0 ? error_context(err, "%s", path) : 0;
}
