/* central: the events of many stations in one PostgreSQL database */
#ifndef STORE_CENTRAL_H
#define STORE_CENTRAL_H

#include <stdint.h>

#include "base/clean.h"
#include "store/ledger.h"

struct central;
struct error;

/*
 * url is what libpq takes: postgresql://... or key=value. Over the network TLS
 * is required: sslmode require at least, verify-full when nothing is said, and
 * a weaker one is ERR_USAGE, as is a password in url (it would stand in the
 * list of processes: use ~/.pgpass, a service file or a certificate). On a
 * UNIX socket TLS is not asked for. ERR_UNAVAILABLE: not reached, or not let in,
 * which libpq does not tell apart; later, what row security or a missing right
 * refuses is ERR_PERM. *out is the caller's: central_close(). Blocks, with
 * libpq's timeouts (10 s to connect, 60 s a statement; reading has none).
 */
int	central_open(const char *url, struct central **out, struct error *err);
void	central_close(struct central *c);	/* NULL is fine */

static inline void
clean_central(struct central **c)
{
	central_close(*c);
}

#define auto_central	auto_with(clean_central)

/* Creates what central.sql describes, and this month's partitions. As the owner. */
int	central_init(struct central *c, struct error *err);
/* A login that inserts for station, which belongs to client. */
int	central_add_station(struct central *c, const char *station, const char *client,
	    const char *login, struct error *err);
/* A login that reads the stations of client. */
int	central_add_reader(struct central *c, const char *client, const char *login,
	    struct error *err);

enum { CENTRAL_BATCH = 500 };	/* events in one transaction: others get their turn between */

struct central_pushed {
	int64_t	events;		/* that were new there */
	int64_t	sequence;	/* the last that is there for certain: committed */
	int64_t	lacks;		/* not 0: what comes next there lies in an archive of the ledger */
};

/*
 * Sends what is not there yet, in order, until there is no more. Acknowledged means
 * committed; what arrives twice is kept once. ERR_DATA: the database holds another event
 * under a sequence of ours, or more than we have: this station was cloned, or its file
 * rolled back. The alarm is left there, and nothing more is sent. ERR_DATA also when the
 * file begins after what is there: out->lacks says with which event an archive comes first.
 * *out is filled as far as it came, on failure too.
 */
int	central_push(struct central *c, struct ledger *l, struct central_pushed *out,
	    struct error *err);

/* As ledger_each(), in the order of time; only what the login may read. */
int	central_each(struct central *c, const struct ledger_filter *filter, ledger_event_fn *fn,
	    void *ctx, struct error *err);

#endif
