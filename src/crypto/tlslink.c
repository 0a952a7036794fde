/* tlslink: send() and recv() behind OpenSSL's idea of a stream */
#include "crypto/tlslink.h"

#include <errno.h>
#include <openssl/bio.h>
#include <sys/socket.h>

static int
link_write(BIO *bio, const char *data, int len)
{
	struct tlslink *l = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	do
		n = send(l->fd, data, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN)
		BIO_set_retry_write(bio);
	else
		l->sys = errno;
	return -1;
}

static int
link_read(BIO *bio, char *data, int len)
{
	struct tlslink *l = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	do
		n = recv(l->fd, data, (size_t)len, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return (int)n;
	if (n == 0)
		BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
	else if (errno != EAGAIN)
		l->sys = errno;
	else {
		BIO_set_retry_read(bio);
		l->is_starved = true;
	}
	return n == 0 ? 0 : -1;
}

static long
link_control(BIO *bio, int cmd, long number, void *pointer)
{
	(void)number;
	(void)pointer;
	switch (cmd) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_EOF:
		return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
	default:
		return 0;
	}
}

static BIO_METHOD *
make_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "tlslink");

	if (!method || BIO_meth_set_write(method, link_write) != 1 ||
	    BIO_meth_set_read(method, link_read) != 1 ||
	    BIO_meth_set_ctrl(method, link_control) != 1) {
		BIO_meth_free(method);
		return NULL;
	}
	return method;
}

BIO *
tlslink_new(struct tlslink *link)
{
	static BIO_METHOD *method;	/* OpenSSL registers it: made once, never released */
	BIO *bio;

	if (!method)
		method = make_method();
	bio = method ? BIO_new(method) : NULL;
	if (!bio)
		return NULL;
	BIO_set_data(bio, link);
	BIO_set_init(bio, 1);
	return bio;
}
