/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TEST_FUZZ_H
#define CTRACE_TEST_FUZZ_H

/*
 * A target takes any bytes and aborts where something that must always hold does not. `make fuzz` has libFuzzer
 * look for such bytes; tests/unit/test_fuzz_corpus.c calls every target with the inputs that are kept below
 * tests/fuzz/corpus. A new target is a line here, a file fuzz_NAME.c, and a directory of inputs of that name.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_TARGETS(TARGET) \
	TARGET(bolt)         \
	TARGET(config)       \
	TARGET(filter)       \
	TARGET(http)         \
	TARGET(identify)     \
	TARGET(image)        \
	TARGET(lifecycle)    \
	TARGET(recording)    \
	TARGET(timeline)     \
	TARGET(tui)          \
	TARGET(unpack)

typedef void fuzz_target(const uint8_t *data, size_t size);

#define FUZZ_DECLARE(name) fuzz_target fuzz_##name;
FUZZ_TARGETS(FUZZ_DECLARE)

/* A macro, so that the report shows the line. */
#define require(condition)                                                                          \
	do {                                                                                        \
		if (!(condition)) {                                                                 \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                    \
		}                                                                                   \
	} while (0)

#ifdef FUZZ_STANDALONE /* one of them with libFuzzer's main */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_TARGET(function)                                                                \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)                         \
	{                                                                                    \
		function(data, size);                                                        \
		return 0;                                                                    \
	}
#else
#define FUZZ_TARGET(function)
#endif

#endif
