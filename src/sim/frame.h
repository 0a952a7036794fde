/* frame: a property list behind four bytes of length, as every service here speaks */
#ifndef SIM_FRAME_H
#define SIM_FRAME_H

#include <plist/plist.h>
#include <stddef.h>

struct blob;

/* Beyond FRAME_LONGEST a length is taken for nonsense. */
enum { FRAME_HEADER = 4, FRAME_LONGEST = 16 << 20 };
enum frame_result { FRAME_INCOMPLETE, FRAME_WHOLE, FRAME_BROKEN };

/* Takes one message, XML or binary, off the front of *from. size: with its header. */
enum frame_result frame_take(struct blob *from, plist_t *out, size_t *size);
/* Appends the message as XML: devices answer in XML. */
int	frame_pack(plist_t message, struct blob *out);

#endif
