/* text: foreign strings made safe, identifiers compared and shortened */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * Copies in[0..len) to out as printable UTF-8: control characters, invalid
 * bytes and characters that turn or hide the text around them (bidirectional
 * controls, zero-width) become U+FFFD; too long a text ends in U+2026.
 * out is always terminated; size must be at least 4.
 */
void	text_printable(const char *in, size_t len, char *out, size_t size);
/*
 * Columns that printable UTF-8 takes on a terminal: two for an ideograph or an
 * emoji, none for a mark on the character before it.
 */
size_t	text_columns(const char *text);
/* Bytes of the longest beginning of it that takes at most so many. */
size_t	text_fitting(const char *text, size_t columns);

/* "…5C0FE7AE": the end tells devices apart; they all begin with their model's chip. */
void	text_shorten_id(const char *id, char *out, size_t size);

/* The 25-character UDID with its dash when id is 24 hexadecimal digits. */
void	text_canonical_udid(const char *id, char *out, size_t size);
/* Where the first character stands that is not UTF-8, or that XML 1.0 has not; len: nowhere. */
size_t	text_xml_fault(const char *text, size_t len);

/* By its form: 8-16 hexadecimal digits with or without the dash, or 40. */
bool	text_is_udid(const char *id);
/* UDIDs compare without the dash and without regard to case. */
bool	text_same_udid(const char *a, const char *b);

/* len bytes as 2*len lower-case digits and a NUL. */
void	text_hex(const void *data, size_t len, char *out);

/* "2026-11-24T09:30:00.123Z"; out holds TEXT_TIME_MAX bytes. */
enum { TEXT_TIME_MAX = 32 };
void	text_time_utc(struct timespec at, char *out);

/* "8h", "45m", "90s", "1h30m", "2d" to seconds. -1: not a duration, or none. */
int64_t	text_duration(const char *s);

/* Whole decimal numbers only, within [min, max]. 0, or -1 and *out untouched. */
int	text_number(const char *s, int64_t min, int64_t max, int64_t *out);

/* "18.1" and "18.1.0" are equal; <0, 0, >0 as strcmp(3). */
int	text_compare_versions(const char *a, const char *b);

/* Edits (insert, delete, replace, swap) from a to b, at most limit + 1. */
size_t	text_distance(const char *a, const char *b, size_t limit);

/* A UUID's text, upper case: 36 characters and a NUL. */
enum { TEXT_UUID_MAX = 37 };
void	text_uuid(const uint8_t bytes[16], char out[TEXT_UUID_MAX]);
/* A new version-4 UUID from the system's random generator. */
void	text_uuid_random(char out[TEXT_UUID_MAX]);

#endif
