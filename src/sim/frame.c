/* frame: big-endian length, then the list */
#include "sim/frame.h"

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"

enum frame_result
frame_take(struct blob *from, plist_t *out, size_t *size)
{
	struct error err = { 0 };
	uint32_t len;

	if (from->len < FRAME_HEADER)
		return FRAME_INCOMPLETE;
	len = (uint32_t)from->data[0] << 24 | (uint32_t)from->data[1] << 16
	    | (uint32_t)from->data[2] << 8 | from->data[3];
	if (len == 0 || len > FRAME_LONGEST)
		return FRAME_BROKEN;
	if (from->len - FRAME_HEADER < len)
		return FRAME_INCOMPLETE;
	if (proplist_parse(from->data + FRAME_HEADER, len, &PROPLIST_WIRE, ERR_PROTOCOL, out,
	    &err) < 0)
		return FRAME_BROKEN;
	*size = FRAME_HEADER + (size_t)len;
	blob_drop_front(from, *size);
	return FRAME_WHOLE;
}

int
frame_pack(plist_t message, struct blob *out)
{
	auto_blob struct blob xml = { 0 };
	uint8_t header[FRAME_HEADER];

	if (proplist_to_xml(message, &xml) < 0 || xml.len > FRAME_LONGEST)
		return -1;
	header[0] = (uint8_t)(xml.len >> 24);
	header[1] = (uint8_t)(xml.len >> 16);
	header[2] = (uint8_t)(xml.len >> 8);
	header[3] = (uint8_t)xml.len;
	if (blob_append(out, header, sizeof(header)) < 0
	    || blob_append(out, xml.data, xml.len) < 0)
		return -1;
	return 0;
}
