/* fixture: files that tests make for themselves; no key is kept in the project */
#include "tests/unit/table.h"
#include "tests/unit/fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "base/file.h"

static char folder[256];
static int came_from = -1;

void
fixture_enter(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/test-crypto.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(folder));
	came_from = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(chdir(folder), 0);
	umask(077);
}

void
fixture_leave(void)
{
	DIR *dir = opendir(".");
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			unlink(entry->d_name);
	closedir(dir);
	assert_int_equal(fchdir(came_from), 0);
	close(came_from);
	assert_int_equal(rmdir(folder), 0);
}

int
fixture_make(void **state)
{
	(void)state;
	fixture_enter();
	return 0;
}

int
fixture_remove(void **state)
{
	(void)state;
	fixture_leave();
	return 0;
}

void
fixture_write(const char *name, const void *data, size_t len, unsigned mode)
{
	struct error err = { 0 };

	assert_int_equal(file_write(name, data, len, mode, true, &err), 0);
}

void
fixture_read(const char *name, struct blob *out)
{
	struct error err = { 0 };

	assert_int_equal(file_read(name, 1 << 24, FILE_ANY, out, &err), 0);
}

static void
become_openssl(char *line)
{
	char *argv[64] = { NULL }, *save = NULL;
	int null = open("/dev/null", O_RDWR);
	size_t n = 0;

	for (argv[n] = strtok_r(line, " ", &save); argv[n] && n + 2 < countof(argv);)
		argv[++n] = strtok_r(NULL, " ", &save);
	dup2(null, 0);
	dup2(null, 1);
	if (!getenv("V"))
		dup2(null, 2);
	execvp(argv[0], argv);
	_exit(127);
}

bool
fixture_openssl(const char *line)
{
	char words[1024];
	int status = 0;
	pid_t pid;

	assert_true((size_t)snprintf(words, sizeof(words), "openssl %s", line) < sizeof(words));
	pid = fork();
	if (pid == 0)
		become_openssl(words);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int
fixture_answer(void *ctx, const char *what, struct blob *out, struct error *err)
{
	struct asked *a = ctx;

	(void)what;
	a->times++;
	if (!a->answer)
		return error_set(err, ERR_PERM, "nobody is there");
	return blob_set(out, a->answer, strlen(a->answer)) < 0 ? error_memory(err) : 0;
}
