/* vpayload: the device's checks of single payloads, for vprofile only */
#ifndef SIM_VPAYLOAD_H
#define SIM_VPAYLOAD_H

#include <plist/plist.h>
#include <stdbool.h>

struct vreader;
struct vrefusal;

#define PROFILE_DOMAIN		"MCProfileErrorDomain"
#define PAYLOAD_DOMAIN		"MCPayloadErrorDomain"
#define INSTALLATION_DOMAIN	"MCInstallationErrorDomain"
#define RESTRICTIONS_DOMAIN	"MCRestrictionsErrorDomain"
#define RESTRICTIONS_PAYLOAD	"com.apple.applicationaccess"
#define REMOVAL_PASSWORD	"com.apple.profileRemovalPassword"

/* Returns false always, so that refusing is one line. */
bool	vrefuse(struct vrefusal *refusal, const char *domain, unsigned code, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));
bool	vfield_required(plist_t dict, const char *key, plist_type type,
	    struct vrefusal *refusal);
bool	vfield_optional(plist_t dict, const char *key, plist_type type,
	    struct vrefusal *refusal);

/* What depends on the payload's type; unknown types pass. */
bool	vpayload_check(plist_t payload, const struct vreader *reader, struct vrefusal *refusal);

/* Booleans of a Restrictions payload: anything that reads as a truth value. */
bool	vpayload_truth(plist_t node, bool *out);

#endif
