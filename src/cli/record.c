/* record: events for people and programs */
#include "cli/record.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/config.h"
#include "cli/when.h"
#include "core/policy.h"
#include "core/verdict.h"
#include "flow/journal.h"
#include "store/json.h"

int
record_open(const struct cli *cli, enum ledger_mode mode, struct ledger **out,
    struct error *err)
{
	const struct ledger_place place = {
		.path = cli->options.ledger,
		.station = mode == LEDGER_WRITE ? cli->options.station : NULL,
	};

	return ledger_open(&place, mode, out, err);
}

/* ---- who ------------------------------------------------------------------------- */

static json_t *
words_of(const struct cli *cli)
{
	json_t *words = json_array();
	unsigned i;

	for (i = 0; words && i < cli->n_args; i++) {
		char clean[256];

		text_printable(cli->args[i], strlen(cli->args[i]), clean, sizeof(clean));
		json_array_append_new(words, json_string(clean));
	}
	return words;
}

/* "192.0.2.7" of an SSH session, a terminal, or nothing: a service. */
static const char *
where_from(char out[128])
{
	const char *ssh = getenv("SSH_CONNECTION"), *tty = ttyname(STDIN_FILENO);
	size_t len = ssh ? strcspn(ssh, " ") : 0;

	if (len > 0)
		text_printable(ssh, len, out, 128);
	else if (tty)
		text_printable(tty, strlen(tty), out, 128);
	else
		return NULL;
	return out;
}

/* Names from elsewhere need not be text. NULL: there is none. */
static const char *
clean_name(const char *name, char out[128])
{
	if (!name || !*name)
		return NULL;
	text_printable(name, strlen(name), out, 128);
	return out;
}

int
record_operator(const struct cli *cli, struct ledger *l, struct error *err)
{
	const struct passwd *who = getpwuid(getuid());
	const char *sudo = getenv("SUDO_USER");
	char from[128], user[128], before[128];
	auto_json json_t *body = json_pack("{s:s, s:o, s:s?, s:i, s:s?, s:s?}",
	    "command", cli->command->name, "args", words_of(cli),
	    "user", clean_name(who ? who->pw_name : NULL, user),
	    "uid", (int)getuid(), "sudo_user", clean_name(sudo, before), "from", where_from(from));
	const struct ledger_entry entry = { .kind = EVENT_OPERATOR, .run = cli->run, .body = body };

	return body ? ledger_add(l, &entry, err) : error_memory(err);
}

static int
open_journal(const struct cli *cli, const struct policies *policies, struct journal *out,
    struct error *err)
{
	auto_ledger struct ledger *l = NULL;

	if (record_open(cli, LEDGER_WRITE, &l, err) < 0 || record_operator(cli, l, err) < 0)
		return -1;
	out->ledger = steal_pointer(&l);
	if (journal_use_policies(out, policies, err) == 0)
		return 0;
	journal_close(out);
	return -1;
}

void
record_journal(const struct cli *cli, const struct policies *policies, struct journal *out)
{
	*out = (struct journal){ .run = cli->run, .command = cli->command->name,
		.privacy = *config_privacy(), .key_file = config_privacy_key() };
	if (!cli->options.no_ledger)
		(void)open_journal(cli, policies, out, &out->failed);
}

int
record_check_journal(const struct cli *cli, bool is_changing, struct journal *j, struct error *err)
{
	if (j->failed.kind == ERR_NONE)
		return 0;
	*err = j->failed;
	if (is_changing || cli->options.ledger)
		return -1;
	log_at(LOG_NORMAL, "nothing is recorded: %s", err->message);
	j->failed = *err = (struct error){ 0 };
	return 0;
}

/* ---- which ----------------------------------------------------------------------- */

static bool
is_verdict(const char *word)
{
	int v;

	for (v = VERDICT_COMPLIANT; v <= VERDICT_FAILED; v++)
		if (strcmp(verdict_word((enum verdict)v), word) == 0)
			return true;
	return false;
}

/* Under the key a device is called something else; without one it is not. */
static int
find_token(const struct cli *cli, const char *device, char token[EVENT_TEXT_MAX], struct error *err)
{
	auto_free char *path = cli->options.ledger ? strdup(cli->options.ledger) : NULL;
	auto_blob struct blob key = { 0 };
	char canonical[EVENT_TEXT_MAX];

	if (!path && ledger_default_path(&path, err) < 0)
		return -1;
	if (privacy_key(config_privacy_key(), path, false, &key, err) < 0) {
		if (err->kind != ERR_NOINPUT)
			return -1;
		*err = (struct error){ 0 };
		return 0;
	}
	text_canonical_udid(device, canonical, sizeof(canonical));
	privacy_token(&key, canonical, token);
	return 0;
}

int
record_filter(const struct cli *cli, struct ledger_filter *out, struct error *err)
{
	const struct options *o = &cli->options;
	int64_t since = 0, until = 0;
	time_t now = time(NULL);

	if (o->since && when_moment("since", o->since, now, &since, err) < 0)
		return -1;
	if (o->until_time && when_moment("until", o->until_time, now, &until, err) < 0)
		return -1;
	if (o->verdict && !is_verdict(o->verdict)) {
		error_set(err, ERR_USAGE, "--verdict %s is no verdict", o->verdict);
		return error_hint(err, "say compliant, noncompliant, blocked or failed");
	}
	if (o->run && o->run[strspn(o->run, "0123456789abcdefABCDEF-")])
		return error_set(err, ERR_USAGE,
		    "a run is a UUID or its first digits, not %s", o->run);
	*out = (struct ledger_filter){
		.device = o->device, .run = o->run, .verdict = o->verdict, .policy = o->policy,
		.since_ms = since * 1000,
		/* 0 would say that it is not asked. */
		.until_ms = o->until_time && until == 0 ? 1 : until * 1000,
	};
	return o->device ? find_token(cli, o->device, out->token, err) : 0;
}

/* ---- as JSON --------------------------------------------------------------------- */

json_t *
record_object(const struct event *e)
{
	char at[TEXT_TIME_MAX];
	json_t *body = json_loads(e->body ? e->body : "{}", 0, NULL);

	text_time_utc((struct timespec){ .tv_sec = e->wall_ms / 1000,
	    .tv_nsec = e->wall_ms % 1000 * 1000000 }, at);
	return json_pack("{s:s, s:s, s:I, s:s, s:I, s:I, s:s, s:s, s:s?, s:s, s:o, s:s, s:s}",
	    "schema", "chaperone.record/1", "station", e->station,
	    "sequence", (json_int_t)e->sequence, "at", at,
	    "wall_ms", (json_int_t)e->wall_ms, "monotonic_ms", (json_int_t)e->monotonic_ms,
	    "boot", e->boot, "run", e->run, "device", e->device, "kind", e->kind,
	    "body", body ? body : json_null(), "previous", e->previous, "hash", e->hash);
}

/* ---- in words -------------------------------------------------------------------- */

struct words {
	char	*at;
	size_t	 left;
};

static void
say(struct words *w, const char *before, const char *text)
{
	int n;

	if (!text || w->left < 2)
		return;
	n = snprintf(w->at, w->left, "%s%s", before, text);
	if (n < 0)
		return;
	if ((size_t)n >= w->left)
		n = (int)w->left - 1;
	w->at += n;
	w->left -= (size_t)n;
}

static void
say_verdict(struct words *w, const json_t *body)
{
	const char *reason = json_text(body, "reason", NULL);

	say(w, "", json_text(body, "verdict", NULL));
	if (reason) {
		say(w, ": ", reason);
	} else if (json_text(body, "truth", NULL)) {
		say(w, " (", json_text(body, "truth", NULL));
		say(w, "", ")");
	}
	say(w, ", ", json_text(body, "device", "name"));
	say(w, ", ", json_text(body, "command", NULL));
}

static void
say_operator(struct words *w, const json_t *body)
{
	const json_t *words = json_object_get(body, "args"), *word;
	size_t i;

	say(w, "", json_text(body, "command", NULL));
	json_array_foreach(words, i, word)
		say(w, " ", json_string_value(word));
	say(w, ", by ", json_text(body, "user", NULL));
	say(w, " from ", json_text(body, "from", NULL));
}

void
record_summary(const char *kind, const json_t *body, char *out, size_t size)
{
	/* What says most about the other kinds, in this order. */
	static const char *const keys[] = {
		"step", "request", "what", "command", "action", "purpose", "name", "profile",
		"identifier", "policy", "file", "note",
	};
	char text[512] = "";
	struct words w = { text, sizeof(text) };
	size_t i;

	if (strcmp(kind, "verdict") == 0)
		say_verdict(&w, body);
	else if (strcmp(kind, "operator") == 0)
		say_operator(&w, body);
	else
		for (i = 0; i < countof(keys); i++)
			say(&w, w.at == text ? "" : ", ", json_text(body, keys[i], NULL));
	if (w.at == text)
		say(&w, "", json_text(body, "device", "name"));
	text_printable(text, strlen(text), out, size);
}
