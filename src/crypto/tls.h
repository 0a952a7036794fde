/* tls: the client side of a device's TLS, on a descriptor, under a deadline */
#ifndef CRYPTO_TLS_H
#define CRYPTO_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/deadline.h"

struct blob;
struct error;
struct tls;

/*
 * PEM text, borrowed during tls_open() and tls_learn() only. This process keeps the last pair
 * decoded, so that the next connection to the same device costs less.
 */
struct tls_client {
	const struct blob	*certificate;	/* HostCertificate of the pair record */
	const struct blob	*key;		/* HostPrivateKey */
};

/*
 * Sets OpenSSL up with the files of this computer, which a process that is to be
 * confined must do before. tls_prepare() also makes what all connections of a
 * process share, so that processes forked afterwards share it too; without it
 * each makes its own when it is needed. ERR_SOFTWARE when that cannot be done.
 */
int	tls_start(struct error *err);
int	tls_prepare(struct error *err);

/*
 * Decodes the pair now, while a device thinks, and makes what connections share:
 * the next tls_open() with it is quicker. What fails here is told there.
 */
void	tls_learn(const struct tls_client *who);

/*
 * Takes no ownership of fd, a connected socket; it need not be non-blocking,
 * and it must not be read or written otherwise while *out lives. Blocks for
 * the handshake, at most until the deadline. Never raises SIGPIPE.
 *
 * TLS 1.2 and 1.3 as go-ios and pymobiledevice3 do; security level 0, because
 * libimobiledevice 1.3 still signs with SHA-1 and old devices have 1024 bits.
 * No known client judges the device's certificate, and nor do we: it is the one
 * made at pairing. A refusal of our certificate is ERR_DEVICE with REFUSED_TLS,
 * also when TLS 1.3 tells it only at the first tls_read() or tls_write(). A
 * pair record whose certificate and key cannot be used is ERR_DATA.
 */
int	tls_open(int fd, const struct tls_client *who, struct deadline deadline,
	    struct tls **out, struct error *err);

/*
 * Exactly len bytes. ERR_LINK when the peer closed, ERR_TIMEOUT at the deadline.
 * After a failure the stream is of no further use: tls_close() it. Up to 16 KiB
 * in one tls_write() are one record and one system call.
 */
int	tls_read(struct tls *t, void *data, size_t len, struct deadline deadline,
	    struct error *err);
int	tls_write(struct tls *t, const void *data, size_t len, struct deadline deadline,
	    struct error *err);

/* Sends close_notify when it can without blocking, and releases. NULL is fine. */
void	tls_close(struct tls *t);

#endif
