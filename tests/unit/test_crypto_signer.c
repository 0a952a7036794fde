/* crypto: the signer's process, its channels, and what it refuses */
#include "tests/unit/table.h"
#include "tests/unit/fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "crypto/cert.h"
#include "crypto/identity.h"
#include "crypto/ossl.h"
#include "crypto/signed.h"
#include "crypto/signer.h"
#include "crypto/signrequest.h"

static const char udid[] = "00008030-001122334455667E";

static int
make_files(void **state)
{
	(void)state;
	fixture_enter();
	assert_true(
	    fixture_openssl("req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem "
	    "-days 30 -subj /O=Acme"));
	assert_true(
	    fixture_openssl("pkcs12 -export -inkey key.pem -in cert.pem -passout pass:secret "
	    "-out acme.p12"));
	return 0;
}

static struct signer *
start(struct cert *cert)
{
	static const struct identity_source source = { .ref = "cert.pem,key.pem" };
	struct signer *s = NULL;
	struct error err = { 0 };

	assert_int_equal(signer_start(&source, &s, cert, &err), 0);
	assert_non_null(s);
	return s;
}

static int
channel(struct signer *s)
{
	struct error err = { 0 };
	int fd = -1;

	assert_int_equal(signer_channel(s, udid, &fd, &err), 0);
	assert_true(fd >= 0);
	return fd;
}

/* Does OpenSSL accept it, and is the content the challenge, byte for byte? */
static bool
verifies(const struct blob *cms, const void *challenge, size_t len)
{
	const unsigned char *p = cms->data;
	auto_cms CMS_ContentInfo *info = d2i_CMS_ContentInfo(NULL, &p, (long)cms->len);
	auto_bio BIO *content = BIO_new(BIO_s_mem());
	char *bytes = NULL;

	return info && CMS_verify(info, NULL, NULL, NULL, content,
	    CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) == 1 &&
	    (size_t)BIO_get_mem_data(content, &bytes) == len &&
	    (len == 0 || memcmp(bytes, challenge, len) == 0);
}

static void
challenges_are_signed(void **state)
{
	static const struct {
		const char		*name, *challenge;
		size_t			 len;
		enum signer_purpose	 purpose;
		enum error_kind		 want;
	} rows[] = {
		{ "random bytes", "\x8a\x01\xf3\x44\x90\x17\xee\x02", 8, SIGNER_PAIR, 0 },
		{ "newlines, returns and NULs", "\n\r\n\0\r\0\n\n", 8, SIGNER_ESCALATE, 0 },
		{ "one byte", "\n", 1, SIGNER_ESCALATE, 0 },
		{ "an opening angle bracket", "<\xf3\x44\x90", 4, SIGNER_ESCALATE, 0 },
		{ "nothing", "", 0, SIGNER_PAIR, ERR_PROTOCOL },
		{ "a profile", "  <?xml version=\"1.0\"?><plist/>", 31, SIGNER_PAIR, ERR_PERM },
		{ "a binary property list", "bplist00....", 12, SIGNER_PAIR, ERR_PERM },
		{ "a profile in UTF-16", "<\0p\0l\0i\0s\0t\0>\0", 14, SIGNER_PAIR, ERR_PERM },
	};
	auto_cert struct cert cert = { 0 };
	struct signer *s = start(&cert);
	auto_fd int fd = channel(s);
	size_t i;

	(void)state;
	assert_string_equal(cert.organization, "Acme");
	for (i = 0; i < countof(rows); i++) {
		auto_blob struct blob cms = { 0 };
		struct error err = { 0 };

		row_named(rows[i].name);
		signer_sign(fd, rows[i].purpose, rows[i].challenge, rows[i].len, deadline_in(10000),
		    &cms, &err);
		assert_int_equal(err.kind, rows[i].want);
		if (rows[i].want == ERR_NONE)
			assert_true(verifies(&cms, rows[i].challenge, rows[i].len));
	}
	signer_stop(s);
}

/* Straight onto the channel, past signer_sign(): what a worker gone bad can do. */
static void
a_request_of_another_shape_ends_its_channel_only(void **state)
{
	static const struct { const char *name, *packet; size_t len; } rows[] = {
		{ "one byte", "x", 1 },
		{ "a header and no challenge", "CHRQ\0\1\0\1\0\0\0\0", 12 },
		{ "another magic", "XXXX\0\1\0\1\0\0\0\1a", 13 },
		{ "another version", "CHRQ\0\2\0\1\0\0\0\1a", 13 },
		{ "another purpose", "CHRQ\0\1\0\3\0\0\0\1a", 13 },
		{ "a document of one byte", "CHRQ\0\1\0\4\0\0\0\1a", 13 },
		{ "a purpose too many", "CHRQ\0\1\0\6\0\0\0\1a", 13 },
		{ "a purpose of 0", "CHRQ\0\1\0\0\0\0\0\1a", 13 },
		{ "a length beyond the packet", "CHRQ\0\1\0\1\0\0\0\2a", 13 },
		{ "bytes behind the challenge", "CHRQ\0\1\0\1\0\0\0\1ab", 14 },
		{ "a length of 4 GiB", "CHRQ\0\1\0\1\xff\xff\xff\xff" "a", 13 },
		{ "an empty packet", "", 0 },
	};
	auto_cert struct cert cert = { 0 };
	struct signer *s = start(&cert);
	auto_fd int good = channel(s);
	struct error err = { 0 };
	auto_blob struct blob cms = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_fd int fd = channel(s);
		char byte;

		row_named(rows[i].name);
		assert_int_equal(send(fd, rows[i].packet, rows[i].len, MSG_NOSIGNAL), rows[i].len);
		assert_int_equal(deadline_wait(fd, POLLIN, deadline_in(10000), &err), 0);
		assert_true(recv(fd, &byte, 1, 0) <= 0);
	}
	row_named("a challenge one byte too long");
	{
		auto_fd int fd = channel(s);
		uint8_t packet[SIGNREQUEST_MAX + 1] = "CHRQ\0\1\0\1\0\0\4\1";
		char byte;

		assert_int_equal(send(fd, packet, sizeof(packet), MSG_NOSIGNAL), sizeof(packet));
		assert_int_equal(deadline_wait(fd, POLLIN, deadline_in(10000), &err), 0);
		assert_true(recv(fd, &byte, 1, 0) <= 0);
	}
	row_named("the other channel still works");
	assert_int_equal(signer_sign(good, SIGNER_PAIR, "abc", 3, deadline_in(10000),
	    &cms, &err), 0);
	signer_stop(s);
}

static void
a_challenge_has_a_longest_length(void **state)
{
	static const struct { const char *name; size_t len; enum error_kind want; } rows[] = {
		{ "the longest", SIGNER_CHALLENGE_MAX, ERR_NONE },
		{ "one byte more", SIGNER_CHALLENGE_MAX + 1, ERR_PROTOCOL },
		{ "a megabyte", 1 << 20, ERR_PROTOCOL },
	};
	auto_cert struct cert cert = { 0 };
	struct signer *s = start(&cert);
	auto_fd int fd = channel(s);
	auto_free char *challenge = calloc(1, 1 << 20);
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_blob struct blob cms = { 0 };
		struct error err = { 0 };

		row_named(rows[i].name);
		signer_sign(fd, SIGNER_PAIR, challenge, rows[i].len, deadline_in(10000),
		    &cms, &err);
		assert_int_equal(err.kind, rows[i].want);
	}
	signer_stop(s);
}

static void
signatures_of_a_channel_are_counted(void **state)
{
	auto_cert struct cert cert = { 0 };
	struct signer *s = start(&cert);
	auto_fd int fd = channel(s), fresh = -1;
	auto_blob struct blob cms = { 0 };
	struct error err = { 0 };
	int64_t began = now_monotonic_ms(), i;

	(void)state;
	for (i = 0; i < SIGNER_SIGNATURES_MAX; i++)
		assert_int_equal(signer_sign(fd, SIGNER_PAIR, "abc", 3, deadline_in(10000),
		    &cms, &err), 0);
	/* On a slow machine time has added some. */
	for (i = 0; signer_sign(fd, SIGNER_PAIR, "abc", 3, deadline_in(10000),
		&cms, &err) == 0; i++)
		assert_true(i < (now_monotonic_ms() - began) / SIGNER_MORE_MS);
	assert_int_equal(err.kind, ERR_PERM);
	row_named("one that is open longer has one more");
	assert_int_equal(deadline_pause(deadline_in(SIGNER_MORE_MS), &err), 0);
	assert_int_equal(signer_sign(fd, SIGNER_PAIR, "abc", 3, deadline_in(10000),
	    &cms, &err), 0);
	row_named("another has its own");
	fresh = channel(s);
	assert_int_equal(signer_sign(fresh, SIGNER_PAIR, "abc", 3, deadline_in(10000),
	    &cms, &err), 0);
	signer_stop(s);
}

static void
documents_are_signed_for_the_parent_alone(void **state)
{
	static const struct {
		const char		*name;
		bool			 is_workers;
		enum signer_purpose	 purpose;
		enum error_kind		 want;
	} rows[] = {
		{ "the parent: a seal", false, SIGNER_SEAL, ERR_NONE },
		{ "the parent: a statement", false, SIGNER_STATEMENT, ERR_NONE },
		{ "the parent: a profile", false, SIGNER_PROFILE, ERR_NONE },
		{ "the parent: a challenge of no device", false, SIGNER_PAIR, ERR_PERM },
		{ "a worker: a challenge as long as a digest", true, SIGNER_ESCALATE, ERR_NONE },
		{ "a worker: a seal", true, SIGNER_SEAL, ERR_PERM },
		{ "a worker: a statement", true, SIGNER_STATEMENT, ERR_PERM },
		{ "a worker: a profile", true, SIGNER_PROFILE, ERR_PERM },
	};
	auto_cert struct cert cert = { 0 };
	struct signer *s = start(&cert);
	uint8_t digest[SIGNER_DIGEST] = { 0x30, 1, 2 };
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_blob struct blob cms = { 0 };
		struct error err = { 0 };
		auto_fd int fd = -1;

		row_named(rows[i].name);
		if (rows[i].is_workers) {
			fd = channel(s);
			signer_sign(fd, rows[i].purpose, digest, sizeof(digest), deadline_in(10000),
			    &cms, &err);
		} else {
			signer_sign_digest(s, rows[i].purpose, digest, &cms, &err);
		}
		assert_int_equal(err.kind, rows[i].want);
		assert_int_equal(cms.len > 0, rows[i].want == ERR_NONE);
	}
	signer_stop(s);
}

static void
a_document_comes_back_whole(void **state)
{
	static const struct { const char *name; size_t len; } rows[] = {
		{ "nothing", 0 }, { "one byte", 1 }, { "more than the signer would take", 100000 },
	};
	auto_cert struct cert cert = { 0 };
	struct signer *s = start(&cert);
	auto_free char *content = calloc(1, 100000);
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_blob struct blob cms = { 0 };
		struct error err = { 0 };

		row_named(rows[i].name);
		assert_int_equal(signer_sign_document(s, SIGNER_SEAL, content, rows[i].len,
		    &cms, &err), 0);
		assert_true(verifies(&cms, content, rows[i].len));
	}
	signer_stop(s);
}

static void
a_signature_of_something_else_is_not_believed(void **state)
{
	auto_cert struct cert cert = { 0 };
	struct signer *s = start(&cert);
	auto_blob struct blob detached = { 0 }, cms = { 0 };
	uint8_t digest[SIGNER_DIGEST] = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(signer_sign_digest(s, SIGNER_SEAL, digest, &detached, &err), 0);
	assert_int_equal(signed_attach(&detached, "abc", 3, &cms, &err), -1);
	assert_int_equal(err.kind, ERR_SOFTWARE);
	assert_int_equal(cms.len, 0);
	signer_stop(s);
}

/* Workers begin while the key is decrypted: what they ask waits for it. */
static void
a_channel_is_heard_once_the_identity_is_loaded(void **state)
{
	static const struct identity_source source = { .ref = "cert.pem,key.pem" };
	auto_cert struct cert cert = { 0 };
	auto_blob struct blob der = { 0 }, cms = { 0 };
	auto_fd int early = -1, other = -1;
	struct signer *s = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(signer_begin(&source, &s, &err), 0);
	early = channel(s);
	other = channel(s);
	row_named("nobody has awaited it, so it has loaded nothing");
	assert_int_equal(signer_certificate(early, deadline_in(200), &der, &err), -1);
	assert_int_equal(err.kind, ERR_TIMEOUT);
	row_named("awaited");
	assert_int_equal(signer_await(s, &cert, &err), 0);
	assert_int_equal(signer_certificate(other, deadline_in(10000), &der, &err), 0);
	assert_int_equal(der.len, cert.der.len);
	assert_memory_equal(der.data, cert.der.data, der.len);
	row_named("to tell it is no signature");
	assert_int_equal(signer_sign(other, SIGNER_PAIR, "abc", 3, deadline_in(10000),
	    &cms, &err), 0);
	signer_stop(s);
}

static void
without_an_identity_every_channel_ends(void **state)
{
	static const struct identity_source source = { .ref = "none.pem" };
	auto_cert struct cert cert = { 0 };
	auto_blob struct blob der = { 0 };
	struct error err = { 0 }, worker = { 0 };
	struct signer *s = NULL;
	auto_fd int fd = -1;

	(void)state;
	assert_int_equal(signer_begin(&source, &s, &err), 0);
	fd = channel(s);
	assert_int_equal(signer_await(s, &cert, &err), -1);
	assert_int_equal(err.kind, ERR_NOINPUT);
	assert_int_equal(signer_certificate(fd, deadline_in(10000), &der, &worker), -1);
	assert_int_equal(worker.kind, ERR_UNAVAILABLE);
	signer_stop(s);
}

/* A forked worker: some signatures over its own channel. Exit code 0: all right. */
static int
work(int fd, int number)
{
	int i;

	for (i = 0; i < 20; i++) {
		auto_blob struct blob cms = { 0 };
		struct error err = { 0 };
		char challenge[32];

		memset(challenge, number, sizeof(challenge));
		challenge[0] = (char)i;
		if (signer_sign(fd, SIGNER_ESCALATE, challenge, sizeof(challenge),
		    deadline_in(30000), &cms, &err) < 0 ||
		    !verifies(&cms, challenge, sizeof(challenge)))
			return 1;
	}
	return 0;
}

static void
many_workers_are_served_at_once(void **state)
{
	enum { WORKERS = 12 };
	auto_cert struct cert cert = { 0 };
	struct signer *s = start(&cert);
	pid_t pids[WORKERS];
	int i;

	(void)state;
	for (i = 0; i < WORKERS; i++) {
		int fd = channel(s);

		pids[i] = fork();
		if (pids[i] == 0) {
			signer_forget(s);
			cert_clear(&cert);
			_exit(work(fd, i));
		}
		assert_true(pids[i] > 0);
		close(fd);
	}
	for (i = 0; i < WORKERS; i++) {
		int status = 0;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	signer_stop(s);
}

static void
a_signer_that_is_gone_is_said(void **state)
{
	auto_cert struct cert cert = { 0 };
	struct signer *s = start(&cert);
	auto_fd int fd = channel(s);
	auto_blob struct blob cms = { 0 };
	struct error err = { 0 };

	(void)state;
	signer_stop(s);
	assert_int_equal(signer_sign(fd, SIGNER_PAIR, "abc", 3, deadline_in(10000),
	    &cms, &err), -1);
	assert_int_equal(err.kind, ERR_UNAVAILABLE);
}

static void
a_deadline_ends_the_wait(void **state)
{
	auto_fd int ours = -1, theirs = -1;
	auto_blob struct blob cms = { 0 };
	struct error err = { 0 };
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	ours = ends[0];
	theirs = ends[1];
	assert_int_equal(signer_sign(ours, SIGNER_PAIR, "abc", 3, deadline_in(20), &cms, &err), -1);
	assert_int_equal(err.kind, ERR_TIMEOUT);
	(void)theirs;
}

static void
the_childs_own_words_arrive(void **state)
{
	static const struct {
		const char *name, *ref, *answer;
		enum error_kind want;
		const char *says;
		bool has_hint;
	} rows[] = {
		{ "the right passphrase", "acme.p12", "secret", 0, "", false },
		{ "a wrong passphrase", "acme.p12", "wrong",
		    ERR_PERM, "acme.p12: the passphrase is wrong", true },
		{ "nobody to ask", "acme.p12", NULL, ERR_PERM, "nobody is there", false },
		{ "no such file", "none.p12", NULL, ERR_NOINPUT, "none.p12", false },
		{ "an unknown kind", "pkcs99:", NULL, ERR_USAGE, "pkcs99:", true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		struct asked asked = { .answer = rows[i].answer };
		struct identity_source source = { .ref = rows[i].ref,
			.passphrase = fixture_answer, .passphrase_ctx = &asked };
		auto_cert struct cert cert = { 0 };
		struct signer *s = NULL;
		struct error err = { 0 };

		row_named(rows[i].name);
		signer_start(&source, &s, &cert, &err);
		assert_int_equal(err.kind, rows[i].want);
		assert_non_null(strstr(err.message, rows[i].says));
		assert_int_equal(err.hint != NULL, rows[i].has_hint);
		assert_int_equal(s != NULL, rows[i].want == ERR_NONE);
		assert_int_equal(asked.times, 0);	/* it was asked in the child */
		signer_stop(s);
	}
}

/* Plays the passphrase callback that dies in the child. */
static int
die(void *ctx, const char *what, struct blob *out, struct error *err)
{
	(void)ctx;
	(void)what;
	(void)out;
	(void)err;
	_exit(3);
}

static void
a_child_that_dies_while_loading_is_noticed(void **state)
{
	struct identity_source source = { .ref = "acme.p12", .passphrase = die };
	auto_cert struct cert cert = { 0 };
	struct signer *s = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(signer_start(&source, &s, &cert, &err), -1);
	assert_int_equal(err.kind, ERR_UNAVAILABLE);
	assert_null(s);
}

/* The parent of a signer dies without a word; the pipe tells when the signer, too, is gone. */
static void
the_signer_does_not_outlive_its_parent(void **state)
{
	auto_fd int ours = -1;
	struct error err = { 0 };
	int ends[2];
	pid_t pid;
	char byte;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		auto_cert struct cert cert = { 0 };

		dup2(ends[1], STDERR_FILENO);	/* the one descriptor that the signer keeps */
		(void)start(&cert);
		raise(SIGKILL);
	}
	ours = ends[0];
	close(ends[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	do
		assert_int_equal(deadline_wait(ours, POLLIN, deadline_in(10000), &err), 0);
	while (read(ours, &byte, 1) > 0);
}

static void
packets_are_read_as_they_were_written(void **state)
{
	struct signrequest r = { .purpose = SIGNER_PAIR, .challenge = (const uint8_t *)"abc",
		.len = 3 }, back = { 0 };
	struct signanswer a = { .status = ERR_PERM, .body = (const uint8_t *)"no",
		.len = 2 }, heard = { 0 };
	uint8_t request[SIGNREQUEST_MAX], answer[SIGNANSWER_MAX];
	size_t len, cut;

	(void)state;
	len = signrequest_write(&r, request);
	for (cut = 0; cut < len; cut++)
		assert_false(signrequest_parse(request, cut, &back));
	assert_true(signrequest_parse(request, len, &back));
	assert_int_equal(back.purpose, SIGNER_PAIR);
	assert_int_equal(back.len, 3);
	assert_memory_equal(back.challenge, "abc", 3);
	len = signanswer_write(&a, answer);
	for (cut = 0; cut < len; cut++)
		assert_false(signanswer_parse(answer, cut, &heard));
	assert_true(signanswer_parse(answer, len, &heard));
	assert_int_equal(heard.status, ERR_PERM);
	assert_int_equal(heard.len, 2);
	assert_false(signanswer_parse(request, len, &heard));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_are_read_as_they_were_written),
		cmocka_unit_test(challenges_are_signed),
		cmocka_unit_test(a_request_of_another_shape_ends_its_channel_only),
		cmocka_unit_test(a_challenge_has_a_longest_length),
		cmocka_unit_test(signatures_of_a_channel_are_counted),
		cmocka_unit_test(documents_are_signed_for_the_parent_alone),
		cmocka_unit_test(a_document_comes_back_whole),
		cmocka_unit_test(a_signature_of_something_else_is_not_believed),
		cmocka_unit_test(a_channel_is_heard_once_the_identity_is_loaded),
		cmocka_unit_test(without_an_identity_every_channel_ends),
		cmocka_unit_test(many_workers_are_served_at_once),
		cmocka_unit_test(a_signer_that_is_gone_is_said),
		cmocka_unit_test(a_deadline_ends_the_wait),
		cmocka_unit_test(the_childs_own_words_arrive),
		cmocka_unit_test(a_child_that_dies_while_loading_is_noticed),
		cmocka_unit_test(the_signer_does_not_outlive_its_parent),
	};

	return cmocka_run_group_tests(tests, make_files, fixture_remove);
}
