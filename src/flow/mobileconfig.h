/* mobileconfig: a profile from disk, signed or not */
#ifndef FLOW_MOBILECONFIG_H
#define FLOW_MOBILECONFIG_H

struct blob;
struct envelope;
struct error;

/*
 * raw is what goes to a device, content what it says: the same unless it is
 * signed. Both are replaced. ERR_NOINPUT, or ERR_DATA for what a device would
 * not take: altered after signing, PEM, no profile at all.
 */
int	mobileconfig_read(const char *path, struct blob *raw, struct blob *content,
	    struct error *err);

/* Whether a device would take what came in this envelope. ERR_DATA and a hint. */
int	mobileconfig_check(const char *path, const struct envelope *e, struct error *err);

#endif
