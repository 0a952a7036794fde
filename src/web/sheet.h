/* sheet: bytes that many answers share and the last of them releases */
#ifndef WEB_SHEET_H
#define WEB_SHEET_H

#include <stddef.h>

/* Never changed once made, so that an answer half sent stays whole. */
struct sheet {
	unsigned	 holders;
	size_t		 len;
	size_t		 data_at;	/* where an event's data begins; else 0 */
	char		 bytes[];
};

/* A copy, held once. NULL: out of memory. */
struct sheet	*sheet_new(const char *bytes, size_t len);
/*
 * A message of a stream of events: its name, its id (0: none) and one line of
 * data, in which line breaks become blanks (JSON has them between tokens only).
 */
struct sheet	*sheet_new_event(const char *name, unsigned long id, const char *data, size_t len);
struct sheet	*sheet_hold(struct sheet *sheet);
/* NULL is fine. */
void		 sheet_release(void *sheet);
/* Releases what was there. */
void		 sheet_replace(struct sheet **where, struct sheet *with);

#endif
