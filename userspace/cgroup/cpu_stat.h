/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_CPU_STAT_H
#define CTRACE_CPU_STAT_H

#include <stdbool.h>
#include <stdint.h>

/* What a CPU quota did to a cgroup since it was made. A period counts only while something in the cgroup is
 * runnable; the time is added up over CPUs, so that it may pass the clock's. */
struct cpu_stat {
	uint64_t periods, throttled, throttled_ns;
};

/* Reads the text of a cpu.stat file: nr_periods, nr_throttled and throttled_time (ns, v1) or throttled_usec
 * (v2), among other lines. False where one of them is missing, as in a v2 cgroup without the CPU controller.
 * Pure: the timeline reads recorded texts with it. */
bool cpu_stat_parse(const char *text, struct cpu_stat *ret_stat);

#endif
