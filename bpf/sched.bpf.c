// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How long the processes of a start are on a CPU, and how long they wait for one. Attached together with
 * the detail tier and never while the host is idle: a process without a role costs a lookup a switch.
 */
#include "call.h"

/* TASK_DEAD and PF_EXITING of include/linux/sched.h: the same in all kernels since v4.14 */
enum { TASK_IS_DEAD = 0x80, TASK_IS_EXITING = 0x4 };

static __always_inline void queue(struct ctrace_role *role, __u32 tid, __u64 now)
{
	/* At the bound the wait would be missing from the sum: then there is no sum. */
	if (bpf_map_update_elem(&queued_since, &tid, &now, BPF_ANY) != 0)
		role->epoch = 0;
}

static __always_inline void block(void *ctx, const struct call *call, __u32 tid, __u64 now)
{
	struct ctrace_blocked fresh = {}, *blocked = bpf_map_lookup_elem(&blocked_in, &tid);

	if (!blocked) {
		if (bpf_map_update_elem(&blocked_in, &tid, &fresh, BPF_ANY) != 0) {
			count_lost(CTRACE_LOST_BLOCKED);
			return;
		}
		blocked = bpf_map_lookup_elem(&blocked_in, &tid);
		if (!blocked)
			return;
	}
	if (blocked->call_ns != call->since_ns)
		blocked->longest.ns = 0;
	blocked->call_ns = call->since_ns;
	blocked->since_ns = now;
	__builtin_memset(&blocked->now, 0, sizeof(blocked->now));
	bpf_get_stack(ctx, blocked->now.frames, sizeof(blocked->now.frames), CTRACE_OWN_FRAMES);
}

static __always_inline void unblock(__u32 tid, __u64 now)
{
	struct ctrace_blocked *blocked = bpf_map_lookup_elem(&blocked_in, &tid);

	if (!blocked || !blocked->since_ns)
		return;
	blocked->now.ns = now - blocked->since_ns;
	blocked->since_ns = 0;
	if (blocked->now.ns > blocked->longest.ns)
		blocked->longest = blocked->now;
}

/* Off the CPU: the stretch counts, and one that is pushed off waits again. The task is asked for its
 * state, as the tracepoint has told it only since v5.18 (9c2136be0878): a signal that keeps it from
 * sleeping shows there, too. */
static __always_inline void leave(void *ctx, struct ctrace_running *running, struct task_struct *task, bool preempted,
	__u64 now)
{
	__u32 tgid = task->tgid, tid = running->tid;
	struct ctrace_role *role;
	struct call *call;
	long state;

	role = bpf_map_lookup_elem(&role_of, &tgid);
	if (!role) { /* the last thread of its process has told of the exit, and this one was woken before that */
		bpf_map_delete_elem(&queued_since, &tid);
		return;
	}
	__sync_fetch_and_add(&role->on_cpu_ns, sched_stretch(role, running->since_ns, now));
	call = bpf_map_lookup_elem(&inflight, &tid);
	if (call)
		call->on_cpu_ns += stretch_of_call(call, running->since_ns, now);
	if (bpf_core_field_exists(task->__state))
		state = READ(task, __state);
	else
		state = READ((struct task_struct___old *)task, state);
	if (preempted || state == 0)
		queue(role, tid, now);
	else if (state & TASK_IS_DEAD) /* it may have been woken on its last way, after its exit was told */
		bpf_map_delete_elem(&queued_since, &tid);
	else if (call)
		block(ctx, call, tid, now);
}

static __always_inline void enter(struct ctrace_running *running, struct task_struct *task, __u64 now)
{
	__u32 tgid = task->tgid, tid = task->pid;
	struct ctrace_role *role;
	struct call *call;
	__u64 *since;

	role = tgid ? bpf_map_lookup_elem(&role_of, &tgid) : NULL;
	running->tid = role ? tid : 0;
	if (!role) {
		/* It may have waited for the processor while the last thread of its process took the role away. */
		if (task->flags & TASK_IS_EXITING)
			bpf_map_delete_elem(&queued_since, &tid);
		return;
	}
	running->since_ns = now;
	unblock(tid, now);
	since = bpf_map_lookup_elem(&queued_since, &tid);
	if (!since)
		return;
	__sync_fetch_and_add(&role->run_queue_ns, sched_stretch(role, *since, now));
	call = bpf_map_lookup_elem(&inflight, &tid);
	if (call)
		call->run_queue_ns += stretch_of_call(call, *since, now);
	bpf_map_delete_elem(&queued_since, &tid);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(ct_sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct ctrace_running *running = sched_running();
	__u64 now = bpf_ktime_get_ns();

	if (!running)
		return 0;
	if (running->tid && running->tid == (__u32)prev->pid)
		leave(ctx, running, prev, preempt, now);
	enter(running, next, now);
	return 0;
}

static __always_inline int woken(struct task_struct *task)
{
	__u32 tgid = task->tgid;
	struct ctrace_role *role = bpf_map_lookup_elem(&role_of, &tgid);

	if (role)
		queue(role, task->pid, bpf_ktime_get_ns());
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(ct_sched_wakeup, struct task_struct *task)
{
	return woken(task);
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(ct_sched_wakeup_new, struct task_struct *task)
{
	return woken(task);
}
