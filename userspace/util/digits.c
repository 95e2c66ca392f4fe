/* SPDX-License-Identifier: Apache-2.0 */
#include "util/digits.h"

#include <stddef.h>
#include <string.h>

static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
	"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
	"8081828384858687888990919293949596979899";

static size_t count_digits(uint64_t value)
{
	static const uint64_t powers[] = { 0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
		10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000,
		10000000000000000, 100000000000000000, 1000000000000000000, 10000000000000000000U };
	unsigned int bits = 64 - (unsigned int)__builtin_clzll(value | 1);
	unsigned int digits = bits * 1233 >> 12; /* log10(2): exact, or one less than there are */

	return digits + (value >= powers[digits]);
}

static void put_pair(char *to, uint32_t value)
{
	memcpy(to, &pairs[(size_t)value * 2], 2);
}

static void put_eight(char *to, uint32_t value)
{
	uint32_t high = value / 10000, low = value % 10000;

	put_pair(to, high / 100);
	put_pair(to + 2, high % 100);
	put_pair(to + 4, low / 100);
	put_pair(to + 6, low % 100);
}

/* Eight digits at a time, as 32-bit numbers are divided sooner than 64-bit ones. */
char *digits_put(char *at, uint64_t value)
{
	char *end = at + count_digits(value), *to = end;
	uint32_t rest;

	for (; value >= 100000000; value /= 100000000)
		put_eight(to -= 8, (uint32_t)(value % 100000000));
	for (rest = (uint32_t)value; rest >= 100; rest /= 100)
		put_pair(to -= 2, rest % 100);
	if (rest >= 10)
		put_pair(to - 2, rest);
	else
		to[-1] = (char)('0' + rest);
	return end;
}
