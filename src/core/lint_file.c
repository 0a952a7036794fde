/* lint_file: the rules about the file itself (P) and about its wrapper (S) */
#include <string.h>

#include "base/error.h"
#include "base/plistguard.h"
#include "base/proplist.h"
#include "base/text.h"
#include "core/linter.h"

/* ---- the wrapper ------------------------------------------------------------ */

static void
judge_signer(struct linter *l)
{
	enum { MONTH = 30 * 86400 };
	const struct lint_signature *s = l->signature;
	int64_t now = l->target->now;

	if (s->is_self_signed)
		lint_add_at(l, LINT_S003, LINT_USUAL, 0,
		    "the signer vouches for itself: the device shows Not Verified "
		    "unless that very certificate is trusted there");
	else if (!s->is_chain_complete)
		lint_add_at(l, LINT_S003, LINT_USUAL, 0,
		    "certificates between the signer and its root are missing from the signature: "
		    "the device shows Not Verified");
	if (s->is_weak)
		lint_add_at(l, LINT_S004, LINT_USUAL, 0,
		    "signed with SHA-1 or with an RSA key below 2048 bits: "
		    "devices stop trusting such signatures");
	if (s->not_after && now && s->not_after <= now)
		lint_add_at(l, LINT_S004, LINT_USUAL, 0,
		    "the signer's certificate has expired: the device shows Not Verified "
		    "(an installed profile stays in force)");
	else if (s->not_after && now && s->not_after - now < MONTH)
		lint_add_at(l, LINT_S004, LINT_USUAL, 0,
		    "the signer's certificate expires within 30 days; "
		    "then the device shows Not Verified");
}

void
lint_wrapper(struct linter *l)
{
	switch (l->signature->wrapper) {
	case LINT_WRAPPER_NONE:
		lint_add_at(l, LINT_S005, LINT_USUAL, 0,
		    "not signed: the device shows Not Signed; what it restricts is the same");
		break;
	case LINT_WRAPPER_SIGNED:
		judge_signer(l);
		break;
	case LINT_WRAPPER_ALTERED:
		lint_add_at(l, LINT_S001, LINT_USUAL, 0,
		    "changed after it was signed, or signed badly: the device refuses it");
		break;
	case LINT_WRAPPER_DETACHED:
		lint_add_at(l, LINT_S002, LINT_USUAL, 0,
		    "the signature does not contain the profile: "
		    "the device finds nothing to install");
		break;
	case LINT_WRAPPER_ENCRYPTED:
		lint_add_at(l, LINT_S002, LINT_USUAL, 0, "encrypted as a whole: a device wants "
		    "a signed or plain profile with EncryptedPayloadContent inside");
		break;
	case LINT_WRAPPER_TEXT:
		lint_add_at(l, LINT_S006, LINT_USUAL, 0,
		    "a signature as text (PEM or S/MIME): a device accepts DER only; "
		    "convert it with openssl cms -outform DER");
		break;
	case LINT_WRAPPER_BROKEN:
		if (!l->signature->has_trailing_bytes)
			lint_add_at(l, LINT_S001, LINT_USUAL, 0,
			    "begins like a signature and is none: the device refuses it");
		break;
	}
	if (l->signature->has_trailing_bytes)
		lint_add_at(l, LINT_S007, LINT_USUAL, 0,
		    "bytes follow the signature: the device refuses it, or ignores them; "
		    "they are not part of the profile");
}

/* ---- encoding --------------------------------------------------------------- */

static int
put_utf8(struct blob *out, uint32_t c)
{
	uint8_t b[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;

	if (n == 1) {
		b[0] = (uint8_t)c;
		return blob_append(out, b, 1);
	}
	for (i = n; i-- > 1; c >>= 6)
		b[i] = (uint8_t)(0x80 | (c & 0x3F));
	b[0] = (uint8_t)((0xF00u >> n) & 0xFF) | (uint8_t)c;
	return blob_append(out, b, n);
}

/* false: not UTF-16, or memory ran out. Half a pair becomes U+FFFD. */
static bool
from_utf16(struct linter *l, const uint8_t *p, size_t len)
{
	bool is_little = len >= 2 && p[0] == 0xFF && p[1] == 0xFE;
	bool is_big = len >= 2 && p[0] == 0xFE && p[1] == 0xFF;
	size_t i;

	if (!is_little && !is_big)
		return false;
	for (i = 2; i + 1 < len; i += 2) {
		uint32_t c = is_little ? (uint32_t)(p[i + 1] << 8 | p[i]) :
		    (uint32_t)(p[i] << 8 | p[i + 1]);

		if (c >= 0xD800 && c < 0xDC00 && i + 3 < len) {
			uint32_t low = is_little ? (uint32_t)(p[i + 3] << 8 | p[i + 2])
			    : (uint32_t)(p[i + 2] << 8 | p[i + 3]);

			if (low >= 0xDC00 && low < 0xE000) {
				c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
				i += 2;
			}
		}
		if (c >= 0xD800 && c < 0xE000)
			c = 0xFFFD;
		if (put_utf8(&l->converted, c) < 0) {
			lint_fail(l);
			return false;
		}
	}
	return true;
}

/* ---- the property list ------------------------------------------------------ */

static enum lint_rule_number
rule_of(enum plistguard_problem problem)
{
	switch (problem) {
	case PLIST_NOT_A_LIST: return LINT_P001;
	case PLIST_TOO_LARGE: return LINT_P005;
	case PLIST_ENTITIES: return LINT_P003;
	case PLIST_TOO_DEEP: case PLIST_TOO_MANY: return LINT_P004;
	case PLIST_TRAILING: return LINT_S007;
	default: return LINT_P002;
	}
}

static bool
parse(struct linter *l, const uint8_t *data, size_t len)
{
	struct plistguard_finding guard;
	struct error err = { 0 };

	if (!plistguard_check(data, len, &PROPLIST_FILE, &guard)) {
		lint_add_at(l, rule_of(guard.problem), LINT_ERROR, guard.offset, "%s", guard.text);
		return false;
	}
	if (outline_read(data, len, &l->outline, &err) < 0) {
		if (err.kind != ERR_DATA)
			lint_fail(l);
		else
			lint_add_at(l, LINT_P002, LINT_USUAL, l->outline.trouble, "%s",
			    l->outline.why);
		return false;
	}
	if (proplist_parse(data, len, &PROPLIST_FILE, ERR_DATA, &l->root, &err) < 0) {
		lint_add_at(l, LINT_P002, LINT_USUAL, 0, "%s", err.message);
		return false;
	}
	return true;
}

/* libplist takes them; what reads XML as XML does not. */
static void
look_for_foreign_characters(struct linter *l, const char *data, size_t len)
{
	size_t at = len >= 6 && memcmp(data, "bplist", 6) == 0 ? len : text_xml_fault(data, len);

	if (at < len)
		lint_add_at(l, LINT_P002, LINT_USUAL, at,
		    "a character that is not UTF-8, or that XML does not allow");
}

static void
found_duplicate(void *ctx, uint32_t node)
{
	struct linter *l = ctx;
	size_t len = 0;
	const char *key = outline_key(&l->outline, node, &len);
	char copy[64];

	snprintf(copy, sizeof(copy), "%.*s", (int)(len < 60 ? len : 60), key);
	lint_add_at(l, LINT_P008, LINT_USUAL, l->outline.nodes[node].offset,
	    "%s is in this dictionary twice: the later one counts", lint_text(copy).s);
}

static void
look_for_duplicates(struct linter *l)
{
	uint32_t i;

	for (i = 0; i < l->outline.n; i++)
		if (l->outline.nodes[i].kind == OUTLINE_DICT &&
		    outline_duplicates(&l->outline, i, found_duplicate, l) < 0) {
			lint_fail(l);
			return;
		}
}

bool
lint_file(struct linter *l, const void *data, size_t len)
{
	const uint8_t *p = data;

	if (len > LINT_BYTES_MAX) {
		lint_add_at(l, LINT_P005, LINT_ERROR, 0, "larger than %d MiB: not read",
		    LINT_BYTES_MAX >> 20);
		return false;
	}
	if (len > LINT_BYTES_LARGE)
		lint_add_at(l, LINT_P005, LINT_USUAL, 0, "%zu KiB are unusual for a profile",
		    len >> 10);
	if (from_utf16(l, p, len)) {
		lint_add_at(l, LINT_P006, LINT_USUAL, 0, "written in UTF-16: save it as UTF-8");
		p = l->converted.data;
		len = l->converted.len;
	} else if (len >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) {
		lint_add_at(l, LINT_P006, LINT_USUAL, 0,
		    "begins with a byte order mark: save it without");
		p += 3;
		len -= 3;
		if (blob_set(&l->converted, p, len) < 0)
			lint_fail(l);
	}
	if (l->has_failed || !parse(l, p, len))
		return false;
	look_for_foreign_characters(l, (const char *)p, len);
	look_for_duplicates(l);
	if (!node_is(l->root, PLIST_DICT)) {
		lint_add_at(l, LINT_P007, LINT_USUAL, 0,
		    "not a profile: the root is no dictionary");
		return false;
	}
	return true;
}
