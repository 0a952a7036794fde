/* fuzz_reply: any bytes as one answer of a device, through every reader of answers */
#include "tests/fuzz/harness.h"

#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/error.h"
#include "base/proplist.h"
#include "base/text.h"
#include "core/chain.h"
#include "core/facts.h"
#include "wire/lockdown.h"
#include "wire/mcinstall.h"
#include "wire/mux.h"
#include "wire/pair_record.h"

/* Whatever a device said, a terminal takes it. */
static void
check_text(const char *s, size_t size)
{
	char again[CHAIN_TEXT_MAX + 1024];
	size_t len = strnlen(s, size);

	if (len == size)
		abort();
	text_printable(s, len, again, sizeof(again));
	if (strcmp(s, again) != 0)
		abort();
}

static void
check_error(const struct error *err)
{
	size_t i;

	check_text(err->message, sizeof(err->message));
	if (err->chain.n > CHAIN_MAX)
		abort();
	for (i = 0; i < err->chain.n; i++) {
		check_text(err->chain.link[i].domain, sizeof(err->chain.link[i].domain));
		check_text(err->chain.link[i].text, sizeof(err->chain.link[i].text));
	}
}

static void
check_facts(const struct facts *f)
{
	const char *const texts[] = { f->name, f->serial, f->product, f->device_class, f->os,
		f->build, f->activation, f->organization };
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (texts[i])
			check_text(texts[i], 1024);
	for (i = 0; i < f->n_profiles; i++)
		if (!f->profiles[i].identifier)
			abort();
}

/* Each reader alone: what one left behind must not be what the next finds. */
static void
read_facts(plist_t reply, const struct blob *certificate)
{
	auto_facts struct facts all = { 0 };
	auto_facts struct facts values = { 0 }, list = { 0 }, cloud = { 0 }, restrictions = { 0 };
	struct error err = { 0 };

	(void)facts_read_values(&values, reply, &err);
	(void)facts_read_profile_list(&list, reply, &err);
	(void)facts_read_cloud(&cloud, reply, certificate, &err);
	(void)facts_read_restrictions(&restrictions, reply, &err);
	check_error(&err);
	check_facts(&values);
	check_facts(&list);
	check_facts(&cloud);
	check_facts(&restrictions);
	/* And twice into the same. */
	(void)facts_read_values(&all, reply, &err);
	(void)facts_read_values(&all, reply, &err);
	(void)facts_read_profile_list(&all, reply, &err);
	(void)facts_read_profile_list(&all, reply, &err);
	(void)facts_read_cloud(&all, reply, certificate, &err);
	(void)facts_read_cloud(&all, reply, NULL, &err);
	(void)facts_read_restrictions(&all, reply, &err);
	facts_forget_profiles(&all);
	check_facts(&all);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t bytes[] = "certificate";
	const struct blob certificate = { .data = bytes, .len = sizeof(bytes) - 1 };
	auto_blob struct blob stored = { 0 };
	auto_pair_record struct pair_record record = { 0 };
	auto_plist plist_t reply = NULL;
	struct error err = { 0 };
	struct mux_device device;

	if (proplist_parse(data, len, &PROPLIST_WIRE, ERR_PROTOCOL, &reply, &err) < 0) {
		check_error(&err);
		return 0;
	}
	if (mcinstall_check_reply("Request", reply, &err) < 0)
		check_error(&err);
	err = (struct error){ 0 };
	if (lockdown_refused("Request", reply, &err) == 0)
		abort();
	check_error(&err);
	read_facts(reply, &certificate);
	if (mux_parse_device(reply, &device) == 0 && (device.handle == 0 || !device.udid[0]))
		abort();
	if (blob_set(&stored, data, len) == 0)
		(void)pair_record_parse(&stored, &record, &err);
	return 0;
}
