/* library: a shared library that few commands need, loaded when one of them runs */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#include <stddef.h>

struct error;

/* slot is the address of a pointer to a function of the right type. */
struct library_symbol {
	const char	*name;
	void		*slot;
};

/*
 * Libraries that bring a dozen others cost every start of the program, workers
 * included, more than the work itself. Loads soname for good and fills the
 * slots of all symbols, or none of them. Cheap when it has been done before.
 * hint is static text: what to install when it is not there. ERR_UNAVAILABLE.
 */
int	library_load(const char *soname, const char *hint, const struct library_symbol *symbols,
	    size_t n, struct error *err);

#endif
