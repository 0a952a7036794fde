/* log: one line per event on stderr, below the level asked for it is silent */
#include "base/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

static enum log_level wanted = LOG_NORMAL;
static char who[48];

void
log_set_level(enum log_level level)
{
	wanted = level;
}

enum log_level
log_level(void)
{
	return wanted;
}

bool
log_enabled(enum log_level level)
{
	return level <= wanted;
}

void
log_set_subject(const char *subject)
{
	snprintf(who, sizeof(who), "%s", subject ? subject : "");
}

bool
log_is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char name[64];
	struct stat st;

	if (!stream || fstat(fd, &st) < 0)
		return false;
	snprintf(name, sizeof(name), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, name) == 0;
}

/* What stands before a line of this priority. */
static const char *
prefix(const char *priority)
{
	return log_is_journal(STDERR_FILENO) ? priority : "chaperone: ";
}

static const char *
priority_of(enum log_level level)
{
	return level == LOG_QUIET ? "<5>" : level == LOG_NORMAL ? "<6>" : "<7>";
}

void
log_at(enum log_level level, const char *fmt, ...)
{
	char line[1024], clean[1024];
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	text_printable(line, strlen(line), clean, sizeof(clean));
	fprintf(stderr, "%s%s%s%s\n", prefix(priority_of(level)), who, *who ? ": " : "", clean);
}

void
log_failure(const char *message, const char *hint)
{
	char clean[1024];

	text_printable(message, strlen(message), clean, sizeof(clean));
	fprintf(stderr, "%s%s\n", prefix("<3>"), clean);
	fprintf(stderr, "%shint: %s\n", log_is_journal(STDERR_FILENO) ? "<3>" : "  ", hint);
}
