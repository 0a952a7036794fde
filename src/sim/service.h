/* service: what a device program does with one request; it knows no socket */
#ifndef SIM_SERVICE_H
#define SIM_SERVICE_H

#include <plist/plist.h>
#include <stdbool.h>
#include <stddef.h>

struct fault;
struct host;
struct virtual;

enum { LOCKDOWN_PORT = 62078 };

/* What becomes of the connection after the answer. */
enum call_next { CALL_GO_ON, CALL_CLOSE, CALL_START_TLS, CALL_STOP_TLS };
/* What becomes of the device after the answer. */
enum fate { FATE_NONE, FATE_RESTART, FATE_SHUTDOWN, FATE_ERASE };

/* One request. Everything is borrowed but reply. */
struct call {
	struct virtual		*device;
	plist_t			 request;
	const struct fault	*fault;		/* one of those a service acts out, or NULL */
	plist_t			 reply;		/* set by the service, freed by the stream */
	enum call_next		 next;
	struct host		*tls_host;	/* with CALL_START_TLS: whom to accept */
	enum fate		 fate;
};

/* How a service says something unasked. */
struct outlet {
	void	(*send)(void *ctx, plist_t message);	/* message stays the service's */
	void	*ctx;
};

struct service {
	const char	*name;
	const char	*label;		/* short name: in faults and in the transcript */
	const char	*request_key;	/* which key names the request */
	bool		 needs_session;
	bool		 has_tls;
	bool		 works_locked;
	size_t		 state_size;	/* per connection, zeroed */
	/* These may be NULL, except handle. */
	void		(*open)(void *state, struct virtual *device, struct outlet outlet);
	void		(*handle)(void *state, struct call *call);
	/* Returns what the end of the connection does to the device. */
	enum fate	(*close)(void *state, struct virtual *device);
	/* The answer that a fault "error" asks for; the caller's. */
	plist_t		(*refuse)(plist_t request, const struct fault *fault);
};

extern const struct service service_lockdown;
extern const struct service service_mcinstall;
extern const struct service service_notification_proxy;
extern const struct service service_insecure_notification_proxy;
extern const struct service service_diagnostics_relay;
extern const struct service service_mobileactivation;

/* What StartService can start; NULL: no such service. */
const struct service *service_find(const char *name);
/* {Error: text or "Failure"}: the refuse of services without a form of their own. */
plist_t	service_refuse_plainly(plist_t request, const struct fault *fault);

#endif
