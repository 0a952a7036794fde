/* clean: release by attribute and hand-over by steal, the one ownership idiom */
#ifndef BASE_CLEAN_H
#define BASE_CLEAN_H

#include <plist/plist.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * A variable marked auto_* is released when it leaves scope. To keep what it
 * holds, hand it over: return steal_pointer(&p), *out = steal_fd(&fd).
 */
#define auto_with(release)	__attribute__((cleanup(release)))

#define steal_pointer(p)                                                      \
	__extension__({                                                       \
		__typeof__(*(p)) stolen_ = *(p);                              \
		*(p) = NULL;                                                  \
		stolen_;                                                      \
	})

static inline int
steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

static inline void
clean_free(void *p)
{
	free(*(void **)p);
}

static inline void
clean_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void
clean_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void
clean_plist(plist_t *p)
{
	if (*p)
		plist_free(*p);
}

#define auto_free	auto_with(clean_free)
#define auto_fd		auto_with(clean_fd)
#define auto_file	auto_with(clean_file)
#define auto_plist	auto_with(clean_plist)

#define countof(a)	(sizeof(a) / sizeof((a)[0]))

#endif
