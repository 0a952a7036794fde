/* confined: runs a program with the system calls that a systemd unit leaves it
 *
 * usage: confined CALLS FAMILIES PROGRAM [ARGUMENT...]
 *
 * CALLS is a file with a name per line, FAMILIES numbers with commas between
 * them. What MemoryDenyWriteExecute= and RestrictNamespaces= forbid is forbidden
 * too. A forbidden call ends the process that makes it (SIGSYS), where systemd
 * has it fail: so a test sees each. Exit code 77: this build has no libseccomp.
 */
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef HAVE_SECCOMP

int
main(void)
{
	return 77;
}

#else
#include <seccomp.h>

static bool
allow(scmp_filter_ctx ctx, int call, unsigned n, struct scmp_arg_cmp arg)
{
	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, call, n, &arg) == 0;
}

/* Those that are allowed with some arguments only. */
static bool
allow_in_part(scmp_filter_ctx ctx, const char *families)
{
	const scmp_datum_t spaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
	    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
	const scmp_datum_t both = PROT_WRITE | PROT_EXEC;
	char *end;

	if (!allow(ctx, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, both, 0)) ||
	    !allow(ctx, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, both, PROT_WRITE)) ||
	    !allow(ctx, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, both, PROT_EXEC)) ||
	    !allow(ctx, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) ||
	    !allow(ctx, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, spaces, 0)))
		return false;
	/* systemd cannot look into its arguments either: libraries fall back to clone(). */
	if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) < 0)
		return false;
	for (; *families; families = *end ? end + 1 : end)
		if (!allow(ctx, SCMP_SYS(socket), 1,
		    SCMP_A0(SCMP_CMP_EQ, strtoul(families, &end, 10), 0)))
			return false;
	return true;
}

static bool
is_in_part(int call)
{
	return call == SCMP_SYS(mmap) || call == SCMP_SYS(mprotect) || call == SCMP_SYS(clone) ||
	    call == SCMP_SYS(clone3) || call == SCMP_SYS(socket);
}

static bool
allow_named(scmp_filter_ctx ctx, FILE *names)
{
	char name[64];

	while (fscanf(names, "%63s", name) == 1) {
		int call = seccomp_syscall_resolve_name(name);

		/* Other architectures have calls that this one has not. */
		if (call != __NR_SCMP_ERROR && !is_in_part(call) &&
		    seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 0) < 0 && call >= 0)
			return false;
	}
	return true;
}

int
main(int argc, char **argv)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	FILE *names = argc > 3 ? fopen(argv[1], "re") : NULL;

	if (!ctx || !names || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    !allow_named(ctx, names) || !allow_in_part(ctx, argv[2]) || seccomp_load(ctx) < 0) {
		fprintf(stderr, "confined: it could not be confined\n");
		return 99;
	}
	execv(argv[3], argv + 3);
	fprintf(stderr, "confined: %s: %s\n", argv[3], strerror(errno));
	return 99;
}

#endif
