/* sheet: counted bytes, and the framing of server-sent events */
#include "web/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sheet *
sheet_room(size_t len)
{
	struct sheet *sheet = malloc(sizeof(*sheet) + len + 1);

	if (!sheet)
		return NULL;
	sheet->holders = 1;
	sheet->len = len;
	sheet->data_at = 0;
	sheet->bytes[len] = '\0';
	return sheet;
}

struct sheet *
sheet_new(const char *bytes, size_t len)
{
	struct sheet *sheet = sheet_room(len);

	if (sheet)
		memcpy(sheet->bytes, bytes, len);
	return sheet;
}

struct sheet *
sheet_new_event(const char *name, unsigned long id, const char *data, size_t len)
{
	char head[96];
	int before = id ? snprintf(head, sizeof(head), "event: %s\nid: %lu\ndata: ", name, id) :
	    snprintf(head, sizeof(head), "event: %s\ndata: ", name);
	struct sheet *sheet = sheet_room((size_t)before + len + 2);
	char *line;
	size_t i;

	if (!sheet)
		return NULL;
	memcpy(sheet->bytes, head, (size_t)before);
	sheet->data_at = (size_t)before;
	line = sheet->bytes + before;
	for (i = 0; i < len; i++)
		line[i] = data[i] == '\n' || data[i] == '\r' ? ' ' : data[i];
	memcpy(line + len, "\n\n", 2);
	return sheet;
}

struct sheet *
sheet_hold(struct sheet *sheet)
{
	sheet->holders++;
	return sheet;
}

void
sheet_release(void *released)
{
	struct sheet *sheet = released;

	if (sheet && --sheet->holders == 0)
		free(sheet);
}

void
sheet_replace(struct sheet **where, struct sheet *with)
{
	sheet_release(*where);
	*where = with;
}
