/* fuzz_device: whole jobs against a device that may answer anything */
#include "tests/fuzz/harness.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "core/desired.h"
#include "core/verdict.h"
#include "crypto/digest.h"
#include "crypto/pairing.h"
#include "crypto/signrequest.h"
#include "flow/job.h"
#include "flow/report.h"
#include "tests/fuzz/talk.h"
#include "wire/mux.h"
#include "wire/muxlink.h"

enum { CONNECTIONS_MAX = 16 };

/* What the first byte chooses beside the kind of job. */
enum choice {
	HAS_RECORD = 1 << 3,
	HAS_IDENTITY = 1 << 4,
	ASKS_PERSON = 1 << 5,
	IS_NAMED = 1 << 6,	/* the profile names its organization */
	IS_REFUSED = 1 << 7,	/* the ledger cannot be written */
};

static struct talk talk;
static unsigned choice;
static int far_ends[CONNECTIONS_MAX];
static size_t n_far_ends;

/* ---- in place of wire/muxlink and crypto/pairing: no usbmuxd, no new keys --------- */

int
mux_connect(const struct mux_device *device, uint16_t port, struct deadline deadline, int *fd,
    struct error *err)
{
	auto_blob struct blob said = { 0 };

	(void)deadline;
	if (device->handle == 0 || port == 0)
		abort();
	if (n_far_ends == CONNECTIONS_MAX)
		return error_set(err, ERR_LINK, "the device is no longer attached");
	talk_frame(&talk, TALK_DEVICE, &said);
	talk_turn(&talk);
	*fd = talk_socket(SOCK_STREAM, &said, &far_ends[n_far_ends++]);
	return 0;
}

int
mux_read_pair_record(const struct mux_device *device, struct deadline deadline, struct blob *out,
    struct error *err)
{
	static const char record[] = "<plist><dict><key>HostID</key><string>H</string>"
	    "<key>SystemBUID</key><string>B</string><key>HostCertificate</key><data>AAAA</data>"
	    "<key>HostPrivateKey</key><data>AAAA</data><key>EscrowBag</key><data>AAAA</data>"
	    "</dict></plist>";

	(void)device;
	(void)deadline;
	if (!(choice & HAS_RECORD))
		return 0;
	return blob_set(out, record, strlen(record)) < 0 ? error_memory(err) : 1;
}

int
mux_save_pair_record(const struct mux_device *device, const struct blob *record,
    struct deadline deadline, struct error *err)
{
	(void)device;
	(void)deadline;
	return record->len ? 0 : error_set(err, ERR_MUX, "an empty record");
}

int
mux_delete_pair_record(const struct mux_device *device, struct deadline deadline,
    struct error *err)
{
	(void)device;
	(void)deadline;
	(void)err;
	return 0;
}

int
mux_read_buid(struct deadline deadline, char out[64], struct error *err)
{
	(void)deadline;
	(void)err;
	strcpy(out, "B");
	return 0;
}

int
pairing_keys_new(struct pairing_keys **out, struct error *err)
{
	(void)err;
	*out = NULL;
	return 0;
}

void
pairing_keys_free(struct pairing_keys *k)
{
	(void)k;
}

int
pairing_create(const struct pairing_keys *keys, const void *device_key, size_t len,
    struct pairing *out, struct error *err)
{
	(void)keys;
	if (len < 16 || memcmp(device_key, "-----BEGIN", 10) != 0)
		return error_set(err, ERR_PROTOCOL, "the device's public key is none");
	if (blob_set(&out->host_certificate, "c", 1) < 0 || blob_set(&out->host_key, "k", 1) < 0)
		return error_memory(err);
	return 0;
}

void
pairing_clear(struct pairing *p)
{
	blob_clear(&p->root_certificate);
	blob_clear(&p->root_key);
	blob_clear(&p->host_certificate);
	blob_clear(&p->host_key);
	blob_clear(&p->device_certificate);
}

/* ---- what is asked ----------------------------------------------------------------- */

static int
permit(void *ctx, const struct job_request *request, struct error *err)
{
	(void)ctx;
	if (!request->step)
		abort();
	return choice & IS_REFUSED ? error_set(err, ERR_IO, "the ledger") : 0;
}

static void
build(enum job_kind kind, struct desired *out)
{
	static const char *const presets[] = { "imessage-off" };
	const struct profile_spec spec = { .presets = presets, .n_presets = 1,
		.organization = choice & IS_NAMED ? "Acme" : NULL };
	struct error err = { 0 };

	static const char given[] =
	    "<plist><dict><key>PayloadType</key><string>Configuration</string>"
	    "<key>PayloadVersion</key><integer>1</integer>"
	    "<key>PayloadIdentifier</key><string>com.given</string>"
	    "<key>PayloadUUID</key><string>6F1B2C3D-0000-4000-8000-000000000000</string>"
	    "<key>PayloadContent</key><array><dict>"
	    "<key>PayloadType</key><string>com.apple.applicationaccess</string>"
	    "<key>PayloadVersion</key><integer>1</integer>"
	    "<key>PayloadIdentifier</key><string>com.given.1</string>"
	    "<key>PayloadUUID</key><string>6F1B2C3D-0000-4000-8000-000000000001</string>"
	    "<key>allowChat</key><false/>"
	    "<key>forceDelayedSoftwareUpdates</key><true/></dict></array></dict></plist>";
	const struct blob file = { .data = (uint8_t *)(uintptr_t)given, .len = strlen(given) };

	out->digest = digest_sha256;
	if (!(choice & IS_NAMED) && desired_add_file(out, &file, &file, &err) < 0)
		abort();
	if (desired_add_spec(out, &spec, &err) < 0 ||
	    desired_add_absent(out, "com.old.*", &err) < 0 ||
	    (kind == JOB_REMOVE && desired_invert(out, &err) < 0))
		abort();
}

/* What names its organization is never settled, and so built once. */
static struct desired *
desire(enum job_kind kind, struct desired *fresh)
{
	static struct desired kept[2];
	struct desired *named = &kept[kind == JOB_REMOVE];

	if (!(choice & IS_NAMED)) {
		build(kind, fresh);
		return fresh;
	}
	if (!named->digest)
		build(kind, named);
	return named;
}

/* A signer that has answered already, as often as a job can ask. */
static int
open_signer(int *other)
{
	uint8_t packet[SIGNANSWER_MAX];
	const struct signanswer answer = { .body = (const uint8_t *)"signature", .len = 9 };
	size_t len = signanswer_write(&answer, packet), i;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		abort();
	for (i = 0; i < 4; i++)
		if (send(ends[1], packet, len, MSG_DONTWAIT) < 0)
			abort();
	*other = ends[1];
	return ends[0];
}

/* ---- what must hold, whatever was answered ------------------------------------------ */

/* A good word rests on the device's own list, and a restriction on its own report. */
static void
check_verdict(enum job_kind kind, const struct outcome *o)
{
	const struct judgement *j = &o->judgement;
	size_t i;

	if (o->reason != REASON_NONE || kind == JOB_LIST || kind == JOB_SHOW)
		return;
	if (kind == JOB_DIFF && !o->facts.has_profiles)
		abort();
	if (o->error.kind != ERR_NONE)
		abort();
	if (kind == JOB_PAIR || kind == JOB_UNPAIR || kind == JOB_DIFF)
		return;
	if (o->truth < TRUTH_PRESENT || !o->facts.has_profiles || judgement_has_work(j))
		abort();
	for (i = 0; i < j->n_profiles; i++) {
		const struct profile_judgement *p = &j->profiles[i];

		if (p->is_wanted != (p->found != NULL) ||
		    (p->is_wanted && strcmp(p->found->uuid, p->expected_uuid) != 0))
			abort();
	}
	for (i = 0; o->truth == TRUTH_EFFECTIVE && i < j->n_restrictions; i++)
		if (!j->restrictions[i].reported || j->restrictions[i].is_in_force != YES)
			abort();
}

/* It was told that a change was acknowledged only when one was permitted. */
static void
check_changes(const struct outcome *o)
{
	if ((choice & IS_REFUSED) && (o->is_changed || o->furthest != TRUTH_NONE))
		abort();
}

static void
check_report(const struct job *job, const struct outcome *o)
{
	bool is_device = job->kind == JOB_LIST || job->kind == JOB_SHOW;
	json_t *report = is_device ? report_device(o, job->kind == JOB_SHOW)
	    : job->kind == JOB_DIFF ? report_diff(o)
	    : report_result(job, "00000000-0000-0000-0000-000000000000", o);
	auto_free char *text = report ? json_dumps(report, JSON_COMPACT) : NULL;
	const char *p;

	if (!text)
		abort();
	for (p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7F)
			abort();
	json_decref(report);
}

static void
run(enum job_kind kind)
{
	static uint8_t bytes[] = "certificate";
	static const struct blob certificate = { .data = bytes, .len = sizeof(bytes) - 1 };
	const struct mux_device device = { .handle = 1, .udid = "00008101-000000000000001E" };
	const struct job_listener listener = { .permit = permit };
	auto_desired struct desired fresh = { 0 };
	auto_outcome struct outcome outcome = { 0 };
	auto_fd int signer = -1, signer_end = -1;
	struct job job = { .kind = kind, .desired = desire(kind, &fresh), .signer = -1,
		.timeout_ms = 5000, .may_ask_person = choice & ASKS_PERSON };

	if (choice & HAS_IDENTITY) {
		job.certificate = &certificate;
		job.signer = signer = open_signer(&signer_end);
	}
	job_run(&job, &device, &listener, &outcome);
	check_verdict(kind, &outcome);
	if (kind != JOB_UNPAIR)
		check_changes(&outcome);
	check_report(&job, &outcome);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	/* Whether usbmuxd still lists the device is asked of nobody. */
	setenv("USBMUXD_SOCKET_ADDRESS", "UNIX:/nonexistent/usbmuxd", 1);
	talk = talk_begin(data, len, &choice);
	/* Three bits for nine kinds: the given file takes the place of show. */
	run(choice % 8 == JOB_SHOW && !(choice & IS_NAMED) ? JOB_DIFF :
	    (enum job_kind)(choice % 8));
	while (n_far_ends)
		close(far_ends[--n_far_ends]);
	return 0;
}
