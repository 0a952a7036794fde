/* stamp: time stamps of seals and statements: requests written, replies read */
#ifndef CLI_STAMP_H
#define CLI_STAMP_H

#include <jansson.h>
#include <stddef.h>

#include "base/clean.h"
#include "crypto/timestamp.h"

struct blob;
struct error;
struct options;

/* Before anything is signed: --timestamp-request names a file that can be made. */
int	stamp_check_request(const struct options *o, struct error *err);
/* Writes the request for cms, if one is wanted. */
int	stamp_write_request(const struct options *o, const struct blob *cms, struct error *err);

/* The replies of --timestamp. Zero-initialise; release with stamps_clear(). */
struct stamps {
	const char	**files;	/* borrowed from the options */
	struct timestamp *items;
	struct error	*errors;	/* why one is not genuine; kind ERR_NONE: it is */
	size_t		  n;
};

/*
 * Reads and checks them all against --tsa-ca. ERR_USAGE when only one of both
 * is given; -1 also for a file that cannot be read. One that is not genuine is
 * no failure here: it has its error.
 */
int	stamps_open(const struct options *o, struct stamps *out, struct error *err);
void	stamps_clear(struct stamps *s);

#define auto_stamps	auto_with(stamps_clear)

/* A time stamp as JSON: file, at, authority, sha256. NULL without memory. */
json_t	*stamp_object(const struct stamps *s, size_t i);
/* "2026-11-24T12:00:00.000Z by the clock of Acme TSA", cut to size. */
void	stamp_text(const struct timestamp *t, char *out, size_t size);

#endif
