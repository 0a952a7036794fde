/* challenge: CHALLENGE_LEN bytes, often with a line feed among them */
#include "sim/challenge.h"

#include <openssl/rand.h>

#include "base/blob.h"

int
challenge_make(struct blob *out)
{
	uint8_t bytes[CHALLENGE_LEN];

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return -1;
	/* Neither at the start nor at the end, where some tools trim. */
	if (bytes[0] & 1)
		bytes[1 + bytes[1] % (CHALLENGE_LEN - 2)] = '\n';
	return blob_set(out, bytes, sizeof(bytes));
}
