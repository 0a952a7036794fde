/* command: finds the command in its table, helps, and reports what went wrong */
#include "cli/command.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/config.h"
#include "cli/output.h"
#include "flow/report.h"

enum {
	DEVICE = GROUP_DEVICE | GROUP_IDENTITY,
	DESIRED = DEVICE | GROUP_DESIRED | GROUP_TIME,
	KEY_FILE = GROUP_PASSPHRASE | GROUP_KEYFILE | GROUP_OUTPUT,
	BUILD = GROUP_BUILD | GROUP_TIME | GROUP_PASSPHRASE | GROUP_OUTPUT,
	MANY = 1000,
};

const struct command commands[] = {
	{ "list", cmd_device, DEVICE, 0, 0, "", "the attached devices, one line each" },
	{ "show", cmd_device, DEVICE, 0, 0, "", "everything known of a device" },
	{ "verify", cmd_device, DESIRED | GROUP_LEDGER | GROUP_NO_LEDGER | GROUP_ATTEST |
	    GROUP_STAMP, 0, 0, "",
	    "compare devices with what they should be; read-only" },
	{ "plan", cmd_device, DESIRED, 0, 0, "", "what apply would do" },
	{ "apply", cmd_device, DESIRED | GROUP_APPLY | GROUP_LEDGER, 0, 0, "",
	    "make devices what they should be, and prove it" },
	{ "remove", cmd_device, DESIRED | GROUP_LEDGER, 0, MANY, "[IDENTIFIER...]",
	    "remove profiles, and prove it" },
	{ "pair", cmd_device, DEVICE | GROUP_PAIR | GROUP_LEDGER, 0, 0, "",
	    "make devices trust this computer" },
	{ "unpair", cmd_device, DEVICE | GROUP_LEDGER, 0, 0, "",
	    "make devices forget this computer" },
	{ "watch", cmd_watch, DEVICE, 0, 0, "", "attach and detach as they happen" },
	/* Before station, which takes no argument. */
	{ "station learn-slots", cmd_station_learn, 0, 0, 0, "",
	    "name the ports of a bench by plugging a device into each" },
	{ "station", cmd_station, GROUP_STATION | GROUP_IDENTITY | GROUP_LEDGER, 0, 0, "",
	    "work on every device that is plugged in, by policy" },
	{ "policy check", cmd_policy_check, GROUP_POLICY, 1, MANY, "FILE...",
	    "lint policies and say which attached devices they match" },
	{ "identity create", cmd_identity_create, KEY_FILE | GROUP_CREATE, 0, 0, "",
	    "make a new supervision identity" },
	{ "identity show", cmd_identity_show, GROUP_PASSPHRASE, 0, 1, "[REF]",
	    "its certificate and fingerprint, never its key" },
	{ "identity import", cmd_identity_import, KEY_FILE, 1, 1, "REF",
	    "take in an identity, whatever its format" },
	{ "identity export", cmd_identity_export, KEY_FILE, 0, 1, "[REF]",
	    "write an identity in another format" },
	{ "profile presets", cmd_profile_presets, 0, 0, MANY, "[NAME...]",
	    "the shipped profiles, what each restricts, and what still works" },
	{ "profile build", cmd_profile_build, BUILD, 0, 0, "", "write a profile" },
	{ "profile lint", cmd_profile_lint, GROUP_LINT, 1, MANY, "FILE...",
	    "what is wrong with profiles, before a device sees them" },
	{ "profile sign", cmd_profile_sign, GROUP_PASSPHRASE | GROUP_OUTPUT, 1, 1, "FILE",
	    "put a profile into a signature" },
	{ "profile show", cmd_profile_show, 0, 1, 1, "FILE", "what a profile does, in words" },
	{ "profile diff", cmd_profile_diff, DEVICE, 1, 2, "A [B]",
	    "how two profiles differ in meaning, B or that of a device; exit 1 when they do" },
	{ "agent", cmd_agent, GROUP_PASSPHRASE | GROUP_AGENT, 0, 0, "",
	    "hold the key, and sign for the other commands" },
	{ "ledger list", cmd_ledger_list, GROUP_LEDGER | GROUP_FILTER | GROUP_TABLE, 0, 0, "",
	    "what was done, an event per line" },
	{ "ledger show", cmd_ledger_show, GROUP_LEDGER, 1, 1, "RUN",
	    "everything that one command did" },
	{ "ledger verify", cmd_ledger_verify, GROUP_LEDGER | GROUP_AUDIT | GROUP_STAMPED,
	    0, MANY, "[FILE...]",
	    "recompute the chain and name where it breaks" },
	{ "ledger seal", cmd_ledger_seal, GROUP_LEDGER | GROUP_PASSPHRASE | GROUP_OUTPUT |
	    GROUP_STAMP, 0, 0, "",
	    "sign the head, so that nothing before it can be rewritten" },
	{ "ledger export", cmd_ledger_export, GROUP_LEDGER | GROUP_FILTER | GROUP_OUTPUT, 0, 0, "",
	    "every event as JSON Lines, hashes included" },
	{ "ledger rotate", cmd_ledger_rotate, GROUP_LEDGER | GROUP_ARCHIVE, 0, 0, "",
	    "close the file and carry the chain into the next" },
	{ "ledger push", cmd_ledger_push, GROUP_LEDGER | GROUP_PUSH, 0, 0, "",
	    "send the events to a database of many stations" },
	{ "ledger central-init", cmd_ledger_central_init, GROUP_PUSH | GROUP_CENTRAL, 0, 0, "",
	    "set that database up, and say who may use it" },
	{ "report", cmd_report, GROUP_LEDGER | GROUP_REPORT | GROUP_OUTPUT, 0, 0, "",
	    "what the ledger says: a page with -o FILE, else text" },
	{ "attest verify", cmd_attest_verify, GROUP_SIGNED | GROUP_STAMPED, 1, 1, "FILE",
	    "check a signed statement, and say what it says" },
	{ 0 },
};

/* ---- reporting ------------------------------------------------------------ */

static int
exit_code_of(const struct error *err)
{
	switch (err->kind) {
	case ERR_USAGE:
		return EX_USAGE;
	case ERR_DATA:
		return EX_DATAERR;
	case ERR_NOINPUT:
		return EX_NOINPUT;
	case ERR_UNAVAILABLE:
	case ERR_MUX:
	case ERR_LINK:
	case ERR_TIMEOUT:
		return EX_UNAVAILABLE;
	case ERR_CREATE:
		return EX_CANTCREAT;
	case ERR_IO:
		return EX_IOERR;
	case ERR_PERM:
		return EX_NOPERM;
	case ERR_INTERRUPTED:
		return EXIT_INTERRUPTED;
	default:
		return EX_SOFTWARE;
	}
}

/* What to do when whoever failed knew nothing better, and it is no matter of usage. */
static const char *
hint_of(int code)
{
	switch (code) {
	case EX_DATAERR:
		return "mend what the message names, or give another file";
	case EX_NOINPUT:
		return "name a file that is there and that you may read";
	case EX_UNAVAILABLE:
		return "see that it runs and can be reached, then run the command again";
	case EX_CANTCREAT:
		return "name a folder that is there and that you may write to, and a new file";
	case EX_IOERR:
		return "see that the disk works and has room (df -h), then run the command again";
	case EX_NOPERM:
		return "see who may read and write what the message names (ls -l)";
	case EXIT_INTERRUPTED:
		return "run it again: it goes on from what the devices are";
	default:
		return "a fault in chaperone: run it again with -vv, and report what it says";
	}
}

/* command: its name, or NULL when it came to none. */
static int
fail_with(bool json, const char *command, int code, const char *message, const char *hint)
{
	char usage[96];

	snprintf(usage, sizeof(usage), "chaperone %s --help tells its options and arguments",
	    command ? command : "COMMAND");
	if (!hint || !*hint)
		hint = code == EX_USAGE ? usage : hint_of(code);
	log_failure(message, hint);
	if (json)
		output_json_line(stdout, report_error(code, message, hint));
	return code;
}

int
cli_fail_as(const struct cli *cli, int exit_code, const struct error *err)
{
	return fail_with(cli->options.json, cli->command ? cli->command->name : NULL, exit_code,
	    err->message, err->hint);
}

int
cli_fail(const struct cli *cli, const struct error *err)
{
	struct error stopped = { 0 };

	if (!deadline_interrupted())
		return cli_fail_as(cli, exit_code_of(err), err);
	/* Ctrl-C ends the signer too: what that broke is not the story. */
	error_set(&stopped, ERR_INTERRUPTED, "interrupted");
	return cli_fail_as(cli, EXIT_INTERRUPTED, &stopped);
}

/* ---- help ----------------------------------------------------------------- */

static void
print_help(void)
{
	const struct command *c;

	printf("Usage: chaperone [options] COMMAND [options] [arguments]\n\n"
	    "Makes supervised iPhones and iPads what they should be, over the cable.\n\n"
	    "Commands:\n");
	for (c = commands; c->name; c++)
		printf("  %-20s %s\n", c->name, c->help);
	printf("\nOptions of every command:\n");
	options_print(stdout, GROUP_GLOBAL);
	printf("\nchaperone COMMAND --help tells the options of a command; "
	    "chaperone(1) tells the rest.\n");
}

static void
print_command_help(const struct command *c)
{
	printf("Usage: chaperone %s [options]%s%s\n\n%s.\n\n", c->name, *c->synopsis ? " " : "",
	    c->synopsis, c->help);
	options_print(stdout, c->groups);
	if (c->groups)
		printf("\n");
	options_print(stdout, GROUP_GLOBAL);
}

/* ---- finding --------------------------------------------------------------- */

/* How many words of the command line c's name takes; 0: it is another. */
static unsigned
matches(const struct command *c, const struct texts *words)
{
	const char *space = strchr(c->name, ' ');

	if (!space)
		return strcmp(c->name, words->items[0]) == 0;
	if (words->n < 2 || strncmp(c->name, words->items[0], (size_t)(space - c->name)) != 0 ||
	    words->items[0][space - c->name] || strcmp(space + 1, words->items[1]) != 0)
		return 0;
	return 2;
}

/* What c is called behind the word that begins it, as "build" behind "profile"; NULL: nothing. */
static const char *
member_name(const struct command *c, const char *word)
{
	size_t len = strlen(word);

	return strncmp(c->name, word, len) == 0 && c->name[len] == ' ' ? c->name + len + 1 : NULL;
}

/* "profile", which is no command but begins several. */
static bool
is_family(const char *word)
{
	const struct command *c;

	for (c = commands; c->name; c++)
		if (member_name(c, word))
			return true;
	return false;
}

static void
print_family_help(const char *word)
{
	const struct command *c;

	printf("Usage: chaperone %s COMMAND [options] [arguments]\n\nCommands:\n", word);
	for (c = commands; c->name; c++)
		if (member_name(c, word))
			printf("  %-20s %s\n", c->name, c->help);
	printf("\nOptions of every command:\n");
	options_print(stdout, GROUP_GLOBAL);
}

static int
no_member(const char *word, struct error *err)
{
	char members[160] = "";
	const struct command *c;
	size_t used = 0;

	for (c = commands; c->name && used < sizeof(members); c++)
		if (member_name(c, word))
			used += (size_t)snprintf(members + used, sizeof(members) - used, "%s%s",
			    used ? ", " : "", member_name(c, word));
	error_set(err, ERR_USAGE, "%s is followed by what to do: %s", word, members);
	return error_hint(err, "chaperone --help lists the commands");
}

static int
unknown_command(const struct texts *words, struct error *err)
{
	const struct command *c, *nearest = NULL;
	char given[128];
	size_t best = 3;

	snprintf(given, sizeof(given), "%s%s%s", words->items[0], words->n > 1 ? " " : "",
	    words->n > 1 ? words->items[1] : "");
	for (c = commands; c->name; c++) {
		bool has_two = strchr(c->name, ' ') != NULL;
		size_t d = text_distance(has_two ? given : words->items[0], c->name, best);

		if (d < best) {
			best = d;
			nearest = c;
		}
	}
	if (!nearest && is_family(words->items[0]))
		return no_member(words->items[0], err);
	if (nearest)
		error_set(err, ERR_USAGE, "unknown command %s; did you mean %s?",
		    strchr(nearest->name, ' ') ? given : words->items[0], nearest->name);
	else
		error_set(err, ERR_USAGE, "unknown command %s", words->items[0]);
	return error_hint(err, "chaperone --help lists the commands");
}

/* The one that these words begin with, and how many of them; NULL: none. */
static const struct command *
command_of(const struct texts *words, unsigned *taken)
{
	const struct command *c;

	for (c = commands; c->name; c++) {
		*taken = matches(c, words);
		if (*taken)
			return c;
	}
	return NULL;
}

/* Of a line whose options make no sense: the word that is most likely its command; or NULL. */
static const char *
likely_command(int argc, char **argv)
{
	unsigned taken;
	int i;

	for (i = 1; i < argc; i++) {
		const char *pair[] = { argv[i], argv[i + 1] };
		const struct texts words = { pair, i + 1 < argc ? 2 : 1 };
		const struct command *c = command_of(&words, &taken);

		if (c)
			return c->name;
	}
	return NULL;
}

static int
find_command(struct cli *cli, struct error *err)
{
	const struct texts *words = &cli->options.words;
	unsigned taken;

	cli->command = command_of(words, &taken);
	if (cli->command) {
		cli->args = words->items + taken;
		cli->n_args = (unsigned)(words->n - taken);
		return 0;
	}
	if (words->n == 1 && is_family(words->items[0]))
		return no_member(words->items[0], err);
	return unknown_command(words, err);
}

static int
check_args(const struct cli *cli, struct error *err)
{
	const struct command *c = cli->command;

	if (cli->n_args < c->min_args)
		return error_set(err, ERR_USAGE, "%s needs %s", c->name, c->synopsis);
	if (cli->n_args > c->max_args)
		return error_set(err, ERR_USAGE, "%s takes no argument %s", c->name,
		    cli->args[c->max_args]);
	/* Except where the file itself is JSON Lines. */
	if (cli->options.json && cli->options.output && strcmp(cli->options.output, "-") == 0 &&
	    c->run != cmd_ledger_export)
		return error_set(err, ERR_USAGE, "--json and -o - both want standard output");
	return options_check(&cli->options, c->groups, c->name, err);
}

static void
set_up_output(struct cli *cli)
{
	const struct options *o = &cli->options;

	log_set_level((enum log_level)(LOG_NORMAL + (o->verbosity > 3 ? 3 : o->verbosity)));
	if (o->verbosity < 0)
		log_set_level(LOG_QUIET);
	cli->color = output_wants_color(stdout, o->no_color || o->json);
	text_uuid_random(cli->run);
}

static int
no_command(const struct cli *cli, struct error *err)
{
	error_set(err, ERR_USAGE, "no command given");
	error_hint(err, "chaperone --help lists the commands");
	return cli_fail(cli, err);
}

/* "chaperone help apply" is "chaperone apply --help". */
static void
take_help_word(struct options *o)
{
	if (o->words.n == 0 || strcmp(o->words.items[0], "help") != 0)
		return;
	o->wants_help = true;
	o->words.n--;
	memmove(o->words.items, o->words.items + 1, o->words.n * sizeof(*o->words.items));
}

static int
run(struct cli *cli, struct error *err)
{
	if (cli->options.wants_version) {
		printf("%s\n", PACKAGE_STRING);
		return 0;
	}
	if (cli->options.words.n == 0 && !cli->options.wants_help)
		return no_command(cli, err);
	take_help_word(&cli->options);
	if (cli->options.words.n == 0) {
		print_help();
		return 0;
	}
	if (find_command(cli, err) < 0) {
		if (!cli->options.wants_help || !is_family(cli->options.words.items[0]))
			return cli_fail(cli, err);
		print_family_help(cli->options.words.items[0]);
		return 0;
	}
	if (cli->options.wants_help) {
		print_command_help(cli->command);
		return 0;
	}
	if (check_args(cli, err) < 0 || config_load(&cli->options, err) < 0)
		return cli_fail(cli, err);
	return cli->command->run(cli);
}

/* Also when options could not be parsed: was --json among the words? */
static bool
asks_for_json(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

int
cli_main(int argc, char **argv)
{
	struct cli cli = { 0 };
	struct error err = { 0 };
	int code;

	if (options_parse(argc, argv, &cli.options, &err) < 0) {
		code = fail_with(asks_for_json(argc, argv), likely_command(argc, argv),
		    exit_code_of(&err), err.message, err.hint);
	} else {
		set_up_output(&cli);
		code = run(&cli, &err);
	}
	/* What could not be written was not said. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && code == 0) {
		if (!output_is_abandoned())
			log_at(LOG_QUIET, "standard output cannot be written");
		code = EX_IOERR;
	}
	config_release();
	options_clear(&cli.options);
	return code;
}
