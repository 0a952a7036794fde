/* what a worker may no longer do: each thing is tried inside the real sandbox */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clean.h"
#include "flow/sandbox.h"
#include "tests/unit/table.h"

enum { GIGABYTE = 1 << 30, SKIPPED = 77 };

#define TEXT(s)		((long)(uintptr_t)(s))

static const struct {
	const char	*name;
	long		 number, args[5];
	bool		 is_allowed, with_tcp;	/* usbmuxd is reached over TCP */
} rows[] = {
	{ "execute a program", SYS_execve, { TEXT("/bin/true") }, .is_allowed = false },
	{ "execute one by descriptor", SYS_execveat, { 2, TEXT(""), 0, 0, AT_EMPTY_PATH },
	    .is_allowed = false },
	{ "make a file in memory to execute", SYS_memfd_create, { TEXT("x") },
	    .is_allowed = false },
	{ "make a file", SYS_openat, { AT_FDCWD, TEXT("/tmp/x"), O_CREAT | O_WRONLY, 0600 },
	    .is_allowed = false },
	{ "write to a file", SYS_openat, { AT_FDCWD, TEXT("/dev/null"), O_WRONLY },
	    .is_allowed = false },
	{ "read a file", SYS_openat, { AT_FDCWD, TEXT("/etc/passwd"), O_RDONLY },
	    .is_allowed = false },
	{ "open by the newer call", SYS_openat2, { AT_FDCWD, TEXT("/etc/passwd") },
	    .is_allowed = false },
	{ "remove a file", SYS_unlinkat, { AT_FDCWD, TEXT("/tmp/x") }, .is_allowed = false },
	{ "rename a file", SYS_renameat2, { AT_FDCWD, TEXT("/tmp/x"), AT_FDCWD, TEXT("/tmp/y") },
	    .is_allowed = false },
	{ "make a link", SYS_symlinkat, { TEXT("/etc/passwd"), AT_FDCWD, TEXT("/tmp/x") },
	    .is_allowed = false },
	{ "make a folder", SYS_mkdirat, { AT_FDCWD, TEXT("/tmp/x"), 0700 }, .is_allowed = false },
	{ "change a mode", SYS_fchmodat, { AT_FDCWD, TEXT("/tmp/x"), 0777 }, .is_allowed = false },
	{ "read a folder", SYS_getdents64, { 2 }, .is_allowed = false },
	{ "begin a process", SYS_clone, { SIGCHLD }, .is_allowed = false },
	{ "begin one by the newer call", SYS_clone3, { 0 }, .is_allowed = false },
	{ "leave its namespaces", SYS_unshare, { CLONE_NEWUSER }, .is_allowed = false },
	{ "trace a process", SYS_ptrace, { 16, 1 }, .is_allowed = false },
	{ "read another's memory", SYS_process_vm_readv, { 1 }, .is_allowed = false },
	{ "signal another", SYS_kill, { 1, 0 }, .is_allowed = false },
	{ "signal its whole group", SYS_kill, { 0, 0 }, .is_allowed = false },
	{ "signal a thread of another", SYS_tgkill, { 1, 1, 0 }, .is_allowed = false },
	{ "hold another process", SYS_pidfd_open, { 1 }, .is_allowed = false },
	{ "have a descriptor signal another", SYS_fcntl, { 2, F_SETOWN, 1 }, .is_allowed = false },
	{ "a ring of calls past the filter", SYS_io_uring_setup, { 8 }, .is_allowed = false },
	{ "a program in the kernel", SYS_bpf, { 0 }, .is_allowed = false },
	{ "measure the machine", SYS_perf_event_open, { 0 }, .is_allowed = false },
	{ "handle its own page faults", SYS_userfaultfd, { 0 }, .is_allowed = false },
	{ "read the kernel's keys", SYS_keyctl, { 0 }, .is_allowed = false },
	{ "become somebody else", SYS_setuid, { 0 }, .is_allowed = false },
	{ "raise its limits", SYS_prlimit64, { 0, 7 }, .is_allowed = false },
	{ "become dumpable again", SYS_prctl, { 4, 1 }, .is_allowed = false },
	{ "type on the terminal", SYS_ioctl, { 2, 0x5412 }, .is_allowed = false },
	{ "speak TCP", SYS_socket, { AF_INET, SOCK_STREAM }, .is_allowed = false },
	{ "speak TCP over IPv6", SYS_socket, { AF_INET6, SOCK_STREAM }, .is_allowed = false },
	{ "speak to the kernel", SYS_socket, { AF_NETLINK, SOCK_RAW }, .is_allowed = false },
	{ "listen to the wire", SYS_socket, { AF_PACKET, SOCK_RAW }, .is_allowed = false },
	{ "make a pair of sockets", SYS_socketpair, { AF_UNIX, SOCK_STREAM }, .is_allowed = false },
	{ "offer a port", SYS_bind, { 2 }, .is_allowed = false },
	{ "wait for visitors", SYS_listen, { 2 }, .is_allowed = false },
	{ "have memory that executes", SYS_mmap,
	    { 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1 },
	    .is_allowed = false },
	{ "UDP, where usbmuxd is reached over TCP", SYS_socket,
	    { AF_INET, SOCK_DGRAM }, .with_tcp = true },
	{ "raw sockets, there", SYS_socket, { AF_INET, SOCK_RAW }, .with_tcp = true },
	{ "execute, there", SYS_execve, { TEXT("/bin/true") }, .with_tcp = true },
	{ "reach usbmuxd's socket", SYS_socket,
	    { AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC }, .is_allowed = true },
	{ "reach usbmuxd over TCP", SYS_socket,
	    { AF_INET, SOCK_STREAM | SOCK_CLOEXEC }, .is_allowed = true, .with_tcp = true },
	{ "know itself", SYS_getpid, { 0 }, .is_allowed = true },
	{ "have memory", SYS_mmap,
	    { 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1 },
	    .is_allowed = true },
	{ "not block", SYS_fcntl, { 2, F_SETFL, 0 }, .is_allowed = true },
};

/* In a child: enters, and then does as it is told. The parent holds the other end. */
static pid_t
enter(bool with_tcp, int *end)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid > 0) {
		close(ends[1]);
		*end = ends[0];
		return pid;
	}
	*end = ends[1];
	if (!sandbox_enter(&(struct sandbox){ .parent = ends[1], .needs_tcp = with_tcp }))
		_exit(1);
	return 0;
}

static void
leave(pid_t pid, int end)
{
	int status;

	close(end);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* 0, or the errno of the call. */
static void
try_rows(int end, bool with_tcp)
{
	size_t i;

	for (i = 0; i < countof(rows); i++) {
		const long *a = rows[i].args;
		int result;

		if (rows[i].with_tcp != with_tcp)
			continue;
		result = syscall(rows[i].number, a[0], a[1], a[2], a[3], a[4], 0L) < 0 ? errno : 0;
		if (write(end, &result, sizeof(result)) != sizeof(result))
			_exit(1);
	}
	_exit(0);
}

static void
each_thing_is_refused_or_not(void **state)
{
	int with_tcp;

	(void)state;
	for (with_tcp = 0; with_tcp < 2; with_tcp++) {
		int end = -1;
		pid_t pid = enter(with_tcp, &end);
		size_t i;

		if (pid == 0)
			try_rows(end, with_tcp);
		for (i = 0; i < countof(rows); i++) {
			int result;

			if (rows[i].with_tcp != with_tcp)
				continue;
			row_named(rows[i].name);
			assert_int_equal(read(end, &result, sizeof(result)), sizeof(result));
			assert_int_equal(result, rows[i].is_allowed ? 0 : EPERM);
		}
		leave(pid, end);
	}
}

static void
what_is_allowed_has_limits(void **state)
{
	int end = -1, results[2], i;
	pid_t pid = enter(false, &end);

	(void)state;
	if (pid == 0) {
		results[0] = mmap(NULL, 2ul * GIGABYTE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
		for (i = 0; i < 100; i++)
			results[1] = socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? errno : 0;
		if (write(end, results, sizeof(results)) != sizeof(results))
			_exit(1);
		_exit(0);
	}
	assert_int_equal(read(end, results, sizeof(results)), sizeof(results));
	assert_int_equal(results[0], ENOMEM);
	assert_int_equal(results[1], EMFILE);
	leave(pid, end);
}

/* What /proc tells of it, line by line. */
static bool
says(pid_t pid, const char *file, const char *name, const char *value)
{
	char path[64], line[256];
	bool found = false;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	in = fopen(path, "re");
	assert_non_null(in);
	while (!found && fgets(line, sizeof(line), in)) {
		const char *rest = line + strlen(name);

		found = strncmp(line, name, strlen(name)) == 0 &&
		    strncmp(rest + strspn(rest, " \t"), value, strlen(value)) == 0;
	}
	fclose(in);
	return found;
}

static void
the_kernel_tells_the_same(void **state)
{
	static const struct {
		const char *file, *name, *value;
	} lines[] = {
		{ "status", "Seccomp:", "2" },
		{ "status", "NoNewPrivs:", "1" },
		{ "limits", "Max core file size", "0                    0 " },
		{ "limits", "Max cpu time", "120                  121 " },
		{ "limits", "Max address space", "1073741824           1073741824 " },
	};
	int end = -1;
	pid_t pid = enter(false, &end);
	size_t i;
	char byte = 0;

	(void)state;
	if (pid == 0) {
		if (write(end, &byte, 1) != 1 || read(end, &byte, 1) != 0)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(read(end, &byte, 1), 1);
	for (i = 0; i < countof(lines); i++) {
		row_named(lines[i].name);
		assert_true(says(pid, lines[i].file, lines[i].name, lines[i].value));
	}
	leave(pid, end);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_thing_is_refused_or_not),
		cmocka_unit_test(what_is_allowed_has_limits),
		cmocka_unit_test(the_kernel_tells_the_same),
	};

	if (!sandbox_filters_calls()) {
		puts("skipped: this build confines no system calls");
		return SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
