/* mhd: libmicrohttpd, loaded when a page is wanted and by nothing else */
#ifndef WEB_MHD_H
#define WEB_MHD_H

#include <microhttpd.h>

struct error;

/* What is used of it: MHD_run() is mhd.run() here. */
#define MHD_FUNCTIONS(X)                                                      \
	X(add_connection) X(add_response_header)                              \
	X(create_response_from_buffer_with_free_callback_cls)                 \
	X(create_response_from_callback) X(destroy_response)                  \
	X(get_connection_info) X(get_connection_values) X(get_daemon_info)    \
	X(get_timeout) X(queue_response) X(resume_connection) X(run)          \
	X(start_daemon) X(stop_daemon) X(suspend_connection)

#define MHD_MEMBER(name)	__typeof__(&MHD_##name) name;

struct mhd {
	MHD_FUNCTIONS(MHD_MEMBER)
};

/* Nothing in it may be called before mhd_load() has succeeded. */
extern struct mhd mhd;

/* ERR_UNAVAILABLE when libmicrohttpd is not installed. */
int	mhd_load(struct error *err);

#endif
