/* muxclient: one connection to the mux server; for muxserver and muxcommand only */
#ifndef SIM_MUXCLIENT_H
#define SIM_MUXCLIENT_H

#include <plist/plist.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"

struct bench;
struct muxserver;
struct stream;
struct virtual;
struct watch;

enum mux_mode { MUX_COMMAND, MUX_LISTEN, MUX_STREAM };

/* Little-endian, as in usbmuxd-proto.h. */
enum { MUX_HEADER = 16, MUX_COMMAND_LONGEST = 65536 };
enum { MUX_RESULT = 1, MUX_PLIST = 8 };
enum { MUX_OK = 0, MUX_BAD_COMMAND = 1, MUX_BAD_DEVICE = 2, MUX_REFUSED = 3, MUX_BAD_VERSION = 6 };

struct muxclient {
	struct muxclient *next;
	struct muxserver *server;
	struct bench	*bench;
	int		 fd;
	struct watch	*watch;
	enum mux_mode	 mode;
	struct blob	 in, out;
	size_t		 sent;		/* of out */
	struct stream	*stream;
	bool		 is_ending;	/* close when out is empty */
	bool		 is_dead;	/* to be reaped */
	bool		 is_hung;
	bool		 has_plist;	/* spoke version 1 once */
	uint64_t	 number;
	uint64_t	 conn_type;
	char		 program[64];
};

/* Queues and tries to send. */
void	muxclient_write(struct muxclient *client, const void *data, size_t len);
/* After what is queued has left. */
void	muxclient_end(struct muxclient *client);
/* The first client of the same server, for ListListeners. */
struct muxclient *muxclient_first(struct muxserver *server);

/* Takes the first command off client->in; false when it is not complete. */
bool	muxcommand_take(struct muxclient *client);
/* Sends an event to a client that listens: Attached, Detached or Paired. */
void	muxcommand_send_attached(struct muxclient *client, const struct virtual *device);
void	muxcommand_send_event(struct muxclient *client, const char *type,
	    const struct virtual *device);

#endif
