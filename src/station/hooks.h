/* hooks: programs that are told what happens to devices */
#ifndef STATION_HOOKS_H
#define STATION_HOOKS_H

#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct hooks;

/*
 * A hook is a program without a shell, with nothing of ours but standard input
 * (the JSON), an environment of its own, and a process group that is killed when
 * its time is over. What it prints is kept only to say why it failed. Nothing
 * here blocks: what cannot be begun at once waits its turn.
 */
struct hooks_settings {
	int64_t		limit_ms;	/* for one run of a program */
	unsigned	at_once;
	size_t		queue_max;	/* beyond that the newest one fails */
	/* It could not be started, failed, or was killed; message is one line. */
	void		(*failed)(void *ctx, const char *event, const char *program,
			    const char *udid, const char *message);
	void		*ctx;
};

/* settings are copied. *out is the caller's: hooks_free(), which kills what runs. */
int	hooks_new(const struct hooks_settings *settings, struct hooks **out, struct error *err);
void	hooks_free(struct hooks *h);		/* NULL is fine */

/*
 * event is "attach", "verdict" or "detach"; about, which has a "device", becomes
 * its standard input. program NULL: there is no hook. Texts are copied.
 */
void	hooks_add(struct hooks *h, const char *program, const char *event, const char *udid,
	    json_t *about);

/* ---- the loop that they run in -------------------------------------------------- */

/* How many descriptors hooks_poll() wants at most, and how many hooks are left. */
size_t	hooks_descriptors(const struct hooks *h);
size_t	hooks_count(const struct hooks *h);
/* Fills fds, for the next hooks_run(); returns how many. */
size_t	hooks_poll(const struct hooks *h, struct pollfd *fds);
/* What poll(2) said of them, and whose time is over. Starts who waits. */
void	hooks_run(struct hooks *h, const struct pollfd *fds, int64_t now_ms);
int64_t	hooks_wait_ms(const struct hooks *h, int64_t now_ms);	/* -1: nothing to wait for */

#endif
