/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_PROGRAMS_H
#define CTRACE_PROGRAMS_H

#include "capture/capture.h"

/* The time that a program of the kernel side has run. */
struct program_time {
	const char *name; /* good as long as the capture */
	uint64_t run_ns;
};

/* Fills at most `most`; returns how many. 0 while kernel.bpf_stats_enabled is off: the kernel does not count then. */
size_t capture_program_times(const struct capture *capture, struct program_time *ret, size_t most);

#endif
