/* canonical: one way, and only one, to write a property list as XML */
#ifndef CORE_CANONICAL_H
#define CORE_CANONICAL_H

#include <plist/plist.h>
#include <stdint.h>

#include "base/text.h"
#include "core/profile.h"

struct blob;

enum canonical_flags {
	CANONICAL_WHOLE = 0,
	/*
	 * Leaves out the PayloadUUID of the root, and those of the payloads in
	 * the root's PayloadContent. Others, inside a payload, are content.
	 */
	CANONICAL_WITHOUT_UUIDS = 1,
};

/*
 * Appends list to *out as XML: keys sorted by byte, one tab per level, a
 * final newline; independent of locale, time zone and the version of
 * libplist, whose own XML differs between releases. Equal lists give equal
 * bytes. 0, or -1 when memory runs out or a node is of a kind that no
 * profile has.
 */
int	canonical_xml(plist_t list, int flags, struct blob *out);

/* RFC 9562 version 8, cut from the SHA-256 of bytes. */
void	canonical_uuid(const struct blob *bytes, profile_digest_fn *digest,
	    char out[TEXT_UUID_MAX]);

/* Seconds since 1970 as 2026-11-24T15:30:00Z, and back: -1 out of range. */
enum { CANONICAL_DATE_MAX = 32 };
void	canonical_date(int64_t at, char out[CANONICAL_DATE_MAX]);
/* A date node; libplist counts in 32 bits from 2001, so NULL after 2068. */
plist_t	canonical_new_date(int64_t at);

#endif
