/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CTRACE_COMMON_H
#define CTRACE_COMMON_H

/*
 * What all families of hooks share: rings, the roles of processes, counters of losses, and the
 * header of a record. Everything here is __weak: each object file has a copy, `bpftool gen object`
 * makes one of them.
 */

#include "read.h"

#include <bpf/bpf_tracing.h>

#include "bpf/event.h"
#include "shared.h"

__weak char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Settled before loading. */
__weak const volatile struct ctrace_config config SEC(".rodata");

/* Counted since loading; user space maps them. */
__weak struct ctrace_counters counters SEC(".bss");

__weak struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, CTRACE_RING_BYTES);
} lifecycle_ring SEC(".maps");

__weak struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, CTRACE_RING_BYTES);
} bulk_ring SEC(".maps");

__weak struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CTRACE_MAX_ROLES);
	__type(key, __u32); /* tgid */
	__type(value, struct ctrace_role);
} role_of SEC(".maps");

__weak struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CTRACE_MAX_NAMES);
	__type(key, char[EVENT_COMM]);
	__type(value, __u8);
} role_of_name SEC(".maps");

/* Whose limit the OOM kill that this task is in was about; taken out by mark_victim. */
__weak struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u32); /* tid of the allocating task */
	__type(value, __u64);
} oom_owner SEC(".maps");

/* A record of variable length is built here, one area for each family of hooks that cannot
 * interrupt itself: tracepoints run with preemption off. */
enum scratch_area { SCRATCH_EXEC, SCRATCH_CGROUP, SCRATCH_OOM, SCRATCH_ENTER, SCRATCH_EXIT,
	SCRATCH_FUNCTION, SCRATCH_COUNT };

struct scratch {
	char bytes[4096];
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_COUNT);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch_areas SEC(".maps");

static __always_inline void *scratch(__u32 area)
{
	return bpf_map_lookup_elem(&scratch_areas, &area);
}

/* Byte-wise, as the string may lie at any address and the verifier wants constant offsets; and without a
 * branch for each byte, as the verifier walks both ways of every branch. */
#define has_prefix(s, literal)                                                                  \
	({                                                                                      \
		__u8 differs_ = 0;                                                              \
		_Pragma("unroll") for (int i_ = 0; i_ < (int)sizeof(literal) - 1; i_++)         \
			differs_ |= (s)[i_] ^ (literal)[i_];                                    \
		differs_ == 0;                                                                  \
	})

/* The same number, of which the verifier then knows nothing. Where branches leave different constants behind it walks all
 * that follows once for each of them. */
#define any_number(n) ((n) + *(volatile __typeof__(counters.zero) *)&counters.zero)

static __always_inline void count_lost(__u32 kind)
{
	if (kind < CTRACE_LOST_KINDS)
		__sync_fetch_and_add(&counters.lost[kind], 1);
}

/* Waking the reader for each record costs ten times the record: let it sleep until there is a
 * quarter of a megabyte, and poll. A sentinel wakes it at once, since the detail tier waits on it. */
static __always_inline __u64 wake_flags(void *ring, bool now)
{
	__u64 waiting;

	if (now)
		return BPF_RB_FORCE_WAKEUP;
	waiting = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
	return waiting >= CTRACE_WAKE_BYTES ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* What a container can make at will, in a loop, gets half of the ring: the other half is for what its
 * runtime and its neighbours do. */
static __always_inline bool has_room(void *ring, __u8 role, __u32 kind)
{
	if (role != ROLE_PAYLOAD && role != ROLE_NONE)
		return true;
	if (bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) < bpf_ringbuf_query(ring, BPF_RB_RING_SIZE) / 2)
		return true;
	count_lost(kind);
	return false;
}

static __always_inline struct pid *tgid_pid(struct task_struct *task)
{
	return READ(task, signal, pids[1]); /* PIDTYPE_TGID */
}

struct pid_identity {
	__u32 number, level;
	struct pid_namespace *ns;
};

/* A process as its innermost pid namespace sees it. */
static __always_inline struct pid_identity pid_identity(struct task_struct *task)
{
	struct pid *pid = tgid_pid(task);
	struct pid_identity id = {};
	struct upid *upid;

	if (!pid)
		return id;
	id.level = READ(pid, level);
	upid = (void *)&pid->numbers + bounded(id.level, 63) * bpf_core_type_size(struct upid);
	id.number = READ(upid, nr);
	id.ns = READ(upid, ns);
	return id;
}

static __always_inline struct cgroup_subsys_state *subsys_state(struct task_struct *task, __u32 subsys)
{
	struct css_set *set = READ(task, cgroups);
	struct cgroup_subsys_state *css = NULL;

	if (set)
		READ_AT(css, (void *)&set->subsys + subsys * sizeof(void *));
	return css;
}

/* The cgroup id in the identifying hierarchy: bpf_get_current_cgroup_id knows v2 only. */
static __always_inline __u64 identity_cgroup(struct task_struct *task)
{
	struct cgroup_subsys_state *css;

	if (config.identity_subsys == CTRACE_IDENTITY_V2)
		return READ(task, cgroups, dfl_cgrp, kn, id);
	css = subsys_state(task, config.identity_subsys);
	return css ? READ(css, cgroup, kn, id) : 0;
}

static __always_inline __u64 start_time(struct task_struct *task)
{
	return READ(task, group_leader, start_boottime);
}

/* The role of a process; (tgid, start) is its key, so that a reused tgid does not inherit one. User
 * space, which gives a role before the process runs, does not know its start: 0. */
static __always_inline struct ctrace_role *role_find(__u32 tgid, __u64 start_ns)
{
	struct ctrace_role *role = bpf_map_lookup_elem(&role_of, &tgid);

	return role && (role->start_ns == start_ns || !role->start_ns) ? role : NULL;
}

static __always_inline __u8 role_get(__u32 tgid, __u64 start_ns)
{
	struct ctrace_role *role = role_find(tgid, start_ns);

	return role ? role->role : ROLE_NONE;
}

/* Of the current process. Most have none: the lookup comes before the reads that check it. */
static __always_inline __u8 current_role(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if (!bpf_map_lookup_elem(&role_of, &tgid))
		return ROLE_NONE;
	return role_get(tgid, start_time((void *)bpf_get_current_task()));
}

/* At a fork and at an exec: the process's CPU figures begin anew, too. */
static __always_inline void role_set(__u32 tgid, __u64 start_ns, __u8 new_role)
{
	struct ctrace_role role = { .start_ns = start_ns, .role = new_role, .since_ns = bpf_ktime_get_ns() };
	struct ctrace_role *old;

	if (new_role == ROLE_NONE) {
		bpf_map_delete_elem(&role_of, &tgid);
		return;
	}
	if (counters.sched_epoch & 1)
		role.epoch = counters.sched_epoch;
	old = bpf_map_lookup_elem(&role_of, &tgid);
	if (old) /* in place: a replaced element may serve another process while a CPU still adds to it */
		*old = role;
	else if (bpf_map_update_elem(&role_of, &tgid, &role, BPF_ANY) != 0)
		count_lost(CTRACE_LOST_ROLE);
}

static __always_inline bool is_self(void)
{
	return bpf_get_current_pid_tgid() >> 32 == config.self_tgid;
}

/* Fills the header for a task; its role is left to the caller. */
static __always_inline void event_init_task(struct event *e, __u16 kind, __u16 size, struct task_struct *task)
{
	enum { KERNEL_THREAD = 0x00200000 }; /* PF_KTHREAD */
	struct pid_identity id = pid_identity(task);

	e->size = size;
	e->kind = kind;
	e->flags = READ(task, flags) & KERNEL_THREAD ? EVENT_F_KERNEL : 0;
	e->role = ROLE_NONE;
	e->cpu = bpf_get_smp_processor_id();
	e->time_ns = bpf_ktime_get_boot_ns();
	e->tgid = READ(task, tgid);
	e->tid = READ(task, pid);
	e->ns_tgid = id.number;
	e->ns_level = id.level;
	e->start_ns = start_time(task);
	e->cgroup_id = identity_cgroup(task);
	copy_text(e->comm, sizeof(e->comm), &task->comm);
}

/* Fills the header for the current task. */
static __always_inline void event_init(struct event *e, __u16 kind, __u16 size)
{
	event_init_task(e, kind, size, (void *)bpf_get_current_task());
	e->role = role_get(e->tgid, e->start_ns);
}

static __always_inline void note_sentinel(__u64 time_ns)
{
	counters.last_sentinel_ns = time_ns;
	__sync_fetch_and_add(&counters.sentinels, 1);
}

/* Sends the first e->size bytes; limit bounds it for the verifier. Says whether it went. */
#define event_send(ring, e, limit, now)                                                         \
	({                                                                                      \
		__u64 size_ = (e)->size;                                                        \
		if (size_ > (limit))                                                            \
			size_ = (limit);                                                        \
		bool sent_ = !bpf_ringbuf_output((ring), (e), size_, wake_flags((ring), (now))); \
		if (!sent_)                                                                     \
			count_lost((e)->kind);                                                  \
		sent_;                                                                          \
	})

static __always_inline void read_namespaces(struct event_namespaces *ns, struct task_struct *task)
{
	struct nsproxy *proxy = READ(task, nsproxy);
	struct pid_namespace *pid_ns = pid_identity(task).ns;

	__builtin_memset(ns, 0, sizeof(*ns));
	ns->pid = pid_ns ? READ(pid_ns, ns.inum) : 0;
	ns->user = READ(task, cred, user_ns, ns.inum);
	if (!proxy)
		return;
	ns->mnt = READ(proxy, mnt_ns, ns.inum);
	ns->net = READ(proxy, net_ns, ns.inum);
	ns->uts = READ(proxy, uts_ns, ns.inum);
	ns->ipc = READ(proxy, ipc_ns, ns.inum);
	ns->cgroup = READ(proxy, cgroup_ns, ns.inum);
	ns->time = READ(proxy, time_ns, ns.inum);
}

static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *kn)
{
	if (bpf_core_field_exists(kn->__parent))
		return READ(kn, __parent);
	return READ((struct kernfs_node___old *)kn, parent);
}

/* CLONE_* that make a namespace. NEWTIME is not among them: clone(2) has the exit signal there. */
#define CLONE_NEW_ANY 0x7e020000ULL

#endif
