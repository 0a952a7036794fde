/* derguard: is this DER or BER small enough in structure to be decoded? */
#ifndef CRYPTO_DERGUARD_H
#define CRYPTO_DERGUARD_H

#include <stdbool.h>
#include <stddef.h>

enum {
	DERGUARD_DEPTH_MAX = 32,	/* OpenSSL itself ends at 30 */
	DERGUARD_NODES_MAX = 100 * 1000,
};

/*
 * A decoder makes an object of some 100 bytes for every element, and an element
 * can be 2 bytes long. So they are counted first: without recursion, without
 * memory, in time linear in len. true: *total is the length of the one element
 * at the start, with all that is in it. false: it ends early, its lengths
 * contradict each other, or it is beyond the limits.
 */
bool	derguard_check(const void *data, size_t len, size_t *total);

#endif
