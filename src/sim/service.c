/* service: the table of what lockdown can start */
#include "sim/service.h"

#include <string.h>

#include "base/clean.h"
#include "base/proplist.h"
#include "sim/fault.h"

static const struct service *const services[] = {
	&service_mcinstall,
	&service_notification_proxy,
	&service_insecure_notification_proxy,
	&service_diagnostics_relay,
	&service_mobileactivation,
};

const struct service *
service_find(const char *name)
{
	size_t i;

	for (i = 0; i < countof(services); i++)
		if (strcmp(services[i]->name, name) == 0)
			return services[i];
	return NULL;
}

plist_t
service_refuse_plainly(plist_t request, const struct fault *fault)
{
	plist_t reply = plist_new_dict();

	(void)request;
	dict_set_string(reply, "Error", fault->text ? fault->text : "Failure");
	return reply;
}
