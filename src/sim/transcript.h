/* transcript: one JSON line per message, so that a test can say what was asked */
#ifndef SIM_TRANSCRIPT_H
#define SIM_TRANSCRIPT_H

#include <plist/plist.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct transcript;

struct transcript_line {
	const char	*device;	/* UDID; NULL: usbmuxd itself */
	uint64_t	 connection;
	const char	*service;
	const char	*request;	/* NULL: none, as for a relayed notification */
	bool		 is_out;
	size_t		 size;		/* of the framed message, before TLS */
	const char	*status;	/* Status or Error of an answer, or NULL */
	const char	*fault;		/* what struck it, or NULL */
	plist_t		 message;	/* whose keys may be told; NULL: not told */
};

/*
 * Appends to path. with_keys: also the names of the keys of each answer, as
 * paths ("Value/DeviceName"), which is all that a fault needs to spoil one.
 * *out is the caller's: transcript_close().
 */
int	transcript_open(const char *path, bool with_keys, struct transcript **out,
	    struct error *err);
/* NULL is fine, here and below: nothing is written. */
void	transcript_add(struct transcript *transcript, const struct transcript_line *line);
void	transcript_flush(struct transcript *transcript);
void	transcript_close(struct transcript *transcript);

#endif
