/* privacy_mode: what happens to a value that tells who somebody is */
#ifndef CORE_PRIVACY_MODE_H
#define CORE_PRIVACY_MODE_H

#include <stdbool.h>

enum privacy_mode {
	PRIVACY_UNSAID,		/* whoever decides next decides; nobody: kept */
	PRIVACY_KEEP,
	PRIVACY_OMIT,		/* null */
	PRIVACY_HASH,		/* "hmac:" and 32 digits of HMAC-SHA-256 under the station's key */
};

/* "keep", "omit" or "hash"; NULL is PRIVACY_UNSAID. false: another word. */
bool	privacy_mode_read(const char *word, enum privacy_mode *out);

#endif
