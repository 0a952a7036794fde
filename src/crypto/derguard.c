/* derguard: walks tags and lengths (ITU-T X.690), nothing else */
#include "crypto/derguard.h"

#include <stdint.h>

enum { INDEFINITE = 0x80, CONSTRUCTED = 0x20, HIGH_TAG = 0x1f, MORE = 0x80 };

/* An element whose content is being walked. */
struct frame {
	size_t	end;		/* of its content; of what surrounds it when indefinite */
	bool	is_indefinite;	/* ends in two NUL bytes instead */
};

struct walk {
	const uint8_t	*data;
	size_t		 at;
	struct frame	 frames[DERGUARD_DEPTH_MAX + 1];
	size_t		 depth;
	size_t		 nodes;
};

struct element {
	bool	is_constructed, is_indefinite, is_end;
	size_t	len;
};

static bool
take(struct walk *w, uint8_t *byte)
{
	if (w->at >= w->frames[w->depth].end)
		return false;
	*byte = w->data[w->at++];
	return true;
}

static bool
take_tag(struct walk *w, uint8_t *first)
{
	uint8_t more;

	if (!take(w, first))
		return false;
	if ((*first & HIGH_TAG) != HIGH_TAG)
		return true;
	do
		if (!take(w, &more))
			return false;
	while (more & MORE);
	return true;
}

static bool
take_length(struct walk *w, struct element *e)
{
	uint8_t byte, n;

	if (!take(w, &byte))
		return false;
	e->is_indefinite = byte == INDEFINITE;
	e->len = byte & MORE ? 0 : byte;
	for (n = byte & MORE ? (uint8_t)(byte & ~MORE) : 0; n > 0; n--) {
		if (!take(w, &byte) || e->len > SIZE_MAX >> 8)
			return false;
		e->len = e->len << 8 | byte;
	}
	return e->is_indefinite || e->len <= w->frames[w->depth].end - w->at;
}

static bool
take_element(struct walk *w, struct element *e)
{
	uint8_t tag;

	*e = (struct element){ .is_end = false };
	if (!take_tag(w, &tag) || !take_length(w, e))
		return false;
	e->is_constructed = tag & CONSTRUCTED;
	e->is_end = tag == 0 && e->len == 0 && !e->is_indefinite;
	return e->is_constructed || !e->is_indefinite;
}

static bool
enter(struct walk *w, const struct element *e)
{
	size_t end = e->is_indefinite ? w->frames[w->depth].end : w->at + e->len;

	if (w->depth == DERGUARD_DEPTH_MAX)
		return false;
	w->frames[++w->depth] = (struct frame){ end, e->is_indefinite };
	return true;
}

/* Leaves every element that ends here. */
static void
leave_finished(struct walk *w)
{
	while (w->depth > 0 && !w->frames[w->depth].is_indefinite &&
	    w->at == w->frames[w->depth].end)
		w->depth--;
}

bool
derguard_check(const void *data, size_t len, size_t *total)
{
	struct walk w = { .data = data, .frames[0] = { .end = len } };

	do {
		struct element e;

		if (!take_element(&w, &e) || ++w.nodes > DERGUARD_NODES_MAX)
			return false;
		if (e.is_end) {
			if (!w.frames[w.depth].is_indefinite)
				return false;
			w.depth--;
		} else if (e.is_constructed) {
			if (!enter(&w, &e))
				return false;
		} else {
			w.at += e.len;
		}
		leave_finished(&w);
	} while (w.depth > 0);
	*total = w.at;
	return true;
}
