// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How long the processes of a start are on a CPU, and how long they wait for one. Attached together with
 * the detail tier and never while the host is idle: a process without a role costs a lookup a switch.
 */
#include "call.h"

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

/* Off the CPU: the stretch counts, and the wait before it. The task is asked for its state, as the tracepoint has told it
 * only since v5.18 (9c2136be0878): a signal that keeps it from sleeping shows there, too. */
static __always_inline void leave(void *ctx, struct ctrace_running *running, struct task_struct *task, bool preempted,
	__u64 now)
{
	__u32 tgid = task->tgid, tid = running->tid;
	struct ctrace_role *role = bpf_map_lookup_elem(&role_of, &tgid);
	struct call *call;
	long state;

	if (!role) /* the last thread of its process has told of the exit */
		return;
	__sync_fetch_and_add(&role->on_cpu_ns, sched_stretch(running, role->since_ns, now));
	__sync_fetch_and_add(&role->run_queue_ns, sched_wait(running, role->since_ns, sched_run_delay(task)));
	call = bpf_map_lookup_elem(&inflight, &tid);
	if (!call)
		return;
	call->on_cpu_ns += sched_stretch(running, call->since_ns, now);
	if (bpf_core_field_exists(task->__state))
		state = READ(task, __state);
	else
		state = READ((struct task_struct___old *)task, state);
	if (!preempted && state != 0)
		block(ctx, call, tid, now);
}

static __always_inline void enter(struct ctrace_running *running, struct task_struct *task, __u64 now)
{
	__u32 tgid = task->tgid, tid = task->pid;

	running->tid = tgid && bpf_map_lookup_elem(&role_of, &tgid) ? tid : 0;
	if (!running->tid)
		return;
	running->since_ns = now;
	running->run_delay_ns = sched_run_delay(task); /* without the wait that ends now: it is added after this hook */
	unblock(tid, now);
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
