/* blob: bytes that are wiped when released; everything secret lives in one */
#ifndef BASE_BLOB_H
#define BASE_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clean.h"

/* Owned bytes. Zero-initialise: struct blob b = { 0 }; an empty blob is fine. */
struct blob {
	uint8_t	*data;
	size_t	 len;
	size_t	 room;
};

/* These return 0, or -1 when memory runs out, and then leave *b as it was. */
int	blob_set(struct blob *b, const void *data, size_t len);
int	blob_append(struct blob *b, const void *data, size_t len);
/* Room for len bytes in all. b->len stays. */
int	blob_reserve(struct blob *b, size_t len);

/* Drops the first n bytes (all of them when n > len) and wipes where they were. */
void	blob_drop_front(struct blob *b, size_t n);
/* Wipes and releases. */
void	blob_clear(struct blob *b);
/* Moves the bytes out; *b is empty afterwards. */
struct blob	blob_steal(struct blob *b);
bool	blob_equal(const struct blob *a, const struct blob *b);

#define auto_blob	auto_with(blob_clear)

#endif
