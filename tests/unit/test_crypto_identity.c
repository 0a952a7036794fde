/* crypto: identities in every form a file can have, made, loaded, exported */
#include "tests/unit/table.h"
#include "tests/unit/fixture.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/text.h"
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "crypto/identity.h"

/* What every row below loads: made once, RSA-2048 by OpenSSL's own program. */
static const char *const recipe[] = {
	("req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 3650 "
	"-subj /O=Acme/CN=Acme"),
	("req -x509 -newkey rsa:2048 -nodes -keyout other.pem -out othercert.pem -days 30 "
	"-subj /CN=Other"),
	("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout eckey.pem "
	"-out eccert.pem -days 30 -subj /O=Curve"),
	"req -x509 -newkey ed25519 -nodes -keyout edkey.pem -out edcert.pem -days 30 -subj /O=Ed",
	"pkcs12 -export -inkey key.pem -in cert.pem -passout pass:secret -out new.p12",
	"pkcs12 -export -inkey key.pem -in cert.pem -passout pass: -out empty.p12",
	"pkcs12 -export -inkey key.pem -in cert.pem -passout pass:secret -nomac -out nomac.p12",
	("pkcs12 -export -inkey key.pem -in cert.pem -keypbe NONE -certpbe NONE -nomac "
	"-passout pass: -out clear.p12"),
	("pkcs12 -export -inkey key.pem -in cert.pem -passout pass:secret -keypbe PBE-SHA1-3DES "
	"-certpbe PBE-SHA1-3DES -macalg sha1 -out des.p12"),
	("pkcs12 -export -inkey key.pem -in cert.pem -certfile othercert.pem -passout pass:secret "
	"-out chain.p12"),
	"pkcs12 -export -nokeys -in cert.pem -passout pass:secret -out nokey.p12",
	"pkcs12 -export -inkey eckey.pem -in eccert.pem -passout pass:secret -out ec.p12",
	"x509 -in cert.pem -outform DER -out cert.der",
	"pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out key.der",
	"pkcs8 -topk8 -in key.pem -outform DER -passout pass:secret -v2 aes256 -out sealed.der",
	"pkcs8 -topk8 -in key.pem -passout pass:secret -v2 aes256 -out sealed.pem",
	"pkcs8 -topk8 -in key.pem -passout pass:secret -v1 PBE-SHA1-3DES -out sealed3des.pem",
	"rsa -traditional -in key.pem -out rsa.pem",
	"rsa -traditional -in key.pem -outform DER -out rsa.der",
	"rsa -traditional -aes128 -in key.pem -passout pass:secret -out sealedrsa.pem",
	"ec -in eckey.pem -outform DER -out ec.der",
};

/* These need OpenSSL's legacy provider, in the program and in us. */
static const char *const old_recipe[] = {
	"pkcs12 -export -legacy -inkey key.pem -in cert.pem -passout pass:secret -out old.p12",
	"pkcs12 -export -legacy -inkey key.pem -in cert.pem -passout pass: -out oldempty.p12",
	("pkcs12 -export -legacy -inkey key.pem -in cert.pem -passout pass:secret -nomac "
	"-out oldnomac.p12"),
	("pkcs8 -topk8 -provider legacy -provider default -in key.pem -passout pass:secret "
	"-v1 PBE-SHA1-RC2-40 -out sealedrc2.pem"),
};
static bool has_legacy;

static void
join(const char *to, const char *first, const char *second, const char *third)
{
	const char *const names[] = { first, second, third };
	auto_blob struct blob all = { 0 };
	size_t i;

	for (i = 0; i < countof(names) && names[i]; i++) {
		auto_blob struct blob part = { 0 };

		fixture_read(names[i], &part);
		assert_int_equal(blob_append(&all, part.data, part.len), 0);
	}
	fixture_write(to, all.data, all.len, 0600);
}

static int
make_files(void **state)
{
	size_t i;

	(void)state;
	fixture_enter();
	for (i = 0; i < countof(recipe); i++)
		assert_true(fixture_openssl(recipe[i]));
	has_legacy = true;
	for (i = 0; i < countof(old_recipe); i++)
		has_legacy = fixture_openssl(old_recipe[i]) && has_legacy;
	join("bundle.pem", "cert.pem", "key.pem", NULL);
	join("reversed.pem", "key.pem", "othercert.pem", "cert.pem");
	join("sealedbundle.pem", "cert.pem", "sealed.pem", NULL);
	join("sealed3desbundle.pem", "cert.pem", "sealed3des.pem", NULL);
	join("sealedrsabundle.pem", "sealedrsa.pem", "cert.pem", NULL);
	join("rsabundle.pem", "rsa.pem", "cert.pem", NULL);
	join("strangers.pem", "cert.pem", "other.pem", NULL);
	join("twokeys.pem", "cert.pem", "key.pem", "other.pem");
	join("edbundle.pem", "edcert.pem", "edkey.pem", NULL);
	if (has_legacy)
		join("sealedrc2bundle.pem", "cert.pem", "sealedrc2.pem", NULL);
	join("loose.pem", "cert.pem", "key.pem", NULL);
	assert_int_equal(chmod("loose.pem", 0644), 0);
	join("loose.key", "key.pem", NULL, NULL);
	assert_int_equal(chmod("loose.key", 0640), 0);
	join("public.crt", "cert.pem", NULL, NULL);
	assert_int_equal(chmod("public.crt", 0644), 0);
	join("with,comma.pem", "cert.pem", "key.pem", NULL);
	fixture_write("text.p12", "hello, world\n", 13, 0600);
	fixture_write("nothing.p12", "", 0, 0600);
	fixture_write("damaged.pem",
	    "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", 59, 0600);
	return 0;
}

/* The last two are at hand and cost no question. */
enum ask { NOBODY, RIGHT, WRONG, RIGHT_AT_HAND, WRONG_AT_HAND };

static const char *const answers[] = { [NOBODY] = NULL, [RIGHT] = "secret", [WRONG] = "Secret",
	[RIGHT_AT_HAND] = "secret", [WRONG_AT_HAND] = "Secret" };

/* 0, or the kind of the failure. */
static enum error_kind
load(const char *ref, enum ask ask, bool is_loose, unsigned *times, struct error *err)
{
	struct asked asked = { .answer = answers[ask] };
	struct identity_source source = { .ref = ref, .allow_loose_files = is_loose,
		.passphrase = fixture_answer, .passphrase_ctx = &asked,
		.asks_nobody = ask == RIGHT_AT_HAND || ask == WRONG_AT_HAND };
	struct identity *id = NULL;
	int rc = identity_load(&source, &id, err);

	assert_int_equal(rc < 0, err->kind != ERR_NONE);
	assert_int_equal(rc < 0, id == NULL);
	if (id)
		assert_int_equal(strlen(identity_cert(id)->sha256), 64);
	identity_free(id);
	*times = asked.times;
	return err->kind;
}

static void
files_are_loaded_by_what_they_hold(void **state)
{
	static const struct {
		const char	*name, *ref;
		bool		 is_old;	/* needs the legacy provider */
		enum error_kind	 nobody, right, wrong;	/* by who answers the question */
		unsigned	 asked;
		const char	*says;		/* in the message of "right" */
	} rows[] = {
		{ "PKCS#12 as made today", "new.p12", 0, ERR_PERM, 0, ERR_PERM, 1, "" },
		{ "PKCS#12 with an empty passphrase asks nobody", "empty.p12", 0, 0, 0, 0, 0, "" },
		{ "PKCS#12 without a MAC", "nomac.p12", 0, ERR_PERM, 0, ERR_PERM, 1, "" },
		{ "PKCS#12 in clear asks nobody", "clear.p12", 0, 0, 0, 0, 0, "" },
		{ "PKCS#12 with 3DES and SHA-1", "des.p12", 0, ERR_PERM, 0, ERR_PERM, 1, "" },
		{ "PKCS#12 with more certificates", "chain.p12", 0, ERR_PERM, 0, ERR_PERM, 1, "" },
		{ "PKCS#12 with RC2-40", "old.p12", 1, ERR_PERM, 0, ERR_PERM, 1, "" },
		{ "PKCS#12 with RC2-40 and an empty passphrase", "oldempty.p12",
		    1, 0, 0, 0, 0, "" },
		{ "PKCS#12 with RC2-40 without a MAC", "oldnomac.p12",
		    1, ERR_PERM, 0, ERR_PERM, 1, "" },
		{ "PKCS#12 with an elliptic curve", "ec.p12", 0, ERR_PERM, 0, ERR_PERM, 1, "" },
		{ "PKCS#12 without a key", "nokey.p12",
		    0, ERR_PERM, ERR_DATA, ERR_PERM, 1, "no private key" },
		{ "text that is called .p12", "text.p12",
		    0, ERR_DATA, ERR_DATA, ERR_DATA, 0, "no PKCS#12" },
		{ "an empty file", "nothing.p12",
		    0, ERR_DATA, ERR_DATA, ERR_DATA, 0, "no PKCS#12" },
		{ "PEM, certificate first", "bundle.pem", 0, 0, 0, 0, 0, "" },
		{ "PEM, key first, a strange certificate between", "reversed.pem",
		    0, 0, 0, 0, 0, "" },
		{ "PEM with an encrypted PKCS#8 key", "sealedbundle.pem",
		    0, ERR_PERM, 0, ERR_PERM, 1, "" },
		{ "PEM with a 3DES PKCS#8 key", "sealed3desbundle.pem",
		    0, ERR_PERM, 0, ERR_PERM, 1, "" },
		{ "PEM with an RC2-40 PKCS#8 key", "sealedrc2bundle.pem",
		    1, ERR_PERM, 0, ERR_PERM, 1, "" },
		{ "PEM with a traditional key", "rsabundle.pem", 0, 0, 0, 0, 0, "" },
		{ "PEM with an encrypted traditional key", "sealedrsabundle.pem",
		    0, ERR_PERM, 0, ERR_PERM, 1, "" },
		{ "PEM of two identities", "strangers.pem",
		    0, ERR_DATA, ERR_DATA, ERR_DATA, 0, "belong together" },
		{ "PEM with two keys", "twokeys.pem",
		    0, ERR_DATA, ERR_DATA, ERR_DATA, 0, "more than one" },
		{ "PEM with no key", "cert.pem",
		    0, ERR_DATA, ERR_DATA, ERR_DATA, 0, "no private key" },
		{ "PEM with no certificate", "key.pem",
		    0, ERR_DATA, ERR_DATA, ERR_DATA, 0, "no certificate" },
		{ "PEM with an Ed25519 key, which CMS cannot use", "edbundle.pem",
		    0, ERR_DATA, ERR_DATA, ERR_DATA, 0, "ED25519" },
		{ "PEM that is damaged", "damaged.pem",
		    0, ERR_DATA, ERR_DATA, ERR_DATA, 0, "damaged" },
		{ "a pair, both PEM", "cert.pem,key.pem", 0, 0, 0, 0, 0, "" },
		{ "a pair, both DER", "cert.der,key.der", 0, 0, 0, 0, 0, "" },
		{ "a pair, PEM and DER", "cert.pem,rsa.der", 0, 0, 0, 0, 0, "" },
		{ "a pair, DER and PEM", "cert.der,rsa.pem", 0, 0, 0, 0, 0, "" },
		{ "a pair of an elliptic curve", "eccert.pem,ec.der", 0, 0, 0, 0, 0, "" },
		{ "a pair with an encrypted DER key", "cert.der,sealed.der",
		    0, ERR_PERM, 0, ERR_PERM, 1, "" },
		{ "a pair with an encrypted PEM key", "cert.der,sealed.pem",
		    0, ERR_PERM, 0, ERR_PERM, 1, "" },
		{ "a pair of strangers", "cert.pem,other.pem",
		    0, ERR_DATA, ERR_DATA, ERR_DATA, 0, "belong together" },
		{ "a pair in the wrong order", "key.pem,cert.pem",
		    0, ERR_DATA, ERR_DATA, ERR_DATA, 0, "no certificate" },
		{ "a pair whose certificate is public", "public.crt,key.pem", 0, 0, 0, 0, 0, "" },
		{ "a pair whose key is loose", "cert.pem,loose.key",
		    0, ERR_PERM, ERR_PERM, ERR_PERM, 0, "read by others" },
		{ "a pair without its key", "cert.pem,none.key",
		    0, ERR_NOINPUT, ERR_NOINPUT, ERR_NOINPUT, 0, "none.key" },
		{ "a pair without its certificate", "none.crt,key.pem",
		    0, ERR_NOINPUT, ERR_NOINPUT, ERR_NOINPUT, 0, "none.crt" },
		{ "a file with a comma in its name", "with,comma.pem", 0, 0, 0, 0, 0, "" },
		{ "a bundle that others can read", "loose.pem",
		    0, ERR_PERM, ERR_PERM, ERR_PERM, 0, "read by others" },
		{ "a file that is not there", "none.p12",
		    0, ERR_NOINPUT, ERR_NOINPUT, ERR_NOINPUT, 0, "none.p12" },
		{ "a folder", ".", 0, ERR_NOINPUT, ERR_NOINPUT, ERR_NOINPUT, 0, "" },
		{ "no name at all", "", 0, ERR_USAGE, ERR_USAGE, ERR_USAGE, 0, "no name" },
		{ "a kind that is not known", "pkcs99:object=x",
		    0, ERR_USAGE, ERR_USAGE, ERR_USAGE, 0, "pkcs99:" },
	};
	size_t i, who;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		const enum error_kind want[] = { [NOBODY] = rows[i].nobody,
			[RIGHT] = rows[i].right, [WRONG] = rows[i].wrong,
			[RIGHT_AT_HAND] = rows[i].right, [WRONG_AT_HAND] = rows[i].wrong };

		row_named(rows[i].name);
		if (rows[i].is_old && !has_legacy) {
			print_message("           skipped: no legacy provider here\n");
			continue;
		}
		for (who = 0; who < countof(want); who++) {
			struct error err = { 0 };
			unsigned times = 0;

			assert_int_equal(load(rows[i].ref, (enum ask)who, false, &times, &err),
			    want[who]);
			if (who <= WRONG)
				assert_int_equal(times, rows[i].asked);
			if (who == RIGHT || who == RIGHT_AT_HAND)
				assert_non_null(strstr(err.message, rows[i].says));
		}
	}
}

static void
loose_files_are_read_when_that_is_wanted(void **state)
{
	static const char *const refs[] = { "loose.pem", "cert.pem,loose.key" };
	size_t i;

	(void)state;
	for (i = 0; i < countof(refs); i++) {
		struct error err = { 0 };
		unsigned times;

		row_named(refs[i]);
		assert_int_equal(load(refs[i], NOBODY, true, &times, &err), ERR_NONE);
	}
}

/* The middle of the number'th integer of a PKCS#1 key: 0 is its version, 3 d, 6 dP. */
static uint8_t *
middle_of(struct blob *rsa, int number)
{
	uint8_t *p = rsa->data + 4, *value = p;
	size_t len = 0;

	for (; number >= 0; number--) {
		assert_true(p + 4 < rsa->data + rsa->len && p[0] == 2);
		len = p[1] < 0x80 ? p[1] : p[1] == 0x81 ? p[2] : (size_t)(p[2] << 8 | p[3]);
		value = p + (p[1] < 0x80 ? 2 : p[1] == 0x81 ? 3 : 4);
		p = value + len;
	}
	return value + len / 2;
}

/* It names the right certificate, and what it signs nobody would accept. */
static void
a_damaged_key_is_refused_before_it_signs(void **state)
{
	const struct identity_source source = { .ref = "cert.pem,damaged.der" };
	auto_blob struct blob rsa = { 0 };
	struct identity *id = NULL;
	struct error err = { 0 };

	(void)state;
	fixture_read("rsa.der", &rsa);
	*middle_of(&rsa, 3) ^= 1;
	*middle_of(&rsa, 6) ^= 1;
	fixture_write("damaged.der", rsa.data, rsa.len, 0600);
	assert_int_equal(identity_load(&source, &id, &err), -1);
	assert_int_equal(err.kind, ERR_DATA);
	assert_non_null(strstr(err.message, "damaged"));
	assert_null(id);
}

/* Every cut of a file is refused, none is a crash; few are tried, many formats. */
static void
damage_is_survived(void **state)
{
	static const char *const names[] = { "new.p12", "des.p12", "clear.p12", "sealed.der",
		"key.der", "cert.der", "bundle.pem", "sealedrsabundle.pem" };
	size_t i, cut;

	(void)state;
	for (i = 0; i < countof(names); i++) {
		auto_blob struct blob whole = { 0 };

		row_named(names[i]);
		fixture_read(names[i], &whole);
		for (cut = 0; cut < 40; cut++) {
			struct error err = { 0 };
			unsigned times;

			fixture_write("cut", whole.data,
			    cut < 20 ? cut : whole.len * cut / 41, 0600);
			assert_int_not_equal(load("cut", RIGHT, false, &times, &err), ERR_NONE);
		}
	}
}

static void
the_certificate_is_read_into_words(void **state)
{
	static const struct {
		const char *name, *file, *organization, *common_name, *key;
	} rows[] = {
		{ "PEM, RSA", "cert.pem", "Acme", "Acme", "RSA 2048" },
		{ "DER, RSA", "cert.der", "Acme", "Acme", "RSA 2048" },
		{ "no organization: the common name instead", "othercert.pem",
		    "Other", "Other", "RSA 2048" },
		{ "no common name", "eccert.pem", "Curve", "", "EC P-256" },
		{ "another kind of key", "edcert.pem", "Ed", "", "ED25519" },
		{ "behind a key", "reversed.pem", "Other", "Other", "RSA 2048" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_blob struct blob bytes = { 0 };
		auto_cert struct cert c = { 0 }, copy = { 0 };
		struct error err = { 0 };

		row_named(rows[i].name);
		fixture_read(rows[i].file, &bytes);
		assert_int_equal(cert_parse(bytes.data, bytes.len, &c, &err), 0);
		assert_string_equal(c.organization, rows[i].organization);
		assert_string_equal(c.common_name, rows[i].common_name);
		assert_string_equal(c.key, rows[i].key);
		assert_true(c.not_before <= time(NULL) && c.not_after > time(NULL));
		assert_true(strspn(c.serial, "0123456789abcdef") == strlen(c.serial) && *c.serial);
		assert_int_equal(cert_copy(&c, &copy, &err), 0);
		assert_true(blob_equal(&c.der, &copy.der));
		assert_string_equal(c.sha256, copy.sha256);
	}
}

static void
der_is_kept_byte_for_byte(void **state)
{
	auto_blob struct blob der = { 0 }, pem = { 0 };
	auto_cert struct cert from_der = { 0 }, from_pem = { 0 };
	struct error err = { 0 };
	uint8_t digest[32];
	char hex[65];

	(void)state;
	fixture_read("cert.der", &der);
	fixture_read("cert.pem", &pem);
	assert_int_equal(cert_parse(der.data, der.len, &from_der, &err), 0);
	assert_int_equal(cert_parse(pem.data, pem.len, &from_pem, &err), 0);
	assert_true(blob_equal(&der, &from_der.der));
	assert_true(blob_equal(&der, &from_pem.der));
	digest_sha256(der.data, der.len, digest);
	text_hex(digest, sizeof(digest), hex);
	assert_string_equal(from_der.sha256, hex);
}

static void
what_is_no_certificate_is_refused(void **state)
{
	static const struct { const char *name, *bytes; size_t len; } rows[] = {
		{ "nothing", "", 0 },
		{ "text", "hello", 5 },
		{ "a sequence that ends early", "0\x82\x10\x00\x30", 5 },
		{ "PEM of nothing",
		    "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", 54 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_cert struct cert c = { 0 };
		struct error err = { 0 };

		row_named(rows[i].name);
		assert_int_equal(cert_parse(rows[i].bytes, rows[i].len, &c, &err), -1);
		assert_int_equal(err.kind, ERR_DATA);
		assert_null(c.der.data);
	}
}

static void
sha256_is_that_of_fips_180(void **state)
{
	static const struct { const char *name, *text, *hex; } rows[] = {
		{ "nothing", "",
		    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "abc",
		    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		uint8_t digest[32];
		char hex[65];

		row_named(rows[i].name);
		digest_sha256(rows[i].text, strlen(rows[i].text), digest);
		text_hex(digest, sizeof(digest), hex);
		assert_string_equal(hex, rows[i].hex);
	}
	digest_sha256(NULL, 0, (uint8_t[32]){ 0 });
}

static void
create(struct identity **id)
{
	struct identity_spec spec = { .organization = "Büro 東京", .bits = 2048, .days = 3650 };
	struct error err = { 0 };

	assert_int_equal(identity_create(&spec, id, &err), 0);
}

static void
a_new_identity_has_the_known_shape(void **state)
{
	struct identity *id = NULL, *second = NULL;
	const struct cert *c;

	(void)state;
	create(&id);
	create(&second);
	c = identity_cert(id);
	assert_string_equal(c->organization, "Büro 東京");
	assert_string_equal(c->common_name, "Büro 東京");
	assert_string_equal(c->issuer, "Büro 東京");
	assert_string_equal(c->key, "RSA 2048");
	assert_int_equal(c->not_after - c->not_before, 3650LL * 24 * 3600);
	assert_int_equal(strlen(c->serial), 32);
	assert_string_not_equal(c->serial, identity_cert(second)->serial);
	fixture_write("made.der", c->der.data, c->der.len, 0600);
	identity_free(id);
	identity_free(second);

	row_named("OpenSSL's own program agrees that it signed itself");
	assert_true(fixture_openssl("x509 -inform DER -in made.der -out made.crt"));
	assert_true(fixture_openssl("verify -x509_strict -check_ss_sig -purpose sslserver "
	    "-CAfile made.crt made.crt") ||
	    fixture_openssl("verify -check_ss_sig -CAfile made.crt made.crt"));
}

static void
an_impossible_identity_is_not_made(void **state)
{
	static const struct {
		const char *name;
		struct identity_spec spec;
	} rows[] = {
		{ "no organization", { "", 2048, 10 } },
		{ "more than 64 characters",
		    { "0123456789012345678901234567890123456789012345678901234567890123x",
		    2048, 10 } },
		{ "a newline", { "Acme\nEvil", 2048, 10 } },
		{ "invalid UTF-8", { "\xFF", 2048, 10 } },
		{ "1024 bits", { "Acme", 1024, 10 } },
		{ "65536 bits", { "Acme", 65536, 10 } },
		{ "no days", { "Acme", 2048, 0 } },
		{ "a million days", { "Acme", 2048, 1000000 } },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		struct identity *id = NULL;
		struct error err = { 0 };

		row_named(rows[i].name);
		assert_int_equal(identity_create(&rows[i].spec, &id, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_null(id);
	}
}

static void
what_is_exported_can_be_loaded(void **state)
{
	static const struct {
		const char		*name;
		enum identity_format	 format;
		const char		*passphrase;
		enum error_kind		 want;
		unsigned		 asked;
		const char		*check;		/* OpenSSL's own program reads it too */
	} rows[] = {
		{ "PKCS#12", IDENTITY_P12, "secret", 0, 1,
		    "pkcs12 -in exported -passin pass:secret -noenc" },
		{ "PKCS#12 without a passphrase", IDENTITY_P12, NULL, ERR_USAGE, 0, NULL },
		{ "PKCS#12 with an empty passphrase", IDENTITY_P12, "", ERR_USAGE, 0, NULL },
		{ "PEM with a passphrase", IDENTITY_PEM, "secret", 0, 1,
		    "pkey -in exported -passin pass:secret" },
		{ "PEM in clear", IDENTITY_PEM, NULL, 0, 0, "pkey -in exported" },
	};
	struct identity *id = NULL;
	size_t i;

	(void)state;
	create(&id);
	for (i = 0; i < countof(rows); i++) {
		struct asked asked = { .answer = "secret" };
		struct identity_source source = { .ref = "exported",
			.passphrase = fixture_answer, .passphrase_ctx = &asked };
		struct identity *again = NULL;
		auto_blob struct blob file = { 0 }, passphrase = { 0 };
		struct error err = { 0 };
		int rc;

		row_named(rows[i].name);
		if (rows[i].passphrase)
			assert_int_equal(blob_set(&passphrase, rows[i].passphrase,
			    strlen(rows[i].passphrase)), 0);
		rc = identity_export(id, rows[i].format, rows[i].passphrase ? &passphrase : NULL,
		    &file, &err);
		assert_int_equal(err.kind, rows[i].want);
		if (rc < 0)
			continue;
		fixture_write("exported", file.data, file.len, 0600);
		assert_int_equal(identity_load(&source, &again, &err), 0);
		assert_int_equal(asked.times, rows[i].asked);
		assert_true(blob_equal(&identity_cert(id)->der, &identity_cert(again)->der));
		identity_free(again);
		assert_true(fixture_openssl(rows[i].check));
	}
	identity_free(id);
}

static void
a_chain_goes_through_an_export(void **state)
{
	struct asked asked = { .answer = "secret" };
	struct identity_source source = { .ref = "chain.p12", .passphrase = fixture_answer,
		.passphrase_ctx = &asked };
	struct identity *id = NULL;
	auto_blob struct blob pem = { 0 };
	struct error err = { 0 };
	const char *text, *second;

	(void)state;
	assert_int_equal(identity_load(&source, &id, &err), 0);
	assert_string_equal(identity_cert(id)->organization, "Acme");
	assert_int_equal(identity_export(id, IDENTITY_PEM, NULL, &pem, &err), 0);
	identity_free(id);
	assert_int_equal(blob_append(&pem, "", 1), 0);
	text = strstr((const char *)pem.data, "BEGIN CERTIFICATE");
	assert_non_null(text);
	second = strstr(text + 1, "BEGIN CERTIFICATE");
	assert_non_null(second);
	assert_null(strstr(second + 1, "BEGIN CERTIFICATE"));
	assert_non_null(strstr(second, "BEGIN PRIVATE KEY"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_loaded_by_what_they_hold),
		cmocka_unit_test(loose_files_are_read_when_that_is_wanted),
		cmocka_unit_test(a_damaged_key_is_refused_before_it_signs),
		cmocka_unit_test(damage_is_survived),
		cmocka_unit_test(the_certificate_is_read_into_words),
		cmocka_unit_test(der_is_kept_byte_for_byte),
		cmocka_unit_test(what_is_no_certificate_is_refused),
		cmocka_unit_test(sha256_is_that_of_fips_180),
		cmocka_unit_test(a_new_identity_has_the_known_shape),
		cmocka_unit_test(an_impossible_identity_is_not_made),
		cmocka_unit_test(what_is_exported_can_be_loaded),
		cmocka_unit_test(a_chain_goes_through_an_export),
	};

	return cmocka_run_group_tests(tests, make_files, fixture_remove);
}
