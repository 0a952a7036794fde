/* replay: gives every file of a corpus to a fuzz harness, without a fuzzer */
#include "tests/fuzz/harness.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/blob.h"
#include "base/error.h"
#include "base/file.h"

enum { FILE_MAX = 16 << 20 };

static size_t
replay_file(const char *path)
{
	auto_blob struct blob bytes = { 0 };
	struct error err = { 0 };

	if (file_read(path, FILE_MAX, FILE_ANY, &bytes, &err) < 0) {
		fprintf(stderr, "%s: %s\n", path, err.message);
		exit(1);
	}
	LLVMFuzzerTestOneInput(bytes.data, bytes.len);
	return 1;
}

static size_t
replay(const char *path)
{
	struct dirent *entry;
	struct stat st;
	size_t n = 0;
	DIR *dir;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
		return replay_file(path);
	dir = opendir(path);
	if (!dir) {
		perror(path);
		exit(1);
	}
	while ((entry = readdir(dir))) {
		auto_free char *inside = NULL;

		if (entry->d_name[0] == '.')
			continue;
		if (asprintf(&inside, "%s/%s", path, entry->d_name) < 0)
			abort();
		n += replay(inside);
	}
	closedir(dir);
	return n;
}

/* Without arguments: the corpus that the harness was built with. */
int
main(int argc, char **argv)
{
	size_t n = 0;
	int i;

	for (i = 1; i < argc; i++)
		n += replay(argv[i]);
	if (argc == 1)
		n = replay(CORPUS);
	printf("%zu files replayed\n", n);
	return n == 0;
}
