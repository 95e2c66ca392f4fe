/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_FACTS_H
#define CTRACE_FACTS_H

#include "timeline/timeline.h"

/* What is true of a capture from its start: the kernel, the clocks, what can be seen and what
 * not. Kept in the recording's header, printed by doctor, exported in the JSON header. */

enum hook_state { HOOK_ATTACHED, HOOK_ARMABLE /* attached only while armed */, HOOK_FALLBACK /* a
	better hook of the same job is attached */, HOOK_REFUSED, HOOK_ABSENT };

struct hook_fact {
	char job[48];    /* what it tells: "mounts", "cgroup writes" */
	char hook[64];   /* "tp_btf/task_newtask" */
	enum hook_state state;
	char reason[160]; /* why it is refused or absent, in words */
};

struct unseen_fact {
	char what[96];  /* "cgroup writes by splice, sendfile, io_uring" */
	char why[192];  /* "fentry is refused on this kernel; syscall tracepoints see write(2) only" */
};

struct facts {
	char ctrace_version[64];
	char hostname[65], kernel[65], machine[65], boot_id[40];
	char lockdown[24];      /* none, integrity, confidentiality, unknown */
	char cgroup_mode[8];    /* v1, v2, hybrid */
	uint32_t cpus;
	int64_t wall_offset_ns; /* CLOCK_REALTIME - CLOCK_BOOTTIME at the start */
	uint64_t start_ns;      /* CLOCK_BOOTTIME when the hooks were attached */
	bool always_armed;
	struct timeline_config timeline;
	struct hook_fact *hooks;
	size_t hook_count, hook_capacity;
	struct unseen_fact *unseen;
	size_t unseen_count, unseen_capacity;
};

/* Takes over how far the wall clock is from the boot clock now, where that was set since (half a second or more: what NTP slews is
 * less); whether it was. For who tells of now: a recording keeps one clock from its begin to its end. */
bool facts_follow_wall_clock(struct facts *facts, int64_t wall_offset_ns);

const char *hook_state_name(enum hook_state state); /* "attached" */
void facts_free(struct facts *facts);

#endif
