/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TEST_FUZZ_H
#define CTRACE_TEST_FUZZ_H

/*
 * A target takes any bytes and aborts where something that must always hold does not. `make fuzz` has libFuzzer
 * look for such bytes; tests/unit/test_fuzz_corpus.c, which defines FUZZ_TARGET itself, calls every target with the
 * inputs that are kept below tests/fuzz/corpus.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static inline void require(int condition)
{
	if (!condition)
		abort();
}

#ifndef FUZZ_TARGET
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_TARGET(function)                                                                \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)                         \
	{                                                                                    \
		function(data, size);                                                        \
		return 0;                                                                    \
	}
#endif

#endif
