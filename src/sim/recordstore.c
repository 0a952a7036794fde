/* recordstore: a list; a bench has hundreds of records, not millions */
#include "sim/recordstore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"
#include "base/text.h"

enum { RECORD_LEAST = 8, RECORD_LONGEST = 1 << 20, ID_LONGEST = 64 };

struct record {
	struct record	*next;
	char		*id;
	struct blob	 xml;
};

/* The link that holds the record, or the list's end. */
static struct record **
find(struct recordstore *store, const char *id)
{
	struct record **at = &store->records;

	while (*at && !text_same_udid((*at)->id, id))
		at = &(*at)->next;
	return at;
}

int
recordstore_save(struct recordstore *store, const char *id, const void *data, size_t len)
{
	struct proplist_limits limits = PROPLIST_WIRE;
	auto_blob struct blob xml = { 0 };
	auto_plist plist_t list = NULL;
	struct record **at = find(store, id);
	struct error err = { 0 };

	limits.bytes = RECORD_LONGEST;
	if (!*id || strlen(id) > ID_LONGEST || strchr(id, '/') || len < RECORD_LEAST
	    || proplist_parse(data, len, &limits, ERR_PROTOCOL, &list, &err) < 0
	    || !node_is(list, PLIST_DICT))
		return EINVAL;
	if (proplist_to_xml(list, &xml) < 0)
		return ENOMEM;
	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (!*at || !((*at)->id = strdup(id))) {
			free(steal_pointer(at));
			return ENOMEM;
		}
	}
	blob_clear(&(*at)->xml);
	(*at)->xml = blob_steal(&xml);
	return 0;
}

int
recordstore_read(const struct recordstore *store, const char *id, const struct blob **out)
{
	const struct record *record = store->records;

	while (record && !text_same_udid(record->id, id))
		record = record->next;
	if (!record)
		return ENOENT;
	*out = &record->xml;
	return 0;
}

static void
drop(struct record **at)
{
	struct record *record = *at;

	*at = record->next;
	free(record->id);
	blob_clear(&record->xml);
	free(record);
}

int
recordstore_delete(struct recordstore *store, const char *id)
{
	struct record **at = find(store, id);

	if (!*at)
		return ENOENT;
	drop(at);
	return 0;
}

void
recordstore_clear(struct recordstore *store)
{
	while (store->records)
		drop(&store->records);
}
