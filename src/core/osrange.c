/* osrange: comparisons of system versions, read from text */
#include "core/osrange.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/text.h"

static const struct {
	const char		*sign;
	enum osrange_operator	 operator;
} signs[] = {
	{ ">=", OS_AT_LEAST }, { "<=", OS_AT_MOST }, { ">", OS_ABOVE }, { "<", OS_BELOW },
	{ "=", OS_EQUAL },
};

/* How many characters of s are a version: digits with single dots between them. */
static size_t
version_length(const char *s)
{
	size_t n = 0;

	while (isdigit((unsigned char)s[n]) ||
	    (n && s[n] == '.' && isdigit((unsigned char)s[n + 1])))
		n++;
	return n;
}

static int
add_term(struct osrange *range, enum osrange_operator operator, const char *version, size_t len,
    struct error *err)
{
	struct osrange_term *t = &range->terms[range->n];

	if (range->n == OSRANGE_TERMS_MAX)
		return error_set(err, ERR_DATA, "more than %d conditions for the system",
		    OSRANGE_TERMS_MAX);
	if (len >= sizeof(t->version))
		return error_set(err, ERR_DATA, "%.40s… is no version", version);
	t->operator = operator;
	memcpy(t->version, version, len);
	t->version[len] = '\0';
	range->n++;
	return 0;
}

static const char *
skip_blanks(const char *s)
{
	return s + strspn(s, " \t,");
}

/* One term at *at, which moves behind it. */
static int
take_term(const char **at, struct osrange *out, struct error *err)
{
	enum osrange_operator operator = OS_EQUAL;
	const char *s = *at;
	bool has_sign = false;
	size_t i, len;

	for (i = 0; i < countof(signs) && !has_sign; i++) {
		has_sign = strncmp(s, signs[i].sign, strlen(signs[i].sign)) == 0;
		if (!has_sign)
			continue;
		operator = signs[i].operator;
		s += strlen(signs[i].sign);
		s += strspn(s, " \t");
	}
	len = version_length(s);
	if (len == 0)
		return error_set(err, ERR_DATA, "\"%.40s\" is no version", *at);
	if (!has_sign && strncmp(s + len, ".*", 2) == 0) {
		*at = s + len + 2;
		return add_term(out, OS_BEGINS, s, len, err);
	}
	*at = s + len;
	/* "17.0 - 18.2": from the one to the other. */
	if (!has_sign && **at && strspn(*at, " \t") && (*at)[strspn(*at, " \t")] == '-') {
		const char *to = *at + strspn(*at, " \t") + 1;
		size_t to_len;

		to += strspn(to, " \t");
		to_len = version_length(to);
		if (to_len == 0)
			return error_set(err, ERR_DATA, "\"%.40s\" has no end", s);
		*at = to + to_len;
		return add_term(out, OS_AT_LEAST, s, len, err) < 0 ? -1 :
		    add_term(out, OS_AT_MOST, to, to_len, err);
	}
	return add_term(out, operator, s, len, err);
}

static bool
is_lower(const struct osrange_term *t)
{
	return t->operator == OS_AT_LEAST || t->operator == OS_ABOVE || t->operator == OS_EQUAL;
}

static bool
is_upper(const struct osrange_term *t)
{
	return t->operator == OS_AT_MOST || t->operator == OS_BELOW || t->operator == OS_EQUAL;
}

/* A lower bound above an upper one leaves no version at all. */
static bool
is_empty(const struct osrange *range)
{
	size_t i, k;

	for (i = 0; i < range->n; i++)
		for (k = 0; k < range->n; k++) {
			const struct osrange_term *low = &range->terms[i], *high = &range->terms[k];
			int order = text_compare_versions(low->version, high->version);

			if (!is_lower(low) || !is_upper(high))
				continue;
			if (order > 0 || (order == 0 &&
			    (low->operator == OS_ABOVE || high->operator == OS_BELOW)))
				return true;
		}
	return false;
}

int
osrange_parse(const char *text, struct osrange *out, struct error *err)
{
	struct osrange range = { .n = 0 };
	const char *at = skip_blanks(text);

	if (!*at)
		return error_set(err, ERR_DATA, "no version is given");
	while (*at) {
		if (take_term(&at, &range, err) < 0)
			return -1;
		if (*at && !strchr(" \t,", *at))
			return error_set(err, ERR_DATA,
			    "\"%.40s\" is no condition for a version", text);
		at = skip_blanks(at);
	}
	if (is_empty(&range))
		return error_set(err, ERR_DATA, "no version satisfies \"%.60s\"", text);
	*out = range;
	return 0;
}

/* "18.2.1" begins with 18 and with 18.2, "180" does not. */
static bool
begins_with(const char *version, const char *beginning)
{
	size_t len = strlen(beginning);

	return strncmp(version, beginning, len) == 0 && (!version[len] || version[len] == '.');
}

static enum osrange_answer
check_term(const struct osrange_term *t, const char *version)
{
	int order = text_compare_versions(version, t->version);

	switch (t->operator) {
	case OS_AT_LEAST:
		return order >= 0 ? OS_FITS : OS_TOO_OLD;
	case OS_ABOVE:
		return order > 0 ? OS_FITS : OS_TOO_OLD;
	case OS_AT_MOST:
		return order <= 0 ? OS_FITS : OS_TOO_NEW;
	case OS_BELOW:
		return order < 0 ? OS_FITS : OS_TOO_NEW;
	case OS_BEGINS:
		if (begins_with(version, t->version))
			return OS_FITS;
		break;
	case OS_EQUAL:
		if (order == 0)
			return OS_FITS;
		break;
	}
	return order < 0 ? OS_TOO_OLD : OS_TOO_NEW;
}

enum osrange_answer
osrange_check(const struct osrange *range, const char *version)
{
	enum osrange_answer answer = OS_FITS;
	size_t i;

	for (i = 0; i < range->n; i++) {
		enum osrange_answer one = check_term(&range->terms[i], version);

		if (one == OS_TOO_NEW)
			return OS_TOO_NEW;
		if (one == OS_TOO_OLD)
			answer = OS_TOO_OLD;
	}
	return answer;
}
