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

/* That many milliseconds (0 or more) from now by CLOCK_MONOTONIC, for pthread_cond_clockwait(3): a wait that is measured by
 * the wall clock lasts for hours when somebody sets that back. */
static inline struct timespec clock_deadline(int milliseconds)
{
	int64_t at = clock_ns(CLOCK_MONOTONIC) + milliseconds * INT64_C(1000000);

	return (struct timespec){ .tv_sec = at / 1000000000, .tv_nsec = at % 1000000000 };
}

#endif
