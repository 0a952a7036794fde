/* challenge: random bytes that a supervision identity must sign */
#ifndef SIM_CHALLENGE_H
#define SIM_CHALLENGE_H

struct blob;

enum { CHALLENGE_LEN = 32 };

/*
 * Replaces *out. The length is not documented; half of the challenges are
 * made to contain a line feed, so that a client that signs text and not bytes
 * is caught soon.
 */
int	challenge_make(struct blob *out);

#endif
