/* ledgersample: writes a ledger as weeks of work would leave it, for tests and pictures */
#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/error.h"
#include "base/text.h"
#include "store/event.h"
#include "store/ledgerfile.h"

/* Usage: ledgersample FILE STATION DEVICES DAYS SEED; the end is now. */

struct sample {
	sqlite3		*db;
	sqlite3_stmt	*insert;
	const char	*station;
	int64_t		 sequence;
	char		 previous[EVENT_HASH_MAX];
	unsigned	 seed;
};

static void
die(const char *what)
{
	fprintf(stderr, "ledgersample: %s\n", what);
	exit(EX_SOFTWARE);
}

static int
chance(struct sample *s, int percent)
{
	return rand_r(&s->seed) % 100 < percent;
}

static void
append(struct sample *s, int64_t wall_ms, const char *run, const char *device,
    enum event_kind kind, json_t *body)
{
	char *text = json_dumps(body, JSON_SORT_KEYS | JSON_COMPACT), hash[EVENT_HASH_MAX];
	struct event e = {
		.station = s->station, .sequence = ++s->sequence, .wall_ms = wall_ms,
		.monotonic_ms = wall_ms % 1000000000,
		.boot = "5f0c7c1e-0000-4000-8000-000000000001", .run = run, .device = device,
		.kind = event_kind_word(kind), .body = text, .previous = s->previous,
	};
	const char *texts[] = { e.station, NULL, NULL, NULL, e.boot, e.run, e.device, e.kind,
		e.body, e.previous, hash };
	struct error err = { 0 };
	int i;

	if (event_hash(&e, hash, &err) < 0)
		die(err.message);
	for (i = 0; i < 11; i++)
		if (texts[i] || i == 6)
			sqlite3_bind_text(s->insert, i + 1, texts[i], -1, SQLITE_TRANSIENT);
	sqlite3_bind_int64(s->insert, 2, e.sequence);
	sqlite3_bind_int64(s->insert, 3, e.wall_ms);
	sqlite3_bind_int64(s->insert, 4, e.monotonic_ms);
	if (sqlite3_step(s->insert) != SQLITE_DONE)
		die(sqlite3_errmsg(s->db));
	sqlite3_reset(s->insert);
	memcpy(s->previous, hash, sizeof(hash));
	free(text);
	json_decref(body);
}

/* How a job of this device ends; some devices and one slot are worse than others. */
static const char *
reason_for(struct sample *s, int device, int slot)
{
	static const char *const failed[] = { "unplugged", "timeout", "refused", "unplugged" };
	static const char *const blocked[] = { "locked", "untrusted", "foreign-supervision",
		"unsupervised", "locked", "locked" };

	if (slot == 11 && chance(s, 45))
		return failed[rand_r(&s->seed) % 4];
	if (device % 19 == 7)
		return chance(s, 80) ? "foreign-supervision" : "untrusted";
	if (chance(s, 4))
		return failed[rand_r(&s->seed) % 4];
	if (chance(s, 7))
		return blocked[rand_r(&s->seed) % 6];
	return chance(s, 3) ? "profile-missing" : NULL;
}

static const char *
verdict_of(const char *reason)
{
	if (!reason)
		return "compliant";
	if (strncmp(reason, "profile", 7) == 0)
		return "noncompliant";
	return strcmp(reason, "unplugged") == 0 || strcmp(reason, "timeout") == 0 ||
	    strcmp(reason, "refused") == 0 ? "failed" : "blocked";
}

static json_t *
device_of(struct sample *s, int device, int slot)
{
	static const char *const names[] = { "Front desk", "Till", "Kiosk", "Classroom",
		"Meeting room", "Warehouse" };
	static const char *const products[][2] = { { "iPad13,18", "iPad (10th generation)" },
		{ "iPad12,1", "iPad (9th generation)" },
		{ "iPhone14,6", "iPhone SE (3rd generation)" } };
	static const char *const odd[] = { "<script>alert(1)</script>",
		"\xD7\x90\xD7\x99\xD7\xA4\xD7\x93 7",
		"WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW", "\"><img src=x onerror=alert(1)>" };
	char udid[40], serial[24], name[48];
	int kind = device % 3;

	(void)s;
	snprintf(udid, sizeof(udid), "00008%03d-%016X", 30 + kind, 0x1c2d3e00 + device * 7919);
	snprintf(serial, sizeof(serial), "F9FX%04XABCD", device * 37 + 4096);
	snprintf(name, sizeof(name), "%s %d", names[device % 6], device / 6 + 1);
	/* People call their devices anything. */
	if (device % 41 == 9)
		snprintf(name, sizeof(name), "%.40s", odd[device / 41 % 4]);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "udid", udid, "serial", serial,
	    "name", name, "product", products[kind][0], "model", products[kind][1], "class",
	    kind == 2 ? "iPhone" : "iPad", "os", device % 5 ? "18.1" : "17.7", "slot", slot);
}

static void
job(struct sample *s, int64_t at, const char *run, int device, int slot)
{
	json_t *about = device_of(s, device, slot);
	const char *udid = json_string_value(json_object_get(about, "udid"));
	const char *reason = reason_for(s, device, slot);
	const char *policy = device % 3 == 2 ? "acme-field" :
	    device % 2 ? "acme-retail" : "acme-school";
	int ms = 120 + rand_r(&s->seed) % 240 + (chance(s, 8) ? rand_r(&s->seed) % 4000 : 0);
	bool changes = !reason && chance(s, 30);

	append(s, at, run, udid, EVENT_JOB_STARTED, json_pack("{s:s, s:s}", "command", "apply",
	    "policy", policy));
	if (changes) {
		append(s, at + ms / 3, run, udid, EVENT_SENT,
		    json_pack("{s:s, s:s}", "step", "install", "profile", "com.acme.imessage-off"));
		append(s, at + ms / 2, run, udid, EVENT_ACKNOWLEDGED,
		    json_pack("{s:s}", "step", "install"));
	}
	append(s, at + ms, run, udid, EVENT_VERDICT, json_pack(
	    "{s:s, s:s, s:s, s:O, s:s, s:s?, s:s?, s:b, s:s, s:i,"
	    " s:[{s:s, s:b, s:o}, {s:s, s:b, s:o}]}", "schema", "chaperone.result/1",
	    "command", "apply", "run", run, "device", about, "verdict", verdict_of(reason),
	    "reason", reason, "truth", reason ? NULL : device % 5 ? "effective" : "present",
	    "changed", changes, "policy", policy, "duration_ms", ms,
	    "restrictions", "key", "allowChat", "want", 0,
	    "reported", reason ? json_null() : json_false(),
	    "key", device % 3 == 2 ? "allowAirDrop" : "allowEnablingRestrictions", "want", 0,
	    "reported", reason ? json_null() : json_false()));
	json_decref(about);
}

static void
day(struct sample *s, int64_t midnight_ms, int devices)
{
	char run[TEXT_UUID_MAX];
	int i;

	text_uuid_random(run);
	append(s, midnight_ms + 7 * 3600000LL, run, NULL, EVENT_OPERATOR,
	    json_pack("{s:s, s:s, s:s}", "command", "station", "user", "bench",
	    "from", "/dev/tty1"));
	for (i = 0; i < devices; i++)
		if (chance(s, 35) || (i % 23 == 3 && chance(s, 3)))
			if (i % 17 != 5 || chance(s, 4))
				job(s, midnight_ms + 8 * 3600000LL + (int64_t)i * 90000,
				    run, i, 1 + i % 16);
}

int
main(int argc, char **argv)
{
	struct sample s = { .station = argc > 2 ? argv[2] : "" };
	struct error err = { 0 };
	int64_t days, devices, seed, d, now = time(NULL);

	if (argc != 6 || text_number(argv[3], 1, 100000, &devices) < 0 ||
	    text_number(argv[4], 1, 10000, &days) < 0 ||
	    text_number(argv[5], 0, 1 << 30, &seed) < 0) {
		fprintf(stderr, "Usage: ledgersample FILE STATION DEVICES DAYS SEED\n");
		return EX_USAGE;
	}
	s.seed = (unsigned)seed;
	memcpy(s.previous, EVENT_NO_PREVIOUS, sizeof(s.previous));
	if (ledgerfile_open_write(argv[1], s.station, 1000, &s.db, &err) < 0)
		die(err.message);
	sqlite3_exec(s.db, "BEGIN", NULL, NULL, NULL);
	sqlite3_prepare_v2(s.db,
	    "INSERT INTO events (station, sequence, wall_ms, monotonic_ms, boot, run,"
	    " device, kind, body, previous, hash) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
	    -1, &s.insert, NULL);
	for (d = days; d > 0; d--) {
		time_t at = now - d * 86400;
		struct tm tm;

		gmtime_r(&at, &tm);
		/* Little happens on Sundays. */
		if (tm.tm_wday == 0 && days > 7)
			continue;
		day(&s, (at - at % 86400) * 1000,
		    (int)(tm.tm_wday == 6 ? devices / 4 + 1 : devices));
	}
	sqlite3_finalize(s.insert);
	if (sqlite3_exec(s.db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		die(sqlite3_errmsg(s.db));
	sqlite3_close(s.db);
	return 0;
}
