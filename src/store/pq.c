/* pq: the table of libpq's functions */
#include "store/pq.h"

#include "base/clean.h"
#include "base/library.h"

struct pq pq;

int
pq_load(struct error *err)
{
#define PQ_SYMBOL(name)	{ "PQ" #name, &pq.name },
	static const struct library_symbol symbols[] = { PQ_FUNCTIONS(PQ_SYMBOL) };

	return library_load("libpq.so.5", "libpq brings PostgreSQL (Debian: apt install libpq5)",
	    symbols, countof(symbols), err);
}
