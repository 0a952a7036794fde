/* tlsend: OpenSSL between two memory BIOs */
#include "sim/tlsend.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/blob.h"
#include "sim/host.h"

struct tlsend {
	SSL		*ssl;
	BIO		*in, *out;	/* owned by ssl */
	struct host	*host;
	bool		 was_refused;	/* the client's certificate */
	enum tlsend_state state;
	char		 reason[120];
};

/* Replaces chain building: names are empty, and only this one host may come in. */
static int
judge_client(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tlsend *end = SSL_get_app_data(ssl);
	X509 *presented = X509_STORE_CTX_get0_cert(store);

	(void)arg;
	if (presented && host_accepts(end->host, presented))
		return 1;
	end->was_refused = true;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
	return 0;
}

SSL_CTX *
tlsend_context(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (!ctx)
		return NULL;
	/* Level 0 first: hosts still come with SHA-1 certificates and serial 0. */
	SSL_CTX_set_security_level(ctx, 0);
	/* What real devices still accept is documented nowhere; this is the stricter reading. */
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION
	    | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, judge_client, NULL);
	return ctx;
}

struct tlsend *
tlsend_new(SSL_CTX *ctx, EVP_PKEY *key, struct host *host)
{
	struct tlsend *end = calloc(1, sizeof(*end));

	if (!end)
		return NULL;
	end->host = host;
	end->ssl = SSL_new(ctx);
	end->in = BIO_new(BIO_s_mem());
	end->out = BIO_new(BIO_s_mem());
	if (!end->ssl || !end->in || !end->out) {
		BIO_free(end->in);
		BIO_free(end->out);
		SSL_free(end->ssl);
		free(end);
		return NULL;
	}
	SSL_set_bio(end->ssl, end->in, end->out);
	SSL_set_app_data(end->ssl, end);
	SSL_set_accept_state(end->ssl);
	if (SSL_use_certificate(end->ssl, host->device) != 1
	    || SSL_use_PrivateKey(end->ssl, key) != 1) {
		tlsend_free(end);
		return NULL;
	}
	return end;
}

void
tlsend_free(struct tlsend *end)
{
	if (!end)
		return;
	SSL_free(end->ssl);
	free(end);
}

static void
fail(struct tlsend *end)
{
	char text[96];
	unsigned long code = ERR_peek_last_error();

	ERR_error_string_n(code, text, sizeof(text));
	snprintf(end->reason, sizeof(end->reason), "%s",
	    end->was_refused ? "the client certificate is not in the pair record" : text);
	ERR_clear_error();
	end->state = TLSEND_FAILED;
}

static void
advance(struct tlsend *end, struct blob *plain)
{
	uint8_t chunk[16384];
	int n;

	ERR_clear_error();
	for (;;) {
		n = SSL_read(end->ssl, chunk, sizeof(chunk));
		if (n > 0 && blob_append(plain, chunk, (size_t)n) == 0)
			continue;
		break;
	}
	if (SSL_is_init_finished(end->ssl) && end->state == TLSEND_SHAKING)
		end->state = TLSEND_OPEN;
	switch (SSL_get_error(end->ssl, n)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		break;
	case SSL_ERROR_ZERO_RETURN:
		end->state = TLSEND_CLOSED;
		break;
	default:
		fail(end);
		break;
	}
}

enum tlsend_state
tlsend_feed(struct tlsend *end, const void *data, size_t len, struct blob *plain)
{
	if (end->state == TLSEND_FAILED || end->state == TLSEND_CLOSED)
		return end->state;
	if (len > INT_MAX || BIO_write(end->in, data, (int)len) != (int)len)
		fail(end);
	else
		advance(end, plain);
	return end->state;
}

int
tlsend_write(struct tlsend *end, const void *data, size_t len)
{
	if (len > INT_MAX || end->state != TLSEND_OPEN)
		return -1;
	ERR_clear_error();
	return SSL_write(end->ssl, data, (int)len) == (int)len ? 0 : -1;
}

void
tlsend_shutdown(struct tlsend *end)
{
	if (end->state == TLSEND_OPEN || end->state == TLSEND_CLOSED)
		SSL_shutdown(end->ssl);
	ERR_clear_error();
}

void
tlsend_break(struct tlsend *end)
{
	/* Application data of 32 bytes that no key of this session has sealed. */
	static const uint8_t record[5 + 32] = { 23, 3, 3, 0, 32 };
	struct blob nothing = { 0 };

	tlsend_feed(end, record, sizeof(record), &nothing);
	blob_clear(&nothing);
}

int
tlsend_drain(struct tlsend *end, struct blob *wire)
{
	char *bytes;
	long n = BIO_get_mem_data(end->out, &bytes);

	if (n <= 0)
		return 0;
	if (blob_append(wire, bytes, (size_t)n) < 0)
		return -1;
	return BIO_reset(end->out) == 1 ? 0 : -1;
}

const char *
tlsend_reason(const struct tlsend *end)
{
	return end->reason;
}
