/* fault: names, lists, matching, and the spoiling of replies */
#include "sim/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"
#include "base/text.h"

enum { TEXT_LONGEST = 8 << 20 };	/* of a fault that repeats its text */

static const char *const kind_names[] = {
	[FAULT_HANG] = "hang",
	[FAULT_CLOSE] = "close",
	[FAULT_UNPLUG] = "unplug",
	[FAULT_RESTART] = "restart",
	[FAULT_LOCK] = "lock",
	[FAULT_GARBAGE] = "garbage",
	[FAULT_TRUNCATE] = "truncate",
	[FAULT_OVERSIZED_LENGTH] = "oversized-length",
	[FAULT_ZERO_LENGTH] = "zero-length",
	[FAULT_WRONG_TYPE] = "wrong-type",
	[FAULT_MISSING_KEY] = "missing-key",
	[FAULT_OTHER_VALUE] = "other-value",
	[FAULT_LISTED_TWICE] = "listed-twice",
	[FAULT_ERROR] = "error",
	[FAULT_TLS_REFUSE] = "tls-refuse",
	[FAULT_TLS_ALERT] = "tls-alert",
	[FAULT_TLS_CLOSE] = "tls-close",
	[FAULT_REFUSE_ESCALATION] = "refuse-escalation",
	[FAULT_ACK_NOT_STORED] = "ack-not-stored",
	[FAULT_OTHER_UUID] = "other-uuid",
	[FAULT_INACTIVE] = "inactive",
	[FAULT_CONTRADICT] = "contradict",
};

static const char *const phase_names[] = {
	[FAULT_BEFORE] = "before",
	[FAULT_ARRIVING] = "arriving",
	[FAULT_UNANSWERED] = "unanswered",
	[FAULT_MIDDLE] = "middle",
	[FAULT_AFTER] = "after",
};

const char *
fault_name(enum fault_kind kind)
{
	return kind > FAULT_NONE && kind < countof(kind_names) ? kind_names[kind] : "none";
}

static int
find_name(const char *const *names, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (names[i] && strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

static int
set_kind(struct fault *fault, const char *value, struct error *err)
{
	int kind = find_name(kind_names, countof(kind_names), value);

	if (kind < 0)
		return error_set(err, ERR_DATA, "fault: there is no \"do: %s\"", value);
	fault->kind = (enum fault_kind)kind;
	return 0;
}

static int
set_phase(struct fault *fault, const char *value, struct error *err)
{
	int phase = find_name(phase_names, countof(phase_names), value);

	if (phase < 0)
		return error_set(err, ERR_DATA,
		    "fault: phase is before, arriving, unanswered, middle or after, not %s", value);
	fault->phase = (enum fault_phase)phase;
	return 0;
}

static char **
text_member(struct fault *fault, const char *key)
{
	struct {
		const char *key;
		char **member;
	} members[] = {
		{ "at", &fault->at }, { "request", &fault->request }, { "key", &fault->key },
		{ "status", &fault->status }, { "domain", &fault->domain },
		{ "code", &fault->code }, { "code-type", &fault->code_type },
		{ "text", &fault->text }, { "hex", &fault->hex },
	};
	size_t i;

	for (i = 0; i < countof(members); i++)
		if (strcmp(members[i].key, key) == 0)
			return members[i].member;
	return NULL;
}

static uint64_t *
number_member(struct fault *fault, const char *key)
{
	if (strcmp(key, "nth") == 0)
		return &fault->nth;
	if (strcmp(key, "times") == 0)
		return &fault->times;
	if (strcmp(key, "repeat") == 0)
		return &fault->repeat;
	return strcmp(key, "links") == 0 ? &fault->links : NULL;
}

int
fault_set(struct fault *fault, const char *key, const char *value, struct error *err)
{
	char **text = text_member(fault, key);
	uint64_t *number = number_member(fault, key);
	int64_t n;

	if (strcmp(key, "do") == 0)
		return set_kind(fault, value, err);
	if (strcmp(key, "phase") == 0)
		return set_phase(fault, value, err);
	if (number) {
		if (text_number(value, 0, 1000000, &n) < 0)
			return error_set(err, ERR_DATA, "fault: %s is no number", key);
		*number = (uint64_t)n;
		return 0;
	}
	if (!text)
		return error_set(err, ERR_DATA, "fault: there is no key \"%s\"", key);
	free(*text);
	*text = strdup(value);
	return *text ? 0 : error_memory(err);
}

int
fault_check(const struct fault *fault, struct error *err)
{
	if (fault->kind == FAULT_NONE)
		return error_set(err, ERR_DATA, "fault: \"do\" is missing");
	if (fault->phase == FAULT_ARRIVING && fault->request)
		return error_set(err, ERR_DATA,
		    "fault: a message that is arriving has no name yet: \"nth\", not \"request\"");
	return 0;
}

void
fault_clear(struct fault *fault)
{
	static const char *const keys[] = { "at", "request", "key", "status", "domain", "code",
		"code-type", "text", "hex" };
	size_t i;

	for (i = 0; i < countof(keys); i++)
		free(*text_member(fault, keys[i]));
	*fault = (struct fault){ 0 };
}

int
fault_list_add(struct fault **list, struct fault *fault)
{
	struct fault *added = malloc(sizeof(*added));

	if (!added)
		return -1;
	*added = *fault;
	added->next = NULL;
	*fault = (struct fault){ 0 };
	while (*list)
		list = &(*list)->next;
	*list = added;
	return 0;
}

void
fault_list_clear(struct fault **list)
{
	while (*list) {
		struct fault *fault = *list;

		*list = fault->next;
		fault_clear(fault);
		free(fault);
	}
}

/* ---- matching ------------------------------------------------------------- */

static bool
is_at(const struct fault *fault, const char *label, const char *name)
{
	/* usbmuxd is no part of the device: it has to be named. */
	if (!fault->at)
		return strcmp(label, "usbmuxd") != 0;
	return strcmp(fault->at, label) == 0 || strcmp(fault->at, name) == 0;
}

/* One more message that matches: is it this one's turn? */
static bool
strikes(struct fault *fault)
{
	fault->seen++;
	if (fault->nth && fault->seen != fault->nth)
		return false;
	if (!fault->nth && fault->times && fault->struck >= fault->times)
		return false;
	fault->struck++;
	return true;
}

struct fault *
fault_match(struct fault *list, const char *label, const char *name, const char *request)
{
	struct fault *found = NULL;

	for (; list; list = list->next) {
		if (list->kind == FAULT_TLS_REFUSE || list->phase == FAULT_ARRIVING
		    || !is_at(list, label, name))
			continue;
		if (list->request && (!request || strcmp(list->request, request) != 0))
			continue;
		if (!found && strikes(list))
			found = list;
		else if (found)
			list->seen++;
	}
	return found;
}

struct fault *
fault_match_tls(struct fault *list, const char *label, const char *name)
{
	for (; list; list = list->next) {
		bool is_named = list->request && strcmp(list->request, "TLS") == 0;

		if (!is_at(list, label, name))
			continue;
		if (list->kind == FAULT_TLS_REFUSE ? list->request && !is_named : !is_named)
			continue;
		if (strikes(list))
			return list;
	}
	return NULL;
}

struct fault *
fault_match_arriving(struct fault *list, const char *label, const char *name)
{
	for (; list; list = list->next)
		if (list->phase == FAULT_ARRIVING && is_at(list, label, name) && strikes(list))
			return list;
	return NULL;
}

bool
fault_is_of_link(const struct fault *fault)
{
	return fault && fault->kind >= FAULT_HANG && fault->kind <= FAULT_LOCK;
}

bool
fault_is_of_tls(const struct fault *fault)
{
	return fault && (fault->kind == FAULT_TLS_ALERT || fault->kind == FAULT_TLS_CLOSE);
}

/* ---- contents ------------------------------------------------------------- */

/* The dictionary, at any depth, that has the key. Depth is bounded: we built the reply. */
static plist_t
find_owner(plist_t node, const char *key)
{
	plist_dict_iter it = NULL;
	plist_t value = NULL, found = NULL;

	if (node_is(node, PLIST_ARRAY)) {
		uint32_t i;

		for (i = 0; i < plist_array_get_size(node) && !found; i++)
			found = find_owner(plist_array_get_item(node, i), key);
		return found;
	}
	if (!node_is(node, PLIST_DICT))
		return NULL;
	if (plist_dict_get_item(node, key))
		return node;
	plist_dict_new_iter(node, &it);
	do {
		plist_dict_next_item(node, it, NULL, &value);
		found = value ? find_owner(value, key) : NULL;
	} while (value && !found);
	free(it);
	return found;
}

/*
 * The container that a path ("Value/DeviceName", "OrderedIdentifiers/0") ends in;
 * *key: its last part.
 */
static plist_t
follow_path(plist_t node, const char *path, const char **key)
{
	auto_free char *copy = strdup(path);
	char *part = copy, *slash;

	while (copy && node && (slash = strchr(part, '/'))) {
		*slash = '\0';
		node = node_is(node, PLIST_ARRAY) ?
		    plist_array_get_item(node, (uint32_t)strtoul(part, NULL, 10)) :
		    dict_get(node, part);
		part = slash + 1;
	}
	*key = strrchr(path, '/') + 1;
	return copy ? node : NULL;
}

/* When the fault names no key: the one the client most likely cares about. */
static const char *
choose_key(plist_t reply)
{
	static const char *const keys[] = { "Status", "EscrowBag", "SessionID", "Port", "Value",
		"Type", "DeviceList", "BUID", "PairRecordData", "Number", "Error", "Request" };
	size_t i;

	for (i = 0; i < countof(keys); i++)
		if (dict_get(reply, keys[i]))
			return keys[i];
	return NULL;
}

static plist_t
of_another_type(plist_t value)
{
	return node_is(value, PLIST_STRING) ? plist_new_uint(7) :
	    plist_new_string("of the wrong type");
}

/* The fault's text as often as it asks, else the given one. The caller's: free(). */
static char *
long_text(const struct fault *fault, const char *otherwise)
{
	const char *text = fault->text ? fault->text : otherwise;
	uint64_t n = fault->repeat ? fault->repeat : 1;
	size_t len = strlen(text);
	char *all = n <= TEXT_LONGEST / (len + 1) ? malloc(n * len + 1) : NULL;
	char *end = all;

	for (; all && n > 0; n--)
		end = mempcpy(end, text, len);
	if (end)
		*end = '\0';
	return all;
}

static plist_t
other_value(const struct fault *fault)
{
	auto_free char *text = fault->hex ? strdup(fault->hex) :
	    long_text(fault, "of another device");
	char *out = text;
	const char *in;
	unsigned byte;

	for (in = text; fault->hex && in && sscanf(in, "%2x", &byte) == 1; in += in[1] ? 2 : 1)
		*out++ = (char)byte;
	if (out && fault->hex)
		*out = '\0';
	return plist_new_string(text ? text : "");
}

static void
list_twice(plist_t array)
{
	uint32_t n = node_is(array, PLIST_ARRAY) ? plist_array_get_size(array) : 0, i;

	for (i = 0; i < n; i++)
		plist_array_append_item(array, plist_copy(plist_array_get_item(array, i)));
}

static void
spoil_item(const struct fault *fault, plist_t array, uint32_t index)
{
	plist_t value = index < plist_array_get_size(array) ?
	    plist_array_get_item(array, index) : NULL;

	if (!value)
		return;
	if (fault->kind == FAULT_MISSING_KEY)
		plist_array_remove_item(array, index);
	else if (fault->kind == FAULT_LISTED_TWICE)
		list_twice(value);
	else
		plist_array_set_item(array, fault->kind == FAULT_OTHER_VALUE ? other_value(fault) :
		    of_another_type(value), index);
}

static void
spoil_member(const struct fault *fault, plist_t dict, const char *key)
{
	plist_t value = dict_get(dict, key);

	if (!value)
		return;
	if (fault->kind == FAULT_MISSING_KEY)
		plist_dict_remove_item(dict, key);
	else if (fault->kind == FAULT_LISTED_TWICE)
		list_twice(value);
	else
		plist_dict_set_item(dict, key, fault->kind == FAULT_OTHER_VALUE ?
		    other_value(fault) : of_another_type(value));
}

static bool
is_of_contents(const struct fault *fault)
{
	return fault->kind == FAULT_WRONG_TYPE || fault->kind == FAULT_MISSING_KEY ||
	    fault->kind == FAULT_OTHER_VALUE || fault->kind == FAULT_LISTED_TWICE;
}

void
fault_spoil(const struct fault *fault, plist_t reply)
{
	const char *key;
	plist_t owner;

	if (!fault || !is_of_contents(fault))
		return;
	key = fault->key ? fault->key : choose_key(reply);
	if (!key)
		return;
	owner = strchr(key, '/') ? follow_path(reply, key, &key) : find_owner(reply, key);
	if (node_is(owner, PLIST_ARRAY))
		spoil_item(fault, owner, (uint32_t)strtoul(key, NULL, 10));
	else
		spoil_member(fault, owner, key);
}

static plist_t
make_code(const struct fault *fault, uint64_t link)
{
	const char *type = fault->code_type ? fault->code_type : "integer";
	long long code = strtoll(fault->code ? fault->code : "4001", NULL, 10) + (long long)link;
	char text[32];

	/* All three types in turn, and every other one below zero. */
	if (strcmp(type, "mixed") == 0) {
		type = link % 3 == 0 ? "integer" : link % 3 == 1 ? "real" : "string";
		code = link % 2 ? -code : code;
	}
	snprintf(text, sizeof(text), "%lld", code);
	if (strcmp(type, "string") == 0)
		return plist_new_string(text);
	if (strcmp(type, "real") == 0)
		return plist_new_real((double)code);
	return plist_new_uint((uint64_t)code);
}

plist_t
fault_chain(const struct fault *fault)
{
	plist_t chain = plist_new_array();
	uint64_t i, links = fault->links ? fault->links : 1;
	auto_free char *text = long_text(fault, "The operation could not be completed.");

	for (i = 0; i < links; i++) {
		plist_t link = plist_new_dict();

		dict_set_string(link, "ErrorDomain",
		    fault->domain ? fault->domain : "MCInstallationErrorDomain");
		plist_dict_set_item(link, "ErrorCode", make_code(fault, i));
		dict_set_string(link, "LocalizedDescription", text ? text : "");
		dict_set_string(link, "USEnglishDescription", text ? text : "");
		plist_array_append_item(chain, link);
	}
	return chain;
}

/* ---- bytes ---------------------------------------------------------------- */

static void
put_length(struct frame *frame, uint32_t length)
{
	size_t i;

	for (i = 0; i < 4; i++) {
		unsigned shift = (unsigned)(frame->is_little ? 8 * i : 24 - 8 * i);

		frame->data[i] = (uint8_t)(length >> shift);
	}
}

struct spoiled
fault_spoil_frame(const struct fault *fault, struct frame *frame)
{
	struct spoiled spoiled = { .send = frame->len };
	size_t i;

	switch (fault ? fault->kind : FAULT_NONE) {
	case FAULT_GARBAGE:
		for (i = frame->header; i < frame->len; i++)
			frame->data[i] = (uint8_t)(0x80u | (i * 37u));
		break;
	case FAULT_TRUNCATE:
		spoiled.send = frame->header + (frame->len - frame->header) / 2;
		spoiled.must_close = true;
		break;
	case FAULT_OVERSIZED_LENGTH:
		put_length(frame, 0x7FFFFFF0u);
		spoiled.must_hang = true;
		break;
	case FAULT_ZERO_LENGTH:
		put_length(frame, 0);
		spoiled.send = frame->header;
		spoiled.must_hang = true;
		break;
	default:
		if (fault_is_of_link(fault) && fault->phase == FAULT_MIDDLE)
			spoiled.send = frame->len / 2;
		break;
	}
	return spoiled;
}
