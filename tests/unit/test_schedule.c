/* schedule: who is worked on when, in stories and in a long random day */
#include "tests/unit/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "station/schedule.h"

/* ---- stories ------------------------------------------------------------------------
 *
 * A story is a line of steps. What happens:
 *   +a1/p	device a is attached as handle 1 to port p (the port's first
 *		letter is its controller)	-1	handle 1 is detached
 *   ~5		five seconds pass
 *   a=locked	a's job ends so, with @N: the boundary is N seconds from the beginning
 *   ?1		a hand on handle 1		M	usbmuxd is lost
 *   R		policies are reloaded		S	SIGTERM
 *   Wa wa	a is watched, no longer		H h	starts are held, no longer
 * What must follow, in brackets, all of it and nothing else:
 *   A arrives, L leaves, > starts, K killed, # port set aside, = port calm
 */
struct story {
	struct schedule	*s;
	struct moment	 now;
};

static enum reason
reason_called(const char *word)
{
	enum reason r;

	for (r = REASON_NONE; r < REASON_COUNT; r++)
		if (strcmp(reason_word(r) ? reason_word(r) : "ok", word) == 0)
			return r;
	fail_msg("%s", word);
	return REASON_NONE;
}

static void
attach(struct story *t, const char *word)
{
	struct error err = { 0 };
	char udid[2] = { word[1], '\0' };
	const char *port = strchr(word, '/');

	assert_int_equal(schedule_attach(t->s, (uint32_t)atoi(word + 2), udid,
	    port ? port + 1 : NULL, port ? (uint32_t)port[1] : 0, t->now, &err), 0);
}

static void
end_job(struct story *t, const char *word)
{
	char udid[2] = { word[0], '\0' }, reason[32];
	const char *at = strchr(word, '@');

	snprintf(reason, sizeof(reason), "%.*s", (int)strcspn(word + 2, "@"), word + 2);
	schedule_result(t->s, udid, reason_called(reason), at ? atoi(at + 1) : INT64_MAX, t->now);
}

static void
collect(struct story *t, char *out, size_t size)
{
	struct schedule_action a;
	size_t used = 0;

	out[0] = '\0';
	while (schedule_take(t->s, t->now, &a)) {
		static const char letters[] = ">KAL#=";

		used += (size_t)snprintf(out + used, size - used, "%s%c%s", used ? "," : "",
		    letters[a.what], *a.udid ? a.udid : a.port);
		assert_true(used < size);
	}
	/* What is not due now is due later: nothing is missed between. */
	assert_true(schedule_wait_ms(t->s, t->now) != 0);
}

static void
step(struct story *t, const char *word)
{
	char got[256];

	switch (word[0]) {
	case '+':
		attach(t, word);
		return;
	case '-':
		schedule_detach(t->s, (uint32_t)atoi(word + 1), t->now);
		return;
	case '~':
		t->now.ms += 1000 * atoi(word + 1);
		t->now.wall_s += atoi(word + 1);
		return;
	case '?':
		schedule_nudge(t->s, (uint32_t)atoi(word + 1), t->now);
		return;
	case 'M':
		schedule_mux_lost(t->s, t->now);
		return;
	case 'R':
		schedule_reload(t->s, WHY_RELOAD);
		return;
	case 'S':
		schedule_stop(t->s);
		return;
	case 'W':
	case 'w':
		schedule_attend(t->s, word + 1, word[0] == 'W', t->now);
		return;
	case 'H':
	case 'h':
		schedule_hold(t->s, word[0] == 'H');
		return;
	case '[':
		collect(t, got, sizeof(got));
		assert_int_equal(word[strlen(word) - 1], ']');
		if (strncmp(got, word + 1, strlen(word) - 2) != 0 ||
		    strlen(got) != strlen(word) - 2)
			fail_msg("[%s], not %s", got, word);
		return;
	default:
		end_job(t, word);
	}
}

static void
stories_end_well(void **state)
{
	/* Two lanes, one per controller, retries after 2, 4 s; locked 3, 6 s; back within
	 * 60 s; 3 arrivals in 10 s flap, calm after 20 s; a job has 30 s. */
	static const struct schedule_settings settings = {
		.lanes = 2, .per_controller = 1, .job_ms = 30000,
		.retries = 2, .retry_first_ms = 2000, .retry_most_ms = 8000,
		.locked_first_ms = 3000, .locked_most_ms = 6000,
		.return_ms = 60000, .flaps = 3, .flap_ms = 10000, .calm_ms = 20000,
	};
	static const struct {
		const char *name, *story;
	} rows[] = {
		{ "it comes, is worked on, is done and goes",
		    "+a1 [Aa,>a] a=ok [] ~1000 [] -1 [La]" },
		{ "it goes before anybody looked: nothing was there",
		    "+a1 -1 []" },
		{ "it goes during its job: the job ends by itself",
		    "+a1 [Aa,>a] -1 [La] a=unplugged [] ~100 []" },
		{ "plugged in again it is a new arrival",
		    "+a1 [Aa,>a] a=ok -1 +a2 [La,Aa,>a]" },
		{ "again while the old job runs: never two at once",
		    "+a1 [Aa,>a] -1 +a2 [La,Aa] a=unplugged [>a]" },
		{ "three times while the old job runs: one job after it",
		    "+a1 [Aa,>a] -1 +a2 -2 +a3 [La,Aa] a=unplugged [>a] a=ok [] ~99 []" },
		{ "a new handle without a goodbye is a new arrival",
		    "+a1 [Aa,>a] a=ok +a2 [La,Aa,>a]" },
		{ "announced twice it is one",
		    "+a1 +a1 [Aa,>a] +a1 [] a=ok []" },

		{ "two lanes: the third waits",
		    "+a1 +b2 +c3 [Aa,Ab,Ac,>a,>b] a=ok [>c]" },
		{ "first come, first served",
		    "+a1 +b2 +c3 +d4 [Aa,Ab,Ac,Ad,>a,>b] b=ok [>c] a=ok [>d]" },
		{ "one controller takes one at a time, another another",
		    "+a1/x1 +b2/x2 +c3/y1 [Aa,Ab,Ac,>a,>c] a=ok [>b]" },
		{ "a full controller does not hold up the others",
		    "+a1/x1 +b2/x2 +c3/x3 +d4/y1 [Aa,Ab,Ac,Ad,>a,>d]" },
		{ "an unknown controller has no limit",
		    "+a1 +b2 [Aa,Ab,>a,>b]" },

		{ "a timeout is retried after two seconds",
		    "+a1 [Aa,>a] a=timeout [] ~1 [] ~1 [>a] a=ok [] ~999 []" },
		{ "then after four, and then it is enough",
		    "+a1 [Aa,>a] a=timeout ~2 [>a] a=timeout ~3 [] ~1 [>a] a=timeout ~9999 []" },
		{ "a loose contact that stays attached is retried",
		    "+a1 [Aa,>a] a=unplugged ~2 [>a]" },
		{ "a lost usbmuxd too",
		    "+a1 [Aa,>a] a=usbmuxd-lost ~2 [>a]" },
		{ "a refusal is not",
		    "+a1 [Aa,>a] a=refused ~9999 []" },
		{ "nor is nonsense",
		    "+a1 [Aa,>a] a=protocol ~9999 []" },
		{ "nor a foreign supervisor",
		    "+a1 [Aa,>a] a=foreign-supervision ~9999 []" },
		{ "nor a crash",
		    "+a1 [Aa,>a] a=crashed ~9999 []" },
		{ "nor a device without policy",
		    "+a1 [Aa,>a] a=no-policy ~9999 []" },
		{ "nor one with too old a system",
		    "+a1 [Aa,>a] a=os-too-old ~9999 []" },
		{ "nor what was not stored",
		    "+a1 [Aa,>a] a=not-stored ~9999 []" },
		{ "a success begins to count anew",
		    "+a1 [Aa,>a] a=timeout ~2 [>a] a=ok@10 ~9 [>a] a=timeout ~2 [>a]" },
		{ "who is unplugged while he waits for a retry is gone",
		    "+a1 [Aa,>a] a=timeout -1 [La] ~99 []" },

		{ "a locked device waits without a lane",
		    "+a1 +b2 +c3 [Aa,Ab,Ac,>a,>b] a=locked [>c]" },
		{ "and is asked again, ever more seldom",
		    "+a1 [Aa,>a] a=locked ~2 [] ~1 [>a] a=locked ~5 [] ~1 [>a] "
		    "a=locked ~5 [] ~1 [>a]" },
		{ "without end",
		    "+a1 [Aa,>a] a=locked ~3 [>a] a=locked ~6 [>a] a=locked ~6 [>a] "
		    "a=locked ~6 [>a] a=locked ~6 [>a]" },
		{ "a hand on it, and it goes on at once",
		    "+a1 [Aa,>a] a=locked ?1 [>a] a=ok ~999 []" },
		{ "a Trust box is not shown again by itself",
		    "+a1 [Aa,>a] a=trust-pending ~9999 []" },
		{ "but when somebody has tapped",
		    "+a1 [Aa,>a] a=trust-pending ~99 ?1 [>a]" },
		{ "a hand on a device that is done changes nothing",
		    "+a1 [Aa,>a] a=ok ?1 []" },

		{ "while it is watched it is not asked by itself",
		    "+a1 [Aa,>a] a=locked Wa ~9999 [] ?1 [>a]" },
		{ "and when it no longer is, it is asked as before",
		    "+a1 [Aa,>a] a=locked Wa ~9999 [] wa ~5 [] ~1 [>a]" },
		{ "who watches a Trust box asks nothing either",
		    "+a1 [Aa,>a] a=trust-pending Wa ~9 wa ~9999 [] ?1 [>a]" },
		{ "a watch over a device that is not waiting is none",
		    "+a1 [Aa,>a] Wa a=timeout Wa ~2 [>a]" },

		{ "over its time it is killed, once",
		    "+a1 [Aa,>a] ~29 [] ~1 [Ka] ~5 [] a=timeout ~2 [>a]" },
		{ "each job has its own time",
		    "+a1 [Aa,>a] ~20 +b2 [Ab,>b] ~10 [Ka] ~20 [Kb]" },

		{ "who comes back with usbmuxd too late is a new arrival",
		    "+a1 [Aa,>a] a=ok M [] ~61 [La] +a2 [Aa,>a]" },
		{ "and even when nobody asked in between",
		    "+a1 [Aa,>a] a=ok M ~61 +a2 [La,Aa,>a]" },
		{ "gone with usbmuxd in the middle of its job: the job is retried",
		    "+a1 [Aa,>a] M [] a=unplugged ~9 [] +a2 [>a]" },
		{ "back before its old job has ended",
		    "+a1 [Aa,>a] M +a2 [] a=unplugged [] ~2 [>a]" },
		{ "who leaves again by itself is a new arrival",
		    "+a1 [Aa,>a] a=ok M +a2 -2 +a3 [La,Aa,>a]" },

		{ "usbmuxd is lost and found: who was done is done",
		    "+a1 [Aa,>a] a=ok M [] ~5 +a7 [] ~999 []" },
		{ "who was under way goes on",
		    "+a1 [Aa,>a] M [] a=usbmuxd-lost ~5 [] +a7 [>a]" },
		{ "who was waiting for somebody is asked again, for nobody watches him now",
		    "+a1 +b2 [Aa,Ab,>a,>b] a=trust-pending b=locked Wa Wb M wa wb ~5 [] "
		    "+a7 +b8 [>a,>b]" },
		{ "who was waiting for a lane still is",
		    "+a1/x1 +b2/x2 [Aa,Ab,>a] M a=usbmuxd-lost +a8/x1 +b9/x2 [>b] b=ok ~2 [>a]" },
		{ "who was queued and is not back yet is not begun",
		    "+a1/x1 +b2/x2 [Aa,Ab,>a] M a=usbmuxd-lost [] +b9/x2 [>b]" },
		{ "who does not come back has left",
		    "+a1 [Aa,>a] a=ok M ~61 [La]" },
		{ "a new one among them is new",
		    "+a1 [Aa,>a] a=ok M +a2 +b3 [Ab,>b]" },

		{ "a boundary of its window: worked on again",
		    "+a1 [Aa,>a] a=ok@100 ~99 [] ~1 [>a] a=ok@200 ~99 [] ~1 [>a]" },
		{ "a boundary during the job is not missed",
		    "+a1 [Aa,>a] ~20 a=ok@10 [>a]" },
		{ "a boundary after it has left is nobody's",
		    "+a1 [Aa,>a] a=ok@100 -1 [La] ~200 []" },
		{ "a device without policy may get one at no boundary",
		    "+a1 [Aa,>a] a=no-policy ~99999 []" },
		{ "what failed is tried again at the boundary",
		    "+a1 [Aa,>a] a=refused@50 ~50 [>a]" },

		{ "a reload looks at everybody again",
		    "+a1 +b2 [Aa,Ab,>a,>b] a=ok b=no-policy R [>a,>b]" },
		{ "also at who is at work, when he is done",
		    "+a1 [Aa,>a] R [] a=ok [>a]" },
		{ "while starts are held nothing begins, but who comes is told",
		    "+a1 [Aa,>a] H a=ok +b2 [Ab] ~99 [] h [>b]" },
		{ "a stop begins nothing more",
		    "+a1 +b2 +c3 [Aa,Ab,Ac,>a,>b] S a=ok b=timeout [] ~99 []" },
		{ "but still kills who is over his time",
		    "+a1 [Aa,>a] S ~30 [Ka]" },

		{ "a port that flaps is set aside",
		    "+a1/x [Aa,>a] -1 +a2/x -2 +a3/x [La,Aa,#x] a=unplugged [] ~19 []" },
		{ "and used again when it is calm",
		    "+a1/x [Aa,>a] -1 +a2/x -2 +a3/x [La,Aa,#x] a=unplugged ~20 [=x,>a]" },
		{ "while it goes on it stays aside",
		    "+a1/x [Aa,>a] -1 +a2/x -2 +a3/x [La,Aa,#x] a=unplugged ~15 "
		    "-3 +a4/x [La,Aa] ~15 [] ~5 [=x,>a]" },
		{ "slow hands do not flap",
		    "+a1/x [Aa,>a] a=ok -1 ~6 +a2/x [La,Aa,>a] a=ok -2 ~6 +a3/x [La,Aa,>a]" },
		{ "one device after the other on one port flaps too",
		    "+a1/x -1 +b2/x -2 +c3/x [Ac,#x]" },
		{ "other ports go on",
		    "+a1/x -1 +a2/x -2 +a3/x +b4/y [Aa,Ab,#x,>b]" },
		{ "usbmuxd that comes and goes does not make a port flap",
		    "+a1/x [Aa,>a] a=ok M +a2/x M +a3/x M +a4/x []" },
		{ "an empty port that was set aside becomes calm",
		    "+a1/x -1 +a2/x -2 +a3/x -3 [#x] ~20 [=x]" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < countof(rows); i++) {
		struct story t = { 0 };
		struct error err = { 0 };
		char copy[512], *save = NULL, *word;

		row_named(rows[i].name);
		assert_int_equal(schedule_new(&settings, &t.s, &err), 0);
		snprintf(copy, sizeof(copy), "%s", rows[i].story);
		for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
			step(&t, word);
		schedule_free(t.s);
	}
}

/* ---- a long day: ten thousand plug cycles -------------------------------------------- */

enum { DEVICES = 60, CYCLES = 10000, LANES = 12, PER_CONTROLLER = 4, CONTROLLERS = 5 };

/* What the outside knows of each device, kept apart from the schedule. */
struct outside {
	bool		is_plugged, is_running, is_settled, is_told;
	uint32_t	handle;
	int64_t		ends_ms;	/* of its job */
	int64_t		plugged_ms;
};

struct day {
	struct schedule	*s;
	struct moment	 now;
	struct outside	 devices[DEVICES];
	uint32_t	 handle;
	unsigned	 running, cycles, starts, finals;
	unsigned	 on_controller[CONTROLLERS];
	uint64_t	 seed;
};

static unsigned
random_below(struct day *d, unsigned n)
{
	d->seed = d->seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(d->seed >> 33) % n;
}

static size_t
index_of(const char *udid)
{
	return (size_t)atoi(udid + 1);
}

static void
plug(struct day *d, size_t i)
{
	struct outside *o = &d->devices[i];
	struct error err = { 0 };
	char udid[16], port[16];

	snprintf(udid, sizeof(udid), "u%zu", i);
	snprintf(port, sizeof(port), "%zu-%zu", i % CONTROLLERS, i);
	o->is_plugged = true;
	o->is_settled = false;
	o->handle = ++d->handle;
	o->plugged_ms = d->now.ms;
	assert_int_equal(schedule_attach(d->s, o->handle, udid, port,
	    1 + (uint32_t)(i % CONTROLLERS), d->now, &err), 0);
	d->cycles++;
}

static void
unplug(struct day *d, size_t i)
{
	d->devices[i].is_plugged = false;
	schedule_detach(d->s, d->devices[i].handle, d->now);
}

static void
begin(struct day *d, const struct schedule_action *a)
{
	size_t i = index_of(a->udid);
	struct outside *o = &d->devices[i];

	assert_false(o->is_running);
	assert_true(o->is_plugged);
	assert_true(o->is_told);
	assert_int_equal(a->handle, o->handle);
	o->is_running = true;
	d->starts++;
	assert_true(++d->running <= LANES);
	assert_true(++d->on_controller[i % CONTROLLERS] <= PER_CONTROLLER);
	/* One in twenty hangs, until it is killed. */
	o->ends_ms = random_below(d, 20) ? d->now.ms + 100 + random_below(d, 3000) : INT64_MAX;
}

static void
finish(struct day *d, size_t i, bool was_killed)
{
	static const enum reason reasons[] = {
		REASON_NONE, REASON_NONE, REASON_NONE,
		REASON_TIMEOUT, REASON_LOCKED, REASON_REFUSED,
	};
	struct outside *o = &d->devices[i];
	enum reason reason = was_killed ? REASON_TIMEOUT :
	    o->is_plugged ? reasons[random_below(d, countof(reasons))] : REASON_UNPLUGGED;
	char udid[16];

	snprintf(udid, sizeof(udid), "u%zu", i);
	o->is_running = false;
	d->running--;
	d->on_controller[i % CONTROLLERS]--;
	if (schedule_result(d->s, udid, reason, INT64_MAX, d->now) == NEXT_FINAL && o->is_plugged) {
		o->is_settled = true;
		d->finals++;
	}
}

static void
obey(struct day *d)
{
	struct schedule_action a;

	while (schedule_take(d->s, d->now, &a)) {
		switch (a.what) {
		case DO_START:
			begin(d, &a);
			break;
		case DO_KILL:
			assert_true(d->devices[index_of(a.udid)].is_running);
			finish(d, index_of(a.udid), true);
			break;
		case DO_ARRIVED:
			d->devices[index_of(a.udid)].is_told = true;
			break;
		case DO_LEFT:
			d->devices[index_of(a.udid)].is_told = false;
			break;
		default:
			break;
		}
	}
}

static void
pass(struct day *d, int64_t ms)
{
	size_t i;

	d->now.ms += ms;
	d->now.wall_s = d->now.ms / 1000;
	for (i = 0; i < DEVICES; i++)
		if (d->devices[i].is_running && d->devices[i].ends_ms <= d->now.ms)
			finish(d, i, false);
	obey(d);
}

/* usbmuxd dies; all who were there come back under other numbers, but some do not. */
static void
lose_usbmuxd(struct day *d)
{
	size_t i;

	schedule_mux_lost(d->s, d->now);
	pass(d, 500);
	for (i = 0; i < DEVICES; i++) {
		bool was_settled = d->devices[i].is_settled;

		if (!d->devices[i].is_plugged)
			continue;
		d->devices[i].is_plugged = false;
		if (random_below(d, 10) == 0)
			continue;
		plug(d, i);
		d->devices[i].is_settled = was_settled;
	}
	/* Who stays away has left for good after its time. */
}

static void
a_long_day_loses_nobody(void **state)
{
	struct schedule_settings settings = SCHEDULE_DEFAULTS;
	struct day d = { .seed = 20261124 };
	struct error err = { 0 };
	struct schedule_counts counts;
	size_t i;

	(void)state;
	settings.lanes = LANES;
	settings.per_controller = PER_CONTROLLER;
	settings.job_ms = 8000;
	assert_int_equal(schedule_new(&settings, &d.s, &err), 0);
	while (d.cycles < CYCLES) {
		i = random_below(&d, DEVICES);
		if (d.devices[i].is_plugged)
			unplug(&d, i);
		else
			plug(&d, i);
		if (random_below(&d, 3) == 0)
			obey(&d);
		pass(&d, random_below(&d, 4) ? random_below(&d, 400) : 0);
		if (random_below(&d, 1000) == 0)
			lose_usbmuxd(&d);
	}
	/* Evening: all stay plugged in, and in the end each has its verdict. */
	for (i = 0; i < DEVICES; i++)
		if (!d.devices[i].is_plugged)
			plug(&d, i);
	for (i = 0; i < 20000; i++) {
		int64_t ms;

		obey(&d);
		ms = schedule_wait_ms(d.s, d.now);
		if (ms < 0 && d.running == 0)
			break;
		pass(&d, ms < 0 || ms > 50 ? 50 : ms);
	}
	for (i = 0; i < DEVICES; i++)
		assert_true(d.devices[i].is_settled && d.devices[i].is_told);
	counts = schedule_count(d.s);
	assert_int_equal(counts.attached, DEVICES);
	assert_int_equal(counts.running + counts.queued + counts.waiting + counts.aside, 0);
	print_message("         %u plug cycles, %u jobs, %u verdicts\n", d.cycles, d.starts,
	    d.finals);
	schedule_free(d.s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stories_end_well),
		cmocka_unit_test(a_long_day_loses_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
