/* crypto: pairing material, and TLS with a device played by a forked OpenSSL server */
#include "tests/unit/table.h"
#include "tests/unit/fixture.h"

#include <errno.h>
#include <openssl/pem.h>
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
#include "core/refusal.h"
#include "crypto/cert.h"
#include "crypto/ossl.h"
#include "crypto/pairing.h"
#include "crypto/tls.h"

/* Made once: the key of a device, and two pairings with it. */
static EVP_PKEY *device_key;
static struct pairing ours, foreign;
static struct pairing_keys *spare;	/* for the pairings of which only the key matters */

static void
device_public_key(const char *format, EVP_PKEY *key, struct blob *out)
{
	auto_bio BIO *bio = BIO_new(BIO_s_mem());
	unsigned char *der = NULL;
	int len = i2d_PublicKey(key, &der);
	struct error err = { 0 };

	if (strcmp(format, "PUBLIC KEY") == 0)
		assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
	else
		assert_true(PEM_write_bio(bio, format, "", der, len) > 0);
	OPENSSL_free(der);
	assert_int_equal(ossl_take_bytes(bio, out, &err), 0);
}

static int
pair(void **state)
{
	auto_blob struct blob key = { 0 };
	struct error err = { 0 };

	(void)state;
	fixture_enter();
	device_key = EVP_RSA_gen(2048);
	assert_non_null(device_key);
	device_public_key("RSA PUBLIC KEY", device_key, &key);
	assert_int_equal(pairing_keys_new(&spare, &err), 0);
	assert_int_equal(pairing_create(spare, key.data, key.len, &ours, &err), 0);
	pairing_keys_free(steal_pointer(&spare));
	assert_int_equal(pairing_keys_new(&spare, &err), 0);
	assert_int_equal(pairing_create(spare, key.data, key.len, &foreign, &err), 0);
	return 0;
}

static int
unpair(void **state)
{
	(void)state;
	EVP_PKEY_free(device_key);
	pairing_clear(&ours);
	pairing_clear(&foreign);
	pairing_keys_free(spare);
	fixture_leave();
	return 0;
}

static X509 *
read_cert(const struct blob *pem)
{
	auto_bio BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	assert_non_null(x);
	return x;
}

static void
a_pairing_has_the_shape_of_libimobiledevice(void **state)
{
	static const struct {
		const char		*name;
		const struct blob	*pem;
		bool			 is_ca;
		uint32_t		 usage;		/* UINT32_MAX: not restricted */
	} rows[] = {
		{ "root", &ours.root_certificate, true, UINT32_MAX },
		{ "host", &ours.host_certificate, false,
		    KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT },
		{ "device", &ours.device_certificate, false,
		    KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT },
	};
	auto_x509 X509 *root = read_cert(&ours.root_certificate);
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_x509 X509 *x = read_cert(rows[i].pem);

		row_named(rows[i].name);
		assert_int_equal(X509_verify(x, X509_get0_pubkey(root)), 1);
		assert_int_equal(X509_get_signature_nid(x), NID_sha256WithRSAEncryption);
		assert_int_equal(X509_get_version(x), X509_VERSION_3);
		assert_int_equal(ASN1_INTEGER_get(X509_get0_serialNumber(x)), 0);
		assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(x)), 0);
		assert_int_equal(X509_NAME_entry_count(X509_get_issuer_name(x)), 0);
		assert_int_equal(X509_check_ca(x) != 0, rows[i].is_ca);
		assert_int_equal(X509_get_key_usage(x), rows[i].usage);
		assert_true(X509_cmp_current_time(X509_get0_notBefore(x)) < 0);
		assert_true(X509_cmp_current_time(X509_get0_notAfter(x)) > 0);
	}
	row_named("the device's certificate is about the device's key");
	{
		auto_x509 X509 *x = read_cert(&ours.device_certificate);

		assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(x), device_key), 1);
		assert_non_null(X509_get0_subject_key_id(x));
	}
}

static void
only_an_rsa_key_is_paired_with(void **state)
{
	static const struct {
		const char *name, *format;
		int bits;			/* 0: P-256 */
		size_t keep;			/* bytes of the text; 0: all */
		bool is_paired;
	} rows[] = {
		{ "PKCS#1 of 1024 bits, an old device", "RSA PUBLIC KEY", 1024, 0, true },
		{ "SubjectPublicKeyInfo", "PUBLIC KEY", 1024, 0, true },
		{ "512 bits", "RSA PUBLIC KEY", 512, 0, false },
		{ "an elliptic curve", "PUBLIC KEY", 0, 0, false },
		{ "a curve that claims to be PKCS#1", "RSA PUBLIC KEY", 0, 0, false },
		{ "another name", "CERTIFICATE", 1024, 0, false },
		{ "cut off", "RSA PUBLIC KEY", 1024, 120, false },
		{ "one byte", "RSA PUBLIC KEY", 1024, 1, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		auto_key EVP_PKEY *key = rows[i].bits ? EVP_RSA_gen((unsigned)rows[i].bits) :
		    EVP_EC_gen("P-256");
		auto_blob struct blob text = { 0 };
		auto_pairing struct pairing p = { 0 };
		struct error err = { 0 };
		int rc;

		row_named(rows[i].name);
		device_public_key(rows[i].format, key, &text);
		rc = pairing_create(spare, text.data, rows[i].keep ? rows[i].keep : text.len,
		    &p, &err);
		assert_int_equal(rc, rows[i].is_paired ? 0 : -1);
		if (rc < 0)
			assert_int_equal(err.kind, ERR_PROTOCOL);
	}
	{
		struct pairing p = { 0 };
		struct error err = { 0 };

		row_named("no bytes");
		assert_int_equal(pairing_create(spare, NULL, 0, &p, &err), -1);
		assert_int_equal(err.kind, ERR_PROTOCOL);
	}
}

/* ---- the device ------------------------------------------------------------ */

enum act {
	ECHO,			/* sends back what it gets until the end */
	CLOSE_AT_ONCE,
	SILENT,			/* takes the connection and never says anything */
	CLOSE_AFTER_HANDSHAKE,	/* with close_notify */
	DROP_AFTER_HANDSHAKE,	/* without */
	HALF_ANSWER,		/* two bytes of more, then nothing */
	GARBAGE,
};

struct device {
	const char	*name;
	int		 version;	/* TLS1_2_VERSION or TLS1_3_VERSION */
	enum act	 act;
	bool		 is_foreign;	/* it knows another pairing than we do */
	size_t		 tickets;
	int		 finding;	/* X509_V_ERR_*: OpenSSL makes an alert of it */
};

/*
 * As a device must: all three names are empty, so that OpenSSL's path building
 * takes each certificate for a self-signed one. Only the signature tells.
 */
static int
judge_host(X509_STORE_CTX *store, void *ctx)
{
	const struct device *d = ctx;
	const struct pairing *known = d->is_foreign ? &foreign : &ours;
	auto_x509 X509 *root = read_cert(&known->root_certificate);

	if (X509_verify(X509_STORE_CTX_get0_cert(store), X509_get0_pubkey(root)) == 1)
		return 1;
	X509_STORE_CTX_set_error(store, d->finding ? d->finding : X509_V_ERR_CERT_UNTRUSTED);
	return 0;
}

static SSL_CTX *
device_context(const struct device *d, const struct pairing *known)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	auto_x509 X509 *cert = read_cert(&known->device_certificate);

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, d->version);
	SSL_CTX_set_max_proto_version(ctx, d->version);
	SSL_CTX_set_num_tickets(ctx, d->tickets);
	SSL_CTX_use_certificate(ctx, cert);
	SSL_CTX_use_PrivateKey(ctx, device_key);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, judge_host, (void *)(uintptr_t)d);
	return ctx;
}

static void
wait_for_the_end(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, 0) > 0)
		continue;
}

static void
act(const struct device *d, SSL *ssl, int fd)
{
	char buf[4096];
	int n;

	switch (d->act) {
	case ECHO:
		while ((n = SSL_read(ssl, buf, sizeof(buf))) > 0)
			SSL_write(ssl, buf, n);
		break;
	case CLOSE_AFTER_HANDSHAKE:
		SSL_shutdown(ssl);
		break;
	case HALF_ANSWER:
		SSL_write(ssl, "ab", 2);
		wait_for_the_end(fd);
		break;
	default:
		break;
	}
}

static void
play(const struct device *d, int fd)
{
	SSL_CTX *ctx;
	SSL *ssl;

	signal(SIGPIPE, SIG_IGN);
	if (d->act == SILENT)
		wait_for_the_end(fd);
	if (d->act == GARBAGE && send(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, 0) > 0)
		wait_for_the_end(fd);
	if (d->act == SILENT || d->act == CLOSE_AT_ONCE || d->act == GARBAGE)
		return;
	ctx = device_context(d, d->is_foreign ? &foreign : &ours);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1)
		act(d, ssl, fd);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

/* Our end of the connection; the device runs in *pid. */
static int
attach(const struct device *d, pid_t *pid)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	*pid = fork();
	if (*pid == 0) {
		close(ends[0]);
		play(d, ends[1]);
		_exit(0);
	}
	assert_true(*pid > 0);
	close(ends[1]);
	return ends[0];
}

static void
detach(int fd, pid_t pid)
{
	close(fd);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static const struct tls_client we = { &ours.host_certificate, &ours.host_key };

/* Hello out and back. -1 with *err: at whatever moment it failed. */
static int
say_hello(int fd, int64_t ms, struct error *err)
{
	struct tls *t = NULL;
	char back[6] = "";
	int rc;

	if (tls_open(fd, &we, deadline_in(ms), &t, err) < 0)
		return -1;
	rc = tls_write(t, "hello", 5, deadline_in(ms), err);
	if (rc == 0)
		rc = tls_read(t, back, 5, deadline_in(ms), err);
	if (rc == 0)
		assert_string_equal(back, "hello");
	tls_close(t);
	return rc;
}

static void
devices_behave_and_misbehave(void **state)
{
	static const struct {
		struct device	 device;
		int64_t		 ms;
		enum error_kind	 want;
		int		 refusal;
	} rows[] = {
		{ { "TLS 1.2", TLS1_2_VERSION, ECHO, 0, 0, 0 },
		    20000, 0, 0 },
		{ { "TLS 1.3", TLS1_3_VERSION, ECHO, 0, 0, 0 },
		    20000, 0, 0 },
		{ { "TLS 1.3 with tickets", TLS1_3_VERSION, ECHO, 0, 3, 0 },
		    20000, 0, 0 },
		{ { "TLS 1.2, our certificate is refused", TLS1_2_VERSION, ECHO, 1, 0, 0 },
		    20000, ERR_DEVICE, REFUSED_TLS },
		{ { "TLS 1.3, our certificate is refused", TLS1_3_VERSION, ECHO, 1, 0, 0 },
		    20000, ERR_DEVICE, REFUSED_TLS },
		{ { "TLS 1.2, unknown CA", TLS1_2_VERSION,
		    ECHO, 1, 0, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN },
		    20000, ERR_DEVICE, REFUSED_TLS },
		{ { "TLS 1.3, unknown CA", TLS1_3_VERSION,
		    ECHO, 1, 0, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN },
		    20000, ERR_DEVICE, REFUSED_TLS },
		{ { "TLS 1.2, a wrong signature", TLS1_2_VERSION,
		    ECHO, 1, 0, X509_V_ERR_CERT_SIGNATURE_FAILURE },
		    20000, ERR_DEVICE, REFUSED_TLS },
		{ { "TLS 1.3, expired", TLS1_3_VERSION, ECHO, 1, 0, X509_V_ERR_CERT_HAS_EXPIRED },
		    20000, ERR_DEVICE, REFUSED_TLS },
		{ { "TLS 1.3, revoked", TLS1_3_VERSION, ECHO, 1, 0, X509_V_ERR_CERT_REVOKED },
		    20000, ERR_DEVICE, REFUSED_TLS },
		{ { "TLS 1.3, an accident of its own", TLS1_3_VERSION,
		    ECHO, 1, 0, X509_V_ERR_OUT_OF_MEM }, 20000, ERR_LINK, 0 },
		{ { "closes before TLS", TLS1_3_VERSION, CLOSE_AT_ONCE, 0, 0, 0 },
		    20000, ERR_LINK, 0 },
		{ { "is silent", TLS1_3_VERSION, SILENT, 0, 0, 0 },
		    50, ERR_TIMEOUT, 0 },
		{ { "closes after a TLS 1.2 handshake", TLS1_2_VERSION,
		    CLOSE_AFTER_HANDSHAKE, 0, 0, 0 }, 20000, ERR_LINK, 0 },
		{ { "closes after a TLS 1.3 handshake", TLS1_3_VERSION,
		    CLOSE_AFTER_HANDSHAKE, 0, 0, 0 }, 20000, ERR_LINK, 0 },
		{ { "drops the link after a handshake", TLS1_3_VERSION,
		    DROP_AFTER_HANDSHAKE, 0, 0, 0 }, 20000, ERR_LINK, 0 },
		{ { "answers half and falls silent", TLS1_3_VERSION, HALF_ANSWER, 0, 0, 0 },
		    300, ERR_TIMEOUT, 0 },
		{ { "speaks no TLS", TLS1_3_VERSION, GARBAGE, 0, 0, 0 },
		    20000, ERR_LINK, 0 },
		{ { "speaks TLS 1.1 only", TLS1_1_VERSION, ECHO, 0, 0, 0 },
		    20000, ERR_LINK, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		struct error err = { 0 };
		int64_t begun;
		pid_t pid;
		int fd;

		row_named(rows[i].device.name);
		fd = attach(&rows[i].device, &pid);
		begun = now_monotonic_ms();
		say_hello(fd, rows[i].ms, &err);
		if (err.kind != rows[i].want)
			print_message("           %s\n", err.message);
		assert_int_equal(err.kind, rows[i].want);
		assert_int_equal(err.refusal, rows[i].refusal);
		/* Never later than the deadlines of its steps. */
		assert_true(now_monotonic_ms() - begun < 3 * rows[i].ms + 2000);
		detach(fd, pid);
	}
}

/*
 * A device that has refused us and is gone: the first write fails with EPIPE,
 * and the reason must still be found.
 */
static void
the_reason_survives_a_failed_write(void **state)
{
	static const struct device d = { "", TLS1_3_VERSION, ECHO, true, 0, 0 };
	struct tls *t = NULL;
	struct error err = { 0 };
	pid_t pid;
	int fd = attach(&d, &pid), i, rc = 0;

	(void)state;
	assert_int_equal(tls_open(fd, &we, deadline_in(20000), &t, &err), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	for (i = 0; i < 100 && rc == 0; i++)
		rc = tls_write(t, "hello", 5, deadline_in(20000), &err);
	assert_int_equal(rc, -1);
	assert_int_equal(err.kind, ERR_DEVICE);
	assert_int_equal(err.refusal, REFUSED_TLS);
	assert_int_equal(tls_write(t, "hello", 5, deadline_in(20000), &err), -1);
	assert_int_equal(err.kind, ERR_LINK);
	tls_close(t);
	close(fd);
}

static void
large_messages_pass_both_ways(void **state)
{
	enum { LARGE = 300 * 1000 };
	static const struct device d = { "", TLS1_3_VERSION, ECHO, false, 2, 0 };
	auto_free uint8_t *out = malloc(LARGE), *in = malloc(LARGE);
	struct tls *t = NULL;
	struct error err = { 0 };
	pid_t pid;
	int fd = attach(&d, &pid);
	size_t i;

	(void)state;
	for (i = 0; i < LARGE; i++)
		out[i] = (uint8_t)(i * 7);
	assert_int_equal(tls_open(fd, &we, deadline_in(20000), &t, &err), 0);
	/* In turns: an echo that nobody reads would stop taking. */
	for (i = 0; i < LARGE; i += 30000) {
		assert_int_equal(tls_write(t, out + i, 30000, deadline_in(20000), &err), 0);
		assert_int_equal(tls_read(t, in + i, 30000, deadline_in(20000), &err), 0);
	}
	assert_memory_equal(in, out, LARGE);
	tls_close(t);
	detach(fd, pid);
}

static void
a_peer_that_takes_nothing_hits_the_deadline(void **state)
{
	enum { HUGE_LEN = 32 << 20 };
	static const struct device d = { "", TLS1_3_VERSION, HALF_ANSWER, false, 0, 0 };
	auto_free uint8_t *out = calloc(1, HUGE_LEN);
	struct tls *t = NULL;
	struct error err = { 0 };
	pid_t pid;
	int fd = attach(&d, &pid);

	(void)state;
	assert_int_equal(tls_open(fd, &we, deadline_in(20000), &t, &err), 0);
	kill(pid, SIGSTOP);
	assert_int_equal(tls_write(t, out, HUGE_LEN, deadline_in(50), &err), -1);
	assert_int_equal(err.kind, ERR_TIMEOUT);
	tls_close(t);
	kill(pid, SIGCONT);
	detach(fd, pid);
}

static void
a_useless_pair_record_is_said(void **state)
{
	static const struct blob nothing = { 0 }, text = { (uint8_t *)(uintptr_t)"hello", 5, 0 };
	const struct {
		const char *name;
		struct tls_client who;
	} rows[] = {
		{ "no certificate", { &nothing, &ours.host_key } },
		{ "no key", { &ours.host_certificate, &nothing } },
		{ "a certificate that is text", { &text, &ours.host_key } },
		{ "a key that is text", { &ours.host_certificate, &text } },
		{ "certificate and key of two pairings",
		    { &ours.host_certificate, &foreign.host_key } },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		struct tls *t = NULL;
		struct error err = { 0 };

		row_named(rows[i].name);
		assert_int_equal(tls_open(-1, &rows[i].who, deadline_in(1000), &t, &err), -1);
		assert_int_equal(err.kind, ERR_DATA);
		assert_null(t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pairing_has_the_shape_of_libimobiledevice),
		cmocka_unit_test(only_an_rsa_key_is_paired_with),
		cmocka_unit_test(devices_behave_and_misbehave),
		cmocka_unit_test(the_reason_survives_a_failed_write),
		cmocka_unit_test(large_messages_pass_both_ways),
		cmocka_unit_test(a_peer_that_takes_nothing_hits_the_deadline),
		cmocka_unit_test(a_useless_pair_record_is_said),
	};

	return cmocka_run_group_tests(tests, pair, unpair);
}
