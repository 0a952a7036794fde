/* tlsend: the device's end of TLS, over bytes in memory; it knows no socket */
#ifndef SIM_TLSEND_H
#define SIM_TLSEND_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

struct blob;
struct host;
struct tlsend;

/* Shared by all streams: TLS 1.2 and 1.3, client certificate wanted, no tickets. */
SSL_CTX	*tlsend_context(void);

/* host is borrowed; its certificates decide who may connect. NULL: no memory. */
struct tlsend *tlsend_new(SSL_CTX *ctx, EVP_PKEY *key, struct host *host);
void	tlsend_free(struct tlsend *end);

enum tlsend_state {
	TLSEND_SHAKING,		/* the handshake needs more bytes */
	TLSEND_OPEN,
	TLSEND_CLOSED,		/* the peer said close_notify */
	TLSEND_FAILED,		/* refused or broken; an alert may be waiting to be sent */
};
/* Takes wire bytes, appends what they say to *plain. */
enum tlsend_state tlsend_feed(struct tlsend *end, const void *data, size_t len,
	    struct blob *plain);
/* Encrypts. 0 or -1. */
int	tlsend_write(struct tlsend *end, const void *data, size_t len);
void	tlsend_shutdown(struct tlsend *end);
/* As if what came had been tampered with: a fatal alert is to be sent. */
void	tlsend_break(struct tlsend *end);
/* Moves what must go to the peer to the end of *wire. */
int	tlsend_drain(struct tlsend *end, struct blob *wire);
/* Why it failed: one line. */
const char *tlsend_reason(const struct tlsend *end);

#endif
