/* library: dlopen() and all that is wanted of it, or nothing */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

#include "base/error.h"

static int
lacks(const char *what, const char *hint, struct error *err)
{
	const char *why = dlerror();

	error_set(err, ERR_UNAVAILABLE, "%s cannot be loaded: %s", what,
	    why ? why : "no reason given");
	return error_hint(err, hint);
}

int
library_load(const char *soname, const char *hint, const struct library_symbol *symbols,
    size_t n, struct error *err)
{
	void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL), *found;
	size_t i;

	if (!library)
		return lacks(soname, hint, err);
	for (i = 0; i < n; i++)
		if (!dlsym(library, symbols[i].name))
			return lacks(symbols[i].name, hint, err);
	for (i = 0; i < n; i++) {
		found = dlsym(library, symbols[i].name);
		memcpy(symbols[i].slot, &found, sizeof(found));
	}
	return 0;
}
