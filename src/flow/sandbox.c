/* sandbox: what a worker gives up before it hears a device */
#include "flow/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/sanitizer.h"
#include "base/standard.h"

#if UNDER_ADDRESS_SANITIZER || UNDER_THREAD_SANITIZER || !defined(HAVE_SECCOMP)
#define FILTERS	0
#else
#define FILTERS	1
#include <seccomp.h>
#endif

enum {
	/* A worker takes some ten megabytes beside the pages it shares. */
	MEMORY_MAX = 1 << 30,
	CPU_SECONDS_MAX = 120,
	FILES_MAX = 32,	/* beyond those it keeps */
};

/* The lowest descriptor from low on that is kept; -1: none. */
static int
next_kept(const struct sandbox *s, int low)
{
	int next = s->parent >= low ? s->parent : -1;
	size_t i;

	for (i = 0; i < s->n_signers; i++)
		if (s->signers[i] >= low && (next < 0 || s->signers[i] < next))
			next = s->signers[i];
	return next;
}

/* Closes everything above stderr that is not kept. */
static void
close_others(const struct sandbox *s)
{
	int low = STDERR_FILENO + 1, kept;

	for (; (kept = next_kept(s, low)) >= 0; low = kept + 1)
		if (kept > low)
			close_range((unsigned)low, (unsigned)kept - 1, 0);
	close_range((unsigned)low, ~0u, 0);
}

static void
set_limit(int what, rlim_t most)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)what, &limit) < 0 || limit.rlim_max < most)
		return;
	/* A second between the two: the signal of the lower one says what it was about. */
	limit.rlim_max = what == RLIMIT_CPU && limit.rlim_max > most ? most + 1 : most;
	limit.rlim_cur = most;
	(void)setrlimit((__rlimit_resource_t)what, &limit);
}

static void
set_limits(const struct sandbox *s)
{
	int last = s->parent;
	size_t i;

	for (i = 0; i < s->n_signers; i++)
		last = s->signers[i] > last ? s->signers[i] : last;
	set_limit(RLIMIT_CORE, 0);
	set_limit(RLIMIT_CPU, CPU_SECONDS_MAX);
	set_limit(RLIMIT_NOFILE, (rlim_t)last + FILES_MAX);
#if FILTERS
	set_limit(RLIMIT_AS, MEMORY_MAX);
	/* No RLIMIT_FSIZE: stderr may be a file, and a log line must not kill. */
#endif
}

#if FILTERS

/* What OpenSSL, libimobiledevice and our own code call while they work on a device. */
static const int allowed[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(close),
	SCMP_SYS(send), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(recv), SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg), SCMP_SYS(connect), SCMP_SYS(shutdown), SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt), SCMP_SYS(getpeername), SCMP_SYS(getsockname),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(_newselect),
	SCMP_SYS(fstat), SCMP_SYS(fstat64), SCMP_SYS(stat), SCMP_SYS(newfstatat), SCMP_SYS(lseek),
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
	SCMP_SYS(futex), SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
	SCMP_SYS(getrusage), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* Streams only: no datagrams, no raw packets. */
static bool
allow_socket(scmp_filter_ctx ctx, int family)
{
	const scmp_datum_t flags = SOCK_CLOEXEC | SOCK_NONBLOCK;

	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
	    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family, 0),
	    SCMP_A1(SCMP_CMP_MASKED_EQ, ~flags & UINT32_MAX, SOCK_STREAM)) == 0;
}

/* No F_SETOWN: a descriptor would signal another process. */
static bool
allow_fcntl(scmp_filter_ctx ctx)
{
	static const int commands[] = { F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_DUPFD_CLOEXEC };
	static const int calls[] = { SCMP_SYS(fcntl), SCMP_SYS(fcntl64) };
	size_t i, k;

	for (i = 0; i < countof(calls); i++)
		for (k = 0; k < countof(commands); k++)
			if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 1,
			    SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)commands[k], 0)) < 0 &&
			    calls[i] >= 0)
				return false;
	return true;
}

/* Memory that can be written or read, and never executed. */
static bool
allow_memory(scmp_filter_ctx ctx)
{
	static const int calls[] = { SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect) };
	size_t i;

	for (i = 0; i < countof(calls); i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 1,
		    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) < 0 && calls[i] >= 0)
			return false;
	return true;
}

/* abort() raises SIGABRT by tgkill() on itself; on others it may not. */
static bool
allow_abort(scmp_filter_ctx ctx)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
	    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0)) == 0;
}

static bool
fill_filter(scmp_filter_ctx ctx, bool needs_tcp)
{
	size_t i;

	for (i = 0; i < countof(allowed); i++)
		/* A call that this architecture does not have is none to allow. */
		if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0) < 0 && allowed[i] >= 0)
			return false;
	if (!allow_abort(ctx) || !allow_fcntl(ctx) || !allow_memory(ctx) ||
	    !allow_socket(ctx, AF_UNIX))
		return false;
	return !needs_tcp || (allow_socket(ctx, AF_INET) && allow_socket(ctx, AF_INET6));
}

static bool
filter_calls(bool needs_tcp)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	bool done = ctx && fill_filter(ctx, needs_tcp) && seccomp_load(ctx) == 0;

	if (ctx)
		seccomp_release(ctx);
	return done;
}

#else

static bool
filter_calls(bool needs_tcp)
{
	(void)needs_tcp;
	return true;
}

#endif

bool
sandbox_filters_calls(void)
{
	return FILTERS;
}

bool
sandbox_enter(const struct sandbox *s)
{
	close_others(s);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	set_limits(s);
	/* A sanitizer tells on stderr what it found. */
	if (standard_leave(s->keeps_stderr || UNDER_ADDRESS_SANITIZER) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return false;
	return filter_calls(s->needs_tcp);
}
