/* log: one line per event on stderr, below the level asked for it is silent */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
	if (*who)
		fprintf(stderr, "chaperone: %s: %s\n", who, clean);
	else
		fprintf(stderr, "chaperone: %s\n", clean);
}
