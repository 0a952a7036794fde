/* preset: ready-made answers to "what should this device not do" */
#ifndef CORE_PRESET_H
#define CORE_PRESET_H

#include <stddef.h>

#include "core/profile.h"

/* What a preset adds beside restrictions; most of it wants a parameter. */
enum preset_extra {
	PRESET_APP_LOCK = 1,		/* Single App Mode for spec->app */
	PRESET_APP_NEEDED = 2,		/* makes no sense without spec->app */
	PRESET_APP_AUTONOMOUS = 4,	/* spec->app may lock the device to itself */
	PRESET_APP_ON_HOME = 8,		/* spec->app alone on the Home Screen */
	PRESET_MESSAGES_SILENT = 16,	/* no notifications of Messages */
	PRESET_PAIRING = 32,		/* allowHostPairing=false when spec->lock_pairing */
	/* any use at all for spec->app */
	PRESET_APP = PRESET_APP_LOCK | PRESET_APP_AUTONOMOUS | PRESET_APP_ON_HOME,
};

/* Static; texts are for people, in one or two sentences. */
struct preset {
	const char	*name;
	const char	*title;		/* becomes PayloadDisplayName */
	const char	*purpose;
	const char	*min_ios;	/* from here on every key of it works */
	const char	*core_ios;	/* from here on the most important ones; or NULL */
	const char	*stays;		/* what the person can still do */
	const char	*base;		/* the preset it contains, or NULL */
	int		 extras;	/* enum preset_extra; those of base come on top */
	const struct profile_setting *settings;	/* ends with a NULL key */
};

/* One name: the preset that is meant when nothing says what a profile is for. */
extern const char *const preset_default[1];

/* NULL when unknown. */
const struct preset *preset_find(const char *name);
/* In the order of the table; NULL at its end. */
const struct preset *preset_at(size_t i);
/* With those of the presets it contains. */
int	preset_extras(const struct preset *p);

#endif
