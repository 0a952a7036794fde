/* chaperone-vbench: a bench of virtual iPhones and iPads behind a usbmuxd socket */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/text.h"
#include "sim/bench.h"
#include "sim/control.h"
#include "sim/controlclient.h"
#include "sim/loop.h"
#include "sim/muxserver.h"
#include "sim/scenario.h"
#include "sim/transcript.h"
#include "sim/usbip.h"
#include "sim/virtual.h"

enum { EXIT_USAGE = 64 };

struct options {
	const char	*socket, *tcp, *usbip, *scenario, *control, *transcript, *keys;
	const char	*supervised_by;		/* ORGANIZATION=CERTIFICATE */
	const char	*product, *os;
	int64_t		 devices, latency_ms;
	bool		 is_paired, wants_keys;
};

/* What runs; all of it may be NULL. */
struct program {
	struct loop		*loop;
	struct transcript	*transcript;
	struct bench		*bench;
	struct muxserver	*server;
	struct usbip		*usbip;
	struct control		*control;
	struct watch		*signals;
	int			 signal_fd;
};

/* Those that the system chose. */
struct ports {
	uint16_t	tcp, usbip;
};

static const char usage[] =
    "usage: chaperone-vbench [--socket PATH] [--tcp 127.0.0.1:PORT] [--usbip ADDRESS:PORT]\n"
    "           [--devices N] [--supervised-by ORGANIZATION=CERTIFICATE] [--paired]\n"
    "           [--product TYPE] [--os VERSION] [--latency-ms N] [--scenario FILE]\n"
    "           [--control PATH] [--transcript FILE [--transcript-keys]] [--keys FILE]\n"
    "       chaperone-vbench ctl --control PATH COMMAND [DEVICE] [KEY=VALUE]...\n";

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "tcp", required_argument, NULL, 't' },
	{ "usbip", required_argument, NULL, 'u' },
	{ "devices", required_argument, NULL, 'n' },
	{ "supervised-by", required_argument, NULL, 'S' },
	{ "paired", no_argument, NULL, 'p' },
	{ "product", required_argument, NULL, 'P' },
	{ "os", required_argument, NULL, 'o' },
	{ "latency-ms", required_argument, NULL, 'l' },
	{ "scenario", required_argument, NULL, 'f' },
	{ "control", required_argument, NULL, 'c' },
	{ "transcript", required_argument, NULL, 'T' },
	{ "transcript-keys", no_argument, NULL, 'K' },
	{ "keys", required_argument, NULL, 'k' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static int
take_option(struct options *options, int letter, struct error *err)
{
	switch (letter) {
	case 's': options->socket = optarg; break;
	case 't': options->tcp = optarg; break;
	case 'u': options->usbip = optarg; break;
	case 'S': options->supervised_by = optarg; break;
	case 'p': options->is_paired = true; break;
	case 'P': options->product = optarg; break;
	case 'o': options->os = optarg; break;
	case 'f': options->scenario = optarg; break;
	case 'c': options->control = optarg; break;
	case 'T': options->transcript = optarg; break;
	case 'K': options->wants_keys = true; break;
	case 'k': options->keys = optarg; break;
	case 'n':
		if (text_number(optarg, 0, BENCH_DEVICES_MAX, &options->devices) < 0)
			return error_set(err, ERR_USAGE, "--devices: 0 to %d", BENCH_DEVICES_MAX);
		break;
	case 'l':
		if (text_number(optarg, 0, 3600000, &options->latency_ms) < 0)
			return error_set(err, ERR_USAGE, "--latency-ms: a number of milliseconds");
		break;
	default:
		return error_set(err, ERR_USAGE, "unknown option");
	}
	return 0;
}

/* What would silently have no effect is refused. */
static int
check_options(const struct options *options, struct error *err)
{
	const struct {
		const char *name;
		bool is_given;
	} rows[] = {
		{ "supervised-by", options->supervised_by != NULL },
		{ "paired", options->is_paired },
		{ "product", options->product != NULL }, { "os", options->os != NULL },
		{ "latency-ms", options->latency_ms != 0 },
	};
	size_t i;

	for (i = 0; options->devices == 0 && i < countof(rows); i++)
		if (rows[i].is_given)
			return error_set(err, ERR_USAGE,
			    "--%s is about the devices of --devices; "
			    "those of a scenario say it themselves", rows[i].name);
	return 0;
}

/* ---- setting up ----------------------------------------------------------- */

static int
add_plain_devices(struct bench *bench, const struct options *options, struct error *err)
{
	auto_blob struct blob certificate = { 0 };
	auto_free char *organization = NULL;
	struct virtual_spec spec;
	const char *equals;

	virtual_spec_init(&spec);
	spec.count = (uint64_t)options->devices;
	spec.is_paired = options->is_paired;
	spec.latency_ms = (uint64_t)options->latency_ms;
	if (options->product)
		spec.product = options->product;
	if (options->os)
		spec.os = options->os;
	if (options->supervised_by) {
		equals = strchr(options->supervised_by, '=');
		if (!equals || equals == options->supervised_by)
			return error_set(err, ERR_USAGE,
			    "--supervised-by ORGANIZATION=CERTIFICATE");
		organization = strndup(options->supervised_by,
		    (size_t)(equals - options->supervised_by));
		if (!organization)
			return error_memory(err);
		if (scenario_read_certificate(equals + 1, &certificate, err) < 0)
			return -1;
		spec.organization = organization;
		spec.certificate = &certificate;
	}
	return spec.count ? bench_add(bench, &spec, err) : 0;
}

static void
on_turn(void *ctx)
{
	struct program *program = ctx;

	if (program->usbip)
		usbip_turn(program->usbip);
	muxserver_reap(program->server);
	if (program->control)
		control_turn(program->control);
	transcript_flush(program->transcript);
}

static void
on_signal(void *ctx, uint32_t events)
{
	struct program *program = ctx;

	(void)events;
	loop_stop(program->loop);
}

static int
watch_signals(struct program *program, struct error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
		program->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (program->signal_fd >= 0)
		program->signals = loop_watch(program->loop, program->signal_fd, EPOLLIN, on_signal,
		    program);
	return program->signals ? 0 : error_set_sys(err, ERR_SOFTWARE, errno, "signalfd");
}

static int
set_up(struct program *program, const struct options *options, struct ports *ports,
    struct error *err)
{
	program->loop = loop_new();
	if (!program->loop)
		return error_memory(err);
	if (watch_signals(program, err) < 0)
		return -1;
	if (options->transcript
	    && transcript_open(options->transcript, options->wants_keys, &program->transcript,
	    err) < 0)
		return -1;
	program->bench = bench_new(program->loop, program->transcript, err);
	if (!program->bench)
		return -1;
	if (options->keys && bench_keep_keys(program->bench, options->keys, err) < 0)
		return -1;
	if (add_plain_devices(program->bench, options, err) < 0)
		return -1;
	if (options->scenario && scenario_load(program->bench, options->scenario, err) < 0)
		return -1;
	program->server = muxserver_new(program->bench, err);
	if (!program->server)
		return -1;
	if (options->socket
	    && muxserver_listen_unix(program->server, options->socket, err) < 0)
		return -1;
	if (options->tcp
	    && muxserver_listen_tcp(program->server, options->tcp, &ports->tcp, err) < 0)
		return -1;
	if (options->usbip
	    && !(program->usbip = usbip_new(program->bench, options->usbip, &ports->usbip, err)))
		return -1;
	if (options->control
	    && !(program->control = control_new(program->bench, options->control, err)))
		return -1;
	loop_on_turn(program->loop, on_turn, program);
	return 0;
}

static void
tear_down(struct program *program)
{
	control_free(program->control);
	usbip_free(program->usbip);
	muxserver_free(program->server);
	bench_free(program->bench);
	transcript_close(program->transcript);
	watch_free(program->signals);
	loop_free(program->loop);
	clean_fd(&program->signal_fd);
}

/* A port is told only to those who could not know it. */
static void
tell_port(const char *kind, const char *address, uint16_t port)
{
	const char *colon = address ? strrchr(address, ':') : NULL;

	if (colon && strcmp(colon, ":0") == 0)
		printf(" %s %.*s:%u", kind, (int)(colon - address), address, port);
}

static int
serve(const struct options *options, struct error *err)
{
	struct program program = { .signal_fd = -1 };
	struct ports ports = { 0 };
	int rc = set_up(&program, options, &ports, err);

	if (rc == 0) {
		printf("ready");
		tell_port("tcp", options->tcp, ports.tcp);
		tell_port("usbip", options->usbip, ports.usbip);
		putchar('\n');
		fflush(stdout);
		rc = loop_run(program.loop, err);
	}
	tear_down(&program);
	return rc;
}

/* ---- the command line ----------------------------------------------------- */

static int
complain(const struct error *err)
{
	fprintf(stderr, "chaperone-vbench: %s\n", err->message);
	return err->kind == ERR_USAGE ? EXIT_USAGE : EXIT_FAILURE;
}

static int
run_ctl(int argc, char **argv)
{
	struct options options = { 0 };
	struct error err = { 0 };
	int letter, rc;

	while ((letter = getopt_long(argc, argv, "+", long_options, NULL)) != -1)
		if (take_option(&options, letter, &err) < 0)
			return complain(&err);
	if (!options.control || optind == argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	rc = controlclient_run(options.control, argv + optind, (size_t)(argc - optind), &err);
	return rc < 0 ? complain(&err) : rc;
}

int
main(int argc, char **argv)
{
	struct options options = { 0 };
	struct error err = { 0 };
	int letter;

	if (argc > 1 && strcmp(argv[1], "ctl") == 0)
		return run_ctl(argc - 1, argv + 1);
	while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (letter == 'h' || letter == 'V') {
			fputs(letter == 'h' ? usage : "chaperone-vbench " PACKAGE_VERSION "\n",
			    stdout);
			return EXIT_SUCCESS;
		}
		if (take_option(&options, letter, &err) < 0)
			return complain(&err);
	}
	if (optind != argc || (!options.socket && !options.tcp && !options.usbip)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return check_options(&options, &err) < 0 || serve(&options, &err) < 0 ?
	    complain(&err) : EXIT_SUCCESS;
}
