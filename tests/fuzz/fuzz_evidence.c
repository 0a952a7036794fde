/* fuzz_evidence: any bytes as a seal or statement from outside, and as a time stamp */
#include "tests/fuzz/harness.h"

#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/error.h"
#include "crypto/signed.h"
#include "crypto/timestamp.h"

/* Whose signatures the corpus bears. */
static const char anchor[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBPjCB5qADAgECAgEBMAoGCCqGSM49BAMCMAwxCjAIBgNVBAMMAVQwHhcNMjAw\n"
    "MTAxMDAwMDAwWhcNNDkwMTAxMDAwMDAwWjAMMQowCAYDVQQDDAFUMFkwEwYHKoZI\n"
    "zj0CAQYIKoZIzj0DAQcDQgAEkitDZz2JrayOtSupLgNmJi2E6rpot2yJOHb0zMbd\n"
    "7DySgrVFHUdDgIz6JQOuAa2LrbyTOX/SN+U/GB4nBnpNHaM5MDcwFgYDVR0lAQH/\n"
    "BAwwCgYIKwYBBQUHAwgwHQYDVR0OBBYEFMrFFIgcoo70rXHEgboyfPqlqwWOMAoG\n"
    "CCqGSM49BAMCA0cAMEQCIB6tXyyz1TFhovFSlQuWUmWLRpe7fIaVGEJtyI/fnH4o\n"
    "AiAeINd5IY69/EvXsae+3KOmNvse6aNN09XeLF4dXnbkZg==\n"
    "-----END CERTIFICATE-----\n";

static void
check_refusal(const struct error *err)
{
	if (err->kind == ERR_NONE || !err->message[0] || strpbrk(err->message, "\n\r\033"))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct blob anchors = { .data = (uint8_t *)(uintptr_t)anchor,
		.len = sizeof(anchor) - 1 };
	auto_signed struct signed_content s = { 0 };
	auto_timestamp struct timestamp t = { 0 };
	struct error err = { 0 };

	if (signed_open(data, len, &anchors, &s, &err) < 0)
		check_refusal(&err);
	else if (!s.is_trusted || s.content.len > len)
		abort();
	err = (struct error){ 0 };
	if (timestamp_open(data, len, &anchors, &t, &err) < 0)
		check_refusal(&err);
	else if (t.at < t.authority.not_before || t.at > t.authority.not_after)
		abort();
	return 0;
}
