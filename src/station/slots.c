/* slots: names for ports, and counts */
#include "station/slots.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

enum { FAILURES_LEAST = 2 };

void
slots_clear(struct slots *s)
{
	free(s->items);
	*s = (struct slots){ 0 };
}

static int
append(struct slots *s, const struct slot *one, struct error *err)
{
	struct slot *grown;

	if (s->n == SLOTS_MAX)
		return error_set(err, ERR_DATA, "more than %d slots", SLOTS_MAX);
	grown = reallocarray(s->items, s->n + 1, sizeof(*grown));
	if (!grown)
		return error_memory(err);
	s->items = grown;
	grown[s->n++] = *one;
	return 0;
}

int
slots_add(struct slots *s, const char *name, const char *port, struct error *err)
{
	struct slot one = { .is_named = true };
	size_t i;

	text_printable(name, strlen(name), one.name, sizeof(one.name));
	if (!*name || strcmp(one.name, name) != 0)
		return error_set(err, ERR_DATA, "\"%s\" is no name for a slot", one.name);
	if (!*port || strlen(port) >= sizeof(one.port))
		return error_set(err, ERR_DATA, "slot %s: this is no port", name);
	memcpy(one.port, port, strlen(port) + 1);
	for (i = 0; i < s->n; i++) {
		if (strcmp(s->items[i].name, name) == 0)
			return error_set(err, ERR_DATA, "two slots are called %s", name);
		if (strcmp(s->items[i].port, port) == 0)
			return error_set(err, ERR_DATA, "port %s is called %s and %s",
			    port, s->items[i].name, name);
	}
	return append(s, &one, err);
}

static struct slot *
find(const struct slots *s, const struct usbport *port)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (strcmp(s->items[i].port, port->name) == 0 ||
		    strcmp(s->items[i].port, port->path) == 0 ||
		    strcmp(s->items[i].port, port->location) == 0)
			return &s->items[i];
	return NULL;
}

const char *
slots_name(const struct slots *s, const struct usbport *port)
{
	const struct slot *one = find(s, port);

	return one && one->is_named ? one->name : NULL;
}

const char *
slots_see(struct slots *s, const struct usbport *port)
{
	struct slot *one = find(s, port);

	if (!one || !one->is_named)
		return NULL;
	memcpy(one->kernel_name, port->name, sizeof(one->kernel_name));
	return one->name;
}

const char *
slots_called(const struct slots *s, const char *kernel_name)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->items[i].is_named && strcmp(s->items[i].kernel_name, kernel_name) == 0)
			return s->items[i].name;
	return NULL;
}

bool
slots_is_to_blame(enum reason reason)
{
	return reason == REASON_UNPLUGGED || reason == REASON_TIMEOUT || reason == REASON_PROTOCOL;
}

int
slots_note(struct slots *s, const struct usbport *port, enum reason reason, struct error *err)
{
	struct slot *one = find(s, port);

	if (!one) {
		struct slot fresh = { 0 };

		memcpy(fresh.name, port->name, sizeof(fresh.name));
		memcpy(fresh.port, port->name, sizeof(port->name));
		if (append(s, &fresh, err) < 0)
			return -1;
		one = &s->items[s->n - 1];
	}
	one->jobs++;
	if (slots_is_to_blame(reason)) {
		one->failures++;
		one->last = reason;
	}
	return 0;
}

/* failures/jobs, without a division. */
static bool
is_worse(const struct slot *a, const struct slot *b)
{
	uint64_t x = (uint64_t)a->failures * b->jobs, y = (uint64_t)b->failures * a->jobs;

	return x != y ? x > y : a->failures > b->failures;
}

size_t
slots_worst(const struct slots *s, const struct slot **out, size_t most)
{
	size_t n = 0, i, at;

	for (i = 0; i < s->n && most > 0; i++) {
		const struct slot *one = &s->items[i];

		if (one->failures < FAILURES_LEAST)
			continue;
		if (n == most && !is_worse(one, out[n - 1]))
			continue;
		for (at = n < most ? n++ : n - 1; at > 0 && is_worse(one, out[at - 1]); at--)
			out[at] = out[at - 1];
		out[at] = one;
	}
	return n;
}
