/* chain: reads the ErrorChain of a device's refusal */
#include "core/chain.h"

#include <stdio.h>
#include <string.h>

#include "base/clean.h"
#include "base/error.h"
#include "base/proplist.h"
#include "base/text.h"

static void
copy_printable(plist_t dict, const char *key, char *out, size_t size)
{
	const char *s = dict_get_string(dict, key);

	if (s)
		text_printable(s, strlen(s), out, size);
}

static int64_t
read_code(plist_t link)
{
	const char *digits = dict_get_string(link, "ErrorCode");
	int64_t code = 0;

	if (dict_get_int(link, "ErrorCode", &code) ||
	    (digits && text_number(digits, INT64_MIN, INT64_MAX, &code) == 0))
		return code;
	return 0;
}

static void
read_link(plist_t link, struct chain_link *out)
{
	copy_printable(link, "ErrorDomain", out->domain, sizeof(out->domain));
	out->code = read_code(link);
	/* English first: the log and the record are read far from the device. */
	copy_printable(link, "LocalizedDescription", out->text, sizeof(out->text));
	copy_printable(link, "USEnglishDescription", out->text, sizeof(out->text));
}

void
chain_read(plist_t reply, struct chain *out)
{
	plist_t list = dict_get_array(reply, "ErrorChain");
	uint32_t n = list ? plist_array_get_size(list) : 0, i;

	*out = (struct chain){ 0 };
	/* The last link names the cause: of a chain too long it is kept. */
	for (i = 0; i < n; i++) {
		bool is_last = i + 1 == n;

		if (out->n == CHAIN_MAX - 1 && !is_last) {
			out->left_out++;
			continue;
		}
		read_link(plist_array_get_item(list, i), &out->link[out->n++]);
	}
}

const struct chain_link *
chain_cause(const struct chain *chain)
{
	return chain->n ? &chain->link[chain->n - 1] : NULL;
}
