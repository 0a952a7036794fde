/* mobileconfig: reads a profile from disk and opens its envelope */
#include "flow/mobileconfig.h"

#include "base/blob.h"
#include "base/error.h"
#include "base/file.h"
#include "crypto/envelope.h"

enum { PROFILE_FILE_MAX = 16 << 20 };

int
mobileconfig_check(const char *path, const struct envelope *e, struct error *err)
{
	switch (e->kind) {
	case ENVELOPE_NONE:
	case ENVELOPE_SIGNED:
		return 0;
	case ENVELOPE_ALTERED:
		error_set(err, ERR_DATA, "%s was changed after it was signed", path);
		return error_hint(err, "the device would refuse it: sign it again");
	case ENVELOPE_TEXT:
		error_set(err, ERR_DATA, "%s is PEM or S/MIME text; a device takes DER only", path);
		return error_hint(err,
		    "openssl cms -in FILE -inform PEM -cmsout -outform DER converts it");
	default:
		return error_set(err, ERR_DATA, "%s is no profile that can be read", path);
	}
}

int
mobileconfig_read(const char *path, struct blob *raw, struct blob *content, struct error *err)
{
	auto_envelope struct envelope envelope = { 0 };

	if (file_read(path, PROFILE_FILE_MAX, FILE_ANY, raw, err) < 0 ||
	    envelope_open(raw->data, raw->len, &envelope, err) < 0 ||
	    mobileconfig_check(path, &envelope, err) < 0)
		return -1;
	blob_clear(content);
	*content = blob_steal(&envelope.content);
	return 0;
}
