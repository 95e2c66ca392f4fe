/* SPDX-License-Identifier: Apache-2.0 */
#include "util/digits.h"

#include <stddef.h>
#include <string.h>

static size_t count_digits(uint64_t value)
{
	static const uint64_t powers[] = { 0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
		10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000,
		10000000000000000, 100000000000000000, 1000000000000000000, 10000000000000000000U };
	unsigned int bits = 64 - (unsigned int)__builtin_clzll(value | 1);
	unsigned int digits = bits * 1233 >> 12; /* log10(2): exact, or one less than there are */

	return digits + (value >= powers[digits]);
}

char *digits_put(char *at, uint64_t value)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
		"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
		"8081828384858687888990919293949596979899";
	char *end = at + count_digits(value), *to = end;

	for (; value >= 100; value /= 100)
		memcpy(to -= 2, &pairs[value % 100 * 2], 2);
	if (value >= 10)
		memcpy(to - 2, &pairs[value * 2], 2);
	else
		to[-1] = (char)('0' + value);
	return end;
}
