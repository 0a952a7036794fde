/* cmd_learn: station learn-slots: which port is called what, by plugging into it */
#include "cli/command.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/output.h"
#include "device/usbport.h"
#include "flow/fleet.h"
#include "station/slots.h"
#include "wire/mux.h"

#define CONFIG	SYSCONFDIR "/chaperone/chaperone.yaml"

enum { REACH_MS = 5000, CONFIG_MAX = 1 << 20 };

struct learning {
	struct cli	*cli;
	struct slots	 slots;
	char		 next[SLOT_NAME_MAX];	/* the name of the next port */
	char		 typed[SLOT_NAME_MAX];	/* the line so far */
	size_t		 typed_len;
	bool		 is_done;
	struct mux_device *there;	/* those that were plugged in already */
	size_t		 n_there;
};

/* ---- the configuration ------------------------------------------------------------- */

/* Whether the line goes on with what a key in column 0 has begun. */
static bool
is_continued(const char *line)
{
	return strchr(" \t-]}", *line) != NULL && strncmp(line, "---", 3) != 0;
}

/* A comment or nothing: it belongs to what follows it. */
static bool
is_between(const char *line)
{
	return *line == '#' || *line == '\n';
}

/* All lines but those of slots: at the top level; comments and order stay. */
static int
copy_without_slots(const struct blob *from, struct blob *to)
{
	const char *at = (const char *)from->data, *end = at + from->len, *kept = NULL;
	bool is_slots = false;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = newline ? (size_t)(newline - at) + 1 : (size_t)(end - at);

		/* Between two slots it goes with them. */
		if (is_slots && is_between(at)) {
			kept = kept ? kept : at;
			at += len;
			continue;
		}
		is_slots = strncmp(at, "slots:", len < 6 ? len : 6) == 0 ||
		    (is_slots && is_continued(at));
		if (kept && !is_slots && blob_append(to, kept, (size_t)(at - kept)) < 0)
			return -1;
		kept = NULL;
		if (!is_slots && blob_append(to, at, len) < 0)
			return -1;
		at += len;
	}
	if (kept && blob_append(to, kept, (size_t)(end - kept)) < 0)
		return -1;
	return to->len == 0 || to->data[to->len - 1] == '\n' ? 0 : blob_append(to, "\n", 1);
}

/* A YAML text in double quotes; the names are printable (slots_add). */
static int
append_quoted(struct blob *to, const char *key, const char *text)
{
	if (blob_append(to, key, strlen(key)) < 0 || blob_append(to, "\"", 1) < 0)
		return -1;
	for (; *text; text++)
		if ((strchr("\"\\", *text) && blob_append(to, "\\", 1) < 0) ||
		    blob_append(to, text, 1) < 0)
			return -1;
	return blob_append(to, "\"\n", 2);
}

static int
append_slots(struct blob *to, const struct slots *slots)
{
	size_t i;

	if (blob_append(to, "slots:\n", 7) < 0)
		return -1;
	for (i = 0; i < slots->n; i++)
		if (append_quoted(to, "  - name: ", slots->items[i].name) < 0 ||
		    append_quoted(to, "    port: ", slots->items[i].port) < 0)
			return -1;
	return 0;
}

static int
write_config(const char *path, const struct slots *slots, struct error *err)
{
	auto_blob struct blob old = { 0 }, fresh = { 0 };
	struct stat st = { .st_mode = 0644 };

	if (stat(path, &st) == 0 && file_read(path, CONFIG_MAX, FILE_ANY, &old, err) < 0)
		return -1;
	/* It must end: the copy looks at the first bytes of each line. */
	if (blob_append(&old, "", 1) < 0)
		return error_memory(err);
	old.len--;
	if (copy_without_slots(&old, &fresh) < 0 || append_slots(&fresh, slots) < 0)
		return error_memory(err);
	return file_write(path, fresh.data, fresh.len, st.st_mode & 0777, true, err);
}

/* ---- what is plugged and typed -------------------------------------------------------- */

static void
ask(struct learning *l)
{
	if (!*l->next)
		snprintf(l->next, sizeof(l->next), "%zu", l->slots.n + 1);
	fprintf(stderr, "Plug a device into port %s (or type another name; \"done\" ends): ",
	    l->next);
	fflush(stderr);
}

static void
learn(struct learning *l, const struct mux_device *device)
{
	struct error err = { 0 };
	struct usbport port;
	const char *known;

	(void)usbport_of_location(device->location, &port);
	known = slots_name(&l->slots, &port);
	if (known) {
		fprintf(stderr, "\nthis is port %s already\n", known);
	} else if (slots_add(&l->slots, l->next, *port.path ? port.path : port.name, &err) < 0) {
		fprintf(stderr, "\n%s\n", err.message);
	} else {
		fprintf(stderr, "\n");
		if (l->cli->options.json)
			output_json_line(stdout, json_pack("{s:s, s:s, s:s}",
			    "schema", "chaperone.slot/1", "name", l->next,
			    "port", l->slots.items[l->slots.n - 1].port));
		else
			printf("slot %s is %s\n", l->next, l->slots.items[l->slots.n - 1].port);
		fflush(stdout);
		l->next[0] = '\0';
	}
	ask(l);
}

static void
take_line(struct learning *l)
{
	l->typed[l->typed_len] = '\0';
	l->typed_len = 0;
	if (strcmp(l->typed, "done") == 0) {
		l->is_done = true;
		return;
	}
	text_printable(l->typed, strlen(l->typed), l->next, sizeof(l->next));
	ask(l);
}

static void
read_typed(struct learning *l)
{
	char chunk[256];
	ssize_t n = read(STDIN_FILENO, chunk, sizeof(chunk)), i;

	if (n <= 0 && !(n < 0 && errno == EINTR))
		l->is_done = true;
	for (i = 0; i < n && !l->is_done; i++)
		if (chunk[i] == '\n')
			take_line(l);
		else if (l->typed_len < sizeof(l->typed) - 1)
			l->typed[l->typed_len++] = chunk[i];
}

static bool
was_there(const struct learning *l, const struct mux_device *device)
{
	size_t i;

	for (i = 0; i < l->n_there; i++)
		if (l->there[i].handle == device->handle)
			return true;
	return false;
}

/* usbmuxd announces who is there already like one that comes, and takes its time. */
static int
read_plugged(struct learning *l, struct mux_watch *mux, struct error *err)
{
	struct mux_event e;
	int rc;

	while ((rc = mux_watch_next(mux, &e, err)) > 0)
		if (e.kind == MUX_ATTACHED && !was_there(l, &e.device))
			learn(l, &e.device);
	return rc;
}

static int
follow(struct learning *l, struct mux_watch *mux, struct error *err)
{
	/* After the watch has begun, so that nobody comes unseen in between. */
	if (mux_list(false, deadline_in(REACH_MS), &l->there, &l->n_there, err) < 0)
		return -1;
	ask(l);
	while (!l->is_done) {
		struct pollfd fds[] = {
			{ .fd = mux_watch_fd(mux), .events = POLLIN },
			{ .fd = STDIN_FILENO, .events = POLLIN },
		};

		if (deadline_poll(fds, countof(fds), deadline_never(), true) < 0 ||
		    deadline_interrupted())
			return error_set(err, ERR_INTERRUPTED, "interrupted; nothing was written");
		if (fds[0].revents && read_plugged(l, mux, err) < 0)
			return -1;
		if (fds[1].revents)
			read_typed(l);
	}
	return 0;
}

int
cmd_station_learn(struct cli *cli)
{
	const char *path = cli->options.config ? cli->options.config : CONFIG;
	struct learning l = { .cli = cli };
	struct mux_watch *mux = NULL;
	struct error err = { 0 };
	int rc;

	fleet_catch_signals();
	if (mux_watch_open(false, deadline_in(REACH_MS), &mux, &err) < 0)
		return cli_fail(cli, &err);
	rc = follow(&l, mux, &err);
	mux_watch_close(mux);
	if (rc == 0 && l.slots.n > 0)
		rc = write_config(path, &l.slots, &err);
	if (rc == 0)
		fprintf(stderr, "\n%zu slots written to %s\n", l.slots.n,
		    l.slots.n ? path : "nowhere");
	slots_clear(&l.slots);
	free(l.there);
	return rc < 0 ? cli_fail(cli, &err) : 0;
}
