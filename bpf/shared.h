/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CTRACE_SHARED_H
#define CTRACE_SHARED_H

#include <linux/types.h>

#include "bpf/event.h"

/* What the loader and the kernel side agree on besides the record; not kept in recordings. */

enum {
	CTRACE_RING_BYTES = 2 << 20,
	CTRACE_WAKE_BYTES = 128 << 10,
	CTRACE_MAX_ROLES = 65536,
	CTRACE_MAX_NAMES = 256,
	CTRACE_MAX_INFLIGHT = 16384,
	CTRACE_MAX_BLOCKED = 2048,
	CTRACE_FRAMES = 12,    /* as many as bpf_snprintf takes */
	CTRACE_OWN_FRAMES = 3, /* of the hook itself */
	CTRACE_IDENTITY_V2 = 255,
	/* Indexes into lost[]: event kinds of both rings, then what else can be lost. */
	CTRACE_LOST_BLOCKED = 61,
	CTRACE_LOST_INFLIGHT = 62,
	CTRACE_LOST_ROLE = 63,
	CTRACE_LOST_KINDS = 64
};

struct ctrace_config {
	__u32 self_tgid;
	__u32 follow_tgid; /* ROLE_FOLLOWED from its next exec on; 0 = none */
	/* Index into css_set.subsys of the identifying hierarchy, or CTRACE_IDENTITY_V2. */
	__u32 identity_subsys;
	__u32 memory_subsys; /* CTRACE_IDENTITY_V2 = the kernel has no memory controller */
	__u32 pids_subsys;   /* the same of pids */
	__u32 page_size;
};

struct ctrace_counters {
	__u64 lost[CTRACE_LOST_KINDS];
	__u64 sentinels;        /* events that ask for the detail tier */
	__u64 last_sentinel_ns; /* CLOCK_BOOTTIME */
	__u64 last_detail_ns;   /* of a task with a role */
	/* Set by user space once both hooks of cgroup_file_write are attached: they see cgroup writes, the
	 * armed pair need not. */
	__u64 function_writes;
	/* Odd while the scheduler's hook is attached, raised by user space at each attach and detach: what
	 * began and ended in the same odd one was seen whole. */
	__u64 sched_epoch;
	__u64 zero; /* always: what the verifier does not know (common.h) */
};

struct ctrace_role {
	__u64 start_ns; /* start_boottime of the process: its tgid may be reused; 0 = any */
	__u8 role;
	__u8 unused[7];
	/* Figures of the process since its fork or last exec, at since_ns (CLOCK_MONOTONIC). */
	__u64 since_ns, on_cpu_ns, run_queue_ns;
	__u64 epoch; /* the odd sched_epoch in which they began; 0 = they lack something */
};

/* What the task iterator writes: the head of a struct event_task. */
struct ctrace_snapshot_task {
	struct event h;
	__u32 parent_tgid;
	__u32 argv_length;
	struct event_namespaces ns;
};

#endif
