/* fuzz_profile: any bytes as a profile: read, said in words, compared, written again */
#include "tests/fuzz/harness.h"
#include "tests/unit/digest.h"

#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/error.h"
#include "core/canonical.h"
#include "core/profile.h"
#include "core/profile_diff.h"
#include "core/words.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_profile struct profile p = { 0 };
	auto_words struct words w = { 0 };
	auto_profile_changes struct profile_changes c = { 0 };
	auto_blob struct blob once = { 0 }, twice = { 0 };
	struct error err = { 0 };

	if (profile_read(data, len, toy_digest, &p, &err) < 0) {
		if (err.kind != ERR_DATA)
			abort();
		return 0;
	}
	if (words_of_profile(&p, &w, &err) < 0 || w.n > WORDS_MAX)
		abort();
	/* Nothing differs from itself, and writing twice is writing the same. */
	if (profile_diff(p.root, p.root, &c, &err) < 0 || c.n != 0)
		abort();
	if (canonical_xml(p.root, CANONICAL_WHOLE, &once) == 0 &&
	    (canonical_xml(p.root, CANONICAL_WHOLE, &twice) < 0 || !blob_equal(&once, &twice)))
		abort();
	return 0;
}
