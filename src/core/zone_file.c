/* zone_file: reads TZif (RFC 9636) and the POSIX TZ string at its end */
#include "core/zone.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"

enum { HEADER = 44, TYPES_MAX = 256, CHARS_MAX = 4096, LEAPS_MAX = 512, TEXT_MAX = 128 };

/* The counts of one block, in the order of the file. */
struct counts {
	uint32_t	is_utc, is_standard, leaps, times, types, chars;
};

static uint32_t
read_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t
read_time(const uint8_t *p, size_t width)
{
	if (width == 4)
		return (int32_t)read_u32(p);
	return (int64_t)((uint64_t)read_u32(p) << 32 | read_u32(p + 4));
}

static bool
read_header(const uint8_t *p, size_t len, struct counts *out)
{
	if (len < HEADER || memcmp(p, "TZif", 4) != 0)
		return false;
	*out = (struct counts){
		read_u32(p + 20), read_u32(p + 24), read_u32(p + 28), read_u32(p + 32),
		read_u32(p + 36), read_u32(p + 40),
	};
	return out->times <= ZONE_CHANGES_MAX && out->types >= 1 && out->types <= TYPES_MAX &&
	    out->chars <= CHARS_MAX && out->leaps <= LEAPS_MAX && out->is_utc <= TYPES_MAX &&
	    out->is_standard <= TYPES_MAX;
}

/* Bytes of a block behind its header; times are width bytes wide. */
static size_t
block_size(const struct counts *c, size_t width)
{
	return c->times * (width + 1) + c->types * 6u + c->chars + c->leaps * (width + 4) +
	    c->is_standard + c->is_utc;
}

static bool
read_block(const uint8_t *p, const struct counts *c, size_t width, struct zone *z)
{
	const uint8_t *index = p + c->times * width, *types = index + c->times;
	uint32_t i;

	z->first_s = (int32_t)read_u32(types);
	for (i = 0; i < c->times; i++) {
		struct zone_change *change = &z->changes[i];

		if (index[i] >= c->types)
			return false;
		change->at = read_time(p + i * width, width);
		change->offset_s = (int32_t)read_u32(types + 6u * index[i]);
		if ((i && change->at <= change[-1].at) || change->offset_s < -26 * 3600 ||
		    change->offset_s > 26 * 3600)
			return false;
	}
	z->n = c->times;
	return true;
}

/* ---- the rule: "CET-1CEST,M3.5.0,M10.5.0/3" ---------------------------------- */

static bool
take_number(const char **s, int max, int *out)
{
	int n = 0, digits = 0;

	for (; isdigit((unsigned char)**s) && digits < 4; (*s)++, digits++)
		n = 10 * n + (**s - '0');
	*out = n;
	return digits > 0 && n <= max;
}

/* [+-]hh[:mm[:ss]] */
static bool
take_time(const char **s, int32_t *out)
{
	int sign = **s == '-' ? -1 : 1, hours, minutes = 0, seconds = 0;

	if (**s == '-' || **s == '+')
		(*s)++;
	if (!take_number(s, 167, &hours))
		return false;
	if (**s == ':' && ((*s)++, !take_number(s, 59, &minutes)))
		return false;
	if (**s == ':' && ((*s)++, !take_number(s, 59, &seconds)))
		return false;
	*out = sign * (hours * 3600 + minutes * 60 + seconds);
	return true;
}

/* Three letters or more, or anything between angle brackets. */
static bool
skip_name(const char **s)
{
	const char *start = *s;

	if (*start == '<') {
		const char *end = strchr(start, '>');

		*s = end ? end + 1 : start;
		return end != NULL;
	}
	while (isalpha((unsigned char)**s))
		(*s)++;
	return *s - start >= 3;
}

static bool
take_switch(const char **s, struct zone_switch *out)
{
	*out = (struct zone_switch){ .kind = SWITCH_DAY, .time_s = 2 * 3600 };
	if (**s == 'M') {
		out->kind = SWITCH_MONTH;
		(*s)++;
		if (!take_number(s, 12, &out->month) || *(*s)++ != '.' ||
		    !take_number(s, 5, &out->week) || *(*s)++ != '.' ||
		    !take_number(s, 6, &out->day) || out->month < 1 || out->week < 1)
			return false;
	} else {
		if (**s == 'J') {
			out->kind = SWITCH_JULIAN;
			(*s)++;
		}
		if (!take_number(s, 365, &out->day) || (out->kind == SWITCH_JULIAN && out->day < 1))
			return false;
	}
	return **s != '/' || ((*s)++, take_time(s, &out->time_s));
}

static bool
read_rule(const char *s, struct zone *z)
{
	int32_t west;

	if (!skip_name(&s) || !take_time(&s, &west))
		return false;
	z->standard_s = -west;
	z->has_rule = true;
	if (!*s)
		return true;
	if (!skip_name(&s))
		return false;
	z->summer_s = z->standard_s + 3600;
	if (*s != ',') {
		if (!take_time(&s, &west))
			return false;
		z->summer_s = -west;
	}
	return *s++ == ',' && take_switch(&s, &z->to_summer) && *s++ == ',' &&
	    take_switch(&s, &z->to_standard) && !*s;
}

/* The line between two newlines at the end of the file; empty: no rule. */
static bool
read_footer(const uint8_t *p, size_t len, struct zone *z)
{
	const uint8_t *end;
	char text[TEXT_MAX];
	size_t n;

	if (len < 2 || p[0] != '\n' || !(end = memchr(p + 1, '\n', len - 1)))
		return false;
	n = (size_t)(end - p) - 1;
	if (n == 0)
		return true;
	if (n >= sizeof(text) || memchr(p + 1, '\0', n))
		return false;
	memcpy(text, p + 1, n);
	text[n] = '\0';
	return read_rule(text, z);
}

static int
no_zone(struct error *err)
{
	return error_set(err, ERR_DATA, "this is no time zone file, or a damaged one");
}

int
zone_parse(const void *data, size_t len, struct zone *out, struct error *err)
{
	auto_zone struct zone z = { 0 };
	const uint8_t *p = data;
	size_t width = 4, size;
	struct counts c;

	if (len > ZONE_FILE_MAX || !read_header(p, len, &c))
		return no_zone(err);
	size = HEADER + block_size(&c, 4);
	/* Version 2 says everything again, with times of eight bytes. */
	if (p[4] >= '2') {
		if (size >= len || !read_header(p + size, len - size, &c))
			return no_zone(err);
		width = 8;
		p += size;
		len -= size;
		size = HEADER + block_size(&c, 8);
	}
	if (size > len)
		return no_zone(err);
	z.changes = calloc(c.times + 1, sizeof(*z.changes));
	if (!z.changes)
		return error_memory(err);
	if (!read_block(p + HEADER, &c, width, &z) ||
	    (width == 8 && !read_footer(p + size, len - size, &z)))
		return no_zone(err);
	zone_clear(out);
	*out = z;
	z = (struct zone){ 0 };
	return 0;
}
