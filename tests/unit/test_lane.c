/* lane: whatever a worker does, its parent has one result, the right words, and nobody left */
#include "tests/unit/table.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/sanitizer.h"
#include "flow/lane.h"
#include "flow/report.h"
#include "flow/worker.h"

#define UDID	"00008101-000A1C2D3E4F501E"
#define OTHER	"00008101-000B1C2D3E4F501E"

static const struct mux_device device = { .handle = 1, .udid = UDID };
static const struct mux_device other = { .handle = 2, .udid = OTHER };
static const struct job job = { .kind = JOB_APPLY, .signer = -1 };
static void (*act)(int parent);	/* what the worker does in place of its work */

void	__wrap_worker_main(const struct worker_order *order);

/* The linker puts it in the place of worker_main(): no sandbox, and no device. */
void
__wrap_worker_main(const struct worker_order *order)
{
	act(order->parent);
}

/* ---- what workers do --------------------------------------------------------------- */

static void
say(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			_exit(0);	/* the parent has heard enough */
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

static void
say_json(int fd, json_t *message)
{
	auto_free char *text = json_dumps(message, JSON_COMPACT);

	json_decref(message);
	say(fd, text, strlen(text));
	say(fd, "\n", 1);
}

static void
say_truth(int fd, const struct mux_device *of, const char *truth)
{
	json_t *event = report_event("step", of);

	json_object_set_new(event, "step", json_string("install"));
	json_object_set_new(event, "truth", json_string(truth));
	say_json(fd, event);
}

static void
say_result(int fd, const struct mux_device *of)
{
	struct outcome o = { .reason = REASON_NONE, .truth = TRUTH_EFFECTIVE };

	memcpy(o.facts.udid, of->udid, sizeof(of->udid));
	say_json(fd, report_result(&job, "00000000-0000-0000-0000-000000000000", &o));
}

/* A sanitizer would make a report of it. */
static void
die_of(int sig)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void
crash(int parent)
{
	say_truth(parent, &device, "sent");
	die_of(SIGSEGV);
}

static void
abort_itself(int parent)
{
	(void)parent;
	die_of(SIGABRT);
}

static void
be_killed(int parent)
{
	say_truth(parent, &device, "acknowledged");
	die_of(SIGKILL);
}

static void
run_out_of_cpu(int parent)
{
	(void)parent;
	die_of(SIGXCPU);
}

static void
end_without_a_word(int parent)
{
	(void)parent;
}

static void
say_nonsense(int parent)
{
	static const char nonsense[] = "\0\xff{\n[]\n{}\n7\n\"\n{\"schema\":7}\n"
	    "{\"schema\":\"chaperone.result/1\"}\n"
	    "{\"schema\":\"chaperone.result/1\",\"device\":{\"udid\":null}}\n";

	say(parent, nonsense, sizeof(nonsense) - 1);
}

static void
say_half(int parent)
{
	say(parent, "{\"schema\":\"chaperone.result/1\",\"device\":{\"udid\":\"" UDID "\"", 59);
}

static void
speak_of_another(int parent)
{
	say_truth(parent, &other, "acknowledged");
	say_result(parent, &other);
}

static void
never_end_a_line(int parent)
{
	char much[65536];

	memset(much, '{', sizeof(much));
	for (;;)
		say(parent, much, sizeof(much));
}

static void
never_stop_telling(int parent)
{
	for (;;)
		say_truth(parent, &device, "sent");
}

static void
say_two_results(int parent)
{
	say_result(parent, &device);
	say_result(parent, &device);
	say_truth(parent, &device, "sent");
}

/* As one would that its device has taken over. */
static void
say_what_a_terminal_obeys(int parent)
{
	struct outcome o = { .reason = REASON_NONE, .truth = TRUTH_EFFECTIVE };
	json_t *event = report_event("step", &device), *result;

	json_object_set_new(event, "facts", json_pack("{s:s}", "a\033[2Jb", "the name obeyed"));
	say_json(parent, event);
	memcpy(o.facts.udid, UDID, sizeof(UDID));
	result = report_result(&job, "r", &o);
	json_object_set_new(json_object_get(result, "device"), "name",
	    json_string("desk\033]0;done\007"));
	json_array_append_new(json_object_get(result, "profiles"),
	    json_pack("{s:s}", "identifier", "a\033[2Jb"));
	say_json(parent, result);
}

static void
hang(int parent)
{
	say_truth(parent, &device, "sent");
	for (;;)
		pause();
}

/* What the kernel would refuse a confined worker; a build may have no filter. */
static void
start_others(int parent)
{
	if (fork() == 0)
		for (;;)
			pause();
	hang(parent);
}

/* ---- what the parent makes of it ------------------------------------------------------ */

struct heard {
	size_t	 events, results;
	json_t	*result;
};

static void
on_event(void *ctx, struct lane *lane, json_t *event)
{
	struct heard *h = ctx;

	(void)lane;
	(void)event;
	h->events++;
}

static void
on_result(void *ctx, struct lane *lane, json_t *result)
{
	struct heard *h = ctx;

	(void)lane;
	if (h->results++ == 0)
		h->result = json_incref(result);
}

/* Until the worker is over; or, when it is to be killed, until it has said something. */
static void
listen(struct lane *lane, bool until_event, struct heard *h)
{
	const struct lane_listener listener = {
		.intent = on_event, .event = on_event, .result = on_result, .ctx = h,
	};
	struct pollfd p = { .fd = lane->fd, .events = POLLIN };

	do
		assert_int_equal(deadline_poll(&p, 1, deadline_in(60000), false), 1);
	while (lane_read(lane, &listener) && !(until_event && h->events > 0));
}

static const char *
text_of(json_t *result, const char *key)
{
	const char *text = json_string_value(json_object_get(result, key));

	return text ? text : "";
}

/* Everybody of the group is gone, and whoever had no parent left was ours to bury. */
static void
nobody_is_left(pid_t group)
{
	int64_t end = now_monotonic_ms() + 60000;

	while (waitpid(-1, NULL, WNOHANG) > 0 || (kill(-group, 0) == 0 && now_monotonic_ms() < end))
		poll(NULL, 0, 1);
	assert_int_equal(kill(-group, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void
a_worker_costs_its_device_and_nothing_else(void **state)
{
	static const struct {
		const char	*name;
		void		(*act)(int);
		enum lane_end_as as;		/* but for LANE_ENDED it is killed */
		const char	*reason, *truth, *message;
		bool		 is_changed;
	} rows[] = {
		{ "it dies of a bug", crash, LANE_ENDED, "crashed", "sent", "signal 11", false },
		{ "it gives up, as when memory is out", abort_itself, LANE_ENDED,
		    "crashed", "", "signal 6", false },
		{ "the kernel kills it, as when all memory is out", be_killed, LANE_ENDED,
		    "crashed", "acknowledged", "signal 9", true },
		{ "its CPU time is over", run_out_of_cpu, LANE_ENDED,
		    "crashed", "", "used up its CPU time", false },
		{ "it ends without a word", end_without_a_word, LANE_ENDED,
		    "crashed", "", "without a result", false },
		{ "it says nonsense", say_nonsense, LANE_ENDED,
		    "crashed", "", "without a result", false },
		{ "it says half of a result", say_half, LANE_ENDED,
		    "crashed", "", "without a result", false },
		{ "it speaks of another device", speak_of_another, LANE_ENDED,
		    "crashed", "", "without a result", false },
		{ "it says a line without an end", never_end_a_line, LANE_ENDED,
		    "crashed", "", "said more than any worker", false },
		{ "it never stops telling", never_stop_telling, LANE_ENDED,
		    "crashed", "sent", "said more than any worker", false },
		{ "it hangs", hang, LANE_OVERDUE,
		    "timeout", "sent", "did not answer in time", false },
		{ "it hangs, and has started another", start_others, LANE_OVERDUE,
		    "timeout", "sent", "did not answer in time", false },
		{ "it hangs when the operator stops it", hang, LANE_STOPPED,
		    "interrupted", "sent", "stopped by the operator", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		const struct lane_order order = { .job = &job, .device = &device, .run = "r" };
		struct lane lane = { .fd = -1 };
		struct heard heard = { 0 };
		struct error err = { 0 };
		json_t *result, *error;
		pid_t pid;

		row_named(rows[i].name);
		act = rows[i].act;
		assert_int_equal(lane_start(&order, &lane, &err), 0);
		pid = lane.pid;
		listen(&lane, rows[i].as != LANE_ENDED, &heard);
		result = lane_end(&lane, "r", rows[i].as);
		assert_int_equal(heard.results, 0);
		assert_non_null(result);
		error = json_object_get(result, "error");
		assert_string_equal(text_of(json_object_get(result, "device"), "udid"), UDID);
		assert_string_equal(text_of(result, "verdict"), "failed");
		assert_string_equal(text_of(result, "reason"), rows[i].reason);
		assert_string_equal(text_of(result, "truth"), rows[i].truth);
		assert_int_equal(json_is_true(json_object_get(result, "changed")),
		    rows[i].is_changed);
		assert_non_null(strstr(text_of(error, "message"), rows[i].message));
		assert_string_not_equal(text_of(error, "hint"), "");
		assert_int_equal(lane.fd, -1);
		nobody_is_left(pid);
		json_decref(result);
	}
}

/* One that works to its end, and has a result. */
static void
hear(void (*what)(int), struct heard *heard)
{
	const struct lane_order order = { .job = &job, .device = &device, .run = "r" };
	struct lane lane = { .fd = -1 };
	struct error err = { 0 };
	pid_t pid;

	act = what;
	assert_int_equal(lane_start(&order, &lane, &err), 0);
	pid = lane.pid;
	listen(&lane, false, heard);
	assert_null(lane_end(&lane, "r", LANE_ENDED));
	assert_int_equal(heard->results, 1);
	nobody_is_left(pid);
}

static void
a_result_counts_once(void **state)
{
	struct heard heard = { 0 };

	(void)state;
	hear(say_two_results, &heard);
	assert_int_equal(heard.events, 0);
	assert_string_equal(text_of(heard.result, "verdict"), "compliant");
	json_decref(heard.result);
}

static void
no_worker_speaks_to_the_terminal(void **state)
{
	struct heard heard = { 0 };
	json_t *profile;

	(void)state;
	hear(say_what_a_terminal_obeys, &heard);
	assert_int_equal(heard.events, 0);
	assert_string_equal(text_of(json_object_get(heard.result, "device"), "name"),
	    "desk\357\277\275]0;done\357\277\275");
	profile = json_array_get(json_object_get(heard.result, "profiles"), 0);
	assert_string_equal(text_of(profile, "identifier"), "a\357\277\275[2Jb");
	json_decref(heard.result);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_costs_its_device_and_nothing_else),
		cmocka_unit_test(a_result_counts_once),
		cmocka_unit_test(no_worker_speaks_to_the_terminal),
	};

	/* Whoever a dead worker leaves behind becomes ours. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
