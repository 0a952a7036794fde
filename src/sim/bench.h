/* bench: all devices, the clock, the keys, and what happened; owns everything */
#ifndef SIM_BENCH_H
#define SIM_BENCH_H

#include <openssl/types.h>
#include <plist/plist.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "sim/recordstore.h"

struct error;
struct fault;
struct loop;
struct muxserver;
struct transcript;
struct virtual;
struct virtual_spec;

enum { BENCH_KEYS = 4, BENCH_HOST_KEYS = 2, BENCH_DEVICES_MAX = 4096 };

struct counters {
	uint64_t	connections;	/* streams to device ports */
	uint64_t	handshakes;	/* TLS, completed */
	uint64_t	messages_in, messages_out;
	uint64_t	bytes_in, bytes_out;	/* on the stream, TLS included */
	uint64_t	waited_us;	/* before answers: the latency, as the clock saw it */
};

enum bench_event { BENCH_ATTACHED, BENCH_DETACHED, BENCH_PAIRED };
typedef void bench_listener_fn(void *ctx, struct virtual *device, enum bench_event event);

/* Who wants to know what happens to devices. Lives inside its owner. */
struct bench_listener {
	struct bench_listener	*next;
	bench_listener_fn	*hear;
	void			*ctx;
};

struct bench {
	struct loop		*loop;
	struct transcript	*transcript;	/* NULL: none is kept */
	struct virtual		**devices;
	size_t			 n_devices;
	struct recordstore	 records;
	char			 buid[TEXT_UUID_MAX];
	struct fault		*faults;	/* for every device */
	struct counters		 total;
	uint64_t		 mux_commands;
	uint64_t		 last_connection;
	uint32_t		 last_device_id;
	int64_t			 clock_offset_s;
	/* Making a key takes long, so devices share a few, made as they are added. */
	EVP_PKEY		*keys[BENCH_KEYS];
	EVP_PKEY		*host_keys[BENCH_HOST_KEYS];	/* for devices that start paired */
	plist_t			 pair_records[BENCH_KEYS];	/* theirs, one per key;
								 * NULL: not yet */
	SSL_CTX			*tls;
	struct bench_listener	*listeners;	/* told of every event */
	struct muxserver	*usbmuxd;	/* one of them, for those who stop it; NULL: none */
};

/* loop and transcript are borrowed. */
struct bench *bench_new(struct loop *loop, struct transcript *transcript, struct error *err);
void	bench_free(struct bench *bench);

/*
 * Before devices are added: keys come from this file, which is made when it is
 * not there. Without this each bench makes its own. Errors: devicekey_keep().
 */
int	bench_keep_keys(struct bench *bench, const char *path, struct error *err);

/*
 * Adds spec->count devices. The spec is borrowed. Makes the keys that are
 * missing: takes some tenths of a second, so not while clients wait.
 */
int	bench_add(struct bench *bench, const struct virtual_spec *spec, struct error *err);
/* From now on, until bench_unlisten(); the owner does that before it goes. */
void	bench_listen(struct bench *bench, struct bench_listener *listener);
void	bench_unlisten(struct bench *bench, struct bench_listener *listener);
void	bench_tell(struct bench *bench, struct virtual *device, enum bench_event event);
/* By DeviceID, attached ones only; NULL. */
struct virtual *bench_find_id(const struct bench *bench, uint64_t device_id);
/* By UDID (with or without dash), name, or 1-based position; NULL. */
struct virtual *bench_find(const struct bench *bench, const char *which);

/* The devices' clock, seconds since 1970. */
int64_t	bench_now(const struct bench *bench);
/* Moves it; profiles whose time has come go. */
void	bench_move_clock(struct bench *bench, int64_t offset_s);
void	bench_reset_counters(struct bench *bench);

#endif
