/* pq: libpq, loaded by the commands that speak to PostgreSQL and by no other */
#ifndef STORE_PQ_H
#define STORE_PQ_H

#include <libpq-fe.h>

struct error;

/* What is used of it: PQexec() is pq.exec() here. */
#define PQ_FUNCTIONS(X)                                                       \
	X(clear) X(cmdTuples) X(connectdbParams) X(conninfoFree) X(conninfoParse) \
	X(errorMessage) X(exec) X(execParams) X(finish) X(freemem) X(getResult)   \
	X(getisnull) X(getvalue) X(host) X(ntuples) X(resultErrorField)           \
	X(resultErrorMessage) X(resultStatus) X(sendQueryParams)                  \
	X(setSingleRowMode) X(sslInUse) X(status)

#define PQ_MEMBER(name)	__typeof__(&PQ##name) name;

struct pq {
	PQ_FUNCTIONS(PQ_MEMBER)
};

/* Nothing in it may be called before pq_load() has succeeded. */
extern struct pq pq;

/* ERR_UNAVAILABLE when libpq is not installed. */
int	pq_load(struct error *err);

#endif
