/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_UTIL_PROC_STAT_H
#define CTRACE_UTIL_PROC_STAT_H

#include <stdint.h>
#include <sys/types.h>

/* When a process began, in clock ticks (sysconf(_SC_CLK_TCK)) since boot: field 22 of /proc/PID/stat, see proc(5). With
 * the pid it names a process for good, since pids are used again. Its state's letter (field 3) goes to ret_state, which
 * may be NULL. 0 where there is no such process. */
uint64_t proc_start_ticks(pid_t pid, char *ret_state);

#endif
