/* outline: where in a file each key and value of a property list stands */
#ifndef CORE_OUTLINE_H
#define CORE_OUTLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/clean.h"

struct error;

/*
 * libplist keeps neither positions nor the second of two equal keys. The
 * outline does, in one array in the order of the document: a container is
 * followed by what it holds.
 */
enum outline_kind {
	OUTLINE_SCALAR,
	OUTLINE_ARRAY,
	OUTLINE_DICT,
};

enum { OUTLINE_NONE = 0xFFFFFFFF };

struct outline_node {
	uint32_t	offset;		/* of its <key> tag, else of the value */
	uint32_t	key;		/* offset of the key's text, or OUTLINE_NONE */
	uint32_t	key_len;
	uint32_t	next;		/* the next sibling's index, or OUTLINE_NONE */
	uint32_t	first;		/* what a container holds, likewise */
	uint8_t		kind;
	bool		is_key_decoded;	/* key is an offset into texts, not into the file */
};

/* Zero-initialise. data is borrowed and must outlive it. */
struct outline {
	const uint8_t		*data;
	size_t			 len;
	struct outline_node	*nodes;		/* nodes[0] is the root */
	size_t			 n, room;
	struct blob		 texts;		/* keys that the file writes with escapes */
	bool			 is_binary;
	size_t			 trouble;	/* offset, when outline_read() failed on content */
	char			 why[96];
};

/*
 * data must have passed plistguard_check(). Stricter than the guard: an
 * unknown element, a closing tag of another name, a key without a value or
 * the reverse give ERR_DATA, and trouble and why say where and what. Memory:
 * 28 bytes for each node the guard has counted.
 */
int	outline_read(const void *data, size_t len, struct outline *out, struct error *err);
void	outline_clear(struct outline *o);

/* The text of a node's key, not terminated; NULL in arrays. */
const char *outline_key(const struct outline *o, uint32_t node, size_t *len);
/* The entry of a dictionary; the last one when there are several, as a device does. */
uint32_t outline_child(const struct outline *o, uint32_t dict, const char *key);

/*
 * Calls found for the second and every later entry of a dictionary whose key
 * is already there. -1: out of memory.
 */
int	outline_duplicates(const struct outline *o, uint32_t dict,
	    void (*found)(void *ctx, uint32_t node), void *ctx);

#define auto_outline	auto_with(outline_clear)

#endif
