/* agentclient: asks an agent, one connection for each question */
#include "crypto/agentclient.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/text.h"
#include "crypto/agentsocket.h"
#include "crypto/signrequest.h"

enum { ANSWER_MS = 45000 };	/* others may be before us, and tokens take their time */

static const char scheme[] = "agent:";

bool
agentclient_is_ref(const char *ref)
{
	return strncmp(ref, scheme, sizeof(scheme) - 1) == 0;
}

int
agentclient_path(const char *ref, char **out, struct error *err)
{
	const char *path = ref + sizeof(scheme) - 1, *told = getenv("CHAPERONE_AGENT");
	char *copy;

	if (!*path && told && *told)
		path = agentclient_is_ref(told) ? told + sizeof(scheme) - 1 : told;
	if (!*path)
		return agentsocket_default(out, err);
	copy = strdup(path);
	if (!copy)
		return error_memory(err);
	*out = copy;
	return 0;
}

static const struct {
	enum agent_status	status;
	enum error_kind		kind;
	const char		*verb;
} meanings[] = {
	{ AGENT_REFUSES, ERR_PERM, "refuses" },
	{ AGENT_CANNOT, ERR_UNAVAILABLE, "cannot" },
	{ AGENT_BAD_IDENTITY, ERR_DATA, "cannot" },
	{ AGENT_FAILED, ERR_SOFTWARE, "failed" },
};

static int
take_answer(const uint8_t *packet, size_t len, struct blob *out, struct error *err)
{
	struct signanswer a;
	char why[256];
	size_t i;

	if (!signanswer_parse(packet, len, &a))
		return error_set(err, ERR_UNAVAILABLE, "the agent's answer makes no sense");
	if (a.status == AGENT_DONE)
		return blob_set(out, a.body, a.len) < 0 ? error_memory(err) : 0;
	for (i = 0; i + 1 < countof(meanings) &&
	    meanings[i].status != (enum agent_status)a.status; i++)
		continue;
	text_printable((const char *)a.body, a.len, why, sizeof(why));
	return error_set(err, meanings[i].kind, "the agent %s: %s", meanings[i].verb, why);
}

int
agentclient_ask(const char *path, const struct agentrequest *r, struct blob *out,
    struct error *err)
{
	struct deadline deadline = deadline_in(ANSWER_MS);
	uint8_t request[AGENTREQUEST_MAX], answer[SIGNANSWER_MAX];
	size_t len = agentrequest_write(r, request);
	auto_fd int fd = -1;
	ssize_t n;

	if (agentsocket_connect(path, deadline, &fd, err) < 0)
		return -1;
	if (send(fd, request, len, MSG_NOSIGNAL) < 0 && errno != EPIPE)
		return error_set_sys(err, ERR_UNAVAILABLE, errno, "the agent at %s", path);
	do {
		if (deadline_wait(fd, POLLIN, deadline, err) < 0) {
			err->kind = err->kind == ERR_TIMEOUT ? ERR_UNAVAILABLE : err->kind;
			return error_context(err, "the agent at %s", path);
		}
		n = recv(fd, answer, sizeof(answer), 0);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n <= 0)
		return error_set(err, ERR_UNAVAILABLE, "the agent at %s hung up", path);
	return take_answer(answer, (size_t)n, out, err);
}
