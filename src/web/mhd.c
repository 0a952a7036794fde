/* mhd: the table of libmicrohttpd's functions */
#include "web/mhd.h"

#include "base/clean.h"
#include "base/library.h"

struct mhd mhd;

int
mhd_load(struct error *err)
{
#define MHD_SYMBOL(name)	{ "MHD_" #name, &mhd.name },
	static const struct library_symbol symbols[] = { MHD_FUNCTIONS(MHD_SYMBOL) };

	return library_load("libmicrohttpd.so.12",
	    "libmicrohttpd brings the page (Debian: apt install libmicrohttpd12)",
	    symbols, countof(symbols), err);
}
