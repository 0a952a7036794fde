/* scenarios: files that make a bench, files that do not, and made-up identities */
#include "tests/sim/fixture.h"

#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "sim/catalogue.h"
#include "sim/devicekey.h"
#include "sim/fault.h"
#include "sim/host.h"
#include "sim/installed.h"
#include "sim/scenario.h"

struct place {
	struct fixture	*fixture;
	char		 folder[32];
	char		 yaml[64], certificate[64], profile[64];
};

static const char profile_text[] = PROFILE("", NO_CHAT);

static void
write_text(const char *path, const char *text)
{
	struct error err = { 0 };

	assert_int_equal(file_write(path, text, strlen(text), 0600, true, &err), 0);
}

static int
set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	FILE *file;

	fixture_set_up((void **)&place->fixture);
	snprintf(place->folder, sizeof(place->folder), "/tmp/vbenchXXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->yaml, sizeof(place->yaml), "%s/bench.yaml", place->folder);
	snprintf(place->certificate, sizeof(place->certificate), "%s/acme.crt", place->folder);
	snprintf(place->profile, sizeof(place->profile), "%s/old.mobileconfig", place->folder);
	write_text(place->profile, profile_text);
	file = fopen(place->certificate, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, place->fixture->supervisor.cert), 1);
	fclose(file);
	*state = place;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *place = *state;

	unlink(place->yaml);
	unlink(place->certificate);
	unlink(place->profile);
	rmdir(place->folder);
	fixture_tear_down((void **)&place->fixture);
	free(place);
	return 0;
}

static void
mistakes_are_named(void **state)
{
	static const struct {
		const char *name, *yaml, *says;	/* NULL: it is fine */
	} rows[] = {
		{ "one device of no particulars", "devices: [{name: a}]", NULL },
		{ "no devices at all", "devices: []", NULL },
		{ "an unknown key", "devices: [{nam: a}]", "nam" },
		{ "trust of another kind", "devices: [{trust: maybe}]", "trust" },
		{ "a count in words", "devices: [{count: many}]", "count" },
		{ "too many", "devices: [{count: 100000}]", "more than" },
		{ "a fault that does nothing known",
		  "devices: [{faults: [{do: explode}]}]", "explode" },
		{ "a fault that does nothing", "devices: [{faults: [{at: mcinstall}]}]", "do" },
		{ "a certificate that is not there",
		  "devices: [{supervised-by: {organization: A, certificate: x}}]", "x" },
		{ "a certificate that is none",
		  "devices: [{supervised-by: {organization: A, certificate: bench.yaml}}]",
		  "no certificate" },
		{ "a profile that is refused", "devices: [{profiles: [bench.yaml]}]", "1000" },
		{ "no YAML", "devices: [", "devices" },
	};
	struct place *place = *state;
	size_t i;

	for (i = 0; i < countof(rows); i++) {
		struct error err = { 0 };
		int rc;

		row_named(rows[i].name);
		write_text(place->yaml, rows[i].yaml);
		rc = scenario_load(place->fixture->bench, place->yaml, &err);
		assert_int_equal(rc, rows[i].says ? -1 : 0);
		if (rows[i].says && !strstr(err.message, rows[i].says))
			fail_msg("%s", err.message);
	}
}

static void
every_key_arrives(void **state)
{
	struct place *place = *state;
	struct virtual *device;
	struct error err = { 0 };

	write_text(place->yaml,
	    "devices:\n"
	    "  - {name: desk, count: 2, product: 'iPhone15,2', os: '17.0', "
	    "trust: deny, paired: true,\n"
	    "     locked: true, activated: false, queries: false, latency-ms: 7, "
	    "allow-pairing: false,\n"
	    "     supervised-by: {organization: Acme, certificate: acme.crt}, "
	    "profiles: [old.mobileconfig],\n"
	    "     faults: [{at: mcinstall, request: Flush, nth: 2, do: close, phase: middle}]}\n");
	assert_int_equal(scenario_load(place->fixture->bench, place->yaml, &err), 0);
	device = bench_find(place->fixture->bench, "desk-2");
	assert_non_null(device);
	assert_non_null(bench_find(place->fixture->bench, "desk-1"));
	assert_null(bench_find(place->fixture->bench, "desk-3"));
	assert_string_equal(device->product, "iPhone15,2");
	assert_string_equal(device->os, "17.0");
	assert_int_equal(device->trust, TRUST_DENY);
	assert_true(device->is_locked && device->has_passcode && !device->was_unlocked);
	assert_false(device->is_activated);
	assert_false(device->has_queries);
	assert_int_equal(device->latency_ms, 7);
	assert_true(virtual_is_supervised(device));
	assert_false(virtual_allows_pairing(device));
	assert_true(virtual_is_supervisor(device, place->fixture->supervisor.der.data,
	    place->fixture->supervisor.der.len));
	assert_non_null(device->hosts);
	assert_non_null(installed_find(device, "org.example.one"));
	assert_int_equal(device->faults->kind, FAULT_CLOSE);
	assert_int_equal(device->faults->phase, FAULT_MIDDLE);
	assert_int_equal(device->faults->nth, 2);
}

static void
the_example_is_good(void **state)
{
	struct place *place = *state;
	auto_blob struct blob text = { 0 };
	struct error err = { 0 };

	assert_int_equal(file_read(SOURCE_DIR "/tools/vbench.yaml", 65536, FILE_ANY, &text,
	    &err), 0);
	assert_int_equal(file_write(place->yaml, text.data, text.len, 0600, true, &err), 0);
	assert_int_equal(scenario_load(place->fixture->bench, place->yaml, &err), 0);
	assert_non_null(bench_find(place->fixture->bench, "00008030-000A1B2C3D4E5F0E"));
	assert_false(bench_find(place->fixture->bench, "fresh")->is_set_up);
}

static void
identities_agree_with_themselves(void **state)
{
	const struct model *ipad = catalogue_find("iPad13,18"), *old = catalogue_find("iPad7,11");
	struct plate first, again, second, given;
	char udid[32];

	(void)state;
	catalogue_engrave(ipad, 3, NULL, NULL, &first);
	catalogue_engrave(ipad, 3, NULL, NULL, &again);
	catalogue_engrave(ipad, 4, NULL, NULL, &second);
	assert_memory_equal(&first, &again, sizeof(first));
	assert_string_not_equal(first.udid, second.udid);
	assert_string_not_equal(first.serial, second.serial);
	snprintf(udid, sizeof(udid), "%08X-%016llX", first.chip, (unsigned long long)first.ecid);
	assert_string_equal(first.udid, udid);
	catalogue_engrave(old, 3, NULL, NULL, &first);
	assert_int_equal(strlen(first.udid), 40);
	catalogue_engrave(ipad, 3, "00008030001c2d3e4f50002e", "SERIAL", &given);
	assert_string_equal(given.udid, "00008030-001C2D3E4F50002E");
	assert_int_equal(given.chip, 0x8030);
	assert_true(given.ecid == 0x001C2D3E4F50002E);
	assert_string_equal(given.serial, "SERIAL");
}

static void
free_keys(EVP_PKEY **keys, size_t n)
{
	while (n-- > 0) {
		EVP_PKEY_free(keys[n]);
		keys[n] = NULL;
	}
}

static int
keep(const char *path, EVP_PKEY **keys, size_t n, struct error *err)
{
	memset(err, 0, sizeof(*err));
	return devicekey_keep(path, keys, n, err);
}

static void
kept_keys_are_the_same_next_time(void **state)
{
	struct place *place = *state;
	EVP_PKEY *made[2] = { NULL }, *read[3] = { NULL };
	struct error err = { 0 };
	struct stat st;
	char path[64];
	size_t i;

	snprintf(path, sizeof(path), "%s/keys.pem", place->folder);
	assert_int_equal(keep(path, made, 2, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(keep(path, read, 2, &err), 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(EVP_PKEY_eq(made[i], read[i]), 1);
	free_keys(made, 2);
	free_keys(read, 2);
	/* Too few, too many, seen by others, nonsense. */
	for (i = 1; i <= 3; i += 2) {
		assert_int_equal(keep(path, read, i, &err), -1);
		assert_int_equal(err.kind, ERR_DATA);
		free_keys(read, 3);
	}
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(keep(path, read, 2, &err), -1);
	assert_int_equal(err.kind, ERR_PERM);
	write_text(path, "no keys\n");
	assert_int_equal(keep(path, read, 2, &err), -1);
	assert_int_equal(err.kind, ERR_DATA);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(every_key_arrives),
		cmocka_unit_test(the_example_is_good),
		cmocka_unit_test(identities_agree_with_themselves),
		cmocka_unit_test(kept_keys_are_the_same_next_time),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
