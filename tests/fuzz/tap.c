/*
 * tap: links into a client that tells on stderr, line by line, every message that it
 * exchanges with a device: "tap > C BASE64" out, "tap < C BASE64" in, "tap = C" for a
 * new connection, whose name is C while it lasts. For tests/fuzz/record and the virtual
 * bench alone: it tells secrets.
 */
#include <openssl/evp.h>
#include <plist/plist.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/proplist.h"
#include "wire/channel.h"

/* The linker gives these to wire/ in place of channel's own. */
int	__wrap_channel_new(int fd, struct channel **out, struct error *err);
int	__wrap_channel_send(struct channel *ch, plist_t message, struct deadline d,
    struct error *err);
int	__wrap_channel_receive(struct channel *ch, struct deadline d, plist_t *out,
    struct error *err);
int	__real_channel_new(int fd, struct channel **out, struct error *err);
int	__real_channel_send(struct channel *ch, plist_t message, struct deadline d,
    struct error *err);
int	__real_channel_receive(struct channel *ch, struct deadline d, plist_t *out,
    struct error *err);

static void
tell(char direction, const struct channel *ch, plist_t message)
{
	auto_blob struct blob xml = { 0 };
	auto_free char *text = NULL;

	if (proplist_to_xml(message, &xml) < 0 || !(text = calloc(1, xml.len * 4 / 3 + 8)))
		abort();
	EVP_EncodeBlock((unsigned char *)text, xml.data, (int)xml.len);
	fprintf(stderr, "tap %c %p %s\n", direction, (const void *)ch, text);
}

int
__wrap_channel_new(int fd, struct channel **out, struct error *err)
{
	int rc = __real_channel_new(fd, out, err);

	if (rc == 0)
		fprintf(stderr, "tap = %p\n", (const void *)*out);
	return rc;
}

int
__wrap_channel_send(struct channel *ch, plist_t message, struct deadline d, struct error *err)
{
	tell('>', ch, message);
	return __real_channel_send(ch, message, d, err);
}

int
__wrap_channel_receive(struct channel *ch, struct deadline d, plist_t *out, struct error *err)
{
	int rc = __real_channel_receive(ch, d, out, err);

	if (rc == 0)
		tell('<', ch, *out);
	return rc;
}
