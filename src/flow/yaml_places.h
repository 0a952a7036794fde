/* yaml_places: where in a YAML file each value stands */
#ifndef FLOW_YAML_PLACES_H
#define FLOW_YAML_PLACES_H

#include <stddef.h>

#include "base/clean.h"

struct error;

enum { YAML_PLACES_MAX = 20000, YAML_DEPTH_MAX = 16 };

struct yaml_mark {
	unsigned	line, column;	/* from 1; 0: nowhere */
};

/* "devices.serials[1]": its value, and the key it stands behind. */
struct yaml_place {
	char			*path;
	struct yaml_mark	 key, value;
};

/* Zero-initialise; release with yaml_places_clear(). In the order of the file. */
struct yaml_places {
	struct yaml_place	*items;
	size_t			 n;
};

/*
 * libcyaml tells a position only for what it finds wrong itself, and then that
 * of the value before. So the file is walked once more, with libyaml. -1 with
 * ERR_DATA and *at for what is no YAML, or more YAML than a policy needs:
 * aliases, tags, a key given twice, a second document.
 */
int	yaml_places_read(const void *data, size_t len, struct yaml_places *out,
	    struct yaml_mark *at, struct error *err);
void	yaml_places_clear(struct yaml_places *p);

#define auto_yaml_places	auto_with(yaml_places_clear)

/* NULL when there is no such value. */
const struct yaml_place *yaml_places_find(const struct yaml_places *p, const char *path);
/* The same, or the nearest that contains it; line 1 at worst. */
struct yaml_mark yaml_places_near(const struct yaml_places *p, const char *path);

#endif
