/* error: fills struct error; allocates nothing */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
start(struct error *err, enum error_kind kind)
{
	*err = (struct error){ .kind = kind };
}

int
error_set(struct error *err, enum error_kind kind, const char *fmt, ...)
{
	va_list ap;

	start(err, kind);
	va_start(ap, fmt);
	vsnprintf(err->message, sizeof(err->message), fmt, ap);
	va_end(ap);
	return -1;
}

int
error_set_sys(struct error *err, enum error_kind kind, int sys, const char *fmt, ...)
{
	va_list ap;
	size_t used;

	start(err, kind);
	err->sys = sys;
	va_start(ap, fmt);
	vsnprintf(err->message, sizeof(err->message), fmt, ap);
	va_end(ap);
	used = strlen(err->message);
	snprintf(err->message + used, sizeof(err->message) - used, ": %s", strerror(sys));
	return -1;
}

int
error_context(struct error *err, const char *fmt, ...)
{
	char before[ERROR_MESSAGE_MAX], whole[2 * ERROR_MESSAGE_MAX + 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(before, sizeof(before), fmt, ap);
	va_end(ap);
	snprintf(whole, sizeof(whole), "%s: %s", before, err->message);
	whole[sizeof(err->message) - 1] = '\0';
	memcpy(err->message, whole, strlen(whole) + 1);
	return -1;
}

int
error_hint(struct error *err, const char *hint)
{
	err->hint = hint;
	return -1;
}

int
error_memory(struct error *err)
{
	return error_set(err, ERR_SOFTWARE, "out of memory");
}
