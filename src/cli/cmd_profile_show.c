/* cmd_profile_show: profile show: a profile in words */
#include "cli/command.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/proplist.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/profile_file.h"
#include "core/keys.h"
#include "core/profile.h"
#include "core/words.h"
#include "crypto/digest.h"
#include "flow/plist_json.h"

enum { SHOWN = 300 };

static const char *
safe(const char *foreign, char buffer[SHOWN])
{
	text_printable(foreign ? foreign : "-", foreign ? strlen(foreign) : 1, buffer, SHOWN);
	return buffer;
}

/* ---- the wrapper -------------------------------------------------------------------- */

static const char *
wrapper_word(const struct envelope *e)
{
	switch (e->kind) {
	case ENVELOPE_NONE: return "plain";
	case ENVELOPE_SIGNED: return "signed";
	case ENVELOPE_ALTERED: return "altered";
	case ENVELOPE_DETACHED: return "detached";
	case ENVELOPE_ENCRYPTED: return "encrypted";
	case ENVELOPE_TEXT: return "text";
	case ENVELOPE_BROKEN: break;
	}
	return "broken";
}

static json_t *
signer_object(const struct envelope *e)
{
	const struct cert *c = &e->signer;
	char from[TEXT_TIME_MAX], to[TEXT_TIME_MAX];

	if (!c->sha256[0])
		return json_null();
	text_time_utc((struct timespec){ .tv_sec = c->not_before }, from);
	text_time_utc((struct timespec){ .tv_sec = c->not_after }, to);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:s}",
	    "common_name", c->common_name, "organization", c->organization, "issuer", c->issuer,
	    "key", c->key, "sha256", c->sha256, "not_before", from, "not_after", to,
	    "expired", time(NULL) > c->not_after, "self_signed", e->is_self_signed,
	    "chain_complete", e->is_chain_complete, "weak", e->is_weak, "digest", e->digest);
}

static void
print_signer(const struct envelope *e)
{
	const struct cert *c = &e->signer;
	char from[TEXT_TIME_MAX], to[TEXT_TIME_MAX];

	printf("signature      %s\n", profile_file_wrapper(e));
	if (!c->sha256[0])
		return;
	text_time_utc((struct timespec){ .tv_sec = c->not_before }, from);
	text_time_utc((struct timespec){ .tv_sec = c->not_after }, to);
	printf("signer         %s (%s), issued by %s\n", c->common_name, c->organization,
	    c->issuer);
	printf("               %s, %s%s; valid %.10s to %.10s%s\n", c->key, e->digest,
	    e->is_weak ? " (weak)" : "", from, to, time(NULL) > c->not_after ? " (expired)" : "");
	printf("               sha256 %s\n", c->sha256);
}

/* ---- the profile ----------------------------------------------------------------------- */

static json_t *
lines_of(const struct words *w, enum words_part part)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < w->n; i++)
		if (w->lines[i].part == part)
			json_array_append_new(array, json_string(w->lines[i].text));
	return array;
}

static json_t *
restrictions_of(const struct profile *p, const struct words *w)
{
	json_t *array = json_array();
	size_t i, k;

	for (i = 0; i < w->n; i++) {
		plist_t value = NULL;
		char key[SHOWN];

		if (w->lines[i].part != WORDS_RESTRICTED)
			continue;
		for (k = 0; k < p->n_restrictions && !value; k++)
			if (strcmp(p->restrictions[k].key, w->lines[i].key) == 0)
				value = p->restrictions[k].value;
		/* What no one knows may hold anything: its value is not repeated. */
		if (!key_find(RESTRICTIONS, w->lines[i].key))
			value = NULL;
		json_array_append_new(array, json_pack("{s:s, s:o, s:s, s:s}",
		    "key", safe(w->lines[i].key, key), "value", plist_to_json(value),
		    "group", w->lines[i].group, "effect", w->lines[i].text));
	}
	return array;
}

static void
hash_of(const struct blob *b, char out[65])
{
	uint8_t hash[32];

	digest_sha256(b->data, b->len, hash);
	text_hex(hash, sizeof(hash), out);
}

static void
show_json(const struct profile_file *f, const struct profile *p, const struct words *w)
{
	char hash[65], a[SHOWN], b[SHOWN], c[SHOWN], d[SHOWN], e[SHOWN];
	bool is_encrypted = false;
	json_t *object;

	hash_of(&f->raw, hash);
	dict_get_bool(p->root, "IsEncrypted", &is_encrypted);
	object = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:I, s:b, s:b, s:b}",
	    "schema", "chaperone.profile/1", "file", safe(f->path, a), "sha256", hash,
	    "wrapper", wrapper_word(&f->envelope), "signer", signer_object(&f->envelope),
	    "identifier", safe(p->identifier, b), "uuid", safe(p->uuid, c),
	    "version", (json_int_t)p->version, "content_addressed", p->is_content_addressed,
	    "removal_disallowed", p->is_removal_disallowed, "encrypted", is_encrypted);
	if (!object)
		return;
	json_object_set_new(object, "display_name",
	    p->display_name ? json_string(safe(p->display_name, d)) : json_null());
	json_object_set_new(object, "organization",
	    p->organization ? json_string(safe(p->organization, e)) : json_null());
	json_object_set_new(object, "restrictions", restrictions_of(p, w));
	json_object_set_new(object, "settings", lines_of(w, WORDS_SETTINGS));
	json_object_set_new(object, "still_works", lines_of(w, WORDS_STAYS));
	json_object_set_new(object, "removal", lines_of(w, WORDS_REMOVAL));
	output_json_line(stdout, object);
}

static void
print_part(const struct words *w, enum words_part part, const char *title)
{
	const char *group = NULL;
	bool is_first = true;
	size_t i;

	for (i = 0; i < w->n; i++) {
		const struct words_line *line = &w->lines[i];

		if (line->part != part)
			continue;
		if (is_first)
			printf("\n%s\n", title);
		is_first = false;
		if (line->group && (!group || strcmp(group, line->group) != 0))
			printf("  %s\n", line->group);
		group = line->group;
		printf(line->group ? "    %s" : "  %s", line->text);
		printf(line->key && key_find(RESTRICTIONS, line->key) ? "  (%s)\n" : "\n",
		    line->key ? line->key : "");
	}
}

static void
show_text(const struct profile_file *f, const struct profile *p, const struct words *w)
{
	char hash[65], buffer[SHOWN];
	bool is_encrypted = false;

	hash_of(&f->raw, hash);
	dict_get_bool(p->root, "IsEncrypted", &is_encrypted);
	printf("name           %s\n", safe(p->display_name, buffer));
	printf("organization   %s\n", safe(p->organization, buffer));
	printf("identifier     %s\n", safe(p->identifier, buffer));
	printf("uuid           %s%s\n", safe(p->uuid, buffer),
	    p->is_content_addressed ? " (names this very content)" : "");
	printf("version        %lld\n", (long long)p->version);
	printf("file           sha256 %s\n", hash);
	print_signer(&f->envelope);
	if (is_encrypted)
		printf("\nThe payloads are encrypted for one device: "
		    "what they do cannot be seen here.\n");
	print_part(w, WORDS_RESTRICTED, "What the device will not do");
	print_part(w, WORDS_SETTINGS, "What else it brings");
	print_part(w, WORDS_STAYS, "What still works");
	print_part(w, WORDS_REMOVAL, "How it ends");
}

int
cmd_profile_show(struct cli *cli)
{
	auto_profile_file struct profile_file f = { 0 };
	auto_profile struct profile p = { 0 };
	auto_words struct words w = { 0 };
	struct error err = { 0 };

	if (profile_file_load(cli->args[0], &f, &p, &err) < 0 || words_of_profile(&p, &w, &err) < 0)
		return cli_fail(cli, &err);
	if (cli->options.json)
		show_json(&f, &p, &w);
	else
		show_text(&f, &p, &w);
	return 0;
}
