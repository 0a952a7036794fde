/* privacy_mode: the three words of it */
#include "core/privacy_mode.h"

#include <string.h>

#include "base/clean.h"

bool
privacy_mode_read(const char *word, enum privacy_mode *out)
{
	static const char *const words[] = {
		[PRIVACY_KEEP] = "keep", [PRIVACY_OMIT] = "omit", [PRIVACY_HASH] = "hash",
	};
	int mode;

	if (!word) {
		*out = PRIVACY_UNSAID;
		return true;
	}
	for (mode = PRIVACY_KEEP; mode < (int)countof(words); mode++) {
		if (strcmp(word, words[mode]) == 0) {
			*out = (enum privacy_mode)mode;
			return true;
		}
	}
	return false;
}
