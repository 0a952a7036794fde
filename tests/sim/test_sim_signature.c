/* signatures: which CMS answers a challenge, and which does not */
#include "tests/sim/fixture.h"

#include "sim/challenge.h"
#include "sim/signature.h"

enum who { SUPERVISOR, CURVE, STRANGER, EXPIRED, SIGNERS };

struct cast {
	struct signer	signers[SIGNERS];
};

static int
set_up(void **state)
{
	struct cast *cast = calloc(1, sizeof(*cast));

	cast->signers[SUPERVISOR] = make_signer(EVP_RSA_gen(2048), 365);
	cast->signers[CURVE] = make_signer(EVP_EC_gen("P-256"), 365);
	cast->signers[STRANGER] = make_signer(EVP_RSA_gen(2048), 365);
	cast->signers[EXPIRED] = make_signer(EVP_RSA_gen(2048), -1);
	*state = cast;
	return 0;
}

static int
tear_down(void **state)
{
	struct cast *cast = *state;
	size_t i;

	for (i = 0; i < SIGNERS; i++)
		clear_signer(&cast->signers[i]);
	free(cast);
	return 0;
}

static void
only_the_right_signature_answers(void **state)
{
	static const struct {
		const char *name;
		enum who presented, signer;
		const char *digest;
		unsigned flags;
		const char *says;	/* NULL: accepted */
	} rows[] = {
		{ "RSA with SHA-256",
		    SUPERVISOR, SUPERVISOR, "SHA256", CMS_BINARY, NULL },
		{ "RSA with SHA-1",
		    SUPERVISOR, SUPERVISOR, "SHA1", CMS_BINARY, NULL },
		{ "without signed attributes",
		    SUPERVISOR, SUPERVISOR, "SHA256", CMS_BINARY | CMS_NOATTR, NULL },
		{ "SHA-1 without signed attributes",
		    SUPERVISOR, SUPERVISOR, "SHA1", CMS_BINARY | CMS_NOATTR, NULL },
		{ "without S/MIME capabilities",
		    SUPERVISOR, SUPERVISOR, "SHA256", CMS_BINARY | CMS_NOSMIMECAP, NULL },
		{ "an elliptic curve",
		    CURVE, CURVE, "SHA256", CMS_BINARY, NULL },
		{ "an expired certificate, as far as known",
		    EXPIRED, EXPIRED, "SHA256", CMS_BINARY, NULL },
		{ "signed as text, with its line feed turned",
		    SUPERVISOR, SUPERVISOR, "SHA256", 0, "not the challenge" },
		{ "signed as a text message",
		    SUPERVISOR, SUPERVISOR, "SHA256", CMS_TEXT, "not the challenge" },
		{ "detached",
		    SUPERVISOR, SUPERVISOR, "SHA256", CMS_BINARY | CMS_DETACHED, "detached" },
		{ "somebody else's signature",
		    SUPERVISOR, STRANGER, "SHA256", CMS_BINARY, "not the one presented" },
		{ "no certificate inside",
		    SUPERVISOR, SUPERVISOR, "SHA256", CMS_BINARY | CMS_NOCERTS, "does not hold" },
	};
	static const char challenge_bytes[] = "\x01\x0a\x02\x0d with a line feed\n inside";
	struct cast *cast = *state;
	auto_blob struct blob challenge = { 0 };
	size_t i;

	assert_int_equal(blob_set(&challenge, challenge_bytes, sizeof(challenge_bytes) - 1), 0);
	for (i = 0; i < countof(rows); i++) {
		auto_blob struct blob der = { 0 };
		struct error err = { 0 };
		bool is_right;

		row_named(rows[i].name);
		sign(&cast->signers[rows[i].signer], challenge.data, challenge.len, rows[i].flags,
		    EVP_get_digestbyname(rows[i].digest), &der);
		is_right = signature_answers(&der, &cast->signers[rows[i].presented].der,
		    &challenge, &err);
		assert_int_equal(is_right, rows[i].says == NULL);
		if (rows[i].says)
			assert_non_null(strstr(err.message, rows[i].says));
	}
}

static void
a_signature_for_another_challenge_is_none(void **state)
{
	struct cast *cast = *state;
	auto_blob struct blob first = { 0 }, second = { 0 }, der = { 0 };
	struct error err = { 0 };

	assert_int_equal(challenge_make(&first), 0);
	assert_int_equal(challenge_make(&second), 0);
	sign(&cast->signers[SUPERVISOR], first.data, first.len, CMS_BINARY, EVP_sha256(), &der);
	assert_true(signature_answers(&der, &cast->signers[SUPERVISOR].der, &first, &err));
	assert_false(signature_answers(&der, &cast->signers[SUPERVISOR].der, &second, &err));
}

static void
no_flipped_bit_is_accepted(void **state)
{
	struct cast *cast = *state;
	auto_blob struct blob challenge = { 0 }, der = { 0 };
	struct error err = { 0 };
	size_t at;

	assert_int_equal(challenge_make(&challenge), 0);
	sign(&cast->signers[CURVE], challenge.data, challenge.len, CMS_BINARY, EVP_sha256(), &der);
	/* The last bytes are the signature itself. */
	for (at = der.len - 64; at < der.len; at += 7) {
		der.data[at] ^= 1;
		assert_false(signature_answers(&der, &cast->signers[CURVE].der, &challenge, &err));
		der.data[at] ^= 1;
	}
	der.len--;
	assert_false(signature_answers(&der, &cast->signers[CURVE].der, &challenge, &err));
}

static void
challenges_often_hold_a_line_feed(void **state)
{
	auto_blob struct blob challenge = { 0 };
	int i, found = 0;

	(void)state;
	for (i = 0; i < 100; i++) {
		assert_int_equal(challenge_make(&challenge), 0);
		assert_int_equal(challenge.len, CHALLENGE_LEN);
		found += memchr(challenge.data, '\n', challenge.len) != NULL;
	}
	assert_true(found >= 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_right_signature_answers),
		cmocka_unit_test(a_signature_for_another_challenge_is_none),
		cmocka_unit_test(no_flipped_bit_is_accepted),
		cmocka_unit_test(challenges_often_hold_a_line_feed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
