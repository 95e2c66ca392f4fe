/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_CLOCK_H
#define CTRACE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* What a clock of clock_gettime(2) says: 64 bits of nanoseconds last until 2554. */
static inline int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static inline int64_t clock_ms(clockid_t clock)
{
	return clock_ns(clock) / 1000000;
}

#endif
