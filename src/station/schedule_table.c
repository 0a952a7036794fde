/* schedule_table: devices and ports as rows of two small tables */
#include "station/schedule_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

struct device *
schedule_find_udid(const struct schedule *s, const char *udid)
{
	size_t i;

	for (i = 0; i < s->n_devices; i++)
		if (text_same_udid(s->devices[i].udid, udid))
			return &s->devices[i];
	return NULL;
}

struct device *
schedule_find_handle(const struct schedule *s, uint32_t handle)
{
	size_t i;

	for (i = 0; i < s->n_devices; i++)
		if (s->devices[i].is_attached && s->devices[i].handle == handle)
			return &s->devices[i];
	return NULL;
}

struct port *
schedule_find_port(const struct schedule *s, const char *name)
{
	size_t i;

	for (i = 0; *name && i < s->n_ports; i++)
		if (strcmp(s->ports[i].name, name) == 0)
			return &s->ports[i];
	return NULL;
}

void
schedule_copy_name(char out[SCHEDULE_NAME_MAX], const char *name)
{
	text_printable(name, strlen(name), out, SCHEDULE_NAME_MAX);
}

int
schedule_add_device(struct schedule *s, const char *udid, struct device **out, struct error *err)
{
	struct device *grown;

	if (s->n_devices == SCHEDULE_DEVICES_MAX)
		return error_set(err, ERR_SOFTWARE, "more than %d devices", SCHEDULE_DEVICES_MAX);
	grown = reallocarray(s->devices, s->n_devices + 1, sizeof(*grown));
	if (!grown)
		return error_memory(err);
	s->devices = grown;
	*out = &grown[s->n_devices++];
	**out = (struct device){ .boundary_s = INT64_MAX, .back_ms = INT64_MIN };
	schedule_copy_name((*out)->udid, udid);
	return 0;
}

int
schedule_add_port(struct schedule *s, const char *name, struct error *err)
{
	struct port *grown;

	if (!*name || schedule_find_port(s, name))
		return 0;
	if (s->n_ports == SCHEDULE_DEVICES_MAX)
		return error_set(err, ERR_SOFTWARE, "more than %d ports", SCHEDULE_DEVICES_MAX);
	grown = reallocarray(s->ports, s->n_ports + 1, sizeof(*grown));
	if (!grown)
		return error_memory(err);
	s->ports = grown;
	grown[s->n_ports] = (struct port){ 0 };
	memcpy(grown[s->n_ports++].name, name, SCHEDULE_NAME_MAX);
	return 0;
}

void
schedule_enqueue(struct schedule *s, struct device *d, enum schedule_why why)
{
	d->state = QUEUED;
	d->why = why;
	d->order = s->order++;
}

void
schedule_end_visit(struct device *d)
{
	/* Who was never announced need not be taken leave of. */
	if (d->is_arrival_untold)
		d->is_arrival_untold = false;
	else
		d->is_leaving_untold = true;
	d->left_handle = d->handle;
	d->back_ms = INT64_MIN;
	d->runs_again = false;
	if (d->state != RUNNING)
		d->state = IDLE;
}
