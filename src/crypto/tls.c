/* tls: OpenSSL's state machine driven by poll, one system call per message */
#include "crypto/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "core/refusal.h"
#include "crypto/digest.h"
#include "crypto/ossl.h"
#include "crypto/tlslink.h"

/* OpenSSL reports a received alert as this plus its number (SSL_AD_*). */
enum { ALERT_REASON = 1000 };

struct tls {
	SSL		*ssl;
	struct tlslink	 link;
	bool		 is_closed;	/* the peer has ended it, or it broke */
};

static SSL_CTX *
make_context(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx)
		return NULL;
	/* Before any certificate: SHA-1 signatures and 1024 bits are normal here. */
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_LEGACY_SERVER_CONNECT);
	/* Without AUTO_RETRY our loop sees every record, and so does the deadline. */
	SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	/* A record in one read instead of its header and its body. */
	SSL_CTX_set_read_ahead(ctx, 1);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

/* What every connection of this process shares: made once, never released. */
static SSL_CTX *
get_context(void)
{
	static SSL_CTX *ctx;

	if (!ctx && ossl_start())
		ctx = make_context();
	return ctx;
}

static int
starting_error(struct error *err)
{
	return ossl_error(err, ERR_SOFTWARE, "starting TLS");
}

int
tls_start(struct error *err)
{
	return ossl_start() ? 0 : starting_error(err);
}

int
tls_prepare(struct error *err)
{
	return get_context() ? 0 : starting_error(err);
}

static bool
refuses_certificate(int alert)
{
	switch (alert) {
	case SSL_AD_HANDSHAKE_FAILURE:
	case SSL_AD_NO_CERTIFICATE:
	case SSL_AD_BAD_CERTIFICATE:
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
	case SSL_AD_CERTIFICATE_REVOKED:
	case SSL_AD_CERTIFICATE_EXPIRED:
	case SSL_AD_CERTIFICATE_UNKNOWN:
	case SSL_AD_UNKNOWN_CA:
	case SSL_AD_ACCESS_DENIED:
	case SSL_AD_DECRYPT_ERROR:
	case SSL_AD_CERTIFICATE_REQUIRED:
		return true;
	default:
		return false;
	}
}

static int
alert_error(int alert, struct error *err)
{
	const char *text = SSL_alert_desc_string_long(alert);

	if (!refuses_certificate(alert))
		return error_set(err, ERR_LINK, "the device ended TLS: %s", text);
	error_set(err, ERR_DEVICE, "the device does not accept the certificate of this pair "
	    "record (TLS: %s)", text);
	err->refusal = REFUSED_TLS;
	return -1;
}

static int
closed_error(const struct tls *t, struct error *err)
{
	if (t->link.sys && t->link.sys != ECONNRESET && t->link.sys != EPIPE)
		return error_set_sys(err, ERR_LINK, t->link.sys, "the connection broke");
	error_set(err, ERR_LINK, "the device closed the connection");
	err->sys = t->link.sys;
	return -1;
}

/* SSL_ERROR_SSL: an alert of the device, or TLS that makes no sense. */
static int
broken_error(struct tls *t, struct error *err)
{
	unsigned long code = ERR_peek_error();
	int reason = ERR_GET_REASON(code);

	t->is_closed = true;
	if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason > ALERT_REASON &&
	    reason <= ALERT_REASON + UINT8_MAX) {
		ERR_clear_error();
		return alert_error(reason - ALERT_REASON, err);
	}
	return ossl_error(err, ERR_LINK, "TLS");
}

/*
 * A device that refuses our certificate in TLS 1.3 says so and closes; the next
 * write then fails, while its reason is still waiting to be read.
 */
static int
last_words(struct tls *t, struct error *err)
{
	struct error said = { 0 };
	char byte;

	ERR_clear_error();
	if (SSL_get_error(t->ssl, SSL_read(t->ssl, &byte, 1)) == SSL_ERROR_SSL)
		broken_error(t, &said);
	ERR_clear_error();
	if (said.kind != ERR_DEVICE)
		return closed_error(t, err);
	*err = said;
	return -1;
}

/*
 * The same before there is a key: our hello found the connection closed, and an
 * alert in the clear, one record of two bytes, is the reason.
 */
static int
first_words(struct tls *t, struct error *err)
{
	uint8_t record[7];
	ssize_t n = recv(t->link.fd, record, sizeof(record), MSG_DONTWAIT);

	ERR_clear_error();
	if (n == sizeof(record) && record[0] == SSL3_RT_ALERT && record[1] == SSL3_VERSION_MAJOR &&
	    record[3] == 0 && record[4] == 2)
		return alert_error(record[6], err);
	return closed_error(t, err);
}

static bool
is_write_refused(const struct tls *t)
{
	return t->link.sys == EPIPE || t->link.sys == ECONNRESET;
}

/* Before every operation: what it leaves behind shall be its own. */
static void
begin(struct tls *t)
{
	ERR_clear_error();
	t->link.is_starved = false;
}

/* After an operation that returned rc: 0 to try it again, or -1. */
static int
go_on(struct tls *t, int rc, struct deadline deadline, struct error *err)
{
	int why = SSL_get_error(t->ssl, rc);

	switch (why) {
	case SSL_ERROR_WANT_READ:
		/* A record that is no data (a ticket): more may have been read ahead. */
		if (!t->link.is_starved && !deadline_passed(deadline))
			return 0;
		return deadline_wait(t->link.fd, POLLIN, deadline, err);
	case SSL_ERROR_WANT_WRITE:
		return deadline_wait(t->link.fd, POLLOUT, deadline, err);
	case SSL_ERROR_SSL:
		return broken_error(t, err);
	default:
		t->is_closed = true;
		ERR_clear_error();
		return closed_error(t, err);
	}
}

static X509 *
read_cert(const struct blob *pem)
{
	auto_bio BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);

	return bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
}

/* The key of a pair record is never encrypted: no terminal may be asked here. */
static int
no_passphrase(char *buf, int size, int is_writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)is_writing;
	(void)ctx;
	return -1;
}

static EVP_PKEY *
read_key(const struct blob *pem)
{
	auto_bio BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);

	return bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
}

enum { PEM_LIMIT = 1 << 16 };

/*
 * The pair record of the last connection, decoded: a job opens a session and
 * then services with the same one, and decoding takes as long as a signature.
 */
static struct client {
	uint8_t		 digest[2][32];	/* of certificate and key */
	X509		*cert;
	EVP_PKEY	*key;
} last_client;

static int
decode_client(const struct tls_client *who, struct client *c, struct error *err)
{
	auto_x509 X509 *cert = read_cert(who->certificate);
	auto_key EVP_PKEY *key = read_key(who->key);

	if (!cert || !key)
		return ossl_error(err, ERR_DATA, "the pair record's certificate or key");
	if (X509_check_private_key(cert, key) != 1)
		return ossl_error(err, ERR_DATA, "the pair record's certificate and key");
	X509_free(c->cert);
	EVP_PKEY_free(c->key);
	c->cert = steal_pointer(&cert);
	c->key = steal_pointer(&key);
	return 0;
}

/* last_client becomes who, unless it is already. */
static int
learn(const struct tls_client *who, struct error *err)
{
	struct client *c = &last_client;
	uint8_t digest[2][32];

	if (!who->certificate->len || !who->key->len || who->certificate->len > PEM_LIMIT ||
	    who->key->len > PEM_LIMIT)
		return error_set(err, ERR_DATA, "the pair record has no certificate or no key");
	digest_sha256(who->certificate->data, who->certificate->len, digest[0]);
	digest_sha256(who->key->data, who->key->len, digest[1]);
	if (!c->cert || memcmp(digest, c->digest, sizeof(digest)) != 0) {
		if (decode_client(who, c, err) < 0)
			return -1;
		memcpy(c->digest, digest, sizeof(digest));
	}
	return 0;
}

void
tls_learn(const struct tls_client *who)
{
	struct error later = { 0 };

	(void)tls_prepare(&later);
	(void)learn(who, &later);
}

static int
use_client(SSL *ssl, const struct tls_client *who, struct error *err)
{
	const struct client *c = &last_client;

	if (learn(who, err) < 0)
		return -1;
	if (SSL_use_certificate(ssl, c->cert) != 1 || SSL_use_PrivateKey(ssl, c->key) != 1)
		return ossl_error(err, ERR_DATA, "the pair record's certificate and key");
	return 0;
}

static int
handshake(struct tls *t, struct deadline deadline, struct error *err)
{
	for (;;) {
		int rc;

		begin(t);
		rc = SSL_do_handshake(t->ssl);
		if (rc == 1)
			return 0;
		if (is_write_refused(t)) {
			t->is_closed = true;
			return first_words(t, err);
		}
		if (go_on(t, rc, deadline, err) < 0)
			return -1;
	}
}

static void
tls_free(struct tls **t)
{
	if (!*t)
		return;
	SSL_free((*t)->ssl);
	free(*t);
	ERR_clear_error();
}

int
tls_open(int fd, const struct tls_client *who, struct deadline deadline, struct tls **out,
    struct error *err)
{
	SSL_CTX *ctx = get_context();
	auto_with(tls_free) struct tls *t = calloc(1, sizeof(*t));
	BIO *bio;

	if (!t)
		return error_memory(err);
	t->link.fd = fd;
	t->ssl = ctx ? SSL_new(ctx) : NULL;
	bio = t->ssl ? tlslink_new(&t->link) : NULL;
	if (!bio)
		return starting_error(err);
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_connect_state(t->ssl);
	if (use_client(t->ssl, who, err) < 0)
		return -1;
	if (handshake(t, deadline, err) < 0)
		return error_context(err, "TLS handshake");
	*out = steal_pointer(&t);
	return 0;
}

int
tls_read(struct tls *t, void *data, size_t len, struct deadline deadline, struct error *err)
{
	uint8_t *p = data;

	while (len > 0) {
		size_t n = 0;
		int rc;

		if (t->is_closed)
			return closed_error(t, err);
		begin(t);
		rc = SSL_read_ex(t->ssl, p, len, &n);
		if (rc != 1 && go_on(t, rc, deadline, err) < 0)
			return -1;
		p += n;
		len -= n;
	}
	return 0;
}

int
tls_write(struct tls *t, const void *data, size_t len, struct deadline deadline, struct error *err)
{
	/* Without PARTIAL_WRITE it is all or nothing, whatever n says meanwhile. */
	while (len > 0) {
		size_t n = 0;
		int rc;

		if (t->is_closed)
			return closed_error(t, err);
		begin(t);
		rc = SSL_write_ex(t->ssl, data, len, &n);
		if (rc == 1)
			return 0;
		if (is_write_refused(t)) {
			t->is_closed = true;
			return last_words(t, err);
		}
		if (go_on(t, rc, deadline, err) < 0)
			return -1;
	}
	return 0;
}

void
tls_close(struct tls *t)
{
	if (!t)
		return;
	/* MSG_DONTWAIT: what does not fit at once is not sent. */
	if (!t->is_closed && SSL_is_init_finished(t->ssl))
		(void)SSL_shutdown(t->ssl);
	tls_free(&t);
}
