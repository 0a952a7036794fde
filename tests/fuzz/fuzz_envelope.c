/* fuzz_envelope: any bytes as a signed profile, unwrapped and judged */
#include "tests/fuzz/harness.h"

#include <stdlib.h>

#include "base/error.h"
#include "crypto/envelope.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_envelope struct envelope e = { 0 };
	struct error err = { 0 };

	if (envelope_open(data, len, &e, &err) < 0)
		abort();
	if (e.content.len > ENVELOPE_CONTENT_MAX ||
	    (e.kind == ENVELOPE_SIGNED && e.signer.sha256[0] == '\0'))
		abort();
	return 0;
}
