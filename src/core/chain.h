/* chain: reads the ErrorChain of a device's refusal */
#ifndef CORE_CHAIN_H
#define CORE_CHAIN_H

#include <plist/plist.h>

struct chain;

/*
 * Reads reply's ErrorChain into *out: domain, code and text of each link, in
 * the device's order, cut to size and made printable. What a device got wrong
 * is borne: a code may be an integer, a real or a string of digits (all three
 * were seen or are known from other clients), a text may be missing, the chain
 * may be no array at all (then *out is empty).
 */
void	chain_read(plist_t reply, struct chain *out);

/* The innermost link, which names the cause (4001 says only "not installed"). */
const struct chain_link *chain_cause(const struct chain *chain);

#endif
