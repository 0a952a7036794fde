/* catalogue: a handful of models that classrooms and counters really have */
#include "sim/catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/text.h"

/* Identifiers as in public device lists; boards and model numbers are plausible. */
static const struct model models[] = {
	{ "iPad7,11",   "iPad",   "J171AP",  "MW742", 0x8010, 0x14, 0x12AB, false },
	{ "iPad11,6",   "iPad",   "J171aAP", "MYL92", 0x8020, 0x24, 0x12AB, false },
	{ "iPad12,1",   "iPad",   "J181AP",  "MK2K3", 0x8030, 0x04, 0x12AB, false },
	{ "iPad12,2",   "iPad",   "J182AP",  "MK473", 0x8030, 0x06, 0x12AB, true },
	{ "iPad13,18",  "iPad",   "J271AP",  "MPQ03", 0x8101, 0x30, 0x12AB, false },
	{ "iPad13,19",  "iPad",   "J272AP",  "MQ6J3", 0x8101, 0x32, 0x12AB, true },
	{ "iPad14,1",   "iPad",   "J310AP",  "MK7M3", 0x8110, 0x16, 0x12AB, false },
	{ "iPad14,8",   "iPad",   "J507AP",  "MUWC3", 0x8112, 0x42, 0x12AB, false },
	{ "iPad16,3",   "iPad",   "J717AP",  "MVV83", 0x8132, 0x12, 0x12AB, false },
	{ "iPhone10,4", "iPhone", "D201AP",  "MQ6K2", 0x8015, 0x0A, 0x12A8, true },
	{ "iPhone12,8", "iPhone", "D79AP",   "MX9R2", 0x8030, 0x10, 0x12A8, true },
	{ "iPhone14,5", "iPhone", "D17AP",   "MLPF3", 0x8110, 0x18, 0x12A8, true },
	{ "iPhone15,2", "iPhone", "D73AP",   "MPXV3", 0x8120, 0x0C, 0x12A8, true },
	{ "iPhone17,3", "iPhone", "D47AP",   "MYE73", 0x8140, 0x08, 0x12A8, true },
	{ "iPod9,1",    "iPod",   "N112AP",  "MVHW2", 0x8010, 0x1C, 0x12AA, false },
};

static const struct {
	const char	*os, *build;
} builds[] = {
	{ "15.8.3", "19H386" }, { "16.7.10", "20H350" }, { "17.0", "21A329" },
	{ "17.7.2", "21H221" },
	{ "18.0", "22A3354" }, { "18.1", "22B83" }, { "18.2", "22C152" }, { "18.3", "22D63" },
	{ "18.5", "22F76" }, { "26.0", "23A341" },
};

const struct model *
catalogue_find(const char *product)
{
	static const char *const families[][2] = {
		{ "iPhone", "iPhone15,2" }, { "iPod", "iPod9,1" }, { "", "iPad13,18" },
	};
	size_t i;

	for (i = 0; i < countof(models); i++)
		if (strcmp(models[i].product, product) == 0)
			return &models[i];
	for (i = 0; i < countof(families); i++)
		if (strncmp(product, families[i][0], strlen(families[i][0])) == 0)
			break;
	return catalogue_find(families[i][1]);
}

bool
catalogue_has_short_udid(const struct model *model)
{
	return model->chip >= 0x8020;
}

/* splitmix64: every position starts a sequence of its own. */
static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9E3779B97F4A7C15u);

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

static void
make_address(uint64_t *state, char out[18])
{
	uint64_t bits = next_random(state);

	snprintf(out, 18, "3c:22:fb:%02x:%02x:%02x", (unsigned)(bits & 0xFF),
	    (unsigned)(bits >> 8 & 0xFF), (unsigned)(bits >> 16 & 0xFF));
}

static void
make_text(uint64_t *state, size_t len, char *out)
{
	static const char letters[] = "0123456789CDFGHJKLMNPQRTVWXY";
	size_t i;

	for (i = 0; i < len; i++)
		out[i] = letters[next_random(state) % (sizeof(letters) - 1)];
	out[len] = '\0';
}

/* Fifteen digits, the last one the Luhn check digit. */
static void
make_imei(uint64_t *state, char out[16])
{
	unsigned sum = 0, digit, i;
	char text[32];

	snprintf(text, sizeof(text), "35%012llu",
	    (unsigned long long)(next_random(state) % 1000000000000u));
	for (i = 0; i < 14; i++) {
		digit = (unsigned)(text[i] - '0') * (i % 2 ? 2 : 1);
		sum += digit / 10 + digit % 10;
	}
	memcpy(out, text, 14);
	out[14] = (char)('0' + (10 - sum % 10) % 10);
	out[15] = '\0';
}

static void
read_udid(const char *udid, struct plate *out)
{
	text_canonical_udid(udid, out->udid, sizeof(out->udid));
	if (strlen(out->udid) != 25)
		return;
	out->chip = (uint32_t)strtoul(out->udid, NULL, 16);
	out->ecid = strtoull(out->udid + 9, NULL, 16);
}

static void
make_udid(const struct model *model, uint64_t *state, struct plate *out)
{
	if (catalogue_has_short_udid(model)) {
		snprintf(out->udid, sizeof(out->udid), "%08X-%016llX", out->chip,
		    (unsigned long long)out->ecid);
		return;
	}
	snprintf(out->udid, sizeof(out->udid), "%016llx%016llx%08x",
	    (unsigned long long)next_random(state), (unsigned long long)next_random(state),
	    (unsigned)(next_random(state) & 0xFFFFFFFFu));
}

void
catalogue_engrave(const struct model *model, size_t position, const char *udid,
    const char *serial, struct plate *out)
{
	uint64_t state = 0xC4A9E205u + (uint64_t)position * 0x10001u;

	*out = (struct plate){ .chip = model->chip };
	/* Real ECIDs have a clear top and an even low nibble. */
	out->ecid = (next_random(&state) & 0x001FFFFFFFFFFFF0u) | 0xEu;
	make_address(&state, out->wifi);
	make_address(&state, out->bluetooth);
	make_text(&state, 10, out->serial);
	make_text(&state, 17, out->mlb);
	make_imei(&state, out->imei);
	out->die = next_random(&state) >> 8;
	if (udid && *udid)
		read_udid(udid, out);
	else
		make_udid(model, &state, out);
	if (serial && *serial)
		snprintf(out->serial, sizeof(out->serial), "%s", serial);
}

void
catalogue_build(const char *os, char *out, size_t size)
{
	unsigned major, minor;
	char *end;
	size_t i;

	for (i = 0; i < countof(builds); i++) {
		if (text_compare_versions(builds[i].os, os) == 0) {
			snprintf(out, size, "%s", builds[i].build);
			return;
		}
	}
	major = (unsigned)strtoul(os, &end, 10);
	minor = *end == '.' ? (unsigned)strtoul(end + 1, NULL, 10) : 0;
	/* iOS 18 is build train 22; 26 follows 18 directly. */
	major = major >= 26 ? major - 3 : major + 4;
	snprintf(out, size, "%u%c%u", major, (char)('A' + minor % 26), 100 + minor);
}
