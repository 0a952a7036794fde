/* policy_window: the days and hours of a policy, and the rules of its time zone */
#include "flow/policy_reading.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/error.h"
#include "base/file.h"

#define ZONES	"/usr/share/zoneinfo"

static void
take_days(struct reading *r)
{
	static const char *const names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	const struct file_texts *days = &r->file->window->days;
	char at[64];
	uint32_t i;
	size_t k;

	for (i = 0; i < days->n; i++) {
		snprintf(at, sizeof(at), "window.days[%u]", i);
		for (k = 0; k < countof(names) && strcasecmp(days->items[i], names[k]) != 0; k++)
			continue;
		if (k == countof(names))
			reading_note(r, true, at, "%s is no day: mon, tue, wed, thu, fri, sat, sun",
			    days->items[i]);
		else if (r->policy->window.days[k])
			reading_note(r, false, at, "%s is named twice", days->items[i]);
		if (k < countof(names))
			r->policy->window.days[k] = true;
	}
}

/* "08:00" in minutes; "24:00" is the end of the day. */
static void
take_clock(struct reading *r, const char *at, const char *text, int *out)
{
	int hour, minute, used = 0;

	if (isdigit((unsigned char)*text) &&
	    sscanf(text, "%2d:%2d%n", &hour, &minute, &used) == 2 &&
	    !text[used] && strlen(text) >= 4 && isdigit((unsigned char)text[used - 1]) &&
	    isdigit((unsigned char)text[used - 2]) && hour <= 24 && minute < 60 &&
	    60 * hour + minute <= 1440) {
		*out = 60 * hour + minute;
		return;
	}
	reading_note(r, true, at, "%s is no time of day; say \"08:00\", in quotes", text);
}

static int
take_exceptions(struct reading *r)
{
	const struct file_texts *except = &r->file->window->except;
	struct window *w = &r->policy->window;
	char at[64];
	uint32_t i;

	w->except = calloc(except->n + 1u, sizeof(*w->except));
	if (!w->except)
		return error_memory(r->err);
	for (i = 0; i < except->n; i++) {
		snprintf(at, sizeof(at), "window.except[%u]", i);
		if (civil_read(except->items[i], &w->except[w->n_except]))
			w->n_except++;
		else
			reading_note(r, true, at, "%s is no date; say 2026-12-24",
			    except->items[i]);
	}
	return 0;
}

static bool
is_zone_name(const char *name)
{
	const char *allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";

	return isalpha((unsigned char)*name) && !strstr(name, "..") &&
	    name[strspn(name, allowed)] == '\0';
}

static int
take_zone(struct reading *r, const char *name)
{
	auto_blob struct blob bytes = { 0 };
	struct error err = { 0 };
	char path[128];

	snprintf(path, sizeof(path), ZONES "/%s", name);
	if (!is_zone_name(name))
		reading_note(r, true, "window.timezone",
		    "%s is no time zone; say Europe/Berlin", name);
	else if (file_read(path, ZONE_FILE_MAX, FILE_ANY, &bytes, &err) < 0)
		reading_note(r, true, "window.timezone",
		    "the time zone %s is not known here (no %s)", name, path);
	else if (zone_parse(bytes.data, bytes.len, &r->policy->zone, &err) < 0)
		reading_note(r, true, "window.timezone", "%s: %s", path, err.message);
	r->policy->window.zone = &r->policy->zone;
	return reading_take_text(r, name, &r->policy->timezone);
}

int
reading_window(struct reading *r)
{
	const struct file_window *from = r->file->window;
	struct window *w = &r->policy->window;

	if (!from)
		return 0;
	r->policy->has_window = true;
	take_days(r);
	take_clock(r, "window.from", from->from, &w->from_min);
	take_clock(r, "window.to", from->to, &w->to_min);
	if (w->from_min == 1440)
		reading_note(r, true, "window.from",
		    "24:00 is the beginning of the next day: say 00:00");
	if (w->from_min == w->to_min)
		reading_note(r, true, "window.to", "the window ends when it begins; a whole day is "
		    "\"00:00\" to \"24:00\"");
	return take_exceptions(r) < 0 ? -1 : take_zone(r, from->timezone);
}
