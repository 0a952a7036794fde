/* options: the command line, read once into a struct */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct error;

/* Which commands an option goes with. A command has a set of these. */
enum option_group {
	GROUP_GLOBAL	= 1 << 0,
	GROUP_DEVICE	= 1 << 1,	/* which device */
	GROUP_IDENTITY	= 1 << 2,	/* who we are */
	GROUP_DESIRED	= 1 << 3,	/* what the device should be */
	GROUP_TIME	= 1 << 4,	/* how long a profile holds */
	GROUP_APPLY	= 1 << 5,
	GROUP_PAIR	= 1 << 6,
	GROUP_CREATE	= 1 << 7,	/* identity create */
	GROUP_KEYFILE	= 1 << 17,	/* identity create, import, export: the file written */
	GROUP_OUTPUT	= 1 << 8,	/* -o FILE */
	GROUP_BUILD	= 1 << 9,	/* profile build */
	GROUP_LINT	= 1 << 10,	/* profile lint */
	GROUP_POLICY	= 1 << 12,	/* policy check */
	GROUP_STATION	= 1 << 13,
	GROUP_AGENT	= 1 << 14,	/* agent */
	GROUP_STAMP	= 1 << 15,	/* verify, ledger seal: asks for a time stamp */
	GROUP_STAMPED	= 1 << 16,	/* attest verify, ledger verify: time stamps */
	GROUP_PASSPHRASE = 1 << 11,	/* a key is read, but no device touched */
	GROUP_LEDGER	= 1 << 20,	/* --ledger FILE */
	GROUP_NO_LEDGER	= 1 << 21,	/* --no-ledger: read-only commands */
	GROUP_FILTER	= 1 << 22,	/* which events of the ledger */
	GROUP_TABLE	= 1 << 23,	/* --csv */
	GROUP_AUDIT	= 1 << 24,	/* seals kept elsewhere */
	GROUP_PUSH	= 1 << 29,	/* to a database */
	GROUP_CENTRAL	= 1 << 30,	/* who may use it */
	GROUP_SIGNED = 1 << 28,	/* attest verify, ledger verify: who may sign */
	GROUP_REPORT	= 1 << 25,
	GROUP_ATTEST	= 1 << 26,	/* verify: a signed statement */
	GROUP_ARCHIVE	= 1 << 27,	/* ledger rotate */
};

/* Texts given more than once. */
struct texts {
	const char	**items;
	size_t		  n;
};

/* All texts are borrowed from argv; arrays are released by options_clear(). */
struct options {
	/* global */
	bool		 wants_help, wants_version, json, no_color;
	int		 verbosity;		/* -q is -1 */
	const char	*config;
	/* devices */
	struct texts	 udids;
	bool		 all, network;
	int64_t		 jobs, timeout_s, wait_s, per_controller;	/* -1: not given */
	/* identity */
	const char	*identity, *passphrase_file;
	/* on the command line, not by default */
	bool		 is_identity_named, is_organization_named;
	bool		 allow_loose_files;
	bool		 is_unattended;		/* nobody is asked for a passphrase */
	/* agent */
	const char	*socket, *group, *idle_timeout;
	int64_t		 max_rate;		/* -1: not given */
	/* desired */
	struct texts	 presets, profiles, restrictions;
	const char	*policy, *for_duration, *until_time, *organization;
	bool		 removable, dry_run, force, dialog;
	/* identity create, export; profile build, lint */
	const char	*output, *format, *identifier, *removal_password_file, *sign;
	const char	*out_passphrase_file;
	const char	*app, *wifi, *wifi_password_file, *footnote, *asset_tag;
	const char	*target_os, *supervised;
	int64_t		 bits, days;		/* -1: not given */
	bool		 overwrite, strict, no_encryption, lock_pairing;
	/* station */
	const char	*policies, *http;
	struct texts	 http_names;
	/* ledger, report, attest; policy and until_time are shared with the above */
	const char	*ledger, *station, *device, *since, *verdict, *run, *by, *ca, *archive;
	const char	*timestamp_request, *tsa_ca;
	const char	*attest, *attest_with, *nonce, *to, *from, *client, *login;
	struct texts	 heads, timestamps;
	bool		 no_ledger, csv, follow;
	/* the words that are no options: the command and its arguments */
	struct texts	 words;
	/* which groups the given options belong to, and the name of one of each */
	unsigned	 groups_seen;
	const char	*seen[32];
};

/* ERR_USAGE for an unknown option, a missing or a bad value. */
int	options_parse(int argc, char **argv, struct options *out, struct error *err);
/* ERR_USAGE when an option was given that does not go with groups. */
int	options_check(const struct options *o, unsigned groups, const char *command,
	    struct error *err);
void	options_clear(struct options *o);

/* The options of groups, one per line, as --help shows them. */
void	options_print(FILE *out, unsigned groups);

#endif
