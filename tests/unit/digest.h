/* digest: in place of SHA-256 where no UUID has to be right, so that core is linked alone */
#ifndef TESTS_UNIT_DIGEST_H
#define TESTS_UNIT_DIGEST_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline void
toy_digest(const void *data, size_t len, uint8_t out[32])
{
	const uint8_t *p = data;
	size_t i;

	memset(out, 0, 32);
	for (i = 0; i < len; i++)
		out[i % 32] = (uint8_t)(out[i % 32] * 31 + p[i]);
}

#endif
