/* ledgertest: what the tests of the ledger share: files, events, and damage by SQL */
#ifndef TESTS_LEDGERTEST_H
#define TESTS_LEDGERTEST_H

#include <stdint.h>

#include "store/audit.h"
#include "store/ledger.h"

struct ledger *ledgertest_open(const char *path, enum ledger_mode mode);
/* Appends one event with a body of its own; fails the test when it cannot. */
void	ledgertest_add(struct ledger *l, enum event_kind kind, const char *device,
    const char *note);
/* A closed file of n events. */
void	ledgertest_make(const char *path, unsigned n);
/* A copy as it lies on the disk. */
void	ledgertest_copy(const char *from, const char *to);
/* As somebody with sqlite3(1) would: triggers are dropped for it and made again. */
void	ledgertest_damage(const char *path, const char *sql);
/* Gives event number sequence the hash that its content has now. */
void	ledgertest_rehash(const char *path, int64_t sequence);

/* The first finding and how many there are; prints them. */
struct ledgertest_audit {
	struct audit_finding	first;
	struct audit_result	result;
};
void	ledgertest_audit(const char *path, const struct audit_known *known,
	    struct ledgertest_audit *out);

#endif
