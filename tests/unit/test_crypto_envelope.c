/* crypto: signed profiles in every wrapping, made by OpenSSL's own program */
#include "tests/unit/table.h"
#include "tests/unit/fixture.h"

#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "crypto/derguard.h"
#include "crypto/envelope.h"

static const char content[] = "<?xml version=\"1.0\"?>\n<plist>\r\n\0\n\r\0</plist>\n";
enum { CONTENT_LEN = sizeof(content) - 1 };

#define SIGN "cms -sign -binary -in content -signer cert.pem -inkey key.pem -outform DER "

static const char *const recipe[] = {
	("req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 30 "
	"-subj /O=Acme/CN=Profiles"),
	("req -x509 -newkey rsa:1024 -nodes -keyout smallkey.pem -out smallcert.pem -days 30 "
	"-subj /O=Small"),
	("req -x509 -newkey rsa:2048 -nodes -keyout cakey.pem -out ca.pem -days 30 "
	"-subj /O=Authority"),
	"req -newkey rsa:2048 -nodes -keyout leafkey.pem -out leaf.csr -subj /O=Leaf",
	"x509 -req -in leaf.csr -CA ca.pem -CAkey cakey.pem -CAcreateserial -days 30 -out leaf.pem",
	SIGN "-nodetach -md sha256 -out signed",
	SIGN "-nodetach -md sha512 -out sha512",
	SIGN "-nodetach -md sha1 -out sha1",
	SIGN "-nodetach -md sha256 -noattr -out noattr",
	SIGN "-nodetach -md sha256 -keyid -out keyid",
	SIGN "-nodetach -md sha256 -stream -out indefinite",
	SIGN "-nodetach -md sha256 -nocerts -out nocerts",
	SIGN "-nodetach -md sha256 -signer leaf.pem -inkey leafkey.pem -out two",
	SIGN "-nodetach -md sha256 -econtent_type pkcs7-encryptedData -out notdata",
	SIGN "-md sha256 -out detached",
	("cms -sign -binary -nodetach -in content -signer smallcert.pem -inkey smallkey.pem "
	"-md sha256 -outform DER -out small"),
	("cms -sign -binary -nodetach -in content -signer leaf.pem -inkey leafkey.pem "
	"-md sha256 -outform DER -out leafonly"),
	("cms -sign -binary -nodetach -in content -signer leaf.pem -inkey leafkey.pem "
	"-certfile ca.pem -md sha256 -outform DER -out chain"),
	("cms -sign -binary -nodetach -in content -signer cert.pem -inkey key.pem "
	"-outform PEM -out pem"),
	("cms -sign -binary -nodetach -in content -signer cert.pem -inkey key.pem "
	"-outform SMIME -out smime"),
	"cms -encrypt -binary -in content -aes256 -outform DER -out enveloped cert.pem",
	("cms -EncryptedData_encrypt -binary -in content -aes256 "
	"-secretkey 000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f "
	"-outform DER -out encrypted"),
	"cms -data_create -binary -in content -outform DER -out data",
	"crl2pkcs7 -nocrl -certfile cert.pem -outform DER -out nosigners",
	"x509 -in cert.pem -outform DER -out certificate",
};

static void
append(const char *to, const char *from, const char *bytes, size_t len)
{
	auto_blob struct blob b = { 0 };

	fixture_read(from, &b);
	assert_int_equal(blob_append(&b, bytes, len), 0);
	fixture_write(to, b.data, b.len, 0600);
}

/* The first place where these bytes are. */
static uint8_t *
find(struct blob *b, const char *bytes, size_t len)
{
	uint8_t *at = memmem(b->data, b->len, bytes, len);

	assert_non_null(at);
	return at;
}

static int
make_files(void **state)
{
	auto_blob struct blob b = { 0 };
	size_t i;

	(void)state;
	fixture_enter();
	fixture_write("content", content, CONTENT_LEN, 0600);
	for (i = 0; i < countof(recipe); i++)
		if (!fixture_openssl(recipe[i]))
			fail_msg("openssl %s", recipe[i]);
	append("trailing", "signed", "\0", 1);
	fixture_read("signed", &b);
	*find(&b, content, CONTENT_LEN) ^= 1;
	fixture_write("othercontent", b.data, b.len, 0600);
	fixture_read("signed", &b);
	b.data[b.len - 1] ^= 1;
	fixture_write("othersignature", b.data, b.len, 0600);
	fixture_read("two", &b);
	b.data[b.len - 1] ^= 1;
	fixture_write("oneoftwo", b.data, b.len, 0600);
	fixture_read("notdata", &b);
	find(&b, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06", 9)[8] = 1;
	fixture_write("othertype", b.data, b.len, 0600);
	fixture_read("signed", &b);
	fixture_write("half", b.data, b.len / 2, 0600);
	fixture_write("empty", "", 0, 0600);
	fixture_write("binary", "bplist00", 8, 0600);
	fixture_write("zero", "0 is no CMS", 11, 0600);
	fixture_write("begin", "\r\n -----BEGIN PKCS7-----\n", 25, 0600);
	return 0;
}

enum what { AS_IT_WAS, INSIDE, NOTHING };

static void
every_wrapping_is_told_apart(void **state)
{
	static const struct {
		const char		*name, *file;
		enum envelope_kind	 kind;
		enum what		 content;
		const char		*signer, *digest;
		size_t			 certificates;
		bool			 is_complete, is_self_signed, is_weak, has_trailing;
	} rows[] = {
		{ "a plain profile", "content",
		    ENVELOPE_NONE, AS_IT_WAS, "", "", 0, 0, 0, 0, 0 },
		{ "a binary list", "binary",
		    ENVELOPE_NONE, AS_IT_WAS, "", "", 0, 0, 0, 0, 0 },
		{ "nothing", "empty",
		    ENVELOPE_NONE, AS_IT_WAS, "", "", 0, 0, 0, 0, 0 },
		{ "text that begins like a SEQUENCE", "zero",
		    ENVELOPE_NONE, AS_IT_WAS, "", "", 0, 0, 0, 0, 0 },
		{ "a certificate, DER but no CMS", "certificate",
		    ENVELOPE_NONE, AS_IT_WAS, "", "", 0, 0, 0, 0, 0 },
		{ "signed with SHA-256", "signed",
		    ENVELOPE_SIGNED, INSIDE, "Acme", "SHA-256", 1, 1, 1, 0, 0 },
		{ "signed with SHA-512", "sha512",
		    ENVELOPE_SIGNED, INSIDE, "Acme", "SHA-512", 1, 1, 1, 0, 0 },
		{ "signed with SHA-1", "sha1",
		    ENVELOPE_SIGNED, INSIDE, "Acme", "SHA-1", 1, 1, 1, 1, 0 },
		{ "signed with 1024 bits", "small",
		    ENVELOPE_SIGNED, INSIDE, "Small", "SHA-256", 1, 1, 1, 1, 0 },
		{ "without signed attributes", "noattr",
		    ENVELOPE_SIGNED, INSIDE, "Acme", "SHA-256", 1, 1, 1, 0, 0 },
		{ "the signer named by key identifier", "keyid",
		    ENVELOPE_SIGNED, INSIDE, "Acme", "SHA-256", 1, 1, 1, 0, 0 },
		{ "BER with indefinite lengths", "indefinite",
		    ENVELOPE_SIGNED, INSIDE, "Acme", "SHA-256", 1, 1, 1, 0, 0 },
		{ "two signers", "two",
		    ENVELOPE_SIGNED, INSIDE, NULL, "SHA-256", 2, 0, 0, 0, 0 },
		{ "two signers, one of them wrong", "oneoftwo",
		    ENVELOPE_ALTERED, INSIDE, NULL, "SHA-256", 2, 0, 0, 0, 0 },
		{ "the leaf of a chain alone", "leafonly",
		    ENVELOPE_SIGNED, INSIDE, "Leaf", "SHA-256", 1, 0, 0, 0, 0 },
		{ "a chain to its root", "chain",
		    ENVELOPE_SIGNED, INSIDE, "Leaf", "SHA-256", 2, 1, 0, 0, 0 },
		{ "no certificate of the signer", "nocerts",
		    ENVELOPE_ALTERED, INSIDE, "", "SHA-256", 0, 0, 0, 0, 0 },
		{ "nobody signed", "nosigners",
		    ENVELOPE_DETACHED, NOTHING, "", "", 1, 0, 0, 0, 0 },
		{ "another content than was signed", "othercontent",
		    ENVELOPE_ALTERED, NOTHING, "Acme", "SHA-256", 1, 1, 1, 0, 0 },
		{ "another signature", "othersignature",
		    ENVELOPE_ALTERED, INSIDE, "Acme", "SHA-256", 1, 1, 1, 0, 0 },
		{ "another content type than was signed", "othertype",
		    ENVELOPE_ALTERED, INSIDE, "Acme", "SHA-256", 1, 1, 1, 0, 0 },
		{ "detached", "detached",
		    ENVELOPE_DETACHED, NOTHING, "", "", 1, 0, 0, 0, 0 },
		{ "content of another type", "notdata",
		    ENVELOPE_DETACHED, NOTHING, "", "", 1, 0, 0, 0, 0 },
		{ "a byte behind it", "trailing",
		    ENVELOPE_BROKEN, INSIDE, "Acme", "SHA-256", 1, 1, 1, 0, 1 },
		{ "half of it", "half",
		    ENVELOPE_BROKEN, NOTHING, "", "", 0, 0, 0, 0, 0 },
		{ "CMS that only holds data", "data",
		    ENVELOPE_BROKEN, NOTHING, "", "", 0, 0, 0, 0, 0 },
		{ "enveloped", "enveloped",
		    ENVELOPE_ENCRYPTED, NOTHING, "", "", 0, 0, 0, 0, 0 },
		{ "encrypted with a shared key", "encrypted",
		    ENVELOPE_ENCRYPTED, NOTHING, "", "", 0, 0, 0, 0, 0 },
		{ "PEM", "pem",
		    ENVELOPE_TEXT, NOTHING, "", "", 0, 0, 0, 0, 0 },
		{ "PEM behind blanks", "begin",
		    ENVELOPE_TEXT, NOTHING, "", "", 0, 0, 0, 0, 0 },
		{ "S/MIME", "smime",
		    ENVELOPE_TEXT, NOTHING, "", "", 0, 0, 0, 0, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_blob struct blob file = { 0 };
		auto_envelope struct envelope e = { 0 };
		struct error err = { 0 };

		row_named(rows[i].name);
		fixture_read(rows[i].file, &file);
		assert_int_equal(envelope_open(file.data, file.len, &e, &err), 0);
		assert_int_equal(e.kind, rows[i].kind);
		if (rows[i].content == AS_IT_WAS)
			assert_true(blob_equal(&e.content, &file));
		if (rows[i].content == INSIDE) {
			assert_int_equal(e.content.len, CONTENT_LEN);
			assert_memory_equal(e.content.data, content, CONTENT_LEN);
		}
		assert_int_equal(e.certificates, rows[i].certificates);
		assert_string_equal(e.digest, rows[i].digest);
		assert_int_equal(e.is_weak, rows[i].is_weak);
		assert_int_equal(e.has_trailing_bytes, rows[i].has_trailing);
		if (!rows[i].signer)
			continue;	/* the order of two signers is that of their bytes */
		assert_string_equal(e.signer.organization, rows[i].signer);
		assert_int_equal(e.is_chain_complete, rows[i].is_complete);
		assert_int_equal(e.is_self_signed, rows[i].is_self_signed);
	}
}

static void
no_cut_is_taken_for_whole(void **state)
{
	auto_blob struct blob file = { 0 };
	size_t cut;

	(void)state;
	fixture_read("signed", &file);
	for (cut = 1; cut < file.len; cut++) {
		auto_envelope struct envelope e = { 0 };
		struct error err = { 0 };

		assert_int_equal(envelope_open(file.data, cut, &e, &err), 0);
		assert_true(e.kind == ENVELOPE_BROKEN || (e.kind == ENVELOPE_NONE && cut < 16));
	}
}

/* Whatever byte is changed: what is called signed is what was signed. */
static void
no_changed_byte_changes_what_is_signed(void **state)
{
	static const char *const files[] = { "signed", "indefinite", "chain" };
	size_t i, at, altered = 0;

	(void)state;
	for (i = 0; i < countof(files); i++) {
		auto_blob struct blob file = { 0 };

		row_named(files[i]);
		fixture_read(files[i], &file);
		/* Every byte of the first, some of the others: it takes its time. */
		for (at = 0; at < file.len; at += i == 0 ? 1 : 7) {
			auto_envelope struct envelope e = { 0 };
			struct error err = { 0 };

			file.data[at] ^= (uint8_t)(1 << at % 8);
			assert_int_equal(envelope_open(file.data, file.len, &e, &err), 0);
			file.data[at] ^= (uint8_t)(1 << at % 8);
			altered += e.kind == ENVELOPE_ALTERED;
			if (e.kind != ENVELOPE_SIGNED)
				continue;
			assert_int_equal(e.content.len, CONTENT_LEN);
			assert_memory_equal(e.content.data, content, CONTENT_LEN);
		}
	}
	assert_true(altered > 500);
}

static void
structure_is_counted_before_it_is_decoded(void **state)
{
	static const struct { const char *name, *bytes; size_t len, total; } rows[] = {
		{ "an empty SEQUENCE", "\x30\0", 2, 2 },
		{ "with something behind it", "\x30\0\x05\0", 4, 2 },
		{ "an indefinite length", "\x30\x80\x05\0\0\0", 6, 6 },
		{ "one inside the other", "\x30\x80\x30\x80\0\0\0\0", 8, 8 },
		{ "a definite one in an indefinite one", "\x30\x80\x30\x02\x05\0\0\0", 8, 8 },
		{ "a tag of two bytes", "\x3f\x81\x01\0", 4, 4 },
		{ "nothing", "", 0, 0 },
		{ "only a tag", "\x30", 1, 0 },
		{ "a length beyond the end", "\x30\x05\x05\0", 4, 0 },
		{ "a length beyond its surroundings", "\x30\x02\x04\x02" "ab", 6, 0 },
		{ "a length of eight bytes", "\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff", 10, 0 },
		{ "an indefinite length without its end", "\x30\x80\x05\0", 4, 0 },
		{ "an end that nothing opened", "\x30\x02\0\0", 4, 0 },
		{ "an indefinite primitive", "\x04\x80\0\0", 4, 0 },
	};
	auto_blob struct blob deep = { 0 }, wide = { 0 };
	size_t i, total;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		total = 0;
		row_named(rows[i].name);
		assert_int_equal(derguard_check(rows[i].bytes, rows[i].len, &total),
		    rows[i].total > 0);
		assert_int_equal(total, rows[i].total);
	}
	row_named("a million levels");
	for (i = 0; i < 1000000; i++)
		assert_int_equal(blob_append(&deep, "\x30\x80", 2), 0);
	assert_false(derguard_check(deep.data, deep.len, &total));
	row_named("a million values");
	assert_int_equal(blob_append(&wide, "\x30\x80", 2), 0);
	for (i = 0; i < 1000000; i++)
		assert_int_equal(blob_append(&wide, "\x05\0", 2), 0);
	assert_int_equal(blob_append(&wide, "\0\0", 2), 0);
	assert_false(derguard_check(wide.data, wide.len, &total));
}

static void
size_is_bounded(void **state)
{
	auto_free uint8_t *large = calloc(1, ENVELOPE_CONTENT_MAX + 1);
	auto_envelope struct envelope e = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(envelope_open(large, ENVELOPE_CONTENT_MAX + 1, &e, &err), -1);
	assert_int_equal(err.kind, ERR_DATA);
	assert_int_equal(envelope_open(large, ENVELOPE_CONTENT_MAX, &e, &err), 0);
	assert_int_equal(e.kind, ENVELOPE_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_wrapping_is_told_apart),
		cmocka_unit_test(no_cut_is_taken_for_whole),
		cmocka_unit_test(no_changed_byte_changes_what_is_signed),
		cmocka_unit_test(structure_is_counted_before_it_is_decoded),
		cmocka_unit_test(size_is_bounded),
	};

	return cmocka_run_group_tests(tests, make_files, fixture_remove);
}
