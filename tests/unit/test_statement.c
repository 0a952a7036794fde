/* statement: what was signed is read back, anything else is refused */
#include "tests/unit/table.h"

#include <jansson.h>
#include <string.h>

#include "base/blob.h"
#include "base/error.h"
#include "crypto/identity.h"
#include "crypto/signed.h"
#include "store/statement.h"
#include "tests/unit/fixture.h"

static struct identity *ours, *theirs;

static int
sign(void *ctx, const void *content, size_t len, struct blob *out, struct error *err)
{
	return identity_sign(ctx, content, len, false, out, err);
}

static void
make(const struct identity *by, const char *nonce, struct blob *out)
{
	json_t *results = json_pack("[{s:s, s:s}]", "schema", "chaperone.result/1",
	    "verdict", "compliant");
	json_t *profiles = json_pack("[{s:s, s:s}]", "identifier", "com.acme", "sha256", "00");
	const struct statement_claim claim = { "bench", nonce, results, profiles };
	struct error err = { 0 };

	if (statement_make(&claim, sign, (void *)(uintptr_t)by, out, &err) < 0)
		fail_msg("%s", err.message);
	json_decref(results);
	json_decref(profiles);
}

static void
statements_are_genuine_or_refused(void **state)
{
	static const struct {
		const char *name, *nonce, *message;	/* NULL: accepted */
		bool by_others, has_anchors, is_cut, is_altered, is_no_statement;
	} rows[] = {
		{ "ours, and nobody asks who", NULL, NULL, 0, 0, 0, 0, 0 },
		{ "ours, against our certificate", "n-1", NULL, 0, 1, 0, 0, 0 },
		{ "another answer's nonce", "n-2", "nonce", 0, 1, 0, 0, 0 },
		{ "somebody else's", "n-1", "signer", 1, 1, 0, 0, 0 },
		{ "somebody else's, and nobody asks who", "n-1", NULL, 1, 0, 0, 0, 0 },
		{ "a byte of the content changed", NULL, "altered", 0, 0, 0, 1, 0 },
		{ "the last byte missing", NULL, "CMS", 0, 0, 1, 0, 0 },
		{ "signed by us, but no statement", NULL, "no statement", 0, 1, 0, 0, 1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_statement_of struct statement s = { 0 };
		auto_blob struct blob cms = { 0 };
		struct blob anchors = identity_cert(ours)->der;
		struct error err = { 0 };
		int rc;

		row_named(rows[i].name);
		make(rows[i].by_others ? theirs : ours, "n-1", &cms);
		if (rows[i].is_no_statement)
			assert_int_equal(sign(ours, "{\"schema\":\"chaperone.seal/1\"}",
			    29, &cms, &err), 0);
		if (rows[i].is_altered) {
			uint8_t *at = memmem(cms.data, cms.len, "compliant", 9);

			assert_non_null(at);
			at[0] = 'C';
		}
		rc = statement_read(cms.data, cms.len - rows[i].is_cut,
		    rows[i].has_anchors ? &anchors : NULL, rows[i].nonce, &s, &err);
		assert_int_equal(rc, rows[i].message ? -1 : 0);
		if (rows[i].message) {
			assert_int_equal(err.kind, ERR_DATA);
			assert_non_null(strstr(err.message, rows[i].message));
		} else {
			assert_int_equal(s.is_trusted, rows[i].has_anchors);
		}
	}
}

static void
base64_goes_there_and_back(void **state)
{
	static const char *const bad[] = { "", "A", "AA=", "A*==", "AAAA A==" };
	size_t len, i;

	(void)state;
	for (len = 1; len < 70; len++) {
		auto_blob struct blob in = { 0 }, out = { 0 };
		auto_free char *text = NULL;
		struct error err = { 0 };

		assert_int_equal(blob_set(&in,
		    "the quick brown fox jumps over the lazy dog, and over it again.......",
		    len), 0);
		assert_int_equal(signed_encode(&in, &text, &err), 0);
		assert_int_equal(signed_decode(text, &out, &err), 0);
		assert_true(blob_equal(&in, &out));
	}
	for (i = 0; i < countof(bad); i++) {
		auto_blob struct blob out = { 0 };
		struct error err = { 0 };

		assert_int_equal(signed_decode(bad[i], &out, &err), -1);
	}
}

/* With nothing of ours: the commands of chaperone-ledger(5). */
static void
openssl_agrees(void **state)
{
	auto_blob struct blob cms = { 0 }, said = { 0 };
	const struct blob *der = &identity_cert(ours)->der;

	(void)state;
	fixture_enter();
	make(ours, "n-1", &cms);
	fixture_write("statement.p7s", cms.data, cms.len, 0600);
	fixture_write("acme.der", der->data, der->len, 0600);
	assert_true(fixture_openssl("x509 -inform DER -in acme.der -out acme.crt"));
	assert_true(
	    fixture_openssl("cms -verify -binary -inform DER -in statement.p7s -CAfile acme.crt "
	    "-purpose any -out statement.json"));
	fixture_read("statement.json", &said);
	assert_non_null(memmem(said.data, said.len, "\"nonce\":\"n-1\"", 13));
	make(theirs, "n-1", &cms);
	fixture_write("statement.p7s", cms.data, cms.len, 0600);
	assert_false(
	    fixture_openssl("cms -verify -binary -inform DER -in statement.p7s -CAfile acme.crt "
	    "-purpose any -out statement.json"));
	fixture_leave();
}

static int
make_identities(void **state)
{
	const struct identity_spec a = { "Acme", 2048, 10 }, b = { "Mallory", 2048, 10 };
	struct error err = { 0 };

	(void)state;
	return identity_create(&a, &ours, &err) || identity_create(&b, &theirs, &err);
}

static int
free_identities(void **state)
{
	(void)state;
	identity_free(ours);
	identity_free(theirs);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statements_are_genuine_or_refused),
		cmocka_unit_test(base64_goes_there_and_back),
		cmocka_unit_test(openssl_agrees),
	};

	return cmocka_run_group_tests_name("statement", tests, make_identities, free_identities);
}
