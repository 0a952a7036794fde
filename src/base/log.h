/* log: what happened on the way, for people, on stderr; or for systemd's journal */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_QUIET, LOG_NORMAL, LOG_VERBOSE, LOG_DEBUG, LOG_TRACE };

/* Process-wide, set once by cli/ from -q and -v. */
void	log_set_level(enum log_level level);
enum log_level	log_level(void);
bool	log_enabled(enum log_level level);
/* A short name put before each line, e.g. a shortened UDID; copied. */
void	log_set_subject(const char *subject);

/* One line each. Never a secret, never an answer of a device as a whole. */
void	log_at(enum log_level level, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* Why the program ends, and what to do: not below any level. One line each. */
void	log_failure(const char *message, const char *hint);

/*
 * Whether systemd's journal reads the descriptor (systemd.exec(5), JOURNAL_STREAM). It
 * notes the time and the program itself; a line's first "<4>" is its priority, as in
 * syslog(3), which sd-daemon(3) has.
 */
bool	log_is_journal(int fd);

#define log_debug(...)	log_at(LOG_DEBUG, __VA_ARGS__)
#define log_verbose(...) log_at(LOG_VERBOSE, __VA_ARGS__)

#endif
