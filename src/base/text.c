/* text: foreign strings made safe, identifiers compared and shortened */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clean.h"

static const char REPLACEMENT[] = "\xEF\xBF\xBD";	/* U+FFFD */
static const char ELLIPSIS[] = "\xE2\x80\xA6";		/* U+2026 */

/* Bytes of the character at s and its code point; 0 when it is not UTF-8. */
static size_t
decode(const unsigned char *s, size_t len, uint32_t *out)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n, i;
	uint32_t c;

	if (s[0] < 0x80) {
		*out = s[0];
		return 1;
	}
	n = s[0] >= 0xF0 && s[0] < 0xF5 ? 4 : s[0] >= 0xE0 ? 3 : s[0] >= 0xC2 ? 2 : 0;
	if (s[0] >= 0xF5 || n == 0 || n > len)
		return 0;
	c = s[0] & (0x7Fu >> n);
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xC0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3Fu);
	}
	if (c < smallest[n] || (c >= 0xD800 && c <= 0xDFFF) || c > 0x10FFFF)
		return 0;
	*out = c;
	return n;
}

size_t
text_xml_fault(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t at = 0;

	while (at < len) {
		uint32_t c = 0;
		size_t n = decode(s + at, len - at, &c);

		if (n == 0 || (c < 0x20 && c != '\t' && c != '\n' && c != '\r') ||
		    c == 0xFFFE || c == 0xFFFF)
			return at;
		at += n;
	}
	return len;
}

static bool
is_harmless(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} harmful[] = {
		{ 0x0000, 0x001F },	/* C0 controls, ESC among them */
		{ 0x007F, 0x009F },	/* DEL and C1 controls, CSI among them */
		{ 0x00AD, 0x00AD },	/* soft hyphen */
		{ 0x061C, 0x061C },	/* Arabic letter mark */
		{ 0x180E, 0x180E },
		{ 0x200B, 0x200F },	/* zero width, direction marks */
		{ 0x2028, 0x202E },	/* separators, embeddings, overrides */
		{ 0x2060, 0x206F },	/* invisible operators, isolates */
		{ 0xFEFF, 0xFEFF },	/* byte order mark */
		{ 0xFFF0, 0xFFFB },
		{ 0xE0000, 0xE0FFF },	/* tags */
	};
	size_t i;

	for (i = 0; i < countof(harmful); i++)
		if (c >= harmful[i].from && c <= harmful[i].to)
			return false;
	return true;
}

void
text_printable(const char *in, size_t len, char *out, size_t size)
{
	const unsigned char *s = (const unsigned char *)in;
	size_t used = 0, fits = 0;

	while (len > 0) {
		const char *put = (const char *)s;
		uint32_t c = 0;
		size_t n = decode(s, len, &c), width = n;

		if (n == 0 || !is_harmless(c)) {
			put = REPLACEMENT;
			width = sizeof(REPLACEMENT) - 1;
			n = n ? n : 1;
		}
		if (used + width + 1 > size) {
			/* fits: the last end that leaves room for an ellipsis */
			memcpy(out + fits, ELLIPSIS, sizeof(ELLIPSIS));
			return;
		}
		memcpy(out + used, put, width);
		used += width;
		if (used + sizeof(ELLIPSIS) <= size)
			fits = used;
		s += n;
		len -= n;
	}
	out[used] = '\0';
}

/* Unicode 15, EastAsianWidth.txt (W and F) and emoji; rounded to whole blocks. */
static unsigned
columns_of(uint32_t c)
{
	static const struct {
		uint32_t from, to;
		unsigned columns;
	} odd[] = {
		{ 0x0300, 0x036F, 0 }, { 0x1AB0, 0x1AFF, 0 }, { 0x1DC0, 0x1DFF, 0 },
		{ 0x20D0, 0x20FF, 0 }, { 0xFE00, 0xFE0F, 0 }, { 0xFE20, 0xFE2F, 0 },
		{ 0x1100, 0x115F, 2 }, { 0x231A, 0x231B, 2 }, { 0x23E9, 0x23EC, 2 },
		{ 0x2E80, 0x303E, 2 }, { 0x3041, 0xA4CF, 2 }, { 0xA960, 0xA97F, 2 },
		{ 0xAC00, 0xD7A3, 2 }, { 0xF900, 0xFAFF, 2 }, { 0xFE30, 0xFE6F, 2 },
		{ 0xFF01, 0xFF60, 2 }, { 0xFFE0, 0xFFE6, 2 }, { 0x16FE0, 0x18CFF, 2 },
		{ 0x1AFF0, 0x1B2FF, 2 }, { 0x1F004, 0x1F004, 2 }, { 0x1F18E, 0x1F19A, 2 },
		{ 0x1F1E6, 0x1F1FF, 2 }, { 0x1F200, 0x1F64F, 2 }, { 0x1F680, 0x1F6FF, 2 },
		{ 0x1F7E0, 0x1F7FF, 2 }, { 0x1F900, 0x1FAFF, 2 }, { 0x20000, 0x3FFFD, 2 },
	};
	size_t i;

	for (i = 0; i < countof(odd); i++)
		if (c >= odd[i].from && c <= odd[i].to)
			return odd[i].columns;
	return 1;
}

size_t
text_fitting(const char *text, size_t columns)
{
	size_t left = strlen(text), used = 0;

	while (left > 0) {
		uint32_t c = 0;
		size_t n = decode((const unsigned char *)text + used, left, &c);
		unsigned takes = n > 0 ? columns_of(c) : 1;

		if (takes > columns)
			break;
		columns -= takes;
		used += n > 0 ? n : 1;
		left -= n > 0 ? n : 1;
	}
	return used;
}

size_t
text_columns(const char *text)
{
	size_t left = strlen(text), columns = 0;

	while (left > 0) {
		uint32_t c = 0;
		size_t n = decode((const unsigned char *)text, left, &c);

		columns += n > 0 ? columns_of(c) : 1;
		text += n > 0 ? n : 1;
		left -= n > 0 ? n : 1;
	}
	return columns;
}

void
text_shorten_id(const char *id, char *out, size_t size)
{
	size_t len = strlen(id);

	if (len <= 10)
		snprintf(out, size, "%s", id);
	else
		snprintf(out, size, "…%s", id + len - 8);
}

static bool
is_hex(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!isxdigit((unsigned char)s[i]))
			return false;
	return true;
}

void
text_canonical_udid(const char *id, char *out, size_t size)
{
	size_t i;

	if (strlen(id) != 24 || !is_hex(id, 24)) {
		snprintf(out, size, "%s", id);
		return;
	}
	snprintf(out, size, "%.8s-%s", id, id + 8);
	for (i = 0; out[i]; i++)
		out[i] = (char)toupper((unsigned char)out[i]);
}

bool
text_is_udid(const char *id)
{
	size_t len = strlen(id);

	if (len == 25 && id[8] == '-')
		return is_hex(id, 8) && is_hex(id + 9, 16);
	return (len == 24 || len == 40) && is_hex(id, len);
}

bool
text_same_udid(const char *a, const char *b)
{
	for (;; a++, b++) {
		if (*a == '-')
			a++;
		if (*b == '-')
			b++;
		if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
			return false;
		if (!*a)
			return true;
	}
}

void
text_hex(const void *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;
	size_t i;

	for (i = 0; i < len; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * len] = '\0';
}

void
text_time_utc(struct timespec at, char *out)
{
	struct tm tm;
	size_t used;

	gmtime_r(&at.tv_sec, &tm);
	used = strftime(out, TEXT_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + used, TEXT_TIME_MAX - used, ".%03dZ", (int)(at.tv_nsec / 1000000 % 1000));
}

static int64_t
unit_seconds(char unit)
{
	switch (unit) {
	case 'd': return 86400;
	case 'h': return 3600;
	case 'm': return 60;
	case 's': return 1;
	default: return 0;
	}
}

int64_t
text_duration(const char *s)
{
	const int64_t longest = INT64_C(3660) * 86400;
	int64_t total = 0, last_unit = INT64_MAX;

	while (*s) {
		int64_t n = 0, unit;

		if (!isdigit((unsigned char)*s))
			return -1;
		for (; isdigit((unsigned char)*s); s++) {
			n = n * 10 + (*s - '0');
			if (n > longest)
				return -1;
		}
		unit = unit_seconds(*s);
		if (unit == 0 || unit >= last_unit)
			return -1;
		total += n * unit;
		if (total > longest)
			return -1;
		last_unit = unit;
		s++;
	}
	return total > 0 ? total : -1;
}

int
text_number(const char *s, int64_t min, int64_t max, int64_t *out)
{
	char *end;
	long long n;

	if (!isdigit((unsigned char)*s) && *s != '-')
		return -1;
	errno = 0;
	n = strtoll(s, &end, 10);
	if (errno || *end || end == s || n < min || n > max)
		return -1;
	*out = n;
	return 0;
}

int
text_compare_versions(const char *a, const char *b)
{
	while (*a || *b) {
		char *end_a, *end_b;
		long x = strtol(a, &end_a, 10), y = strtol(b, &end_b, 10);

		if (x != y)
			return x < y ? -1 : 1;
		if (end_a == a && end_b == b)
			return strcmp(a, b);
		a = *end_a == '.' ? end_a + 1 : end_a;
		b = *end_b == '.' ? end_b + 1 : end_b;
	}
	return 0;
}

static size_t
least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

size_t
text_distance(const char *a, const char *b, size_t limit)
{
	enum { LONGEST = 96 };
	size_t la = strlen(a), lb = strlen(b), i, j;
	size_t row[3][LONGEST + 1];

	if (la > LONGEST || lb > LONGEST || (la > lb ? la - lb : lb - la) > limit)
		return limit + 1;
	for (j = 0; j <= lb; j++)
		row[0][j] = j;
	for (i = 1; i <= la; i++) {
		size_t *now = row[i % 3], *above = row[(i + 2) % 3], *two_up = row[(i + 1) % 3];

		now[0] = i;
		for (j = 1; j <= lb; j++) {
			size_t differs = a[i - 1] != b[j - 1];

			now[j] = least(above[j] + 1, now[j - 1] + 1, above[j - 1] + differs);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    two_up[j - 2] + 1 < now[j])
				now[j] = two_up[j - 2] + 1;
		}
	}
	return row[la % 3][lb] > limit ? limit + 1 : row[la % 3][lb];
}

void
text_uuid(const uint8_t b[16], char out[TEXT_UUID_MAX])
{
	snprintf(out, TEXT_UUID_MAX,
	    "%02X%02X%02X%02X-%02X%02X-%02X%02X-%02X%02X-%02X%02X%02X%02X%02X%02X",
	    b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7],
	    b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

void
text_uuid_random(char out[TEXT_UUID_MAX])
{
	uint8_t bytes[16];

	/* Up to 256 bytes are never cut short once the generator is seeded. */
	while (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		continue;
	bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x40);
	bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
	text_uuid(bytes, out);
}
