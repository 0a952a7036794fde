/* harness: what every fuzz target offers, to libFuzzer and to replay */
#ifndef TESTS_FUZZ_HARNESS_H
#define TESTS_FUZZ_HARNESS_H

#include <stddef.h>
#include <stdint.h>

/* Aborts when something is not as it must be; returns 0. */
int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
