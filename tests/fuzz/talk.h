/* talk: fuzzed bytes as what one side says, on one connection after the other */
#ifndef TESTS_FUZZ_TALK_H
#define TESTS_FUZZ_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"

/*
 * The first byte chooses what is done. Then come messages, with a line "--"
 * between two and "==" where another connection begins; the harness frames
 * them, so that a mutation spoils a message and seldom its length. A message
 * that begins with '!' is taken as it is, without a frame of ours: so that
 * lengths, too, can lie.
 */
struct talk {
	const uint8_t	*at, *end;
	bool		 is_at_turn;	/* before "==", or at the end */
};

enum talk_frame {
	TALK_DEVICE,	/* length in four bytes, big endian */
	TALK_MUX,	/* usbmuxd's header of sixteen */
};

/* *choice: the first byte, 0 when there is none. data is borrowed. */
struct talk talk_begin(const uint8_t *data, size_t len, unsigned *choice);
/* false: this connection's turn is over; talk_turn() goes to the next. */
bool	talk_next(struct talk *t, const uint8_t **message, size_t *len);
void	talk_turn(struct talk *t);
bool	talk_is_over(const struct talk *t);

/* The rest of the turn, framed, appended to *out. */
void	talk_frame(struct talk *t, enum talk_frame frame, struct blob *out);

/*
 * A socket to read those bytes from, and then the end; type as for socket(2).
 * *other is the far end, to be closed when ours is. Aborts when it cannot.
 */
int	talk_socket(int type, const struct blob *bytes, int *other);

#endif
