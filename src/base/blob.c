/* blob: bytes that are wiped when released */
#include "base/blob.h"

#include <string.h>

int
blob_reserve(struct blob *b, size_t len)
{
	uint8_t *grown;
	size_t room;

	if (len <= b->room)
		return 0;
	if (len > SIZE_MAX / 2)
		return -1;
	room = len < 64 ? 64 : len + len / 2;
	/* Not realloc(): it could leave a copy of a secret behind. */
	grown = malloc(room);
	if (!grown)
		return -1;
	if (b->len)
		memcpy(grown, b->data, b->len);
	if (b->data)
		explicit_bzero(b->data, b->room);
	free(b->data);
	b->data = grown;
	b->room = room;
	return 0;
}

int
blob_append(struct blob *b, const void *data, size_t len)
{
	if (len > SIZE_MAX - b->len || blob_reserve(b, b->len + len) < 0)
		return -1;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	return 0;
}

int
blob_set(struct blob *b, const void *data, size_t len)
{
	struct blob fresh = { 0 };

	if (blob_append(&fresh, data, len) < 0)
		return -1;
	blob_clear(b);
	*b = fresh;
	return 0;
}

void
blob_drop_front(struct blob *b, size_t n)
{
	size_t left;

	if (n > b->len)
		n = b->len;
	if (!n)
		return;
	left = b->len - n;
	memmove(b->data, b->data + n, left);
	explicit_bzero(b->data + left, n);
	b->len = left;
}

void
blob_clear(struct blob *b)
{
	if (b->data)
		explicit_bzero(b->data, b->room);
	free(b->data);
	*b = (struct blob){ 0 };
}

struct blob
blob_steal(struct blob *b)
{
	struct blob stolen = *b;

	*b = (struct blob){ 0 };
	return stolen;
}

bool
blob_equal(const struct blob *a, const struct blob *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}
