/* answer: what is said to one request */
#ifndef WEB_ANSWER_H
#define WEB_ANSWER_H

#include <microhttpd.h>

/* libmicrohttpd's handler of requests. */
enum MHD_Result	answer_request(void *web, struct MHD_Connection *connection, const char *path,
		    const char *method, const char *version, const char *upload,
		    size_t *upload_len, void **seen);

#endif
