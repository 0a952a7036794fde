/* preset-profile: the bytes that chaperone apply installs, for tests with other clients */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/clean.h"
#include "base/error.h"
#include "core/profile.h"
#include "crypto/digest.h"

int
main(int argc, char **argv)
{
	auto_blob struct blob bytes = { 0 };
	struct profile_spec spec = { .n_presets = 1 };
	struct error err = { 0 };
	const char *preset;

	spec.is_removable = argc > 1 && strcmp(argv[1], "--removable") == 0;
	if (argc - spec.is_removable != 3) {
		fputs("usage: preset-profile [--removable] PRESET ORGANIZATION\n", stderr);
		return EXIT_FAILURE;
	}
	preset = argv[argc - 2];
	spec.presets = &preset;
	spec.organization = argv[argc - 1];
	if (profile_build(&spec, digest_sha256, &bytes, &err) < 0) {
		fprintf(stderr, "preset-profile: %s\n", err.message);
		return EXIT_FAILURE;
	}
	return fwrite(bytes.data, 1, bytes.len, stdout) == bytes.len ? EXIT_SUCCESS : EXIT_FAILURE;
}
