/* TLS on a stream without any socket: who may come in, and how one leaves */
#include "tests/sim/fixture.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "sim/fault.h"
#include "sim/frame.h"
#include "sim/host.h"
#include "sim/stream.h"

/* A client without a socket: what the device sends piles up in wire. */
struct peer {
	struct fixture	*fixture;
	struct stream	*stream;
	struct blob	 wire, plain;
	bool		 is_closed;
	size_t		 chunk;		/* bytes given to the stream at a time; 0: all */
	SSL_CTX		*ctx;
	SSL		*ssl;		/* NULL: in the clear */
};

static void
take_bytes(void *ctx, const void *data, size_t len)
{
	assert_int_equal(blob_append(&((struct peer *)ctx)->wire, data, len), 0);
}

static void
take_end(void *ctx)
{
	((struct peer *)ctx)->is_closed = true;
}

static void
give(struct peer *peer, const uint8_t *data, size_t len)
{
	size_t chunk = peer->chunk ? peer->chunk : len, n;

	for (; len; data += n, len -= n) {
		n = len < chunk ? len : chunk;
		stream_feed(peer->stream, data, n);
	}
}

/* Moves bytes both ways until nothing moves. */
static void
shuttle(struct peer *peer)
{
	uint8_t data[16384];
	int n;

	do {
		if (peer->wire.len)
			BIO_write(SSL_get_rbio(peer->ssl), peer->wire.data, (int)peer->wire.len);
		blob_clear(&peer->wire);
		if (!SSL_is_init_finished(peer->ssl))
			SSL_do_handshake(peer->ssl);
		while ((n = SSL_read(peer->ssl, data, sizeof(data))) > 0)
			blob_append(&peer->plain, data, (size_t)n);
		n = BIO_read(SSL_get_wbio(peer->ssl), data, sizeof(data));
		if (n > 0)
			give(peer, data, (size_t)n);
	} while (n > 0 || peer->wire.len);
}

static void
send_request(struct peer *peer, plist_t request)
{
	auto_blob struct blob bytes = { 0 };

	assert_int_equal(frame_pack(request, &bytes), 0);
	plist_free(request);
	if (!peer->ssl) {
		give(peer, bytes.data, bytes.len);
		return;
	}
	assert_int_equal(SSL_write(peer->ssl, bytes.data, (int)bytes.len), bytes.len);
	shuttle(peer);
}

/* NULL: no answer. */
static plist_t
take_reply(struct peer *peer)
{
	plist_t reply = NULL;
	size_t size;

	if (frame_take(peer->ssl ? &peer->plain : &peer->wire, &reply, &size) != FRAME_WHOLE)
		return NULL;
	return reply;
}

static bool
answers_query(struct peer *peer)
{
	auto_plist plist_t reply = NULL;

	send_request(peer, request_of("Request", "QueryType"));
	reply = take_reply(peer);
	return dict_get_string(reply, "Type") != NULL;
}

static X509 *
read_pem(plist_t record, const char *key)
{
	const void *data;
	size_t len;
	X509 *cert;
	BIO *bio;

	assert_true(dict_get_data(record, key, &data, &len));
	bio = BIO_new_mem_buf(data, (int)len);
	cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_non_null(cert);
	return cert;
}

enum credential { ROOT, HOST, STRANGER, NOBODY };

static void
go_tls(struct peer *peer, struct virtual *device, enum credential as, int version)
{
	static const char *const names[] = { [ROOT] = "RootCertificate",
		[HOST] = "HostCertificate" };
	plist_t record = peer->fixture->bench->pair_records[device->position % BENCH_KEYS];
	X509 *cert = as == NOBODY ? NULL : as == STRANGER
	    ? make_certificate(peer->fixture->stranger.key, 10) : read_pem(record, names[as]);
	EVP_PKEY *key = as == STRANGER ? peer->fixture->stranger.key
	    : peer->fixture->bench->host_keys[as == ROOT ? 0 : 1];

	peer->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_security_level(peer->ctx, 0);
	SSL_CTX_set_min_proto_version(peer->ctx, version);
	SSL_CTX_set_max_proto_version(peer->ctx, version);
	peer->ssl = SSL_new(peer->ctx);
	SSL_set_bio(peer->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(peer->ssl);
	if (cert) {
		assert_int_equal(SSL_use_certificate(peer->ssl, cert), 1);
		assert_int_equal(SSL_use_PrivateKey(peer->ssl, key), 1);
	}
	X509_free(cert);
	shuttle(peer);
}

static void
begin(struct peer *peer, struct fixture *fixture, struct virtual *device, size_t chunk)
{
	*peer = (struct peer){ .fixture = fixture, .chunk = chunk };
	peer->stream = stream_new(device, &service_lockdown, NULL,
	    (struct pipe){ take_bytes, take_end, peer });
	assert_non_null(peer->stream);
}

static void
end(struct peer *peer)
{
	stream_free(peer->stream);
	SSL_free(peer->ssl);
	SSL_CTX_free(peer->ctx);
	blob_clear(&peer->wire);
	blob_clear(&peer->plain);
}

/* The session's id; copied. */
static void
start_session(struct peer *peer, const struct virtual *device, char *id, size_t size)
{
	plist_t request = request_of("Request", "StartSession");
	auto_plist plist_t reply = NULL;
	bool wants_tls = false;

	dict_set_string(request, "HostID", device->hosts->id);
	send_request(peer, request);
	reply = take_reply(peer);
	assert_non_null(dict_get_string(reply, "SessionID"));
	assert_true(dict_get_bool(reply, "EnableSessionSSL", &wants_tls));
	assert_true(wants_tls);
	snprintf(id, size, "%s", dict_get_string(reply, "SessionID"));
}

static struct virtual *
add_paired(struct fixture *fixture)
{
	struct virtual_spec spec;

	virtual_spec_init(&spec);
	spec.is_paired = true;
	return add_device(fixture, false, &spec);
}

static void
only_the_paired_host_comes_in(void **state)
{
	static const struct {
		const char *name;
		enum credential as;
		int version;
		size_t chunk;
		bool comes_in;
	} rows[] = {
		{ "the host's certificate, TLS 1.3", HOST, TLS1_3_VERSION, 0, true },
		{ "the root's certificate, TLS 1.3", ROOT, TLS1_3_VERSION, 0, true },
		{ "the host's certificate, TLS 1.2", HOST, TLS1_2_VERSION, 0, true },
		{ "the root's certificate, TLS 1.2", ROOT, TLS1_2_VERSION, 0, true },
		{ "byte by byte", HOST, TLS1_3_VERSION, 1, true },
		{ "in sevens", ROOT, TLS1_2_VERSION, 7, true },
		{ "a stranger, TLS 1.3", STRANGER, TLS1_3_VERSION, 0, false },
		{ "a stranger, TLS 1.2", STRANGER, TLS1_2_VERSION, 0, false },
		{ "nobody, TLS 1.3", NOBODY, TLS1_3_VERSION, 0, false },
		{ "nobody, TLS 1.2", NOBODY, TLS1_2_VERSION, 0, false },
	};
	struct virtual *device = add_paired(*state);
	size_t i;

	for (i = 0; i < countof(rows); i++) {
		uint64_t before = device->counters.handshakes;
		struct peer peer;
		char id[64];

		row_named(rows[i].name);
		begin(&peer, *state, device, rows[i].chunk);
		start_session(&peer, device, id, sizeof(id));
		go_tls(&peer, device, rows[i].as, rows[i].version);
		assert_int_equal(peer.is_closed, !rows[i].comes_in);
		assert_int_equal(device->counters.handshakes - before, rows[i].comes_in);
		if (rows[i].comes_in)
			assert_true(answers_query(&peer));
		end(&peer);
	}
}

static void
the_device_shows_the_certificate_it_was_given(void **state)
{
	struct fixture *fixture = *state;
	struct virtual *device = add_paired(fixture);
	struct peer peer;
	X509 *shown;
	char id[64];

	begin(&peer, fixture, device, 0);
	start_session(&peer, device, id, sizeof(id));
	go_tls(&peer, device, HOST, TLS1_3_VERSION);
	shown = SSL_get1_peer_certificate(peer.ssl);
	assert_int_equal(X509_cmp(shown, device->hosts->device), 0);
	X509_free(shown);
	end(&peer);
}

static void
a_session_ends_either_way(void **state)
{
	static const struct {
		const char *name;
		bool says_goodbye;
		int version;
		size_t chunk;
	} rows[] = {
		{ "straight into plain text", false, TLS1_3_VERSION, 0 },
		{ "close_notify, then plain text", true, TLS1_3_VERSION, 0 },
		{ "the same in TLS 1.2", true, TLS1_2_VERSION, 0 },
		{ "byte by byte", true, TLS1_3_VERSION, 1 },
	};
	struct virtual *device = add_paired(*state);
	size_t i;

	for (i = 0; i < countof(rows); i++) {
		plist_t request = request_of("Request", "StopSession");
		auto_plist plist_t reply = NULL;
		struct peer peer;
		char id[64];

		row_named(rows[i].name);
		begin(&peer, *state, device, rows[i].chunk);
		start_session(&peer, device, id, sizeof(id));
		go_tls(&peer, device, HOST, rows[i].version);
		dict_set_string(request, "SessionID", id);
		send_request(&peer, request);
		reply = take_reply(&peer);
		assert_string_equal(dict_get_string(reply, "Result"), "Success");
		if (rows[i].says_goodbye) {
			SSL_shutdown(peer.ssl);
			shuttle(&peer);
		}
		SSL_free(peer.ssl);
		peer.ssl = NULL;
		assert_true(answers_query(&peer));
		start_session(&peer, device, id, sizeof(id));
		assert_false(peer.is_closed);
		end(&peer);
	}
}

static void
a_session_may_end_by_closing(void **state)
{
	struct virtual *device = add_paired(*state);
	struct peer peer;
	char id[64];

	begin(&peer, *state, device, 0);
	start_session(&peer, device, id, sizeof(id));
	go_tls(&peer, device, HOST, TLS1_3_VERSION);
	SSL_shutdown(peer.ssl);
	shuttle(&peer);
	assert_true(peer.is_closed);
	end(&peer);
}

static void
the_handshake_can_be_refused(void **state)
{
	struct virtual *device = add_paired(*state);
	struct fault fault = { .kind = FAULT_TLS_REFUSE };
	struct peer peer;
	char id[64];

	assert_int_equal(fault_list_add(&device->faults, &fault), 0);
	begin(&peer, *state, device, 0);
	start_session(&peer, device, id, sizeof(id));
	assert_true(peer.is_closed);
	assert_int_equal(peer.wire.len, 7);
	assert_int_equal(peer.wire.data[0], 21);
	end(&peer);
}

static void
an_unplugged_device_drops_its_streams(void **state)
{
	struct virtual *device = add_paired(*state);
	struct peer peer;

	begin(&peer, *state, device, 0);
	virtual_detach(device);
	assert_true(peer.is_closed);
	end(&peer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_paired_host_comes_in),
		cmocka_unit_test(the_device_shows_the_certificate_it_was_given),
		cmocka_unit_test(a_session_ends_either_way),
		cmocka_unit_test(a_session_may_end_by_closing),
		cmocka_unit_test(the_handshake_can_be_refused),
		cmocka_unit_test(an_unplugged_device_drops_its_streams),
	};

	return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
